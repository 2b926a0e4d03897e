"""Which tier a party is in from now on: in and out of probation, and by its score and conduct."""

from typing import Final, NamedTuple, Protocol

from detectors.credit.assessment import Assessment
from detectors.credit.policy import CreditPolicy
from detectors.credit.tiers import Standing, next_tier
from features.credit import Conduct

#: When a party that is not new came out of probation: it was never in it.
ESTABLISHED: Final = 1


class Placed(NamedTuple):
    """A tier's name, since when a party is in it (ms), and when its probation ended (0: not yet)."""

    tier: str
    since: int
    graduated: int


class Seen(Standing, Protocol):
    """What decides about where a party is placed."""

    @property
    def points(self) -> int:
        """The score even where too few orders are known to call it one."""

    @property
    def proven(self) -> bool:
        """Whether enough orders of enough buyers are known for probation to end."""

    @property
    def recalled(self) -> bool:
        """Whether a rate is as bad as calls back those who came out of probation a short while ago."""


class SeenNow:
    """What is seen of a party when it is looked at."""

    __slots__ = ("_assessment", "points", "proven", "recalled", "score")

    def __init__(self, policy: CreditPolicy, assessment: Assessment, conduct: Conduct) -> None:
        probation = policy.probation
        self._assessment = assessment
        self.points = assessment.points
        self.score = assessment.score
        self.proven = assessment.matured >= probation.orders and conduct.buyers >= probation.buyers
        self.recalled = any(conduct.rates.get(rate, 0.0) > limit for rate, limit in probation.recall.items())

    @property
    def lower(self) -> float:
        """Lower credible bound of the bad rate, as a multiple of the rate of all."""
        return self._assessment.lower

    @property
    def upper(self) -> float:
        """Upper credible bound likewise."""
        return self._assessment.upper


def may_be_recalled(graduated: int, policy: CreditPolicy, now: int) -> bool:
    """Whether a party came out of probation a short while ago."""
    return graduated > ESTABLISHED and now - graduated <= policy.probation.recall_within


def place(policy: CreditPolicy, was: Placed, seen: Seen, now: int) -> Placed:
    """Where a party is from a time on, ms."""
    probation = policy.probation.tier.name
    if not was.graduated:
        return Placed(policy.standard.name, now, now) if _served(policy, was, seen, now) else was
    if seen.recalled and may_be_recalled(was.graduated, policy, now):
        return Placed(probation, now, 0)
    tier = next_tier(policy, was.tier, was.since, seen, now).name
    return was if tier == was.tier else Placed(tier, now, was.graduated)


def _served(policy: CreditPolicy, was: Placed, seen: Seen, now: int) -> bool:
    """Whether a party's probation is over."""
    probation = policy.probation
    stayed = now - was.since
    if stayed >= probation.otherwise and seen.points >= policy.start:
        return True
    return stayed >= probation.least and seen.proven and seen.points >= probation.score
