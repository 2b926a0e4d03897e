"""The credit of a shard's parties: the one entrance for whatever changes it.

Looked at when something happens to it, which is seldom: a decision is carried out, overturned, a listing is put right,
an entry stops counting, and once a week at a time of the party's own, so that the reviews of a shard's merchants spread
over the week. What an order did is read from the party's day counters then; nothing is done for each order.
"""

from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

from config.policy_specs import StatementSpec
from detectors.credit import ledger
from detectors.credit.assessment import Assessment, count_weeks, credit_view, first_open
from detectors.credit.entries import Told, clean_orders_entry, correction_entry, told_of, violation_entry
from detectors.credit.harm import Posterior, moved
from detectors.credit.ledger import enter
from detectors.credit.placement import ESTABLISHED, Placed, SeenNow, may_be_recalled, place
from detectors.credit.policy import CreditPolicy, subject_mark
from detectors.credit.score_rules import Enforcing, ScoreRules, most_cases, undone_by_pardon
from detectors.credit.trail import PROBATION, note, retrace
from detectors.judge import Judge, Models
from detectors.ladder import Decision
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from features.credit import WEEK_MS, Conduct, CreditState, LedgerEntry
from features.merchant import Merchant
from features.merchant_conduct import merchant_conduct, pool
from features.outputs import CreditChanged, StandingCredit, Subject
from features.party import Party, PartyKind
from features.population import Population
from features.rounding import nearest
from features.shard import ShardState
from features.windows import DAY_MS

#: Weeks after which a party is looked at that has too few orders for a score.
_SELDOM_WEEKS: Final = 4
#: A merchant whose orders go bad more often than this multiple of all tells nothing of what others' orders will do.
_ORDINARY: Final = 3.0


