"""Enforcement against the merchants and creators of a shard: decided, announced, timed to end, reversed, shown as a
standing.
"""

from typing import Literal, TypeAlias

from detectors.actions import Ladder
from detectors.circumstances import circumstances_of
from detectors.credit.book import CreditBook
from detectors.exchange_post import Post
from detectors.finding import Finding
from detectors.judge import Judge, Models
from detectors.ladder import Decision, expire, is_quiet, propose, record, withhold
from detectors.linked_accounts import LinkedAccounts
from detectors.malice import under_malice
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from detectors.promotions import Promotions
from detectors.relief import relieve
from detectors.reversal import lift
from detectors.rules import Rule
from detectors.severe_cap import SevereCap
from detectors.statement import Person, notice_about, statement_of_reasons
from detectors.unanswered import lapsed, overdue
from features.creator import Creator
from features.duty_state import open_duties
from features.enforcement_state import ActiveEnforcement, EnforcementState, Known, quiet_key
from features.events import SubjectKind
from features.feature import Context
from features.merchant import Merchant
from features.outputs import (
    LEVELS,
    AuditSampled,
    CreatorStanding,
    EnforcementDecided,
    EnforcementReversed,
    Evidence,
    PolicyRef,
    Reason,
    Redress,
    ReviewOverdue,
    Standing,
    StandingAppeal,
    StandingEnforcement,
    Subject,
    Withheld,
)
from features.party import Party, creator_id, merchant_id
from features.priors import begin_day
from features.shard import ShardState

#: Why a decision no longer holds.
Why: TypeAlias = Literal["appeal", "override", "expiry", "correction"]


