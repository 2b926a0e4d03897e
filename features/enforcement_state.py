"""What is kept of a merchant's enforcement: actions in force, strikes, and until when a rule stays quiet.

Stored in the merchant's state as JSON, so field names are short and structs that come in numbers are arrays; a
merchant without any history takes two bytes. Times are event time in ms.
"""

from typing import Final

from msgspec import Struct, field

from features.events import SubjectKind
from features.outputs import Action

#: Removals of listings never expire, and a merchant may have thousands; the oldest beyond this are forgotten here (the
#: decision itself stands in the output topic).
MAX_ACTIVE: Final = 200
#: Likewise for subjects that a rule must leave alone for a while.
MAX_QUIET: Final = 500


class ActiveEnforcement(Struct, frozen=True, array_like=True, gc=False):
    """An action in force; ``expires_at`` None means until it is reversed."""

    decision_id: str
    rule: str
    policy: str
    action: Action
    subject_kind: SubjectKind
    subject_id: str
    starts_at: int
    expires_at: int | None
    requires_review: bool

    def in_force(self, now: int) -> bool:
        """Whether the action has not expired at a time (its last moment is the one before ``expires_at``)."""
        return self.expires_at is None or now < self.expires_at


class Strike(Struct, frozen=True, array_like=True, gc=False):
    """How often a policy was enforced, and when it last counted."""

    count: int
    last_at: int


class EnforcementState(Struct, omit_defaults=True, rename={"active": "a", "strikes": "s", "quiet": "q"}):
    """A merchant's enforcement history, as far as later decisions need it."""

    active: list[ActiveEnforcement] = field(default_factory=list)
    #: By :func:`strike_key`.
    strikes: dict[str, Strike] = field(default_factory=dict)
    #: When a rule may enforce again on a subject, by :func:`quiet_key`.
    quiet: dict[str, int] = field(default_factory=dict)

    def next_expiry(self) -> int | None:
        """When the next action in force ends, ms; None if none does by itself."""
        return min((active.expires_at for active in self.active if active.expires_at is not None), default=None)


def strike_key(policy: str, kind: SubjectKind) -> str:
    """Key of a policy in ``strikes``; findings on orders and on listings are counted apart from those on the merchant.

    Forty held orders of one bad week must not make the first finding against the merchant itself look like a repeat.
    """
    return policy if kind == "merchant" else f"{policy} {kind[0]}"


def quiet_key(rule: str, kind: SubjectKind, subject_id: str) -> str:
    """Key of a rule and subject in ``quiet``; the merchant itself needs no id in its own state."""
    return rule if kind == "merchant" else f"{rule} {kind[0]} {subject_id}"
