"""Redress: appeals, reviews and overrides of people, and what follows from them.

An overturned decision was wrong, so it is undone as if it had never been: what it restricted is restored, its strike
and its points are taken back, the rule does not find the same again on the same facts, an order's facts that it rested
on no longer count against the seller and are learned as they should have been, and later actions that were harsher
because of it become what they would have been. What stays is the audit trail: the events, and their numbers.
"""

from typing import Final, Literal

from config.policies import did_you_mean
from detectors.actions import TARGETS
from detectors.assess import Assessor
from detectors.by_hand import HandMade
from detectors.confirmation import Confirmation
from detectors.listing_category import CategoryJudge
from detectors.order_stages import OrderStages
from detectors.pardons import flags_behind, seen_by
from detectors.reversal import exempt, forgive, lift, note_report, note_verdict
from detectors.rules import Rule
from features import events
from features.creator import Creator
from features.decode import Rejection
from features.enforcement_state import Appeal, EnforcementState, Known, Lifted, strike_key
from features.feature import Context
from features.keys import entity_key
from features.merchant import Merchant
from features.outputs import AppealNoted
from features.party import Party

#: Words by which an override says that it sets no action.
LIFT: Final = "lift"
SNOOZE: Final = "snooze"
ALLOW: Final = "allow"
#: Appeals that are remembered of a party; the oldest that were answered leave.
APPEALS_KEPT: Final = 64


