"""What policy files may say: the plain shape of each section, before its meaning is checked.

Names of features, levels, actions and events are text here; :mod:`detectors.policy` checks them. Times of ladders and
limits are in days, as people write them.
"""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct, field

RuleId: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=64)]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=500)]
Paragraph: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]
Term: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
Days: TypeAlias = Annotated[float, Meta(ge=0, le=3650)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Currency: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
Mode: TypeAlias = Literal["enforce", "shadow", "off"]
RuleSubject: TypeAlias = Literal["order", "listing", "merchant", "creator"]
#: What a rule reads: two rules of one family may err together, those of two families hardly do.
DetectorFamily: TypeAlias = Literal[
    "text", "catalogue", "account", "links", "outcomes", "parcels", "buyers", "reports", "creators"
]


class ReviewSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule's second, lower threshold: from there on a person is asked to look. Evidence is that of the rule unless
    given.
    """

    when: str
    evidence: dict[str, float] | None = None
    #: Ladder whose steps ask a person.
    action: str = "review"


class RuleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule; docs/policies.md explains each key."""

    id: RuleId
    version: Annotated[int, Meta(ge=1)]
    title: Line
    policy: str
    subject: RuleSubject
    on: list[str] = []
    when: str
    evidence: dict[str, float] = {}
    null: dict[str, float] = {}
    severity: str
    weight: Share
    reason: Line
    observed: str | None = None
    expected: float | Line | None = None
    window: Line | None = None
    #: A rule that does not say so is only watched.
    mode: Mode = "shadow"
    action: str | None = None
    #: Ladder that follows where a person, asked by ``action``, finds a violation.
    confirmed: str | None = None
    #: What actions of a rule on creators are limited to: without, they are about all that the creator does.
    limited_to: Literal["suspended_merchants"] | None = None
    detector: DetectorFamily | None = None
    review_at: ReviewSpec | None = None
    source: Paragraph | None = None


class StepSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a ladder; without ``days`` the action lasts until it is reversed.

    ``evidence`` is the least that features must come to, or the step before it is taken.
    """

    action: str
    days: Annotated[float, Meta(gt=0, le=3650)] | None = None
    review: bool = False
    evidence: dict[str, float] = {}


class ReliefSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an action ends before its time: looked at after so many days, and daily from then on."""

    after_days: Annotated[float, Meta(gt=0, le=3650)]
    when: str


class UnansweredSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a decision that waits for a person: pointed out after so many days, and again after as many; one
    without an end of its own falls away after ``lapse_days``, or never.
    """

    remind_days: Annotated[float, Meta(gt=0, le=365)]
    lapse_days: Annotated[float, Meta(gt=0, le=3650)] | None = None


class LadderSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Steps from mild to harsh, taken by the number of strikes within the look-back."""

    steps: Annotated[list[StepSpec], Meta(min_length=1, max_length=10)]
    cool_down_days: Days
    look_back_days: Days
    relief: ReliefSpec | None = None
    #: Where it is not as the limits say.
    unanswered: UnansweredSpec | None = None
    source: Paragraph | None = None


class LimitsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits on all ladders."""

    appeal_days: Annotated[float, Meta(ge=180, le=3650)]
    strike_merge_days: Days
    review_required: list[str]
    review_hold_payout_above_days: Days
    #: Actions that always take a person, whatever the evidence.
    always_reviewed: list[str] = []
    #: Minor units by currency from above which holding money takes a review.
    review_hold_payout_above: dict[Currency, Annotated[int, Meta(ge=0)]] = {}
    #: Sources of evidence that may take a severe action together, and for how many days a finding counts.
    independent_detectors: Annotated[int, Meta(ge=2, le=9)] = 2
    #: Families of detectors by the source that their evidence comes from; one that is not named is a source of its own.
    evidence_sources: dict[str, list[DetectorFamily]] = {}
    corroboration_days: Days = 30
    #: Days for which a person's finding of a violation allows severe actions under its policy.
    verdict_days: Days = 30
    #: Ladders whose actions against a merchant are told to those that are linked to it.
    malice_ladders: list[str] = []
    #: Days in which an appeal is to be decided, and how often a decision may be appealed.
    appeal_answer_days: Annotated[float, Meta(gt=0, le=365)] = 14
    appeals_per_decision: Annotated[int, Meta(ge=1, le=10)] = 2
    #: What becomes of decisions that wait for a person.
    unanswered: UnansweredSpec = UnansweredSpec(remind_days=7, lapse_days=28)
    #: Policies under which a decision against a listing is told to the creators who promoted it.
    promoted_policies: list[str] = []
    source: Paragraph | None = None


class BreakerSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Caps on the severe actions that a shard carries out within an interval without a person."""

    interval_hours: Annotated[float, Meta(gt=0, le=8760)]
    #: Actions against merchants and creators that count as severe here.
    actions: list[str]
    max_actions: Annotated[int, Meta(ge=0)]
    max_merchant_share: Share
    max_gmv_share: Share
    #: Merchants up to which shares do not count.
    least_merchants: Annotated[int, Meta(ge=0)] = 0
    #: Minor units by currency that are worth the same, to weigh turnover with; without any, all minor units are alike.
    currencies: dict[Currency, Annotated[float, Meta(gt=0)]] = {}
    source: Paragraph | None = None


class AllowanceSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom rules leave alone: a merchant or creator (``*``: all), by which rule or policy (``*``: all), until when."""

    party: Annotated[str, Meta(min_length=1, max_length=128)]
    name: str
    why: Line
    #: A date, ``2026-12-31``: up to its beginning in UTC.
    until: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class AllowSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Allow-lists."""

    entries: list[AllowanceSpec]


class HoldoutSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be left undone in a random share of the cases, and for how long a merchant stays in its arm."""

    policies: list[str]
    actions: list[str]
    period_days: Annotated[float, Meta(ge=1, le=365)]
    source: Paragraph | None = None


class LevelsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which value on a score means which level; a level left out cannot be reached by that score."""

    probability: dict[str, Share]
    anomaly: dict[str, Share]
    source: Paragraph | None = None


class TermListSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words and phrases to find, longer ones in which they mean no harm (``allow``), ``hints`` that count only beside
    a term of the list or a protected brand without authorisation, and built-in ``patterns``.
    """

    terms: list[Term] = []
    hints: list[Term] = []
    allow: list[Term] = []
    patterns: list[str] = []


class BrandsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Brands that need an authorisation, words before them that only say what a product fits, and ``known`` words and
    brands that are no look-alike spelling of a protected one.
    """

    protected: list[Term] = []
    known: list[Term] = []
    contexts: list[Term] = []


class CategoriesSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Category paths (with all below them) nobody may sell in, or only with the named permit."""

    prohibited: list[Term] = []
    restricted: dict[str, Term] = {}


class TermsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What :mod:`features.listing_text` looks for."""

    replica: TermListSpec = field(default_factory=TermListSpec)
    contact: TermListSpec = field(default_factory=TermListSpec)
    prohibited: TermListSpec = field(default_factory=TermListSpec)
    claims: TermListSpec = field(default_factory=TermListSpec)
    brands: BrandsSpec = field(default_factory=BrandsSpec)
    categories: CategoriesSpec = field(default_factory=CategoriesSpec)


class PolicyCodeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy of the taxonomy, and how a statement of reasons (DSA Transparency Database v2) names it."""

    title: Line
    ground: Literal["illegal", "incompatible"]
    #: The article of law, or the section of the marketplace's terms.
    basis: Line
    explanation: Paragraph
    category: Annotated[str, Meta(pattern=r"^STATEMENT_CATEGORY_[A-Z_]+$")]
    keywords: list[Annotated[str, Meta(pattern=r"^KEYWORD_[A-Z_]+$")]] = []
    #: Content against the terms that is thought illegal as well.
    also_illegal: bool = False


class RestrictionSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the DSA Transparency Database names an action; one of the four."""

    visibility: str | None = None
    monetary: str | None = None
    provision: str | None = None
    account: str | None = None


class StatementSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Policies and actions in the terms of the DSA Transparency Database."""

    policies: dict[str, PolicyCodeSpec]
    actions: dict[str, RestrictionSpec]
    #: Countries of the EU and EEA where restrictions apply, and the language of what is offered.
    territorial_scope: list[Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]] = []
    content_language: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")] | None = None


#: Sections that one file may hold, and only one: a second one would overrule the first unseen.
SECTIONS: Final[dict[str, type[Struct]]] = {
    "allow": AllowSpec,
    "breaker": BreakerSpec,
    "holdout": HoldoutSpec,
    "levels": LevelsSpec,
    "limits": LimitsSpec,
    "statements": StatementSpec,
    "terms": TermsSpec,
}
