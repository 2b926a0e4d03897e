"""What a shard keeps of its enforcement as a whole, beside what its merchants and creators have."""

from msgspec import Struct, field


class SevereAction(Struct, frozen=True, array_like=True, gc=False):
    """A severe action that was carried out without a person; ``gmv`` is the party's of 30 days, as the
    breaker weighs it.
    """

    at: int
    decision_id: str
    party: str
    gmv: int


class BreakerState(Struct, omit_defaults=True):
    """Severe actions within the breaker's interval, in the order in which they were taken.

    There are never more than the breaker allows. ``opened_at`` and ``until`` (ms) are of the latest opening.
    """

    taken: list[SevereAction] = field(default_factory=list)
    opened_at: int = 0
    until: int = 0


class GovernanceState(Struct, omit_defaults=True):
    """Enforcement of one shard; stored as a blob of its own."""

    breaker: BreakerState = field(default_factory=BreakerState)
