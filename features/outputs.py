"""Output events: what Shopwarden tells the systems that act on it.

Bodies of the CloudEvents on ``governance-events`` (docs/contracts.md). Fields are added, never renamed; a breaking
change is a new version of the type.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct, field

from features.events import SubjectKind
from features.omissions import GapReason

Level: TypeAlias = Literal["low", "guarded", "elevated", "high", "critical"]
#: Every level, from harmless to worst.
LEVELS: tuple[Level, ...] = ("low", "guarded", "elevated", "high", "critical")
Mode: TypeAlias = Literal["live", "shadow", "replay"]
Action: TypeAlias = Literal[
    "warn",
    "require_review",
    "demote_listing",
    "remove_listing",
    "limit_orders",
    "block_new_listings",
    "hold_payout",
    "freeze_commission",
    "suspend_merchant",
    "suspend_creator",
    "close_merchant",
]
#: Why a decision waits for a person: its rule says so; it is severe, or holds much money, and neither a person nor a
#: second detector has spoken yet; or the circuit breaker is open.
ReviewReason: TypeAlias = Literal["rule", "severe", "amount", "cap"]
#: What the law asks about a merchant, and how that stands.
DutyName: TypeAlias = Literal["collect", "verify", "recertify", "disclose", "suspend"]
DutyStanding: TypeAlias = Literal["due", "met", "overdue", "ended"]
UnitInterval: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Subject(Struct, frozen=True, gc=False):
    """What an output is about."""

    kind: SubjectKind
    id: str


class Detector(Struct, frozen=True, gc=False):
    """One detector's opinion; what ``score`` means (percentile, probability) stands in docs/detectors.md."""

    name: str
    version: str
    score: UnitInterval


class Reason(Struct, frozen=True, gc=False, omit_defaults=True):
    """Why, in words and figures. ``weight`` is the reason's share of the judgement, 0 to 1."""

    code: str
    text: str
    weight: float
    observed: float | str | None = None
    expected: float | str | None = None
    window: str | None = None


class Versions(Struct, frozen=True, gc=False):
    """What judged: policy set, feature contract, models."""

    policy: str
    features: str
    models: str


class Source(Struct, frozen=True, gc=False):
    """The input record that caused an output."""

    topic: str
    partition: int
    offset: int


class RiskAssessed(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.risk.assessed.v1", omit_defaults=True
):
    """A subject was judged. ``score`` is ordinal, 0 to 1000; ``probability`` is of a bad outcome.

    About a creator, ``creator_id`` is set and ``merchant_id`` is empty, here and in all events.
    """

    assessment_id: str
    sequence: int
    merchant_id: str
    subject: Subject
    level: Level
    score: Annotated[int, Meta(ge=0, le=1000)]
    probability: UnitInterval
    detectors: list[Detector]
    reasons: list[Reason]
    features: dict[str, float]
    versions: Versions
    mode: Mode
    source: Source
    creator_id: str | None = None


class PolicyRef(Struct, frozen=True, gc=False):
    """The policy a decision rests on."""

    id: str
    version: str
    title: str


class Evidence(Struct, frozen=True, gc=False, omit_defaults=True):
    """One fact: an order or a listing, and what happened."""

    what: str
    order_id: str | None = None
    listing_id: str | None = None


RedressWay: TypeAlias = Literal["internal_complaint", "out_of_court_settlement", "court"]


class Redress(Struct, frozen=True, gc=False):
    """What can be done about the decision (DSA, Article 17(3)(f)), and until when (ms) it can be appealed to the
    marketplace.
    """

    appeal_until: int
    ways: list[RedressWay] = field(default_factory=lambda: ["internal_complaint", "out_of_court_settlement", "court"])