class Enforcer:
    """Takes and ends actions against the merchants and creators of one shard."""

    __slots__ = ("_cap", "_judge", "_linked", "_outbox", "_post", "_promotions", "_state", "_timers", "credit")

    def __init__(
        self,
        state: ShardState,
        models: Models,
        judge: Judge,
        outbox: Outbox,
        timers: MerchantTimers,
        post: Post,
        promotions: Promotions,
        linked: LinkedAccounts,
    ) -> None:
        self._post = post
        self._promotions = promotions
        self._linked = linked
        self._state = state
        self._judge = judge
        self._outbox = outbox
        self._timers = timers
        self._cap = SevereCap(state, judge, outbox)
        self.credit = CreditBook(state, models, judge, outbox, timers, self)

    def next_sequence(self, party: Party) -> int:
        """Number of the next event of a merchant or creator on ``governance-events``."""
        party.record.sequence += 1
        self._state.statistics.outputs += 1
        return party.record.sequence

    def acts(self, party: Party, subject: Subject, finding: Finding) -> bool:
        """Whether a decision will follow from the rules that fired."""
        if not finding.fired:
            return False
        record = party.record
        standing = record.enforcement or EnforcementState()
        reference, now = (subject.kind, subject.id), record.as_of
        # Nearly always a rule that goes on firing is in its cool-down.
        waiting = [rule for rule in finding.fired if rule.action and not is_quiet(rule, reference, standing, now)]
        if not waiting:
            return False
        policies = self._judge.policies
        given = circumstances_of(party, subject.kind, finding, self._state.population)
        return any(propose(rule, reference, standing, now, policies, "", given) is not None for rule in waiting)

    def enforce(self, party: Party, subject: Subject, finding: Finding, assessment_id: str) -> bool:
        """Decide on the actions that follow from the rules that fired, and publish them; true if there are any
        that are carried out.

        Where there are any, :meth:`acts` said so, and the assessment was published: the finding is explained.
        """
        if not finding.fired:
            return False
        decided = False
        reference, given = (subject.kind, subject.id), None
        for index, rule in enumerate(finding.fired):
            if rule.action is None:
                continue
            standing = party.record.enforcement
            if standing is None:
                standing = party.record.enforcement = EnforcementState()
            now = party.record.as_of
            identifier = self._outbox.next_id()
            if is_quiet(rule, reference, standing, now):
                continue
            if given is None:
                given = circumstances_of(party, subject.kind, finding, self._state.population)
            decision = propose(rule, reference, standing, now, self._judge.policies, identifier, given)
            if decision is None:
                continue
            if self._held_out(party.id, rule, decision):
                until = self._judge.policies.holdout.end(now)
                withhold(standing, decision, until)
                self._sample_withheld(party, subject, rule, decision, until, assessment_id)
                continue
            decision = self._cap.passed(party, decision)
            record(standing, decision)
            self.announce(party, subject, rule, finding.reasons[index], decision, assessment_id, finding.context)
            decided = True
            if not decision.requires_review:
                self.credit.violation(party, decision)
            waits_until = None if decision.waiting is None else decision.waiting.due
            for due in (decision.expires_at, decision.relief_at, waits_until):
                if due is not None:
                    self._timers.expect(party, due)
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
        self, party: Party, subject: Subject, rule: Rule, decision: Decision, until: int, assessment_id: str
    ) -> None:
        self._outbox.publish(
            decision.decision_id,
            AuditSampled(
                sequence=self.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
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

    def announce(
        self,
        party: Party,
        subject: Subject,
        rule: Rule,
        reason: Reason,
        decision: Decision,
        assessment_id: str,
        context: Context | None,
        person: Person | None = None,
    ) -> None:
        """Publish a decision; ``person`` says what a person had to do with it.

        What is announced anew has no context: its subject may not be loaded, and its promoters have been told.
        """
        if isinstance(party, Merchant) and context is not None:
            self._promotions.blame(party, decision)
        evidence = [_evidence(subject.kind, subject.id, reason.text)]
        self._outbox.publish(
            decision.decision_id,
            EnforcementDecided(
                decision_id=decision.decision_id,
                sequence=self.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
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
                review_reason=decision.review_reason,
                review_by=None if decision.waiting is None else decision.waiting.due,
                limited_to=_limits(party, rule),
                policy_version=self._judge.policies.version,
                statement_of_reasons=statement_of_reasons(
                    rule,
                    decision,
                    reason.text,
                    self._judge.policies,
                    _account_kind(party),
                    _content_at(party, context, decision.subject_kind),
                    notice_about(party.record.enforcement, decision),
                    person,
                ),
            ),
            subject.id,
        )

    def expire(self, party: Party, time: int) -> None:
        """End the actions against a party that have expired by an event time, or are no longer needed."""
        record = party.record
        standing = record.enforcement
        if standing is None:
            return
        ended = expire(standing, time)
        ended += self._lapse(party, standing, time)
        if any(active.relief_at is not None and active.relief_at <= time for active in standing.active):
            self._advance(party, time)
            value = circumstances_of(party, party.kind, Finding(), self._state.population).value
            ended += relieve(standing, self._ladder, value, time)
        late = overdue(standing, self._judge.policies, time)
        if not ended and not late:
            return
        self._advance(party, time)
        for each in ended:
            self.reverse(party, each.as_known(), "expiry", [each.action])
        for each, number in late:
            self._remind(party, standing, each, number)
        if ended:
            self.stand(party)

    def _lapse(self, party: Party, standing: EnforcementState, time: int) -> list[ActiveEnforcement]:
        """End what nobody answered in time; its rule may decide anew after the cool-down."""
        ended = lapsed(standing, time)
        for each in ended:
            ladder = self._ladder(each)
            if ladder is not None and ladder.cool_down:
                standing.quiet[quiet_key(each.rule, each.subject_kind, each.subject_id)] = time + ladder.cool_down
        return ended

    def _remind(self, party: Party, standing: EnforcementState, waiting: ActiveEnforcement, number: int) -> None:
        """Point out that nobody has decided on a decision that waits."""
        rule = self._judge.policies.rule(waiting.rule)
        clock = standing.waiting.get(waiting.decision_id)
        identifier = self._outbox.next_id()
        self._outbox.publish(
            identifier,
            ReviewOverdue(
                decision_id=waiting.decision_id,
                sequence=self.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
                subject=Subject(waiting.subject_kind, waiting.subject_id),
                action=waiting.action,
                policy=PolicyRef(waiting.rule, "", "")
                if rule is None
                else PolicyRef(rule.id, str(rule.version), rule.title),
                waits_since=waiting.starts_at,
                number=number,
                lapses_at=waiting.expires_at if clock is None or clock.lapses_at is None else clock.lapses_at,
                mode=self._judge.settings.mode,
            ),
            waiting.subject_id,
        )

    def _advance(self, party: Party, time: int) -> None:
        if party.advance(time) and isinstance(party, Merchant):
            begin_day(self._state.population, party)

    def _ladder(self, active: ActiveEnforcement) -> Ladder | None:
        """The ladder that an action is a step of."""
        policies = self._judge.policies
        rule = policies.rule(active.rule)
        return None if rule is None or rule.action is None else policies.ladders[rule.action]

    def put_right(self, party: Party, policy: str) -> None:
        """What a party was acted against for under a policy is no longer so: its actions under it end. They were right
        for as long as they lasted.
        """
        standing = party.record.enforcement
        if standing is None:
            return
        ended = [active for active in standing.active if active.policy == policy]
        for active in ended:
            if lift(standing, active.decision_id) is not None:
                self.reverse(party, active.as_known(), "expiry", [active.action])
        if ended:
            self.stand(party)

    def reverse(self, party: Party, ended: Known, why: Why, restores: list[str]) -> None:
        """Publish that a decision no longer holds, and what that gives back; what was wrong never counted."""
        if why in ("appeal", "correction"):
            self._cap.take_back(ended.decision_id)
        identifier = self._outbox.next_id()
        self._outbox.publish(
            identifier,
            EnforcementReversed(
                decision_id=identifier,
                sequence=self.next_sequence(party),
                merchant_id=merchant_id(party),
                creator_id=creator_id(party),
                reverses=ended.decision_id,
                why=why,
                restores=restores,
                mode=self._judge.settings.mode,
            ),
            ended.subject_id,
        )

    def stand(self, party: Party) -> None:
        """Publish the latest standing of a merchant or creator; its sequence is that of the last event it reflects."""
        record = party.record
        active: list[StandingEnforcement] = []
        appeals: list[StandingAppeal] = []
        if record.enforcement is not None:
            active = [
                StandingEnforcement(
                    each.decision_id,
                    each.action,
                    each.rule,
                    Subject(each.subject_kind, each.subject_id),
                    each.expires_at,
                    each.requires_review,
                    _limits(party, self._judge.policies.rules.get(each.rule)),
                )
                for each in record.enforcement.active
            ]
            appeals = [
                StandingAppeal(decision_id, each.due_at)
                for decision_id, each in record.enforcement.appeals.items()
                if each.due_at
            ]
        self._state.statistics.outputs += 1
        if isinstance(party, Merchant):
            self._flag(party)
            self._linked.tell(party)
            self._promotions.shop_stands(party)
            self._outbox.standing(
                Standing(
                    merchant_id=party.id,
                    sequence=record.sequence,
                    level=LEVELS[record.level],
                    as_of=record.as_of,
                    enforcements=active,
                    mode=self._judge.settings.mode,
                    credit=self.credit.standing(party),
                    duties=[] if party.record.duties is None else open_duties(party.record.duties),
                    appeals=appeals,
                )
            )
        elif isinstance(party, Creator):
            self._promotions.creator_stands(party)
            self._outbox.standing(
                CreatorStanding(
                    creator_id=party.id,
                    sequence=record.sequence,
                    level=LEVELS[record.level],
                    as_of=record.as_of,
                    enforcements=active,
                    mode=self._judge.settings.mode,
                    credit=self.credit.standing(party),
                    appeals=appeals,
                )
            )

    def _flag(self, merchant: Merchant) -> None:
        """Tell those that a merchant is linked to when it comes under enforcement for malice, and when that ends."""
        flagged = under_malice(merchant, self._judge.policies)
        if flagged != merchant.record.flagged:
            merchant.record.flagged = flagged
            self._post.flagged(merchant, flagged)


def _limits(party: Party, rule: Rule | None) -> list[Subject] | None:
    """The merchants that an action against a creator is limited to, as things are now; None: it is about all."""
    if rule is None or rule.limited_to is None or not isinstance(party, Creator):
        return None
    return [Subject("merchant", name) for name, shop in party.record.shops.items() if shop.suspended]


def _account_kind(party: Party) -> str:
    """``business`` or ``individual``, as a merchant registered."""
    return party.record.kind if isinstance(party, Merchant) else ""


def _content_at(party: Party, context: Context | None, kind: SubjectKind) -> int | None:
    """When what a decision is about came to be, ms: the listing, the order or the merchant's account."""
    if kind == "listing":
        return None if context is None or context.listing is None else context.listing.created
    if kind == "order":
        return None if context is None or context.order is None else context.order.created
    return (party.record.registered or party.record.first_seen) if isinstance(party, Merchant) else None


def _evidence(kind: SubjectKind, subject_id: str, what: str) -> Evidence:
    if kind == "order":
        return Evidence(what, order_id=subject_id)
    if kind == "listing":
        return Evidence(what, listing_id=subject_id)
    return Evidence(what)