class CreditBook:
    """Keeps the credit of the merchants and creators of one shard."""

    __slots__ = ("_enforcer", "_judge", "_outbox", "_population", "_rules", "_timers", "conducts")

    def __init__(
        self,
        state: ShardState,
        models: Models,
        judge: Judge,
        outbox: Outbox,
        timers: MerchantTimers,
        enforcer: Enforcing,
    ) -> None:
        self._population = state.population
        self._judge = judge
        self._outbox = outbox
        self._timers = timers
        self._enforcer = enforcer
        self._rules = ScoreRules(models, judge, outbox, enforcer)
        #: How a party other than a merchant tells of its conduct: (party, population, day).
        self.conducts: dict[PartyKind, Callable[[Party, Population, int], Conduct]] = {}

    # -- what happens -------------------------------------------------------------------------------------------------

    def begin(self, party: Party, outcome_at: int) -> None:
        """A party without credit, or whose credit nothing was going to change soon, is active: look at it once the
        outcome of its order is due at a time, ms.
        """
        policy = self._judge.policies.credit.get(party.kind)
        if policy is None:
            return
        state = party.record.credit
        if state is None:
            state = self._open(party, policy)
        due = self._slot(party, outcome_at)
        if not 0 < state.review <= due:
            state.review = due
        if not 0 < state.due <= due:
            state.due = due
            self._timers.expect(party, due)

    def registered(self, party: Party) -> None:
        """A party said since when it is there: begin its credit, if it has none."""
        policy = self._judge.policies.credit.get(party.kind)
        if policy is not None and party.record.credit is None:
            self._open(party, policy)

    def review(self, party: Party, time: int) -> None:
        """Look at a party's credit at a time at which it was due, ms."""
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None or not 0 < state.due <= time:
            return
        # Weeks are counted at the party's own time of the week alone, so that it does not matter what else happened.
        counting = time == self._slot(party, time)
        if self._settle(party, policy, state, time, Told(), counting=counting):
            self._enforcer.stand(party)

    def look(self, party: Party) -> None:
        """Something new is known of a party between its reviews: tell its probability of harm if that has moved much.

        Score and tier are left to the reviews and to what is decided, so that they do not depend on who looks when.
        """
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None or not state.tier:
            return
        now = party.record.as_of
        assessment = Assessment(state, self._conduct(party, policy, now), policy, now)
        if _is_news(state, assessment, policy):
            self._publish(party, state, assessment, state.score, state.tier, Told())

    def violation(self, party: Party, decision: Decision, *, confirmed: bool = False) -> None:
        """A decision against a party is carried out, or a person ``confirmed`` it: it may cost points.

        Its standing is left to whoever decided.
        """
        policy = self._judge.policies.credit.get(party.kind)
        if policy is None:
            return
        base = policy.base_loss(decision.policy, decision.action, decision.subject_kind, confirmed=confirmed)
        if not base:
            return
        state = party.record.credit or self._open(party, policy)
        now = party.record.as_of
        entry = LedgerEntry(
            decision.policy,
            0,
            now,
            decision.decision_id,
            subject_mark(decision.subject_kind, decision.subject_id),
            base,
            True,
            confirmed,
        )
        enter(state.ledger, policy, entry)
        told = Told()
        if entry.points:
            told.entries.append(violation_entry(entry, policy, self._statements))
        self._settle(party, policy, state, now, told, causes=[decision.decision_id], facts=True)
        self._rules.repeats(party, policy, state, entry)

    def pardoned(self, party: Party, decision_id: str) -> list[str]:
        """A decision was wrong: what it cost, and made others cost, is as if it had never been.

        Returns
        -------
        list
            Ids of the rules by the score that would not have fired, or not yet: what was decided by them is for the
            caller to take back.
        """
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None:
            return []
        counted = {code: most_cases(state, policy, code) for code in dict.fromkeys(each.code for each in state.ledger)}
        if not any(each.decision == decision_id for each in state.ledger):
            return []
        changed = ledger.pardon(state.ledger, policy, decision_id)
        told = Told()
        for old, new in changed:
            if old.ended:
                continue
            told.removed += told_of(old, policy, self._statements)
            told.entries += told_of(new, policy, self._statements)
        before = state.reached
        placed = retrace(state, policy, decision_id)
        if self._settle(party, policy, state, party.record.as_of, told, placed=placed):
            self._enforcer.stand(party)
        return undone_by_pardon(policy, state, before, counted)

    def corrected(self, party: Party, listing_id: str, at: int) -> None:
        """A listing that a party was found in violation with was put right at a time, ms."""
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None or not state.ledger:
            return
        found = ledger.correct(state.ledger, policy, subject_mark("listing", listing_id), at)
        if not found:
            return
        told = Told()
        told.entries = [correction_entry(each, policy, self._statements) for each in found if each.returned]
        if self._settle(party, policy, state, at, told, causes=[each.decision for each in found]):
            self._enforcer.stand(party)

    def standing(self, party: Party) -> StandingCredit | None:
        """A party's credit for its standing; None where there is none."""
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None:
            return None
        tier = policy.tier(state.tier)
        limits = {
            name: float(value)
            for name in tier.limits.__struct_fields__
            if (value := getattr(tier.limits, name)) is not None
        }
        return StandingCredit(score=state.score, tier=tier.name, since=state.since, limits=limits)

    def view(self, party: Party, at: int) -> Assessment | None:
        """A party's credit if it were looked at now (``at``, ms); nothing is changed. None where none is kept."""
        policy = self._judge.policies.credit.get(party.kind)
        return (
            None if policy is None else credit_view(party.record.credit, self._conduct(party, policy, at), policy, at)
        )

    @property
    def _statements(self) -> StatementSpec:
        return self._judge.policies.statements

    # -- settling -----------------------------------------------------------------------------------------------------

    def _open(self, party: Party, policy: CreditPolicy) -> CreditState:
        """Begin a party's credit: in probation if it is new, which is told; else at the standard."""
        now = party.record.as_of
        conduct = self._conduct(party, policy, now)
        state = party.record.credit = CreditState(since=now)
        if conduct.since and now - conduct.since < policy.probation.otherwise:
            probation = policy.probation.tier.name
            self._publish(party, state, Assessment(state, conduct, policy, now), None, probation, Told())
            self._enforcer.stand(party)
        else:
            state.tier = policy.standard.name
            state.graduated = ESTABLISHED
        return state

    def _settle(
        self,
        party: Party,
        policy: CreditPolicy,
        state: CreditState,
        now: int,
        told: Told,
        *,
        counting: bool = False,
        causes: Sequence[str] = (),
        facts: bool = False,
        placed: Placed | None = None,
    ) -> bool:
        """Work the credit out again as of a time and publish it where it changed; true if it did.

        ``causes`` are the decisions without which nobody would look now; with new ``facts`` against the party, the
        first of them is new, and milestones that the score comes down to fire. When it is pardoned, it is ``placed``.
        """
        # Without a violation it might have come out of probation before.
        recall = bool(state.ledger) if not state.graduated else may_be_recalled(state.graduated, policy, now)
        conduct = self._conduct(party, policy, now, recall=recall)
        if counting:
            count_weeks(state, conduct, policy)
        causes = [*causes]
        for ended in ledger.expire(state.ledger, policy, now):
            told.removed += told_of(ended, policy, self._statements)
            causes.append(ended.decision)
        assessment = Assessment(state, conduct, policy, now)
        if counting and party.kind == "merchant":
            # By its orders and not by what was found of it, so that a finding that was wrong leaves no trace.
            if assessment.harm.relative <= _ORDINARY:
                pool(conduct.ways(), self._population, state.pooled, conduct.day)
            state.pooled = conduct.day
        gained = assessment.earned - state.earned
        if gained:
            (told.entries if gained > 0 else told.removed).append(clean_orders_entry(abs(gained), policy, now))
        was = Placed(state.tier, state.since, state.graduated)
        if placed is None:
            placed = was
            if not counting and not causes and not state.graduated:
                causes.append(PROBATION)
            if counting or causes:
                seen = SeenNow(policy, assessment, conduct)
                placed = place(policy, was, seen, now)
                note(state, was, seen, () if counting else causes, assessment.earned, now, entered=facts)
        tier, state.since, state.graduated = placed
        before = state.score
        changed = bool(told) or assessment.score != before or tier != state.tier
        changed = changed or (counting and _is_news(state, assessment, policy))
        if changed:
            self._publish(party, state, assessment, assessment.score, tier, told)
        if counting or not now < state.review:
            state.review = self._next_review(party, policy, conduct, assessment, now)
        self._wait(party, policy, state, now)
        self._rules.milestones(party, policy, state, before, assessment, facts=facts)
        return changed

    def _publish(
        self,
        party: Party,
        state: CreditState,
        assessment: Assessment,
        score: int | None,
        tier: str,
        told: Told,
    ) -> None:
        """Publish a credit that changed, and take it into the state."""
        previous, previous_tier = state.score, state.tier
        state.score = score
        state.earned = assessment.earned
        state.tier = tier
        state.probability = nearest(assessment.harm.mean, 1e4)
        is_merchant = party.kind == "merchant"
        self._outbox.publish(
            self._outbox.next_id(),
            CreditChanged(
                sequence=self._enforcer.next_sequence(party),
                merchant_id=party.id if is_merchant else "",
                creator_id=None if is_merchant else party.id,
                subject=Subject(party.kind, party.id),
                score=score,
                previous=previous,
                tier=tier,
                previous_tier=previous_tier,
                probability=nearest(assessment.harm.mean, 1e5),
                lower=nearest(assessment.harm.lower, 1e5),
                upper=nearest(assessment.harm.upper, 1e5),
                entries=told.entries,
                removed=told.removed,
                signs=_signs(assessment.harm),
                mode=self._judge.settings.mode,
            ),
            party.id,
        )

    def _next_review(
        self, party: Party, policy: CreditPolicy, conduct: Conduct, assessment: Assessment, now: int
    ) -> int:
        """When a party is looked at next, ms: 0 where no order will change its credit."""
        if not (conduct.outcomes or conduct.pending or assessment.counted):
            return 0
        soon = assessment.matured + conduct.orders >= policy.minimum_orders
        return self._slot(party, now + 1, 1 if soon else _SELDOM_WEEKS)

    def _wait(self, party: Party, policy: CreditPolicy, state: CreditState, now: int) -> None:
        """Note when the credit must be looked at next: at its next review, or when something ends before that."""
        due = [state.review] if state.review > now else []
        expiry = ledger.next_expiry(state.ledger, policy, now)
        if expiry is not None:
            due.append(expiry)
        if not state.graduated and state.since + policy.probation.otherwise > now:
            due.append(state.since + policy.probation.otherwise)
        state.due = min(due, default=0)
        if state.due:
            self._timers.expect(party, state.due)

    @staticmethod
    def _slot(party: Party, after: int, weeks: int = 1) -> int:
        """The party's own time of the week, or of the fourth, not before a time, ms."""
        offset = crc32(party.id.encode()) * _SELDOM_WEEKS * WEEK_MS >> 32
        period = weeks * WEEK_MS
        return -(-(after - offset) // period) * period + offset

    def _conduct(self, party: Party, policy: CreditPolicy, now: int, *, recall: bool = False) -> Conduct:
        if isinstance(party, Merchant):
            rates = policy.probation.recall if recall else ()
            state = party.record.credit
            since_day = first_open(state.week) if state is not None else 0
            return merchant_conduct(party, self._population, now, policy.probation.established, rates, since_day)
        return self.conducts[party.kind](party, self._population, now // DAY_MS)


def _is_news(state: CreditState, assessment: Assessment, policy: CreditPolicy) -> bool:
    """Whether the probability of harm is far from what was told last; of whom nothing was told, that of all is taken to
    be known. What was told must move for it to be told again, so it does not flicker, however often it is looked at.
    """
    harm = assessment.harm
    return moved(state.probability or harm.of_all, harm.mean, policy.harm)


def _signs(harm: Posterior) -> dict[str, float]:
    """What moves a probability of harm from that of all, in log-odds, the most first."""
    found = {name: nearest(part, 1e2) for name, part in harm.parts.items()}
    return {name: part for name, part in sorted(found.items(), key=lambda each: (-abs(each[1]), each[0])) if part}
