"""Enforcement actions: what they can be taken against, how harsh they are, and the ladders they form."""

from collections.abc import Callable, Sequence
from typing import Final, get_args

from msgspec import Struct

from features.events import SubjectKind
from features.outputs import Action
from features.windows import DAY_MS

#: Rank of each action, from mildest to harshest.
HARSHNESS: Final[dict[Action, int]] = {action: rank for rank, action in enumerate(get_args(Action))}
#: Subjects an action can be taken against.
TARGETS: Final[dict[Action, frozenset[SubjectKind]]] = {
    "warn": frozenset({"order", "listing", "merchant", "creator"}),
    "require_review": frozenset({"order", "listing", "merchant", "creator"}),
    "demote_listing": frozenset({"listing"}),
    "remove_listing": frozenset({"listing"}),
    "limit_orders": frozenset({"merchant"}),
    "block_new_listings": frozenset({"merchant"}),
    "hold_payout": frozenset({"order", "merchant"}),
    "freeze_commission": frozenset({"creator"}),
    "suspend_merchant": frozenset({"merchant"}),
    "suspend_creator": frozenset({"creator"}),
    "close_merchant": frozenset({"merchant"}),
}
#: Done at once: there is nothing that could expire or be lifted.
INSTANT: Final[frozenset[Action]] = frozenset({"warn"})
#: Asking a person to look is no finding, so it is no strike either.
NO_STRIKE: Final[frozenset[Action]] = frozenset({"require_review"})
#: Strikes older than this are dropped from the state; no ladder may look back further.
STRIKE_RETENTION: Final = 730 * DAY_MS


class Step(Struct, frozen=True):
    """One step; ``duration`` in ms, None until reversed.

    ``requires_review``: a person decides, whatever the evidence. ``severe``: a person decides unless one has before, or
    independent detectors agree. ``evidence``: least values of features, without which the step before it is taken.
    """

    action: Action
    duration: int | None
    requires_review: bool
    severe: bool = False
    evidence: dict[str, float] = {}


class Relief(Struct, frozen=True, eq=False):
    """When an action of a ladder ends before its time: looked at ``after`` ms, and daily from then on.

    ``met`` tells from the values of ``features``, in that order; a feature that is null is no improvement.
    """

    after: int
    features: tuple[str, ...]
    met: Callable[[Sequence[float | None]], list[bool]]

    def holds(self, value: Callable[[str], float | None]) -> bool:
        """Whether things are better, by the features' values."""
        return bool(self.met([value(name) for name in self.features]))


class Unanswered(Struct, frozen=True):
    """What becomes of a decision that waits for a person, ms: it is pointed out each ``remind``, and one without an end
    of its own falls away after ``lapse``; None: never.
    """

    remind: int
    lapse: int | None = None


class Ladder(Struct, frozen=True):
    """Steps from mild to harsh; ``cool_down`` and ``look_back`` in ms.

    ``unanswered``: for what waits for a person, where it is not as ``limits`` say.
    """

    name: str
    steps: tuple[Step, ...]
    cool_down: int
    look_back: int
    relief: Relief | None = None
    unanswered: Unanswered | None = None


class Limits(Struct, frozen=True):
    """Limits on every ladder; times in ms: time to appeal, and how close strikes may lie to count as one."""

    appeal: int
    strike_merge: int
    #: Ladders whose actions against a merchant are told to those that are linked to it.
    malice: frozenset[str] = frozenset()
    #: Minor units by currency above which holding money is severe.
    hold_above: dict[str, int] = {}
    #: Sources of evidence that may take a severe action together, and how long a finding counts, ms.
    detectors: int = 2
    #: Source of the evidence of a family of detectors; one that is not there is a source of its own.
    sources: dict[str, str] = {}
    corroboration: int = 30 * DAY_MS
    #: How long a person's verdict allows severe actions under its policy, ms.
    verdict: int = 30 * DAY_MS
    #: Time in which an appeal is to be decided, ms, and how often a decision may be appealed.
    appeal_answer: int = 14 * DAY_MS
    appeals_per_decision: int = 2
    #: What becomes of decisions that wait for a person.
    unanswered: Unanswered = Unanswered(7 * DAY_MS, 28 * DAY_MS)
    #: Policies under which a decision against a listing is told to the creators who promoted it.
    promoted: frozenset[str] = frozenset()
