"""What follows when a person finds that a decision was right: it is carried out, or the request for review leads to
what it was about.
"""

from msgspec.structs import replace

from detectors.actions import NO_STRIKE
from detectors.circumstances import circumstances_of
from detectors.enforcer import Enforcer
from detectors.finding import Finding
from detectors.judge import Judge
from detectors.ladder import Decision, propose, record
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from detectors.reversal import answer, confirm
from detectors.rules import Rule
from features.creator import Creator
from features.enforcement_state import EnforcementState, Known
from features.feature import Context, of_creator
from features.keys import entity_key
from features.merchant import Merchant
from features.outputs import Reason, Subject
from features.party import Party
from features.shard import ShardState


class Confirmation:
    """Carries out, for one shard, what people have confirmed."""

    __slots__ = ("_enforcer", "_judge", "_outbox", "_state", "_timers")

    def __init__(
        self, enforcer: Enforcer, state: ShardState, judge: Judge, outbox: Outbox, timers: MerchantTimers
    ) -> None:
        self._enforcer = enforcer
        self._state = state
        self._judge = judge
        self._outbox = outbox
        self._timers = timers

    def confirm(self, party: Party, decision_id: str) -> bool:
        """Carry out what a person, who was asked, has found right: a decision that waited, or what follows from a
        request for review; true if there was anything.

        It is published anew, with what is known now: the facts may have grown since.
        """
        standing = party.record.enforcement
        waiting = None if standing is None else standing.known(decision_id)
        rule = None if waiting is None else self._judge.policies.rule(waiting.rule)
        if standing is None or waiting is None or rule is None:
            return False
        if waiting.action in NO_STRIKE:
            return self._follow(party, standing, waiting, rule)
        now = party.record.as_of
        identifier = self._outbox.next_id()
        action = confirm(standing, decision_id, identifier, now, self._judge.policies)
        if action is None:
            return False
        decision = Decision(
            decision_id=identifier,
            rule=rule.id,
            policy=rule.policy,
            action=action.action,
            severity=rule.severity,
            subject_kind=action.subject_kind,
            subject_id=action.subject_id,
            starts_at=now,
            expires_at=action.expires_at,
            requires_review=False,
            step=0,
            strike=None,
            quiet_until=now,
            appeal_until=now + self._judge.policies.limits.appeal,
            supersedes=decision_id,
        )
        self._publish(party, rule, self._finding(party, rule, waiting), decision)
        return True

    def _follow(self, party: Party, standing: EnforcementState, request: Known, rule: Rule) -> bool:
        """Do what a rule leads to when a person whom it asked finds a violation."""
        if rule.confirmed is None or all(each.decision_id != request.decision_id for each in standing.active):
            return False
        answer(standing, request)
        finding = self._finding(party, rule, request)
        decision = propose(
            replace(rule, action=rule.confirmed),
            (request.subject_kind, request.subject_id),
            standing,
            party.record.as_of,
            self._judge.policies,
            self._outbox.next_id(),
            circumstances_of(party, request.subject_kind, finding, self._state.population),
        )
        if decision is not None and decision.supersedes is None:
            decision = replace(decision, supersedes=request.decision_id)
        else:
            # What is in force already stays, or is what the new decision takes the place of: the request just ends.
            self._enforcer.reverse(party, request, "override", [request.action])
        if decision is None:
            self._enforcer.stand(party)
            return False
        record(standing, decision)
        self._publish(party, rule, finding, decision)
        return True

    def _publish(self, party: Party, rule: Rule, finding: Finding, decision: Decision) -> None:
        enforcer = self._enforcer
        subject = Subject(decision.subject_kind, decision.subject_id)
        reason = finding.reasons[0] if finding.reasons else Reason(rule.id, rule.title, rule.weight)
        assessment = party.record.assessment
        enforcer.announce(party, subject, rule, reason, decision, assessment, finding.context, "confirmed")
        standing = party.record.enforcement
        due = None if standing is None else standing.next_expiry()
        if due is not None:
            self._timers.expect(party, due)
        if not decision.requires_review:
            enforcer.credit.violation(party, decision, confirmed=True)
        enforcer.stand(party)

    def _finding(self, party: Party, rule: Rule, known: Known) -> Finding:
        """What the rule says of the subject today, where the subject is in the state."""
        finding = Finding(fired=[rule], context=self._context(party, known))
        if finding.context is not None:
            finding.explain(finding.context)
        return finding

    def _context(self, party: Party, known: Known) -> Context | None:
        if isinstance(party, Creator):
            return of_creator(party, self._state.population)
        if not isinstance(party, Merchant):
            return None
        key = entity_key(party.id, known.subject_id)
        order = self._state.orders.get(key) if known.subject_kind == "order" else None
        listing = self._state.listings.get(key) if known.subject_kind == "listing" else None
        if known.subject_kind != "merchant" and order is None and listing is None:
            return None
        return Context(party, self._state.population, order, listing)
