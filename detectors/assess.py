"""Judges orders, listings and merchants: rules and models in, risk levels with reasons, enforcement and standings
out.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal
from zlib import crc32

from detectors.judge import Judge, Models
from detectors.ladder import Decision, decide, expire, lift, propose
from detectors.levels import LEVEL_RANK
from detectors.outbox import Outbox
from detectors.rules import Rule, RuleGroup
from detectors.statement import statement_of_reasons
from features.enforcement_state import ActiveEnforcement, EnforcementState
from features.events import Event, ListingInput, OrderCreated, OrderEvent, OrderInput, SubjectKind
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.outputs import (
    LEVELS,
    AuditSampled,
    Detector,
    EnforcementDecided,
    EnforcementReversed,
    Evidence,
    PolicyRef,
    Reason,
    Redress,
    RiskAssessed,
    Standing,
    StandingEnforcement,
    Subject,
    Versions,
)
from features.registry import DEFAULT_PRIORS, FEATURES, FEATURES_VERSION, Context
from features.shard import ShardState
from features.vectors import behaviour_vector

#: Points of the ordinal score that one level spans: five levels make 1000.
_BAND: Final = 200
_AUDIT_SCALE: Final = 1 << 32
_bad_order_rate: Final = FEATURES["bad_order_rate_90d_shrunk"].get


class Finding:
    """What detectors say of one subject: level, strength within the level, and why."""

    __slots__ = ("detectors", "fired", "level", "reasons", "strength", "values")

    def __init__(self) -> None:
        self.level = 0
        self.strength = 0.0
        self.fired: list[Rule] = []
        self.reasons: list[Reason] = []
        self.detectors: list[Detector] = []
        self.values: dict[str, float] = {}

    def raise_to(self, level: int, strength: float) -> None:
        """Take a detector's opinion into account: the worst one decides, strength breaks ties."""
        if level > self.level or (level == self.level and strength > self.strength):
            self.level, self.strength = level, strength

    @property
    def score(self) -> int:
        """Ordinal score, 0 to 1000: a band of 200 a level, by strength within it."""
        return min(1000, self.level * _BAND + round(self.strength * (_BAND - 1)))