class EnforcementDecided(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.enforcement.decided.v1", omit_defaults=True
):
    """An action against a subject, with its grounds. ``expires_at`` absent means until reversed."""

    decision_id: str
    sequence: int
    merchant_id: str
    subject: Subject
    action: Action
    severity: Level
    starts_at: int
    requires_review: bool
    policy: PolicyRef
    assessment_id: str
    evidence: list[Evidence]
    facts: str
    redress: Redress
    mode: Mode
    expires_at: int | None = None
    creator_id: str | None = None
    supersedes: str | None = None
    review_reason: ReviewReason | None = None
    #: When it is pointed out that nobody has decided yet, ms; absent where it ends before.
    review_by: int | None = None
    #: The merchants that an action against a creator is limited to; absent: it is about all of them.
    limited_to: list[Subject] | None = None
    #: Version of the policy set that judged.
    policy_version: str = ""
    statement_of_reasons: dict[str, object] = field(default_factory=dict)


class EnforcementReversed(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.enforcement.reversed.v1", omit_defaults=True
):
    """An action ended: by appeal, override, expiry or correction."""

    decision_id: str
    sequence: int
    merchant_id: str
    reverses: str
    why: Literal["appeal", "override", "expiry", "correction"]
    restores: list[str]
    mode: Mode
    creator_id: str | None = None


class Withheld(Struct, frozen=True, kw_only=True, gc=False):
    """A decision that was not carried out: the action, on which policy, from when until when it isn't (ms)."""

    action: Action
    policy: PolicyRef
    starts_at: int
    until: int


class AuditSampled(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.audit.sampled.v1", omit_defaults=True
):
    """A subject was drawn with a known probability: for review, or (``withheld``) to be left alone and watched.

    ``stratum`` is ``uniform``, ``score`` (the more likely, the higher the score), or ``holdout:`` and the code of the
    policy that is not enforced. ``inclusion_probability`` is that of being drawn by this stratum,
    ``sample_probability`` by any of those for review; absent where there is no other.
    """

    sequence: int
    merchant_id: str
    subject: Subject
    stratum: str
    inclusion_probability: UnitInterval
    assessment_id: str
    withheld: Withheld | None = None
    creator_id: str | None = None
    sample_probability: UnitInterval | None = None


class ReviewOverdue(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.review.overdue.v1", omit_defaults=True
):
    """Nobody has decided yet on a decision that waits for a person: ``number`` says how often this was said, so that
    it can be escalated. ``waits_since`` is when the decision was made, ``lapses_at`` when it falls away if nobody
    decides, ms; None: it goes on waiting.
    """

    decision_id: str
    sequence: int
    #: Empty where a creator is meant, whom ``creator_id`` names.
    merchant_id: str
    creator_id: str | None = None
    subject: Subject
    action: Action
    policy: PolicyRef
    waits_since: int
    number: Annotated[int, Meta(ge=1)]
    lapses_at: int | None = None
    mode: Mode


class AppealNoted(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.appeal.noted.v1", omit_defaults=True
):
    """An appeal against a decision was filed, decided or not decided in time.

    ``refused``: filed too late, or once too often. ``number`` counts the appeals against the decision; ``due_at`` is
    until when an open one has to be decided, ms.
    """

    sequence: int
    merchant_id: str
    decision_id: str
    state: Literal["open", "refused", "upheld", "overturned", "overdue"]
    number: Annotated[int, Meta(ge=0)]
    why: str
    mode: Mode
    due_at: int | None = None
    creator_id: str | None = None


