"""Output events as a comparison reads them: the fields it looks at, and nothing of the rest.

More tolerant than :mod:`features.outputs`: a record of another version may name actions, tiers and reasons that this
one does not know.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct, field
from msgspec.json import Decoder

from features.outputs import Reason


class Subject(Struct):
    """What an event is about."""

    kind: str
    id: str


class PolicyNamed(Struct):
    """The rule that a decision rests on."""

    id: str
    version: str = ""
    title: str = ""


class VersionsUsed(Struct):
    """What judged."""

    policy: str = ""


class Assessed(Struct):
    """A subject was judged."""

    merchant_id: str
    subject: Subject
    level: str
    score: int = 0
    reasons: list[Reason] = []
    versions: VersionsUsed = field(default_factory=VersionsUsed)
    mode: str = "live"
    creator_id: str | None = None


class Decided(Struct):
    """An action was decided on."""

    decision_id: str
    merchant_id: str
    subject: Subject
    action: str
    policy: PolicyNamed
    starts_at: int
    severity: str = ""
    requires_review: bool = False
    facts: str = ""
    expires_at: int | None = None
    mode: str = "live"
    creator_id: str | None = None


class Reversed(Struct):
    """A decision ended before its time, or expired."""

    reverses: str
    why: str = ""
    mode: str = "live"


class Withheld(Struct):
    """What was not carried out."""

    action: str
    policy: PolicyNamed
    starts_at: int
    until: int | None = None


class Sampled(Struct):
    """A subject was drawn for audit or hold-out."""

    merchant_id: str
    subject: Subject
    withheld: Withheld | None = None
    #: It says none.
    mode: str = ""
    creator_id: str | None = None


class CreditChanged(Struct):
    """A subject's credit changed."""

    subject: Subject
    tier: str | None = None
    score: float | None = None
    mode: str = "live"


class GapTold(Struct):
    """Input was never seen."""

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    why: str = ""
    mode: str = "live"


#: By CloudEvents type.
DECODERS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    f"shopwarden.{name}.v1": Decoder(kind).decode
    for name, kind in {
        "risk.assessed": Assessed,
        "enforcement.decided": Decided,
        "enforcement.reversed": Reversed,
        "audit.sampled": Sampled,
        "credit.changed": CreditChanged,
        "gap.detected": GapTold,
    }.items()
}
