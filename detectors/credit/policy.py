"""The credit policy of one kind of party, compiled from a policy file; times in ms."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from config.credit_specs import LimitsOfTier
from detectors.rules import Rule
from features.events import SubjectKind

HIGHEST: Final = 1000


class Violation(Struct, frozen=True):
    """What the violations of a policy cost: points, before repetition and caps, and the class that they belong to.

    ``at_most``: no score above it while one counts against the party itself or was confirmed; None for no such limit.
    """

    kind: str
    points: int
    at_most: int | None


class Milestone(Struct, frozen=True):
    """A score, the rule that fires when it is reached from above, and the one that warns before."""

    score: int
    rule: Rule
    warning: Rule


class Repeat(Struct, frozen=True):
    """So many cases of one code within a time (ms) fire a rule, whatever the score."""

    times: int
    within: int
    rule: Rule


class Earning(Struct, frozen=True):
    """Points for each so many clean orders; so many orders of a week count, and so many points are kept at most."""

    points: int
    orders: int
    weekly: int
    at_most: int


class Correction(Struct, frozen=True):
    """Share of a loss that comes back when what was wrong is put right in time (ms)."""

    share: float
    within: int
    kinds: frozenset[str]


class Harm(Struct, frozen=True):
    """How the probability of harm is computed and scaled; see :mod:`detectors.credit.harm`."""

    half_life_days: float
    #: Pseudo-orders by which each component is shrunk towards the mean of all.
    strengths: Mapping[str, float]
    #: By how much of its distance from all, in log-odds, a party's own rate is carried on to its next orders.
    slope: float
    #: What each violation of a class found within ``cases_within`` (ms) adds to the log-odds, and how many of a class
    #: count at most.
    cases: Mapping[str, float]
    cases_at_most: int
    cases_within: int
    #: What other signs of a conduct add where they are at their strongest.
    signs: Mapping[str, float]
    tail: float
    #: Change of the log-odds from which on it is told anew.
    news: float
    scale_score: float
    scale_odds: float
    scale_double: float


class Bounds(Struct, frozen=True):
    """Conditions, all of which must hold; None asks for nothing. Rates are multiples of the rate of all."""

    score_at_least: int | None
    score_at_most: int | None
    upper_at_most: float | None
    lower_at_least: float | None


class Tier(Struct, frozen=True):
    """A tier: bounds to enter and to stay, any of which will do, and the least time (ms) in it."""

    name: str
    enter: tuple[Bounds, ...]
    stay: tuple[Bounds, ...]
    least: int
    limits: LimitsOfTier


class Probation(Struct, frozen=True):
    """When a new party graduates, and what recalls it; times in ms, ``recall`` are credible lower bounds of rates."""

    tier: Tier
    least: int
    orders: int
    buyers: int
    score: int
    otherwise: int
    recall_within: int
    recall: Mapping[str, float]
    established: int


class CreditPolicy(Struct, frozen=True):
    """Everything about the credit of one kind of party."""

    start: int
    window: int
    minimum_orders: int
    earning: Earning
    correction: Correction
    #: Points that a class of violations can cost at most in a day.
    daily_loss: Mapping[str, int]
    violations: Mapping[str, Violation]
    #: Part of a violation's points that an action costs; all of them where it is not named.
    actions: Mapping[str, float]
    #: Likewise by what it was about.
    subjects: Mapping[str, float]
    repetition: tuple[float, ...]
    merge: int
    repeat: Repeat
    #: From the highest score to the lowest.
    milestones: tuple[Milestone, ...]
    margin: int
    harm: Harm
    #: From the best to the last above the standard, the standard, and from the mildest to the hardest below it.
    rewards: tuple[Tier, ...]
    standard: Tier
    restrictions: tuple[Tier, ...]
    probation: Probation

    def tier(self, name: str) -> Tier:
        """The tier of a name; the standard for one that there is no more."""
        for tier in (*self.rewards, *self.restrictions, self.probation.tier):
            if tier.name == name:
                return tier
        return self.standard

    def names(self) -> tuple[str, ...]:
        """Names of all tiers."""
        return tuple(each.name for each in (*self.rewards, self.standard, *self.restrictions, self.probation.tier))

    def rank(self, name: str) -> int:
        """How good a tier is: 0 is the standard, above it positive, below it negative; probation is -1."""
        for index, tier in enumerate(self.rewards):
            if tier.name == name:
                return len(self.rewards) - index
        for index, tier in enumerate(self.restrictions, 1):
            if tier.name == name:
                return -index
        return -1 if name == self.probation.tier.name else 0

    def rules(self) -> list[Rule]:
        """Rules that fire by the score or by repetition, and not by features."""
        rules = [self.repeat.rule]
        for milestone in self.milestones:
            rules += [milestone.rule, milestone.warning]
        return rules

    def base_loss(self, code: str, action: str, subject: SubjectKind, *, confirmed: bool = False) -> int:
        """Points that a violation of a code costs where this action follows on such a subject, before repetition; 0 for
        none. One that a person ``confirmed`` costs all of them, whatever was done about it.
        """
        violation = self.violations.get(code)
        if violation is None:
            return 0
        if confirmed:
            return violation.points
        return round_points(violation.points * self.actions.get(action, 1.0) * self.subjects.get(subject, 1.0))


def round_points(points: float) -> int:
    """Points are whole; halves are rounded up."""
    return int(points + 0.5)


def subject_mark(kind: SubjectKind, subject_id: str) -> str:
    """How an entry names what it was about; empty for the party itself."""
    return "" if kind in ("merchant", "creator") else f"{kind[0]}:{subject_id}"
