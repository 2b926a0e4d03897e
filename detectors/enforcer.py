"""Enforcement against the merchants of a shard: decided, announced, timed to end, reversed, shown as a standing."""

from typing import Literal

from detectors.exchange_post import Post
from detectors.finding import Finding
from detectors.judge import Judge
from detectors.ladder import Decision, expire, lift, propose, record, withhold
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from detectors.rules import Rule
from detectors.statement import statement_of_reasons
from features.enforcement_state import ActiveEnforcement, EnforcementState
from features.events import SubjectKind
from features.merchant import Merchant
from features.outputs import (
    LEVELS,
    AuditSampled,
    EnforcementDecided,
    EnforcementReversed,
    Evidence,
    PolicyRef,
    Reason,
    Redress,
    Standing,
    StandingEnforcement,
    Subject,
    Withheld,
)
from features.priors import begin_day
from features.shard import ShardState


class Enforcer:
    """Takes and ends actions against the merchants of one shard."""

    __slots__ = ("_judge", "_outbox", "_post", "_state", "_timers")

    def __init__(self, state: ShardState, judge: Judge, outbox: Outbox, timers: MerchantTimers, post: Post) -> None:
        self._post = post
        self._state = state
        self._judge = judge
        self._outbox = outbox
        self._timers = timers

    def next_sequence(self, merchant: Merchant) -> int:
        """Number of the next event of a merchant on ``governance-events``."""
        merchant.record.sequence += 1
        self._state.statistics.outputs += 1
        return merchant.record.sequence

    def acts(self, merchant: Merchant, subject: Subject, finding: Finding) -> bool:
        """Whether a decision will follow from the rules that fired."""
        if not finding.fired:
            return False
        record = merchant.record
        standing = record.enforcement or EnforcementState()
        reference = subject.kind, subject.id
        return any(
            propose(rule, reference, standing, record.as_of, self._judge.policies, "") is not None
            for rule in finding.fired
        )

    def enforce(self, merchant: Merchant, subject: Subject, finding: Finding, assessment_id: str) -> bool:
        """Decide on the actions that follow from the rules that fired, and publish them; true if there are any
        that are carried out.

        Where there are any, :meth:`acts` said so, and the assessment was published: the finding is explained.
        """
        decided = False
        for index, rule in enumerate(finding.fired):
            if rule.action is None:
                continue
            standing = merchant.record.enforcement
            if standing is None:
                standing = merchant.record.enforcement = EnforcementState()
            now = merchant.record.as_of
            identifier = self._outbox.next_id()
            decision = propose(rule, (subject.kind, subject.id), standing, now, self._judge.policies, identifier)
            if decision is None:
                continue
            if self._held_out(merchant.id, rule, decision):
                until = self._judge.policies.holdout.end(now)
                withhold(standing, decision, until)
                self._sample_withheld(merchant, subject, rule, decision, until, assessment_id)
                continue
            record(standing, decision)
            self._announce(merchant, subject, rule, finding.reasons[index], decision, assessment_id)
            decided = True
            if decision.expires_at is not None:
                self._timers.expect(merchant, decision.expires_at)
        return decided

    def _held_out(self, merchant_id: str, rule: Rule, decision: Decision) -> bool:
        """Whether a decision is left undone, to learn what happens without it: drawn by merchant, policy and period."""
        judge = self._judge
        rate = judge.settings.holdout_rate
        holdout = judge.policies.holdout
        if not rate or not holdout.covers(rule, decision.action):
            return False
        arm = holdout.arm(merchant_id, rule.policy, decision.starts_at)
        return judge.pseudonyms.draw("holdout", arm) < rate

    def _sample_withheld(
        self, merchant: Merchant, subject: Subject, rule: Rule, decision: Decision, until: int, assessment_id: str
    ) -> None:
        self._outbox.publish(
            decision.decision_id,
            AuditSampled(
                sequence=self.next_sequence(merchant),
                merchant_id=merchant.id,
                subject=subject,
                stratum=f"holdout:{rule.policy}",
                inclusion_probability=self._judge.settings.holdout_rate,
                assessment_id=assessment_id,
                withheld=Withheld(
                    action=decision.action,
                    policy=PolicyRef(rule.id, str(rule.version), rule.title),
                    starts_at=decision.starts_at,
                    until=min(until, decision.quiet_until),
                ),
            ),
            subject.id,
        )

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
        self._outbox.publish(
            decision.decision_id,
            EnforcementDecided(
                decision_id=decision.decision_id,
                sequence=self.next_sequence(merchant),
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
                mode=self._judge.settings.mode,
                supersedes=decision.supersedes,
                statement_of_reasons=statement_of_reasons(
                    rule, decision, reason.text, self._judge.policies, record.kind
                ),
            ),
            subject.id,
        )

    def expire(self, merchant: Merchant, time: int) -> None:
        """End the actions against a merchant that have expired by an event time."""
        record = merchant.record
        if record.enforcement is None:
            return
        ended = expire(record.enforcement, time)
        if not ended:
            return
        if merchant.advance(time):
            begin_day(self._state.population, merchant)
        for each in ended:
            self._reverse(merchant, each, "expiry")
        self.stand(merchant)

    def override(self, merchant: Merchant, decision_id: str | None) -> None:
        """A person set an action aside."""
        standing = merchant.record.enforcement
        if standing is None or decision_id is None:
            return
        lifted = lift(standing, decision_id, forgive=False)
        if lifted is not None:
            self._reverse(merchant, lifted, "override")
            self.stand(merchant)

    def _reverse(self, merchant: Merchant, ended: ActiveEnforcement, why: Literal["expiry", "override"]) -> None:
        identifier = self._outbox.next_id()
        self._outbox.publish(
            identifier,
            EnforcementReversed(
                decision_id=identifier,
                sequence=self.next_sequence(merchant),
                merchant_id=merchant.id,
                reverses=ended.decision_id,
                why=why,
                restores=[ended.action],
                mode=self._judge.settings.mode,
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
        self._flag(merchant)
        self._state.statistics.outputs += 1
        self._outbox.standing(
            Standing(
                merchant_id=merchant.id,
                sequence=record.sequence,
                level=LEVELS[record.level],
                as_of=record.as_of,
                enforcements=active,
                mode=self._judge.settings.mode,
            )
        )

    def _flag(self, merchant: Merchant) -> None:
        """Tell those that a merchant is linked to when it comes under enforcement for malice, and when that ends."""
        record = merchant.record
        policies = self._judge.policies
        flagged = False
        if record.enforcement is not None:
            for each in record.enforcement.active:
                rule = policies.rules.get(each.rule) if each.subject_kind == "merchant" else None
                flagged = flagged or (rule is not None and rule.action in policies.limits.malice)
        if flagged != record.flagged:
            record.flagged = flagged
            self._post.flagged(merchant, flagged)


def _evidence(kind: SubjectKind, subject_id: str, what: str) -> Evidence:
    if kind == "order":
        return Evidence(what, order_id=subject_id)
    if kind == "listing":
        return Evidence(what, listing_id=subject_id)
    return Evidence(what)