class Assessor:
    """Judges the subjects of one shard."""

    __slots__ = ("_listing_rules", "_merchant_rules", "_order_rules", "judge", "models", "outbox", "state")

    def __init__(self, state: ShardState, models: Models, judge: Judge, outbox: Outbox) -> None:
        self.state = state
        self.models = models
        self.judge = judge
        self.outbox = outbox
        policies = judge.policies
        self._merchant_rules = self._bind(policies.group("merchant"))
        self._order_rules = {kind: self._bind(policies.group("order", tag)) for kind, tag in _tags(OrderInput).items()}
        self._listing_rules = {
            kind: self._bind(policies.group("listing", tag)) for kind, tag in _tags(ListingInput).items()
        }

    @staticmethod
    def _bind(group: RuleGroup | None) -> Callable[[Context], list[Rule]] | None:
        return None if group is None else group.bind({name: FEATURES[name].get for name in group.features})

    # -- merchants --------------------------------------------------------------------------------------------------

    def begin_day(self, merchant: Merchant) -> None:
        """A merchant entered a new day: bring its contribution to the shard's priors up to date."""
        population = self.state.population
        record = merchant.record
        new = merchant.contributions()
        old = record.contributed
        if new != old:
            population.exchange(old, new)
            record.contributed = new
        if merchant.day > population.prior_day:
            population.prior_day = merchant.day
            for rate, moments in population.moments.items():
                population.priors[rate] = moments.prior(DEFAULT_PRIORS[rate])

    def merchant(self, merchant: Merchant, urgent: bool) -> None:
        """Judge a merchant: at once when something went wrong, else at most once in a while of event time."""
        record = merchant.record
        due = record.as_of - record.assessed_at >= self.judge.settings.assess_every
        if not due and not urgent:
            return
        state = self.state
        finding = Finding()
        if due:
            record.assessed_at = record.as_of
            vector = behaviour_vector(merchant, state.population)
            anomaly = self.models.anomaly.score_and_learn(vector)
            record.anomaly = None if anomaly is None else round(anomaly, 4)
        policies = self.judge.policies
        if record.anomaly is not None:
            finding.raise_to(policies.level_of_anomaly(record.anomaly), record.anomaly)
        context = Context(merchant, state.population)
        self._fire(finding, None if self._merchant_rules is None else self._merchant_rules(context), context)
        probability = _bad_order_rate(context) or 0.0
        record.probability = round(probability, 5)
        finding.raise_to(policies.level_of_probability(probability), probability)
        self._conclude_merchant(merchant, finding, context)

    def _conclude_merchant(self, merchant: Merchant, finding: Finding, context: Context) -> None:
        record = merchant.record
        state = self.state
        state.statistics.assessments += 1
        fired = [rule.id for rule in finding.fired]
        changed = finding.level != record.level
        before = record.fired
        record.level = finding.level
        record.fired = fired
        subject = Subject("merchant", merchant.id)
        # A level that stands for the same reasons is not news; it is published again when they change, and with every
        # decision that rests on it.
        news = changed or (finding.level >= self.judge.settings.publish_level and fired != before)
        news = news or self._acts(merchant, subject, finding)
        identifier = ""
        if news:
            identifier = self._publish(merchant, subject, finding, record.probability, context)
            record.assessment = identifier
        decided = self._enforce(merchant, subject, finding, identifier or record.assessment)
        if changed or decided:
            self.stand(merchant)

    # -- orders and listings ----------------------------------------------------------------------------------------

    def order(self, kind: type[OrderEvent], order_id: str, order: OrderRecord, merchant: Merchant) -> None:
        """Judge an order: always when it is placed, later when a rule for that type of event fires."""
        rules = self._order_rules[kind]
        created = kind is OrderCreated
        if rules is None and not created:
            return
        context = Context(merchant, self.state.population, order=order)
        fired = rules(context) if rules is not None else None
        if not fired and not created:
            return
        finding = Finding()
        self._fire(finding, fired, context)
        probability = order.probability or 0.0
        if created:
            finding.raise_to(self.judge.policies.level_of_probability(probability), probability)
        elif finding.level <= order.level:
            return
        self.state.statistics.assessments += 1
        order.level = finding.level
        subject = Subject("order", order_id)
        identifier = self._judged(merchant, subject, finding, probability, context)
        if created:
            order.assessment = identifier
        if self._enforce(merchant, subject, finding, identifier):
            self.stand(merchant)

    def listing(self, event: ListingInput, listing: ListingRecord, merchant: Merchant) -> None:
        """Judge a version of a listing, created or edited."""
        finding = Finding()
        context = Context(merchant, self.state.population, listing=listing)
        rules = self._listing_rules[type(event)]
        self._fire(finding, None if rules is None else rules(context), context)
        self.state.statistics.assessments += 1
        subject = Subject("listing", event.listing_id)
        before, listing.risk = listing.risk, finding.level
        identifier = self._judged(merchant, subject, finding, finding.strength, context, before)
        if self._enforce(merchant, subject, finding, identifier):
            self.stand(merchant)

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
        if news or self._acts(merchant, subject, finding):
            return self._publish(merchant, subject, finding, probability, context)
        identifier = self.outbox.next_id()
        if self._drawn(identifier):
            self._emit(merchant, subject, finding, probability, context, identifier)
            self._sample(merchant, subject, identifier)
        return identifier

    # -- the shared parts -------------------------------------------------------------------------------------------

    def _fire(self, finding: Finding, fired: list[Rule] | None, context: Context) -> None:
        """Note the rules that fired: those in shadow are counted, the others explained."""
        if not fired:
            return
        shadow = self.state.statistics.shadow
        for rule in fired:
            if rule.mode != "enforce":
                shadow[rule.id] = shadow.get(rule.id, 0) + 1
                continue
            values = {name: FEATURES[name].get(context) for name in rule.features}
            finding.fired.append(rule)
            finding.reasons.append(rule.explain(values))
            finding.detectors.append(Detector(f"rule:{rule.id}", str(rule.version), rule.weight))
            finding.raise_to(LEVEL_RANK[rule.severity], rule.weight)
            for name, value in values.items():
                if value is not None:
                    finding.values[name] = float(f"{value:.6g}")

    def _publish(
        self, merchant: Merchant, subject: Subject, finding: Finding, probability: float, context: Context
    ) -> str:
        identifier = self.outbox.next_id()
        self._emit(merchant, subject, finding, probability, context, identifier)
        if self._drawn(identifier):
            self._sample(merchant, subject, identifier)
        return identifier

    def _emit(
        self,
        merchant: Merchant,
        subject: Subject,
        finding: Finding,
        probability: float,
        context: Context,
        identifier: str,
    ) -> None:
        settings = self.judge.settings
        values = finding.values
        if settings.all_features:
            values = {name: float(value) for name, f in FEATURES.items() if (value := f.get(context)) is not None}
        detectors = [*finding.detectors, *self._model_detectors(context)]
        self.outbox.publish(
            identifier,
            RiskAssessed(
                assessment_id=identifier,
                sequence=self._next(merchant),
                merchant_id=merchant.id,
                subject=subject,
                level=LEVELS[finding.level],
                score=finding.score,
                probability=round(min(1.0, max(0.0, probability)), 5),
                detectors=detectors,
                reasons=[*finding.reasons, *self._model_reasons(finding, context)],
                features=values,
                versions=Versions(self.judge.policies.version, FEATURES_VERSION, self.models.version),
                mode=settings.mode,
                source=self.outbox.source,
            ),
            subject.id,
        )

    def _model_detectors(self, context: Context) -> list[Detector]:
        found = []
        order = context.order
        if order is not None and order.probability is not None:
            model = self.models.bad_order
            found.append(Detector(model.name, model.version, order.probability))
        anomaly = context.merchant.record.anomaly
        if anomaly is not None and context.order is None and context.listing is None:
            found.append(Detector(self.models.anomaly.name, self.models.anomaly.version, round(anomaly, 5)))
        return found

    def _model_reasons(self, finding: Finding, context: Context) -> list[Reason]:
        """The model's largest contributions, in words, where the model itself raised the level."""
        order = context.order
        record = context.merchant.record
        policies = self.judge.policies
        if order is not None:
            if order.scored is None or order.probability is None:
                return []
            if policies.level_of_probability(order.probability) < max(1, finding.level):
                return []
            parts = self.models.bad_order.contributions(order.scored)
            return [
                Reason(
                    "bad_order_model",
                    f"{name} raises the odds of a bad order by a factor of {_factor(share):.2g}",
                    round(min(1.0, max(0.0, share / 4)), 4),
                    observed=_rounded(order.scored[index]),
                )
                for index, name, share in _largest(parts)
            ]
        if context.listing is None and record.anomaly is not None:
            if policies.level_of_anomaly(record.anomaly) < max(1, finding.level):
                return []
            vector = behaviour_vector(context.merchant, self.state.population)
            model = self.models.anomaly
            typical = model.typical()
            return [
                Reason(
                    "behaviour_anomaly",
                    f"{name} is unusual among merchants",
                    round(min(1.0, share / 8), 4),
                    observed=_rounded(vector[index]),
                    expected=_rounded(typical[index]),
                )
                for index, name, share in _largest(model.contributions(vector))
            ]
        return []

    def _drawn(self, identifier: str) -> bool:
        """Whether an assessment belongs to the audit sample: drawn by its id, so every run draws the same."""
        return crc32(identifier.encode()) < self.judge.settings.audit_rate * _AUDIT_SCALE

    def _sample(self, merchant: Merchant, subject: Subject, assessment_id: str) -> None:
        self.outbox.publish(
            self.outbox.next_id(),
            AuditSampled(
                sequence=self._next(merchant),
                merchant_id=merchant.id,
                subject=subject,
                stratum="uniform",
                inclusion_probability=self.judge.settings.audit_rate,
                assessment_id=assessment_id,
            ),
            subject.id,
        )

    def _next(self, merchant: Merchant) -> int:
        merchant.record.sequence += 1
        self.state.statistics.outputs += 1
        return merchant.record.sequence

    # -- enforcement ------------------------------------------------------------------------------------------------

    def _acts(self, merchant: Merchant, subject: Subject, finding: Finding) -> bool:
        """Whether a decision will follow from the rules that fired."""
        record = merchant.record
        standing = record.enforcement or EnforcementState()
        reference = subject.kind, subject.id
        return any(
            propose(rule, reference, standing, record.as_of, self.judge.policies, "") is not None
            for rule in finding.fired
        )

    def _enforce(self, merchant: Merchant, subject: Subject, finding: Finding, assessment_id: str) -> bool:
        decided = False
        for rule, reason in zip(finding.fired, finding.reasons, strict=True):
            if rule.action is None:
                continue
            record = merchant.record
            if record.enforcement is None:
                record.enforcement = EnforcementState()
            identifier = self.outbox.next_id()
            decision = decide(
                rule, (subject.kind, subject.id), record.enforcement, record.as_of, self.judge.policies, identifier
            )
            if decision is not None:
                self._announce(merchant, subject, rule, reason, decision, assessment_id)
                decided = True
        if decided:
            self.schedule(merchant)
        return decided

    def _announce(
        self,
        merchant: Merchant,
        subject: Subject,
        rule: Rule,
        reason: Reason,
        decision: Decision,
        assessment_id: str,
    ) -> None:
        record = merchant.record
        evidence = [_evidence(subject.kind, subject.id, reason.text)]
        self.outbox.publish(
            decision.decision_id,
            EnforcementDecided(
                decision_id=decision.decision_id,
                sequence=self._next(merchant),
                merchant_id=merchant.id,
                subject=Subject(decision.subject_kind, decision.subject_id),
                action=decision.action,
                severity=rule.severity,
                starts_at=decision.starts_at,
                expires_at=decision.expires_at,
                requires_review=decision.requires_review,
                policy=PolicyRef(rule.id, str(rule.version), rule.title),
                assessment_id=assessment_id,
                evidence=evidence,
                facts=reason.text,
                redress=Redress(decision.appeal_until),
                mode=self.judge.settings.mode,
                supersedes=decision.supersedes,
                statement_of_reasons=statement_of_reasons(
                    rule, decision, reason.text, self.judge.policies, record.kind
                ),
            ),
            subject.id,
        )

    def schedule(self, merchant: Merchant) -> None:
        """Set the merchant's timer to the next expiry of an action against it."""
        record = merchant.record
        state = record.enforcement
        until = None if state is None else state.next_expiry()
        timer = until or 0
        if timer != record.timer:
            record.timer = timer
            if timer:
                self.state.timers.set(f"m{merchant.id}", timer)
            else:
                self.state.timers.clear(f"m{merchant.id}")

    def timer(self, merchant: Merchant, time: int) -> None:
        """Actions against a merchant expired at an event time."""
        record = merchant.record
        if record.timer != time or record.enforcement is None:
            return
        self.state.statistics.timers += 1
        if merchant.advance(time):
            self.begin_day(merchant)
        for ended in expire(record.enforcement, time):
            self._reverse(merchant, ended, "expiry")
        self.schedule(merchant)
        self.stand(merchant)

    def override(self, merchant: Merchant, decision_id: str | None) -> None:
        """A person set an action aside."""
        standing = merchant.record.enforcement
        if standing is None or decision_id is None:
            return
        lifted = lift(standing, decision_id, forgive=False)
        if lifted is not None:
            self._reverse(merchant, lifted, "override")
            self.schedule(merchant)
            self.stand(merchant)

    def _reverse(self, merchant: Merchant, ended: ActiveEnforcement, why: Literal["expiry", "override"]) -> None:
        identifier = self.outbox.next_id()
        self.outbox.publish(
            identifier,
            EnforcementReversed(
                decision_id=identifier,
                sequence=self._next(merchant),
                merchant_id=merchant.id,
                reverses=ended.decision_id,
                why=why,
                restores=[ended.action],
                mode=self.judge.settings.mode,
            ),
            ended.subject_id,
        )

    def stand(self, merchant: Merchant) -> None:
        """Publish the merchant's latest standing; its sequence is that of the last event it reflects."""
        record = merchant.record
        active: list[StandingEnforcement] = []
        if record.enforcement is not None:
            active = [
                StandingEnforcement(
                    each.decision_id,
                    each.action,
                    each.rule,
                    Subject(each.subject_kind, each.subject_id),
                    each.expires_at,
                )
                for each in record.enforcement.active
            ]
        self.state.statistics.outputs += 1
        self.outbox.standing(
            Standing(
                merchant_id=merchant.id,
                sequence=record.sequence,
                level=LEVELS[record.level],
                as_of=record.as_of,
                enforcements=active,
                mode=self.judge.settings.mode,
            )
        )


def _tags(union: object) -> dict[type[Event], str]:
    """Event types of a union with their tags."""
    members: tuple[type[Event], ...] = union.__args__  # type: ignore[attr-defined]
    return {member: str(member.__struct_config__.tag) for member in members}


def _largest(parts: Sequence[tuple[str, float]], count: int = 3) -> list[tuple[int, str, float]]:
    """The inputs that raise a judgement most: position, name, share."""
    ranked = sorted(((share, -index, name) for index, (name, share) in enumerate(parts) if share > 0), reverse=True)
    return [(-index, name, share) for share, index, name in ranked[:count]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _factor(log_odds: float) -> float:
    return float(2.718281828459045**log_odds)


def _evidence(kind: SubjectKind, subject_id: str, what: str) -> Evidence:
    if kind == "order":
        return Evidence(what, order_id=subject_id)
    if kind == "listing":
        return Evidence(what, listing_id=subject_id)
    return Evidence(what)
