"""What an explanation holds, whatever it was made from; ``shopwarden explain --json`` prints it as it is.

Times that are read by people or programs are RFC 3339 in UTC; money is in minor units.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from detectors.nearness import Shortfall
from features.events import SubjectKind
from features.outputs import Reason


class ExplainError(Exception):
    """There is nothing to explain, or it cannot be read; the message says why and what to do."""


class AmbiguousError(ExplainError):
    """An id means more than one thing; the message says which."""


class Wanted(Struct, frozen=True):
    """Whom to look for. Without ``kind`` a merchant is looked for first, then orders and listings."""

    id: str
    kind: SubjectKind | None = None
    merchant: str | None = None
    events: bool = False


class Rate(Struct, frozen=True):
    """A merchant's rate over a window: counts, the share, and what its peers make of it.

    ``usual`` and ``worth`` are the mean of the prior and the number of orders that it counts as; ``estimate`` is the
    posterior mean, ``at_least`` its 5 % quantile, which rules compare.
    """

    rate: str
    words: str
    days: int
    defects: int
    orders: int
    observed: float | None
    usual: float
    worth: float
    estimate: float
    at_least: float


class RuleNow(Struct, frozen=True, omit_defaults=True):
    """A rule on the present figures: fired (``nearness`` 1), near, or unknown because features are null."""

    id: str
    title: str
    severity: str
    mode: str
    nearness: float | None
    reason: Reason | None = None
    missing: list[Shortfall] = []
    unknown: list[str] = []


class Contribution(Struct, frozen=True):
    """What an input of a model adds to its log-odds, for its value, compared with the ``usual`` one."""

    input: str
    words: str
    value: float | None
    usual: float
    log_odds: float


class Attribution(Struct, frozen=True):
    """Where a model's probability comes from: ``base`` and all contributions add up to ``log_odds``.

    ``stage`` is purchase, dispatch or delivery; ``scored`` the probability that was given then. It is that of
    ``log_odds`` if the model has not learned since (``as_scored``).
    """

    stage: str
    model: str
    version: str
    base: float
    contributions: list[Contribution]
    log_odds: float
    probability: float
    scored: float | None
    as_scored: bool


class Entry(Struct, frozen=True):
    """One output about the subject, as it was published."""

    time: str
    id: str
    event: dict[str, Any]


class InputEntry(Struct, frozen=True):
    """One input event about the subject; buyers, devices and account values as pseudonyms, texts of buyers left out."""

    time: str
    topic: str
    partition: int
    offset: int
    event: dict[str, Any]


class Explanation(Struct, kw_only=True):
    """All that is known about one subject."""

    kind: SubjectKind
    id: str
    merchant_id: str
    shard: int
    #: Where it was read.
    source: str
    #: How far the merchant's event time is; None if nothing is stored of it.
    as_of: str | None = None
    #: What is stored of the subject, in words and figures; None if nothing is.
    state: dict[str, Any] | None = None
    #: The merchant's rates, where the subject is one.
    rates: list[Rate] = []
    rules: list[RuleNow] = []
    #: Of an order, at each stage at which it was scored.
    attributions: list[Attribution] = []
    #: Every feature of the subject that is not null.
    features: dict[str, float] = {}
    timeline: list[Entry] = []
    events: list[InputEntry] | None = None
    notes: list[str] = []


def moment(time: int) -> str:
    """A time in ms as RFC 3339.

    >>> moment(1767225599999)
    '2025-12-31T23:59:59.999Z'
    """
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