class Redress:
    """Applies feedback about the decisions of one shard.

    Each method returns why the event can't be used, where it can't: it then goes to the dead letters, and changes
    nothing.
    """

    __slots__ = ("_assessor", "_categories", "_confirmation", "_hand_made", "_stages")

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._hand_made = HandMade(assessor.enforcer, assessor.judge, assessor.outbox, assessor.timers)
        self._confirmation = Confirmation(
            assessor.enforcer, assessor.state, assessor.judge, assessor.outbox, assessor.timers
        )
        self._categories = CategoryJudge(assessor.models.category, assessor.models.examples)
        self._stages = OrderStages(assessor.models, assessor.state)

    def take(self, party: Party, event: events.MerchantInput | events.FeedbackInput) -> Rejection | None:
        """Apply what people say about a party's decisions; other events are passed over."""
        match event:
            case events.AppealFiled():
                return self.filed(party, event)
            case events.AppealDecided():
                return self.decided(party, event)
            case events.ReviewDecided():
                return self.reviewed(party, event)
            case events.EnforcementOverridden():
                return self.overridden(party, event)
            case events.ReportReceived():
                if party.record.enforcement is None:
                    party.record.enforcement = EnforcementState()
                note_report(party.record.enforcement, event)
        return None

    # -- appeals ------------------------------------------------------------------------------------------------------

    def filed(self, party: Party, event: events.AppealFiled) -> Rejection | None:
        """An appeal was filed: it is to be answered in time, unless it is too late or one too many."""
        standing = party.record.enforcement
        known = None if standing is None else standing.known(event.decision_id)
        if standing is None or known is None:
            return _unknown(event.decision_id)
        limits = self._assessor.judge.policies.limits
        appeal = standing.appeals.get(event.decision_id, Appeal())
        if appeal.due_at:
            # It is open already.
            return None
        number = appeal.number + 1
        if number > limits.appeals_per_decision:
            # Said once; whoever goes on filing is not answered for ever.
            if number == limits.appeals_per_decision + 1:
                _keep(standing, event.decision_id, Appeal(number, 0))
                self._note(party, event.decision_id, "refused", number, f"appealed {appeal.number} times before")
            return None
        if event.occurred_at > known.starts_at + limits.appeal:
            _keep(standing, event.decision_id, Appeal(number, 0))
            self._note(party, event.decision_id, "refused", number, "the time to appeal had ended")
            return None
        due_at = event.occurred_at + limits.appeal_answer
        _keep(standing, event.decision_id, Appeal(number, due_at))
        self._note(party, event.decision_id, "open", number, "filed in time", due_at)
        self._assessor.timers.expect(party, due_at)
        self._assessor.enforcer.stand(party)
        return None

    def decided(self, party: Party, event: events.AppealDecided) -> Rejection | None:
        """An appeal was decided; it need not have been heard of before."""
        standing = party.record.enforcement
        if standing is None:
            return _unknown(event.decision_id)
        known = standing.known(event.decision_id)
        appeal = standing.appeals.get(event.decision_id)
        if known is None:
            if appeal is None:
                return _unknown(event.decision_id)
            # Undone before: the answer comes again. Or it has ended since, so there is nothing to be undone.
            if appeal.due_at:
                _keep(standing, event.decision_id, Appeal(appeal.number, 0))
                self._note(party, event.decision_id, event.outcome, appeal.number, "the decision had ended before")
                self._assessor.enforcer.stand(party)
            return None
        number = max(1, 0 if appeal is None else appeal.number)
        _keep(standing, event.decision_id, Appeal(number, 0))
        if event.outcome == "upheld":
            self._note(party, event.decision_id, "upheld", number, "the decision stands")
            self._assessor.enforcer.stand(party)
            return None
        self._note(party, event.decision_id, "overturned", number, "the decision was wrong")
        self._undo(party, standing, known, "appeal")
        return None

    # -- reviews ------------------------------------------------------------------------------------------------------

    def reviewed(self, party: Party, event: events.ReviewDecided) -> Rejection | None:
        """A person looked at a decision, or at a subject."""
        standing = party.record.enforcement
        known = None
        if event.decision_id is not None:
            known = None if standing is None else standing.known(event.decision_id)
            if known is None and event.subject is None:
                return _unknown(event.decision_id)
        if standing is None:
            standing = party.record.enforcement = EnforcementState()
        if known is not None:
            note_verdict(standing, known.policy, known.subject_kind, event.verdict, event.occurred_at)
            taught = False
            if event.verdict == "clean":
                taught = self._undo(party, standing, known, "correction")
            else:
                self._confirmation.confirm(party, known.decision_id)
            self._teach(party, event, taught=taught)
            return None
        subject = event.subject
        kind = party.kind if subject is None else subject.kind
        if event.policy in self._assessor.judge.policies.statements.policies:
            note_verdict(standing, event.policy, kind, event.verdict, event.occurred_at)
        taught = False
        if subject is not None and event.verdict == "clean":
            for active in list(standing.active):
                about = (active.subject_kind, active.subject_id) == (subject.kind, subject.id)
                if about and event.policy in (None, active.policy):
                    taught = self._undo(party, standing, active.as_known(), "correction") or taught
        self._teach(party, event, taught=taught)
        return None

    def _teach(self, party: Party, event: events.ReviewDecided, *, taught: bool) -> None:
        """Have the category model learn from what a person said of a listing, unless it learned the listing's text
        just now, as a decision about it was taken back.
        """
        subject = event.subject
        if taught or subject is None or subject.kind != "listing":
            return
        listing = self._assessor.state.listings.get(entity_key(party.id, subject.id))
        if listing is not None:
            self._categories.reviewed(listing, event)

    # -- overrides ----------------------------------------------------------------------------------------------------

    def overridden(self, party: Party, event: events.EnforcementOverridden) -> Rejection | None:
        """A person set an action aside or set one, or told a rule or a policy to leave the party alone."""
        if event.decision_id is not None:
            return self._lifted(party, event, event.decision_id)
        if event.action in (SNOOZE, ALLOW):
            return self._exempted(party, event)
        action = next((each for each in TARGETS if each == event.action), None)
        if action is None:
            hint = did_you_mean(event.action, [*TARGETS, LIFT, SNOOZE, ALLOW])
            return Rejection("inapplicable", f"no action is called {event.action!r}{hint}")
        if party.kind not in TARGETS[action]:
            return Rejection("inapplicable", f"{action} is no action against a {party.kind}")
        return self._hand_made.take(party, action, event.policy, event.until)

    def _lifted(self, party: Party, event: events.EnforcementOverridden, decision_id: str) -> Rejection | None:
        standing = party.record.enforcement
        known = None if standing is None else standing.known(decision_id)
        if standing is None or known is None:
            return _unknown(decision_id)
        if event.action not in (LIFT, known.action):
            words = f"decision {decision_id!r} is {known.action!r}, and not {event.action!r}: nothing is lifted"
            return Rejection("inapplicable", words)
        ended = lift(standing, known.decision_id)
        if ended is None:
            # It has ended by itself, or is set aside already: then this says until when.
            _set_aside(standing, known.decision_id, event.until)
            if event.until is not None:
                self._assessor.timers.expect(party, event.until)
            return None
        if event.until is not None and (ended.expires_at is None or ended.expires_at > event.until):
            standing.lifted.append(Lifted(ended, event.until))
            self._assessor.timers.expect(party, event.until)
        self._assessor.enforcer.reverse(party, ended.as_known(), "override", [ended.action])
        self._assessor.enforcer.stand(party)
        return None

    def _exempted(self, party: Party, event: events.EnforcementOverridden) -> Rejection | None:
        policies = self._assessor.judge.policies
        names = {**policies.rules, **policies.by_score} if event.action == SNOOZE else policies.statements.policies
        what = "rule" if event.action == SNOOZE else "policy"
        if event.policy is None or event.policy not in names:
            hint = did_you_mean(event.policy or "", list(names))
            words = f"{event.action} needs a {what} in 'policy'; {event.policy!r} is none{hint}"
            return Rejection("inapplicable", words)
        if event.until is None:
            return Rejection("inapplicable", f"{event.action} needs 'until': nobody is left alone for good")
        if party.record.enforcement is None:
            party.record.enforcement = EnforcementState()
        exempt(party.record.enforcement, event.policy, event.until)
        return None

    # -- timers -------------------------------------------------------------------------------------------------------

    def due(self, party: Party, time: int) -> None:
        """Time has come to ``time``, ms: appeals that nobody answered, and overrides that end."""
        standing = party.record.enforcement
        if standing is None:
            return
        for decision_id, appeal in standing.appeals.items():
            if appeal.due_at and appeal.due_at <= time and not appeal.overdue:
                standing.appeals[decision_id] = Appeal(appeal.number, appeal.due_at, True)
                self._note(party, decision_id, "overdue", appeal.number, "not decided in time", appeal.due_at)
        if standing.lifted and any(each.until <= time for each in standing.lifted):
            back = [each.action for each in standing.lifted if each.until <= time]
            standing.lifted = [each for each in standing.lifted if each.until > time]
            for active in back:
                if active.in_force(time):
                    self._hand_made.reinstate(party, standing, active)
            self._assessor.enforcer.stand(party)

    # -- undoing ------------------------------------------------------------------------------------------------------

    def _undo(
        self, party: Party, standing: EnforcementState, known: Known, why: Literal["appeal", "correction"]
    ) -> bool:
        """Take a decision back, as if it had never been; true if a listing's text was learned with that."""
        taught = False
        enforcer = self._assessor.enforcer
        rule = self._assessor.judge.policies.rules.get(known.rule)
        names = standing.names(known.decision_id)
        ended = forgive(standing, known.decision_id)
        standing.renamed = {old: new for old, new in standing.renamed.items() if new != known.decision_id}
        standing.lifted = [each for each in standing.lifted if each.action.decision_id != known.decision_id]
        # Whoever found a violation was wrong as well: the next severe action waits for a person again.
        standing.verdicts.pop(strike_key(known.policy, known.subject_kind), None)
        restores = [] if ended is None else [str(ended.action)]
        unfounded = [rule_id for name in names for rule_id in enforcer.credit.pardoned(party, name)]
        for name in names:
            appeal = standing.appeals.get(name)
            if appeal is not None and appeal.due_at:
                # Nobody need answer it any more.
                _keep(standing, name, Appeal(appeal.number, 0))
                self._note(party, name, "overturned", appeal.number, "the decision was wrong")
        if isinstance(party, Merchant):
            if known.subject_kind == "listing":
                for name in names:
                    self._assessor.promotions.absolve(party, known.subject_id, name)
            if rule is not None and known.subject_kind == "order":
                self._pardon_order(party, known.subject_id, rule)
            elif rule is not None and known.subject_kind == "listing":
                taught = self._pardon_listing(party, known.subject_id, rule)
        if known.subject_kind == party.kind and rule is not None:
            standing.pardons[rule.id] = party.record.as_of
        enforcer.reverse(party, known, why, restores)
        self._hand_made.soften(party, standing, known)
        for active in [each for each in standing.active if each.rule in unfounded]:
            # A milestone of the score that was reached through it.
            self._undo(party, standing, active.as_known(), "correction")
        if isinstance(party, Merchant):
            self._assessor.merchant(party, True)
        elif isinstance(party, Creator):
            self._assessor.creator(party, True)
        enforcer.stand(party)
        return taught

    def _pardon_order(self, merchant: Merchant, order_id: str, rule: Rule) -> None:
        """The facts of an order that a rule rested on count no longer, and are learned anew without them."""
        state = self._assessor.state
        key = entity_key(merchant.id, order_id)
        order = state.orders.get(key)
        if order is None:
            return
        state.touched_orders[key] = None
        seen = seen_by(rule, Context(merchant, state.population, order))
        order.pardons = {**order.pardons, rule.id: seen}
        order.pardoned |= flags_behind(rule)
        merchant.reflag(order)
        if order.creator:
            self._assessor.promotions.follow(order, merchant)
        if order.learned:
            self._stages.revise(order)
        order.level = self._assessor.level_of_order(order, merchant)
        if order.remedies and self._assessor.remedies is not None:
            self._assessor.remedies.again(order_id, order, merchant)

    def _pardon_listing(self, merchant: Merchant, listing_id: str, rule: Rule) -> bool:
        """Nothing is held against a listing's version by a rule; where nothing else is since, its text is learned, and
        true is returned.
        """
        state = self._assessor.state
        key = entity_key(merchant.id, listing_id)
        listing = state.listings.get(key)
        if listing is None:
            return False
        state.touched_listings[key] = None
        before = listing.risk
        listing.pardons[rule.id] = seen_by(rule, Context(merchant, state.population, None, listing))
        listing.risk = self._assessor.level_of_listing(listing, merchant)
        if listing.risk or not before or not listing.version_at:
            # What nothing was held against has been learned.
            return False
        self._categories.vindicated(listing)
        return True

    def _note(
        self,
        party: Party,
        decision_id: str,
        state: Literal["open", "refused", "upheld", "overturned", "overdue"],
        number: int,
        why: str,
        due_at: int | None = None,
    ) -> None:
        outbox = self._assessor.outbox
        outbox.publish(
            outbox.next_id(),
            AppealNoted(
                sequence=self._assessor.enforcer.next_sequence(party),
                merchant_id=party.id if party.kind == "merchant" else "",
                creator_id=party.id if party.kind == "creator" else None,
                decision_id=decision_id,
                state=state,
                number=number,
                why=why,
                due_at=due_at,
                mode=self._assessor.judge.settings.mode,
            ),
            decision_id,
        )


def _unknown(decision_id: str) -> Rejection:
    return Rejection("inapplicable", f"no decision {decision_id!r} is known; it may have been undone or long ended")


def _set_aside(standing: EnforcementState, decision_id: str, until: int | None) -> None:
    """An action that is set aside already is so until another time, ms, or (None) for good."""
    for index, each in enumerate(standing.lifted):
        if each.action.decision_id == decision_id:
            kept = [] if until is None else [Lifted(each.action, until)]
            standing.lifted = [*standing.lifted[:index], *kept, *standing.lifted[index + 1 :]]
            return


def _keep(standing: EnforcementState, decision_id: str, appeal: Appeal) -> None:
    """Remember an appeal, and forget the oldest answered one where there are too many."""
    standing.appeals.pop(decision_id, None)
    standing.appeals[decision_id] = appeal
    if len(standing.appeals) > APPEALS_KEPT:
        oldest = next((key for key, each in standing.appeals.items() if not each.due_at), None)
        standing.appeals.pop(oldest or next(iter(standing.appeals)))
