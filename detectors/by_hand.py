"""Actions that no rule brings about: set by a person, brought back, or made milder as one before them was wrong."""

from typing import Final

from msgspec.structs import replace

from config.policies import did_you_mean
from detectors.actions import INSTANT, NO_STRIKE
from detectors.enforcer import Enforcer
from detectors.expressions import parse
from detectors.judge import Judge
from detectors.ladder import Decision
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from detectors.reason_text import parse_reason
from detectors.reversal import rejudge
from detectors.rules import Rule
from detectors.statement import Person
from detectors.unanswered import begin, clock_of
from features.decode import Rejection
from features.enforcement_state import MAX_STRIKES, ActiveEnforcement, EnforcementState, Known, Strike, strike_key
from features.outputs import Action, Reason, Subject
from features.party import Party

#: Rule that decisions of people name.
BY_HAND: Final = "by-hand"
_ANY: Final = "any"


class HandMade:
    """Publishes such actions for one shard."""

    __slots__ = ("_enforcer", "_judge", "_outbox", "_timers")

    def __init__(self, enforcer: Enforcer, judge: Judge, outbox: Outbox, timers: MerchantTimers) -> None:
        self._enforcer = enforcer
        self._judge = judge
        self._outbox = outbox
        self._timers = timers

    def take(self, party: Party, action: Action, policy: str | None, until: int | None) -> Rejection | None:
        """Take an action that a person wants, under a policy, until a time (ms; None: until it is lifted)."""
        policies = self._judge.policies.statements.policies
        if policy is None or policy not in policies:
            hint = did_you_mean(policy or "", policies)
            return Rejection("inapplicable", f"{action} needs a policy in 'policy'; {policy!r} is none{hint}")
        now = party.record.as_of
        if until is not None and until <= now:
            return Rejection("inapplicable", f"{action} is to end at {until}, which has passed")
        standing = party.record.enforcement
        if standing is None:
            standing = party.record.enforcement = EnforcementState()
        identifier = self._outbox.next_id()
        taken = ActiveEnforcement(identifier, BY_HAND, policy, action, party.kind, party.id, now, until, False)
        if action not in INSTANT:
            standing.active.append(taken)
        if action not in NO_STRIKE:
            key = strike_key(policy, party.kind)
            strike = Strike(now, identifier, BY_HAND, 0, action, party.id)
            standing.strikes[key] = [*standing.strikes.get(key, ())[1 - MAX_STRIKES :], strike]
        words = "decided by a person of the governance team"
        decision = self._announce(party, _rule(policy), taken, None, words, "alone")
        if action not in NO_STRIKE:
            # What a violation costs does not depend on who saw it.
            self._enforcer.credit.violation(party, decision)
        self._enforcer.stand(party)
        return None

    def reinstate(self, party: Party, standing: EnforcementState, action: ActiveEnforcement) -> None:
        """Bring an action back that was set aside for a time; it keeps its own end."""
        rule = self._rule_of(action)
        if rule is None:
            return
        again = replace(action, decision_id=self._outbox.next_id())
        standing.active.append(again)
        if again.requires_review:
            limits = self._judge.policies.limits
            ladder = None if rule.action is None else self._judge.policies.ladders[rule.action]
            clock = begin(clock_of(ladder, limits), party.record.as_of, again.expires_at)
            if clock is not None:
                standing.waiting[again.decision_id] = clock
        standing.rename(action.decision_id, again.decision_id)
        key = strike_key(action.policy, action.subject_kind)
        if key in standing.strikes:
            standing.strikes[key] = [
                replace(each, decision_id=again.decision_id) if each.decision_id == action.decision_id else each
                for each in standing.strikes[key]
            ]
        words = "it was set aside for a time, which has ended"
        self._announce(party, rule, again, action.decision_id, words, "confirmed")

    def soften(self, party: Party, standing: EnforcementState, undone: Known) -> None:
        """Make the actions in force milder that were harsher because of a decision that has been taken back."""
        policies, now = self._judge.policies, party.record.as_of
        for active, milder in rejudge(standing, policies, undone, now, self._outbox.next_id):
            self._enforcer.reverse(party, active.as_known(), "correction", [active.action])
            rule = self._rule_of(active)
            if milder is None or rule is None:
                continue
            taken = next(each for each in standing.active if each.decision_id == milder.decision_id)
            words = "an earlier decision that made it harsher was wrong"
            self._announce(party, rule, taken, active.decision_id, words, None)

    def _rule_of(self, action: ActiveEnforcement) -> Rule | None:
        """The rule that an action followed from, if it is still there."""
        return _rule(action.policy) if action.rule == BY_HAND else self._judge.policies.rule(action.rule)

    def _announce(
        self,
        party: Party,
        rule: Rule,
        action: ActiveEnforcement,
        supersedes: str | None,
        words: str,
        person: Person | None,
    ) -> Decision:
        """Publish an action that is in force, as a decision of its own."""
        subject = Subject(action.subject_kind, action.subject_id)
        standing = party.record.enforcement
        decision = Decision(
            decision_id=action.decision_id,
            rule=action.rule,
            policy=action.policy,
            action=action.action,
            severity=rule.severity,
            subject_kind=action.subject_kind,
            subject_id=action.subject_id,
            starts_at=action.starts_at,
            expires_at=action.expires_at,
            requires_review=action.requires_review,
            step=0,
            strike=None,
            quiet_until=action.starts_at,
            appeal_until=party.record.as_of + self._judge.policies.limits.appeal,
            supersedes=supersedes,
            waiting=None if standing is None else standing.waiting.get(action.decision_id),
        )
        reason = Reason(code=rule.id, text=words, weight=rule.weight)
        self._enforcer.announce(party, subject, rule, reason, decision, party.record.assessment, None, person)
        if action.expires_at is not None:
            self._timers.expect(party, action.expires_at)
        if decision.waiting is not None and decision.waiting.due is not None:
            self._timers.expect(party, decision.waiting.due)
        return decision


def _rule(policy: str) -> Rule:
    """What stands for the rule where a person decides; it never fires."""
    return Rule(
        id=BY_HAND,
        version="1",
        title="Decided by a person",
        policy=policy,
        subject="merchant",
        on=(),
        when=parse(f"{_ANY} != {_ANY}", {_ANY}),
        evidence={},
        nulls={},
        severity="high",
        weight=1.0,
        reason=parse_reason("decided by a person", {_ANY}),
        observed=None,
        expected=None,
        window=None,
        mode="enforce",
        action=None,
        source=None,
        place="",
    )
