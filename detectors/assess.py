"""Judges orders, listings and merchants: rules and models in, risk levels with reasons, enforcement and standings
out.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from detectors.adwin import Shift
from detectors.audit_sample import AuditDraw, draw
from detectors.circumstances import circumstances_of
from detectors.duties import Duties
from detectors.enforcer import Enforcer
from detectors.exchange_post import Post
from detectors.finding import Finding
from detectors.judge import Judge, Models
from detectors.levels import LEVEL_RANK
from detectors.linked_accounts import LinkedAccounts
from detectors.merchant_timers import MerchantTimers
from detectors.model_reasons import LATER_STAGES_AT_MOST, model_detectors, model_reasons
from detectors.order_facts import facts_of
from detectors.outbox import Outbox
from detectors.pardons import unpardoned
from detectors.promotions import Promotions
from detectors.remedies import Remedies
from detectors.reversal import fresh
from detectors.rules import Rule, RuleGroup
from features.creator import Creator
from features.events import ListingCreated, ListingInput, ListingUpdated, OrderCreated, OrderEvent, OrderInput
from features.exchange import NOTICES, BuyerClaims, Met
from features.listing import ListingRecord
from features.merchant import LISTINGS_CREATED, Merchant
from features.order import OrderRecord
from features.outputs import (
    LEVELS,
    AuditSampled,
    RiskAssessed,
    Subject,
    Versions,
)
from features.party import Party, creator_id, merchant_id
from features.registry import FEATURES, FEATURES_VERSION, Context, of_creator
from features.rounding import nearest
from features.shard import ShardState
from features.vectors import behaviour_vector

#: Orders of the last hour (decayed), or listings created in seven days, that make a merchant busy: two orders within
#: the hour.
_BUSY_ORDERS: Final = 1.5
_BUSY_LISTINGS: Final = 25
_bad_order_rate: Final = FEATURES["bad_order_rate_90d_shrunk"].get
_harm_rate: Final = FEATURES["creator_harm_rate_90d_shrunk"].get


class Assessor:
    """Judges the subjects of one shard."""

    __slots__ = (
        "_assess_every",
        "_assess_quiet_every",
        "_creator_rules",
        "_listing_rules",
        "_merchant_rules",
        "_order_rules",
        "duties",
        "enforcer",
        "judge",
        "linked",
        "models",
        "outbox",
        "post",
        "promotions",
        "remedies",
        "state",
        "timers",
    )

    def __init__(self, state: ShardState, models: Models, judge: Judge, outbox: Outbox, post: Post) -> None:
        self.state = state
        self.models = models
        self.judge = judge
        self.outbox = outbox
        self.timers = MerchantTimers(state, judge.settings.rest_days)
        self.post = post
        self.promotions = Promotions(state, judge, outbox, self.post)
        self.linked = LinkedAccounts(judge, self.post)
        self.enforcer = Enforcer(state, models, judge, outbox, self.timers, self.post, self.promotions, self.linked)
        self._assess_every = judge.settings.assess_every
        self._assess_quiet_every = judge.settings.assess_quiet_every
        policies = judge.policies
        table = policies.remedies
        self.remedies = None if table is None else Remedies(table, state, judge, outbox, self.enforcer)
        laws = policies.duties
        self.duties = None if laws is None else Duties(laws, judge, outbox, self.enforcer, self.timers)
        self._merchant_rules = self._bind(policies.group("merchant"))
        self._creator_rules = self._bind(policies.group("creator"))
        order_events = _tags(OrderInput) | NOTICES["order"]
        self._order_rules = {kind: self._bind(policies.group("order", tag)) for kind, tag in order_events.items()}
        listing_events = _tags(ListingInput) | NOTICES["listing"]
        self._listing_rules = {kind: self._bind(policies.group("listing", tag)) for kind, tag in listing_events.items()}

    @staticmethod
    def _bind(group: RuleGroup | None) -> Callable[[Context], list[Rule]] | None:
        return None if group is None else group.bind({name: FEATURES[name].get for name in group.features})

    # -- merchants --------------------------------------------------------------------------------------------------

    def merchant(self, merchant: Merchant, urgent: bool) -> None:
        """Judge a merchant: at once when something went wrong, else at most once in a while of event time, which is
        longer for one without a burst of orders or new listings.
        """
        record = merchant.record
        elapsed = record.as_of - record.assessed_at
        due = elapsed >= self._assess_every and (elapsed >= self._assess_quiet_every or _busy(merchant))
        if not due and not urgent:
            return
        state = self.state
        if record.links:
            self.linked.tell(merchant)
        if due:
            record.assessed_at = record.as_of
            vector = behaviour_vector(merchant, state.population)
            model = self.models.anomaly
            anomaly = model.score_and_learn(vector)
            self.models.examples.add_behaviour(vector, model.learned)
            record.anomaly = None if anomaly is None else nearest(anomaly, 1e4)
            if anomaly is not None:
                self.warn_of(self.models.drift.behaviour(anomaly))
        policies = self.judge.policies
        context = Context(merchant, state.population)
        fired = None if self._merchant_rules is None else self._merchant_rules(context)
        probability = _bad_order_rate(context) or 0.0
        record.probability = nearest(probability, 1e5)
        unusual = 0 if record.anomaly is None else policies.level_of_anomaly(record.anomaly)
        likely = policies.level_of_probability(probability)
        if not fired and not record.fired and (max(unusual, likely)) == record.level:
            # Nothing stands against most merchants, and nothing did: there is nothing to say or to do.
            state.statistics.assessments += 1
            return
        finding = Finding(context=context)
        if record.anomaly is not None:
            finding.raise_to(unusual, record.anomaly)
        if fired:
            self._fire(finding, self._unpardoned(merchant, finding, fired))
        finding.raise_to(likely, probability)
        self._conclude(merchant, finding, probability, context)

    def _unpardoned(self, party: Party, finding: Finding, fired: list[Rule]) -> list[Rule]:
        """Those of the rules that fired that no appeal showed to be wrong on the same facts."""
        enforcement = party.record.enforcement
        if enforcement is None or not enforcement.pardons:
            return fired
        pardons = enforcement.pardons
        given = circumstances_of(party, party.kind, finding, self.state.population)
        kept = []
        for rule in fired:
            pardoned = next((name for name in (rule.id, rule.id.removesuffix("-review")) if name in pardons), None)
            if pardoned is not None:
                if not fresh(rule, party, given):
                    continue
                del pardons[pardoned]
            kept.append(rule)
        return kept

    # -- creators -----------------------------------------------------------------------------------------------------

    def creator(self, creator: Creator, urgent: bool) -> None:
        """Judge a creator: at once when something went wrong, else at most once in a while of event time.

        Rules alone raise its level; what is published as probability is its share of harmed orders, shrunk.
        """
        record = creator.record
        if not urgent and record.as_of - record.assessed_at < self._assess_every:
            return
        record.assessed_at = record.as_of
        finding = Finding()
        context = finding.context = of_creator(creator, self.state.population)
        if self._creator_rules is not None and (fired := self._creator_rules(context)):
            self._fire(finding, self._unpardoned(creator, finding, fired))
        probability = _harm_rate(context) or 0.0
        record.probability = nearest(probability, 1e5)
        self._conclude(creator, finding, probability, context)

    # -- merchants and creators ---------------------------------------------------------------------------------------

    def _conclude(self, party: Party, finding: Finding, probability: float, context: Context) -> None:
        record = party.record
        state = self.state
        state.statistics.assessments += 1
        if not finding.fired and not record.fired and finding.level == record.level:
            return
        fired = [rule.id for rule in finding.fired]
        changed = finding.level != record.level
        raised = finding.level > record.level
        before = record.fired
        record.level = finding.level
        record.fired = fired
        subject = Subject(party.kind, party.id)
        # A level that stands for the same reasons is not news; it is published again when they change, and with every
        # decision that rests on it.
        news = changed or (finding.level >= self.judge.settings.publish_level and fired != before)
        news = news or self.enforcer.acts(party, subject, finding)
        identifier = ""
        if news:
            identifier = self._publish(party, subject, finding, nearest(probability, 1e5), context)
            record.assessment = identifier
        decided = self.enforcer.enforce(party, subject, finding, identifier or record.assessment)
        if raised:
            self.enforcer.credit.look(party)
        if changed or decided:
            self.enforcer.stand(party)

    # -- orders and listings ----------------------------------------------------------------------------------------

    def order(
        self,
        kind: type[OrderEvent | BuyerClaims],
        order_id: str,
        order: OrderRecord,
        merchant: Merchant,
        scored: float | None = None,
    ) -> None:
        """Judge an order: always when it is placed, later when a rule for that type of event fires, or when a model
        just ``scored`` it so that its level rises.

        Later stages reach elevated at most.
        """
        rules = self._order_rules[kind]
        created = kind is OrderCreated
        if rules is None and scored is None:
            return
        modelled = 0
        if scored is not None:
            modelled = self.judge.policies.level_of_probability(scored)
            if not created:
                modelled = min(modelled, LATER_STAGES_AT_MOST)
                if rules is None and modelled <= order.level:
                    return
        context = Context(merchant, self.state.population, order)
        fired = rules(context) if rules is not None else None
        if fired and order.pardons:
            fired = unpardoned(fired, order.pardons, context)
        if not fired and not created and modelled <= order.level:
            return
        finding = Finding(context=context)
        if fired:
            self._fire(finding, fired)
        probability = (order.probability or 0.0) if scored is None else scored
        if scored is not None:
            finding.raise_to(modelled, scored)
        subject = Subject("order", order_id)
        if not created and finding.level <= order.level:
            # No news, unless it turns what was held against the seller against the buyer.
            if kind is not BuyerClaims or not self.enforcer.acts(merchant, subject, finding):
                return
            finding.level = order.level
        self.state.statistics.assessments += 1
        order.level = finding.level
        identifier = self._judged(merchant, subject, finding, probability, context)
        if created:
            order.assessment = identifier
        if self.enforcer.enforce(merchant, subject, finding, identifier):
            self.enforcer.stand(merchant)

    def listing(
        self, kind: type[ListingInput | Met], listing_id: str, listing: ListingRecord, merchant: Merchant
    ) -> None:
        """Judge a version of a listing, created or edited, or what was found out about it since."""
        context = Context(merchant, self.state.population, None, listing)
        finding = Finding(context=context)
        rules = self._listing_rules[kind]
        if rules is not None and (fired := rules(context)):
            self._fire(finding, unpardoned(fired, listing.pardons, context) if listing.pardons else fired)
        if kind is Met and finding.level <= listing.risk:
            # What its version says stands.
            return
        self.state.statistics.assessments += 1
        subject = Subject("listing", listing_id)
        before, listing.risk = listing.risk, finding.level
        identifier = self._judged(merchant, subject, finding, finding.strength, context, before)
        if self.enforcer.enforce(merchant, subject, finding, identifier):
            self.enforcer.stand(merchant)

    def level_of_order(self, order: OrderRecord, merchant: Merchant) -> int:
        """Level of an order by what is known of it now, without what was pardoned."""
        policies = self.judge.policies
        level = policies.level_of_probability(order.probability or 0.0)
        for later in (order.probability_dispatch, order.probability_delivery):
            level = max(level, min(policies.level_of_probability(later or 0.0), LATER_STAGES_AT_MOST))
        context = Context(merchant, self.state.population, order)
        kinds: list[type[OrderEvent]] = [OrderCreated, *facts_of(order)]
        for kind in kinds:
            level = max(level, self._level_by_rules(self._order_rules[kind], context, order.pardons))
        return level

    def level_of_listing(self, listing: ListingRecord, merchant: Merchant) -> int:
        """Level of a listing's version by what is known of it now, without what was pardoned."""
        context = Context(merchant, self.state.population, None, listing)
        rules = self._listing_rules[ListingUpdated if listing.edits else ListingCreated]
        return self._level_by_rules(rules, context, listing.pardons)

    @staticmethod
    def _level_by_rules(
        rules: Callable[[Context], list[Rule]] | None, context: Context, pardons: dict[str, int]
    ) -> int:
        fired = [] if rules is None else unpardoned(rules(context), pardons, context)
        return max((LEVEL_RANK[rule.severity] for rule in fired if rule.mode == "enforce"), default=0)

    def _judged(
        self,
        merchant: Merchant,
        subject: Subject,
        finding: Finding,
        probability: float,
        context: Context,
        before: int | None = None,
    ) -> str:
        """Publish an assessment where it is high enough, ends a level that was, leads to a decision or is drawn for
        audit; returns its id in any case.

        ``before`` is the subject's level at its last assessment: one that stands is no news.
        """
        settings = self.judge.settings
        news = before != finding.level and max(before or 0, finding.level) >= settings.publish_level
        if news or self.enforcer.acts(merchant, subject, finding):
            return self._publish(merchant, subject, finding, probability, context)
        identifier = self.outbox.next_id()
        if drawn := draw(identifier, finding, settings):
            self._emit(merchant, subject, finding, probability, context, identifier)
            self._sample(merchant, subject, identifier, drawn)
        return identifier

    # -- the shard ---------------------------------------------------------------------------------------------------

    def warn_of(self, drifts: Sequence[tuple[str, Shift]]) -> None:
        """Publish what has drifted."""
        for what, shift in drifts:
            counted = self.state.statistics.drifts
            counted[what] = counted.get(what, 0) + 1
            self.outbox.drift(what, shift, self.state.partition, self.judge.settings.mode)

    # -- the shared parts -------------------------------------------------------------------------------------------

    def _fire(self, finding: Finding, fired: list[Rule]) -> None:
        """Note the rules that fired; those in shadow are only counted."""
        shadow = self.state.statistics.shadow
        for rule in fired:
            if rule.mode != "enforce":
                shadow[rule.id] = shadow.get(rule.id, 0) + 1
            else:
                finding.fired.append(rule)
                finding.raise_to(LEVEL_RANK[rule.severity], rule.weight)

    def _publish(self, party: Party, subject: Subject, finding: Finding, probability: float, context: Context) -> str:
        identifier = self.outbox.next_id()
        self._emit(party, subject, finding, probability, context, identifier)
        if drawn := draw(identifier, finding, self.judge.settings):
            self._sample(party, subject, identifier, drawn)
        return identifier

    def _emit(
        self,
        party: Party,
        subject: Subject,
        finding: Finding,
        probability: float,
        context: Context,
        identifier: str,
    ) -> None:
        settings = self.judge.settings
        finding.explain(context)
        values = finding.values
        if settings.all_features:
            of_creators = party.kind == "creator"
            values = {
                name: float(value)
                for name, f in FEATURES.items()
                if (f.entity == "creator") == of_creators and (value := f.get(context)) is not None
            }
        detectors = [*finding.detectors, *model_detectors(self.models, context)]
        self.outbox.publish(
            identifier,
            RiskAssessed(
                assessment_id=identifier,
                sequence=self.enforcer.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
                subject=subject,
                level=LEVELS[finding.level],
                score=finding.score,
                probability=round(min(1.0, max(0.0, probability)), 5),
                detectors=detectors,
                reasons=[*finding.reasons, *model_reasons(self.models, self.judge.policies, finding.level, context)],
                features=values,
                versions=Versions(self.judge.policies.version, FEATURES_VERSION, self.models.version),
                mode=settings.mode,
                source=self.outbox.source,
            ),
            subject.id,
        )

    def _sample(self, party: Party, subject: Subject, assessment_id: str, drawn: AuditDraw) -> None:
        alone = drawn.probability == drawn.any_probability
        self.outbox.publish(
            self.outbox.next_id(),
            AuditSampled(
                sequence=self.enforcer.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
                subject=subject,
                stratum=drawn.stratum,
                inclusion_probability=drawn.probability,
                sample_probability=None if alone else drawn.any_probability,
                assessment_id=assessment_id,
            ),
            subject.id,
        )


def _busy(merchant: Merchant) -> bool:
    """Whether a merchant has had orders, or new listings, of late as to be looked at each hour."""
    return (
        merchant.record.activity.orders_in_hour(merchant.record.as_of) >= _BUSY_ORDERS
        or merchant.churn.sums[LISTINGS_CREATED] >= _BUSY_LISTINGS
    )


def _tags(union: object) -> dict[type[Struct], str]:
    """Event types of a union with their tags."""
    members: tuple[type[Struct], ...] = union.__args__  # type: ignore[attr-defined]
    return {member: str(member.__struct_config__.tag) for member in members}
