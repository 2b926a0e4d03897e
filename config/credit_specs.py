"""What a policy file may say about credit: the plain shape of the sections ``credit`` and ``creator_credit``.

Names of policies, tiers, severities and ladders are text here; :mod:`detectors.credit.checks` checks them. Times are
in days.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct, field

Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
Paragraph: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]
Score: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]
Points: TypeAlias = Annotated[int, Meta(ge=1, le=1000)]
CreditDays: TypeAlias = Annotated[float, Meta(gt=0, le=730)]
Rate: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Times: TypeAlias = Annotated[float, Meta(gt=0, le=100)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
#: A row says where its figures come from, or why they were chosen.
Source: TypeAlias = Paragraph


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common to all rows."""

    source: Source


class EarningSpec(Row, frozen=True, kw_only=True):
    """What clean orders earn: ``points`` for each ``orders``, at most ``weekly_orders`` of a week counted and
    ``at_most`` points in the window.
    """

    points: Points
    orders: Annotated[int, Meta(ge=1, le=100_000)]
    weekly_orders: Annotated[int, Meta(ge=1, le=1_000_000)]
    at_most: Score


class CorrectionSpec(Row, frozen=True, kw_only=True):
    """Share of a violation's loss that is given back when what was wrong is put right within ``days``."""

    share: Rate
    days: CreditDays
    classes: list[str]


class ClassSpec(Row, frozen=True, kw_only=True):
    """A class of violations: what it can cost at most in a day."""

    daily_loss: Score


class SeveritySpec(Row, frozen=True, kw_only=True):
    """What a violation of a severity costs. ``at_most``: no score above it while one counts against the party itself,
    or was confirmed by a person.
    """

    points: Points
    at_most: Score | None = None


class ViolationSpec(Row, frozen=True, kw_only=True):
    """Class and severity of the violations of one policy."""

    kind: Annotated[str, Meta(min_length=1)] = field(name="class")
    severity: str


class RepetitionSpec(Row, frozen=True, kw_only=True):
    """How much a repetition within the window weighs: first, second, third ...; the last goes on. Those within
    ``merge_days`` count once.
    """

    factors: Annotated[list[Times], Meta(min_length=1, max_length=20)]
    merge_days: Annotated[float, Meta(ge=0, le=30)]


class RepeatRuleSpec(Row, frozen=True, kw_only=True):
    """The same policy violated so often within ``days`` leads to a ladder, whatever the score."""

    times: Annotated[int, Meta(ge=2, le=100)]
    days: CreditDays
    ladder: str
    severity: str


class MilestoneSpec(Row, frozen=True, kw_only=True):
    """A score that leads to a ladder when it is reached from above."""

    score: Score
    ladder: str
    severity: str


class WarningSpec(Row, frozen=True, kw_only=True):
    """A ladder for scores that come within ``margin`` of the next milestone. A milestone counts anew when the score
    has been above it by more than the margin.
    """

    margin: Points
    ladder: str


class HarmSpec(Row, frozen=True, kw_only=True):
    """The probability of harm.

    An order counts half after ``half_life_days``. ``strengths``: by how many pseudo-orders each component is shrunk
    towards the mean of all. ``slope``: how much of the distance from all, in log-odds, is expected of the next orders.
    Each violation of the last ``cases_days`` adds what ``cases`` says of its class to the log-odds, at most
    ``cases_at_most`` of a class; ``signs`` add theirs where they are at their strongest. The credible bounds leave out
    ``tail`` on each side. It is told anew when its log-odds have moved by ``news`` since it was told last. The scale of
    the risk points is ``scale_score`` at odds of ``scale_odds`` good orders to a bad one, which double every
    ``scale_double`` points.
    """

    half_life_days: CreditDays
    strengths: dict[str, Annotated[float, Meta(gt=0, le=10_000)]]
    slope: Annotated[float, Meta(gt=0, le=2)] = 1.0
    cases: dict[str, Annotated[float, Meta(ge=0, le=5)]] = {}
    cases_at_most: Annotated[int, Meta(ge=0, le=100)]
    cases_days: CreditDays
    signs: dict[str, Annotated[float, Meta(ge=0, le=5)]] = {}
    tail: Annotated[float, Meta(gt=0, lt=0.5)]
    news: Annotated[float, Meta(gt=0, le=10)] = 0.5
    scale_score: Score
    scale_odds: Annotated[float, Meta(gt=0, le=100_000)]
    scale_double: Annotated[float, Meta(ge=1, le=500)]


class LimitsOfTier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a tier gives and what it limits; a count left out is without limit."""

    settlement_days: Annotated[int, Meta(ge=0, le=90)]
    reserve_share: Rate
    daily_orders: Annotated[int, Meta(ge=0)] | None = None
    listings: Annotated[int, Meta(ge=0)] | None = None
    campaigns: bool
    affiliates: bool


class BoundsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Conditions, all of which must hold: the score, and a credible bound of the rate of bad orders as a multiple of
    the rate of all.
    """

    score_at_least: Score | None = None
    score_at_most: Score | None = None
    upper_at_most: Times | None = None
    lower_at_least: Times | None = None


class TierSpec(Row, frozen=True, kw_only=True):
    """A tier: what it takes to enter, how far the bounds may be missed before it is left (``stay``), and for how long
    one stays at least. For a tier below the standard any of its ``enter`` will do, and one stays while any of
    ``stay`` holds.
    """

    enter: list[BoundsSpec] = []
    stay: list[BoundsSpec] = []
    least_days: Annotated[float, Meta(ge=0, le=365)] = 0.0
    limits: LimitsOfTier


class ProbationSpec(Row, frozen=True, kw_only=True):
    """When a new party graduates, and which rates (their credible lower bounds) recall it within ``recall_days``."""

    tier: str
    days: CreditDays
    orders: Count
    buyers: Count
    score_at_least: Score
    otherwise_days: CreditDays
    recall_days: Annotated[float, Meta(ge=0, le=365)]
    recall: dict[str, Rate] = {}
    established_days: Annotated[float, Meta(ge=0, le=365)] = 0.0


class CreditSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about one kind of party's credit."""

    start: Score
    window_days: CreditDays
    minimum_orders: Count
    source: Source
    earning: EarningSpec
    corrections: CorrectionSpec
    classes: dict[str, ClassSpec]
    severities: dict[str, SeveritySpec]
    #: Part of a violation's points that an action costs, where that is not all of them.
    actions: dict[str, Rate] = {}
    #: Likewise by what it was about: an order, a listing, the merchant or the creator.
    subjects: dict[str, Rate] = {}
    violations: dict[str, ViolationSpec]
    repetition: RepetitionSpec
    repeat_rule: RepeatRuleSpec
    milestones: list[MilestoneSpec]
    warning: WarningSpec
    harm: HarmSpec
    #: From the best to the worst. The one that ``standard`` names asks for nothing.
    tiers: dict[str, TierSpec]
    standard: str
    probation: ProbationSpec