class CreditEntry(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Points won (positive) or lost, counted until ``expires_at``. ``decision_id`` is what they follow from."""

    points: int
    code: str
    text: str
    occurred_at: int
    expires_at: int
    order_id: str | None = None
    listing_id: str | None = None
    decision_id: str | None = None


class CreditChanged(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.credit.changed.v1", omit_defaults=True
):
    """The credit of a merchant or creator changed.

    ``score`` is 0 to 1000, or null below the minimum volume, which is not a low score. ``probability`` is that of harm,
    with the bounds that it lies between with a probability of 90 %. ``entries`` are those that are new; ``removed``
    those that no longer count, as they expired or what they followed from was wrong. ``signs`` say why the probability
    is what it is: the log-odds by which each way in which orders go bad, each class of violations and each other sign
    moves it from that of all parties.
    """

    sequence: int
    merchant_id: str
    subject: Subject
    score: Annotated[int, Meta(ge=0, le=1000)] | None
    previous: Annotated[int, Meta(ge=0, le=1000)] | None
    tier: str
    previous_tier: str
    probability: UnitInterval
    lower: UnitInterval
    upper: UnitInterval
    entries: list[CreditEntry]
    mode: Mode
    removed: list[CreditEntry] = field(default_factory=list)
    signs: dict[str, float] = field(default_factory=dict)
    creator_id: str | None = None


class RemedyRecommended(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.remedy.recommended.v1", omit_defaults=True
):
    """An order went wrong: what makes its buyer whole, and at whose expense. ``amount`` is in minor units.

    ``supersedes`` is the id of an earlier recommendation for the order that this one takes the place of.
    """

    remedy_id: str
    sequence: int
    merchant_id: str
    order_id: str
    kind: Literal["instant_refund", "return_label", "replacement", "partial_refund", "voucher"]
    amount: Annotated[int, Meta(ge=0)]
    currency: str
    why: str
    cause: str
    fault: Literal["seller", "buyer", "carrier", "platform", "unknown"]
    buyer_abuse_probability: UnitInterval
    charge_to: Literal["seller", "carrier", "platform"]
    requires_review: bool
    mode: Mode
    supersedes: str | None = None


class RemedyWithdrawn(
    Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.remedy.withdrawn.v1", omit_defaults=True
):
    """What was recommended for an order is no longer, and nothing takes its place: facts changed, and the table of
    remedies gives nothing for them, or less than before.

    ``withdraws`` is the id of the recommendation, ``why`` the reason of the row that decides now.
    """

    remedy_id: str
    sequence: int
    merchant_id: str
    order_id: str
    withdraws: str
    cause: str
    why: str
    mode: Mode


class DutyDue(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.duty.due.v1", omit_defaults=True):
    """The law asks something of the marketplace about a merchant, by a time (ms), or no longer.

    ``law`` names the act, ``duty`` what is to be done, ``facts`` what it follows from.
    """

    sequence: int
    merchant_id: str
    law: str
    duty: DutyName
    state: DutyStanding
    due_at: int | None
    facts: str
    mode: Mode


class GapDetected(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.gap.detected.v1"):
    """Records of an input partition were never seen: what follows from them is missing in counts and judgements.

    Keyed by the shard, not by a merchant, and without a sequence. Offsets are inclusive, and some may never have held a
    record. ``expired``: deleted by the topic's retention before they were read. ``truncated``: the topic ends before
    ``last``, so it was made anew or lost records, and what it holds up to ``first`` was taken as seen.
    """

    topic: str
    partition: int
    first_offset: int
    last_offset: int
    why: GapReason
    mode: Mode


class DriftDetected(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.drift.detected.v1"):
    """A figure of a shard's models or of what they judge has changed for good, beyond chance.

    Keyed by the shard, not by a merchant, and without a sequence. ``what`` names the figure, ``detector`` what found
    the change, ``before`` and ``after`` are the figure's means before and after it (0 to 1), ``window`` the number of
    values since.
    """

    what: str
    detector: str
    before: UnitInterval
    after: UnitInterval
    window: Annotated[int, Meta(ge=1)]
    partition: int
    mode: Mode


class EnforcementCapped(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.enforcement.capped.v1"):
    """The circuit breaker of a shard is open: severe actions wait for a person's decision until it closes.

    Keyed by the shard, not by a merchant, and without a sequence. ``cap`` says which limit was reached, ``observed``
    and ``limit`` are its figures, ``until`` is when it closes if nothing more happens, ms.
    """

    partition: int
    cap: Literal["actions", "merchants", "gmv"]
    observed: float
    limit: float
    opened_at: int
    until: int
    mode: Mode


class PoliciesChanged(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="shopwarden.policies.changed.v1",
    omit_defaults=True,
):
    """A shard judges by another policy set from here on.

    Keyed by the shard, not by a merchant, and without a sequence. ``publication`` is the offset of the set in the topic
    of policies, ``version`` its own, ``previous`` that of the set before (empty for a shard that begins).
    ``percent`` is the share of merchants and creators that it judges, absent for all of them; below 100 ``previous``
    goes on judging the others.
    """

    partition: int
    publication: int
    version: str
    previous: str
    mode: Mode
    percent: float = 100.0


class PoliciesRefused(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.policies.refused.v1"):
    """A policy set was published that can't be used; the one before stays in force. ``why`` says what is wrong.

    Keyed by the shard, not by a merchant, and without a sequence.
    """

    partition: int
    publication: int
    why: str
    mode: Mode


class MetricEstimated(Struct, frozen=True, kw_only=True, tag_field="type", tag="shopwarden.metric.estimated.v1"):
    """A metric of governance over a period, on the topic ``governance-metrics``; keyed by the metric's name.

    ``period``: ``recent`` ends with the day that has just ended, ``settled`` ended long enough before for its outcomes
    to be known. ``start``, ``end`` (excluded) and ``as_of`` in ms. ``low`` and ``high`` are an interval of 95 %;
    ``numerator`` and ``denominator`` what was counted; ``bound`` what an index of stability stays below by chance. What
    is not ``mature`` is not to be compared: ``completeness`` is the share of the outcomes that is known.
    """

    name: str
    slice: dict[str, str]
    period: Literal["recent", "settled"]
    start: int
    end: int
    as_of: int
    value: float | None
    low: float | None
    high: float | None
    numerator: float
    denominator: float
    unit: str
    method: str
    mature: bool
    completeness: float
    note: str
    bound: float | None


class StandingEnforcement(Struct, frozen=True, gc=False, omit_defaults=True):
    """An action in force. ``policy`` is the id of the rule; without ``expires_at`` it stands until reversed. One that
    requires a review waits for a person.
    """

    decision_id: str
    action: Action
    policy: str
    subject: Subject
    expires_at: int | None
    requires_review: bool = False
    limited_to: list[Subject] | None = None


class StandingCredit(Struct, frozen=True, kw_only=True, gc=False):
    """Credit as it stands: ``score`` is null below the minimum volume; ``limits`` are what the tier allows, by name."""

    score: int | None
    tier: str
    since: int
    limits: dict[str, float]


class StandingDuty(Struct, frozen=True, gc=False):
    """A duty of the law about a merchant that is due or overdue; ``due_at`` in ms."""

    law: str
    duty: DutyName
    state: DutyStanding
    due_at: int


class StandingAppeal(Struct, frozen=True, gc=False):
    """An appeal that is to be decided by ``due_at``, ms."""

    decision_id: str
    due_at: int


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A merchant's latest state, on the compacted topic ``merchant-standing``.

    ``sequence`` is that of the last event on ``governance-events`` that it reflects.
    """

    merchant_id: str
    sequence: int
    level: Level
    as_of: int
    enforcements: list[StandingEnforcement]
    mode: Mode
    credit: StandingCredit | None = None
    duties: list[StandingDuty] = []
    appeals: list[StandingAppeal] = []


class CreatorStanding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A creator's latest state, on the compacted topic ``creator-standing``; fields as of a merchant's."""

    creator_id: str
    sequence: int
    level: Level
    as_of: int
    enforcements: list[StandingEnforcement]
    mode: Mode
    credit: StandingCredit | None = None
    appeals: list[StandingAppeal] = []


#: Events about a merchant or creator: keyed by it, and numbered in order.
PartyOutput: TypeAlias = (
    RiskAssessed | EnforcementDecided | EnforcementReversed | AuditSampled | CreditChanged | AppealNoted | ReviewOverdue
)
#: Events about a merchant alone.
MerchantOutput: TypeAlias = RemedyRecommended | RemedyWithdrawn | DutyDue
#: Events about a shard: keyed by it, without a sequence.
ShardOutput: TypeAlias = GapDetected | DriftDetected | EnforcementCapped | PoliciesChanged | PoliciesRefused
Output: TypeAlias = PartyOutput | MerchantOutput | ShardOutput
