"""Enforcement actions: what they can be taken against, how harsh they are, and the ladders they form."""

from typing import Final, get_args

from msgspec import Struct

from features.events import SubjectKind
from features.outputs import Action

DAY_MS: Final = 86_400_000
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
    """One step; ``duration`` in ms, None until reversed."""

    action: Action
    duration: int | None
    requires_review: bool


class Ladder(Struct, frozen=True):
    """Steps from mild to harsh; ``cool_down`` and ``look_back`` in ms."""

    name: str
    steps: tuple[Step, ...]
    cool_down: int
    look_back: int


class Limits(Struct, frozen=True):
    """Limits on every ladder, ms: time to appeal, and how close strikes may lie to count as one."""

    appeal: int
    strike_merge: int
    #: Ladders whose actions against a merchant are told to those that are linked to it.
    malice: frozenset[str] = frozenset()
