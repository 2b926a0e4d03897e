"""The credit of a shard's parties: the one entrance for whatever changes it.

Looked at when something happens to it, which is seldom: a decision is carried out, overturned, a listing is put right,
an entry stops counting, and once a week at a time of the party's own, so that the reviews of a shard's merchants spread
over the week. What an order did is read from the party's day counters then; nothing is done for each order.
"""

from collections.abc import Callable
from typing import Final, Protocol
from zlib import crc32

from detectors.credit import ledger
from detectors.credit.assessment import Assessment, assess, count_weeks, credit_view
from detectors.credit.ledger import enter
from detectors.credit.policy import CreditPolicy, Milestone, subject_mark
from detectors.credit.text import score_in_words
from detectors.credit.tiers import next_tier
from detectors.finding import Finding
from detectors.judge import Judge, Models
from detectors.ladder import Decision
from detectors.merchant_timers import MerchantTimers
from detectors.outbox import Outbox
from detectors.rules import Rule
from features.credit import WEEK_MS, Conduct, CreditState, LedgerEntry
from features.merchant import Merchant
from features.merchant_conduct import merchant_conduct
from features.outputs import (
    LEVELS,
    CreditChanged,
    CreditEntry,
    Detector,
    Reason,
    RiskAssessed,
    StandingCredit,
    Subject,
    Versions,
)
from features.party import Party, PartyKind
from features.population import Population
from features.registry import FEATURES_VERSION
from features.rounding import nearest
from features.shard import ShardState
from features.windows import DAY_MS

#: Code of the points that clean orders earn, and of those that come back when a violation is put right.
CLEAN_ORDERS: Final = "clean_orders"
CORRECTION: Final = "correction"
#: When a party that is not new came out of probation: it was never in it.
ESTABLISHED: Final = 1


class Enforcing(Protocol):
    """What the book asks of the enforcer."""

    def next_sequence(self, party: Party) -> int:
        """Number of the next event of a party."""

    def acts(self, party: Party, subject: Subject, finding: Finding) -> bool:
        """Whether a decision would follow from rules that fired."""

    def enforce(self, party: Party, subject: Subject, finding: Finding, assessment_id: str) -> bool:
        """Decide on what follows from rules that fired; true if anything is carried out."""

    def stand(self, party: Party) -> None:
        """Publish a party's latest standing."""


class _Told:
    """What has changed in a ledger and is not published yet."""

    __slots__ = ("entries", "removed")

    def __init__(self) -> None:
        self.entries: list[CreditEntry] = []
        self.removed: list[CreditEntry] = []


class CreditBook:
    """Keeps the credit of the merchants and creators of one shard."""

    __slots__ = ("_enforcer", "_judge", "_models", "_outbox", "_population", "_timers", "conducts")

    def __init__(
        self,
        state: ShardState,
        models: Models,
        judge: Judge,
        outbox: Outbox,
        timers: MerchantTimers,
        enforcer: Enforcing,
    ) -> None:
        self._models = models
        self._population = state.population
        self._judge = judge
        self._outbox = outbox
        self._timers = timers
        self._enforcer = enforcer
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
        if self._settle(party, policy, state, time, _Told(), counting=counting):
            self._enforcer.stand(party)

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
        told = _Told()
        if entry.points:
            told.entries.append(self._entry(entry, policy))
        self._settle(party, policy, state, now, told, facts=True)
        repeat = policy.repeat
        if entry.counts and ledger.cases(state.ledger, entry.code, now - repeat.within) >= repeat.times:
            title = self._title(entry.code)
            days = repeat.within // DAY_MS
            self._fire(party, repeat.rule, f"{title}: {repeat.times} cases in {days} days", repeat.times, repeat.times)

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
        counted = {code: _cases(state, policy, code) for code in {each.code for each in state.ledger}}
        changed = ledger.pardon(state.ledger, policy, decision_id)
        if not changed:
            return []
        told = _Told()
        for old, new in changed:
            if old.ended:
                continue
            told.removed += self._told_of(old, policy)
            told.entries += self._told_of(new, policy)
        before = state.reached
        if self._settle(party, policy, state, party.record.as_of, told, pardoned=True):
            self._enforcer.stand(party)
        undone = []
        if before is not None:
            # What is reached by the score as it is, and not by where it came from.
            score = state.score if state.score is not None else policy.start
            state.reached = min((m.score for m in policy.milestones if score <= m.score), default=None)
            kept = state.reached if state.reached is not None else policy.start
            undone = [m.rule.id for m in policy.milestones if before <= m.score < kept]
        for code, times in counted.items():
            if times >= policy.repeat.times > _cases(state, policy, code):
                undone.append(policy.repeat.rule.id)
        return undone

    def corrected(self, party: Party, listing_id: str, at: int) -> None:
        """A listing that a party was found in violation with was put right at a time, ms."""
        policy = self._judge.policies.credit.get(party.kind)
        state = party.record.credit
        if policy is None or state is None or not state.ledger:
            return
        found = ledger.correct(state.ledger, policy, subject_mark("listing", listing_id), at)
        if not found:
            return
        told = _Told()
        told.entries = [self._correction(each, policy) for each in found if each.returned]
        if self._settle(party, policy, state, at, told):
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

    # -- settling -----------------------------------------------------------------------------------------------------

    def _open(self, party: Party, policy: CreditPolicy) -> CreditState:
        """Begin a party's credit: in probation if it is new, which is told; else at the standard."""
        now = party.record.as_of
        conduct = self._conduct(party, policy, now)
        state = party.record.credit = CreditState(since=now)
        if conduct.since and now - conduct.since < policy.probation.otherwise:
            probation = policy.probation.tier.name
            self._publish(party, state, assess(state, conduct, policy, now), None, probation, now, _Told())
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
        told: _Told,
        *,
        counting: bool = False,
        facts: bool = False,
        pardoned: bool = False,
    ) -> bool:
        """Work the credit out again as of a time and publish it where it changed; true if it did.

        With new ``facts`` against the party, milestones that the score comes down to fire. When it is ``pardoned``, it
        is again in the tier that it lost, if nothing else speaks against that.
        """
        conduct = self._conduct(party, policy, now, recall=_may_be_recalled(state, policy, now))
        if counting:
            count_weeks(state, conduct, policy)
        for ended in ledger.expire(state.ledger, policy, now):
            told.removed += self._told_of(ended, policy)
        assessment = assess(state, conduct, policy, now)
        gained = assessment.earned - state.earned
        if gained:
            (told.entries if gained > 0 else told.removed).append(self._clean_orders(abs(gained), policy, now))
        tier, since = self._tier(policy, state, conduct, assessment, now, pardoned=pardoned)
        if tier != state.tier:
            if facts and policy.rank(tier) < policy.rank(state.tier):
                state.before = state.before or (state.tier, state.since)
            elif not pardoned or (state.before is not None and tier == state.before[0]):
                state.before = None
        before = state.score
        changed = bool(told.entries or told.removed) or assessment.score != before or tier != state.tier
        if changed:
            self._publish(party, state, assessment, assessment.score, tier, since, told)
        state.probability = nearest(assessment.harm.mean, 1e4)
        self._wait(party, policy, state, conduct, now)
        self._pass_milestones(party, policy, state, before, assessment, facts=facts)
        return changed

    def _tier(
        self,
        policy: CreditPolicy,
        state: CreditState,
        conduct: Conduct,
        assessment: Assessment,
        now: int,
        *,
        pardoned: bool,
    ) -> tuple[str, int]:
        """Name of the tier that a party is in from now on, and since when; notes the end of its probation."""
        probation = policy.probation
        if not state.graduated:
            stayed = now - state.since
            served = (
                stayed >= probation.least
                and assessment.matured >= probation.orders
                and conduct.buyers >= probation.buyers
                and assessment.points >= probation.score
            )
            if not served and not (stayed >= probation.otherwise and assessment.points >= policy.start):
                return probation.tier.name, state.since
            state.graduated = now
            return policy.standard.name, now
        if any(conduct.rates.get(rate, 0.0) > limit for rate, limit in probation.recall.items()):
            state.graduated = 0
            return probation.tier.name, now
        current, since = state.tier, state.since
        if pardoned:
            # Without the violation it need not have been there for the least time of a restriction.
            current, since = state.before or (current, since if policy.rank(current) >= 0 else 0)
        tier = next_tier(policy, current, since, assessment.standing, now).name
        return tier, since if tier == current != state.tier else state.since if tier == state.tier else now

    def _publish(
        self,
        party: Party,
        state: CreditState,
        assessment: Assessment,
        score: int | None,
        tier: str,
        since: int,
        told: _Told,
    ) -> None:
        """Publish a credit that changed, and take it into the state."""
        previous, previous_tier = state.score, state.tier
        state.score = score
        state.earned = assessment.earned
        state.tier, state.since = tier, since
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
                mode=self._judge.settings.mode,
            ),
            party.id,
        )

    def _wait(self, party: Party, policy: CreditPolicy, state: CreditState, conduct: Conduct, now: int) -> None:
        """Note when the credit must be looked at next."""
        due = []
        if conduct.outcomes or conduct.pending or state.clean:
            due.append(self._slot(party, now + 1))
        expiry = ledger.next_expiry(state.ledger, policy, now)
        if expiry is not None:
            due.append(expiry)
        if not state.graduated:
            due += [end for end in (state.since + policy.probation.otherwise,) if end > now]
        state.due = min(due, default=0)
        if state.due:
            self._timers.expect(party, state.due)

    @staticmethod
    def _slot(party: Party, after: int) -> int:
        """The party's own time of the week, not before a time, ms."""
        offset = crc32(party.id.encode()) * WEEK_MS >> 32
        return -(-(after - offset) // WEEK_MS) * WEEK_MS + offset

    def _conduct(self, party: Party, policy: CreditPolicy, now: int, *, recall: bool = False) -> Conduct:
        if isinstance(party, Merchant):
            rates = policy.probation.recall if recall else ()
            return merchant_conduct(party, self._population, now // DAY_MS, policy.probation.established, rates)
        return self.conducts[party.kind](party, self._population, now // DAY_MS)

    # -- rules by the score -------------------------------------------------------------------------------------------

    def _pass_milestones(
        self,
        party: Party,
        policy: CreditPolicy,
        state: CreditState,
        before: int | None,
        assessment: Assessment,
        *,
        facts: bool,
    ) -> None:
        """Fire what the score has come down to. It takes new facts against the party, or that a score is known now: a
        score that falls as old clean orders leave the window is nothing that it did.
        """
        score = assessment.score
        if score is None:
            return
        passed = [each for each in policy.milestones if score <= each.score]
        if (facts or (before is None and state.ledger)) and self._fire_lowest(
            party, policy, state, before, assessment, passed
        ):
            return
        if state.reached is not None and score > state.reached + policy.margin:
            above = [each.score for each in policy.milestones if each.score > state.reached]
            state.reached = min([each for each in above if score <= each + policy.margin], default=None)

    def _fire_lowest(
        self,
        party: Party,
        policy: CreditPolicy,
        state: CreditState,
        before: int | None,
        assessment: Assessment,
        passed: list[Milestone],
    ) -> bool:
        """Fire the lowest milestone that was passed, or the warning of the next one."""
        score = assessment.points
        previous = policy.start if before is None else before
        words = score_in_words(state.ledger, policy, assessment, self._judge.policies.statements)
        if passed:
            lowest = passed[-1]
            if state.reached is not None and state.reached <= lowest.score:
                return False
            state.reached = lowest.score
            self._fire(party, lowest.rule, words, score, lowest.score)
            return True
        for each in reversed(policy.milestones):
            warned_at = each.score + policy.margin
            if each.score < score <= warned_at:
                if previous > warned_at and state.reached is None:
                    self._fire(party, each.warning, words, score, each.score)
                return False
        return False

    def _fire(self, party: Party, rule: Rule, text: str, observed: float, expected: float) -> None:
        """Have the enforcer act on a rule by the score, and publish the assessment that it rests on: the party's level
        as it stands, with this reason.
        """
        reason = Reason(rule.id, text, rule.weight, float(observed), float(expected), rule.window)
        record = party.record
        finding = Finding(level=record.level, strength=rule.weight, fired=[rule], reasons=[reason])
        subject = Subject(party.kind, party.id)
        if not self._enforcer.acts(party, subject, finding):
            return
        identifier = self._outbox.next_id()
        is_merchant = party.kind == "merchant"
        self._outbox.publish(
            identifier,
            RiskAssessed(
                assessment_id=identifier,
                sequence=self._enforcer.next_sequence(party),
                merchant_id=party.id if is_merchant else "",
                creator_id=None if is_merchant else party.id,
                subject=subject,
                level=LEVELS[finding.level],
                score=finding.score,
                probability=0.0 if record.credit is None else record.credit.probability,
                detectors=[Detector(f"rule:{rule.id}", rule.version, rule.weight)],
                reasons=[reason],
                features={},
                versions=Versions(self._judge.policies.version, FEATURES_VERSION, self._models.version),
                mode=self._judge.settings.mode,
                source=self._outbox.source,
            ),
            party.id,
        )
        record.assessment = identifier
        self._enforcer.enforce(party, subject, finding, identifier)

    # -- entries as published -----------------------------------------------------------------------------------------

    def _told_of(self, entry: LedgerEntry, policy: CreditPolicy) -> list[CreditEntry]:
        """An entry that costs something, and what came back of it."""
        found = [self._entry(entry, policy)] if entry.points else []
        if entry.returned:
            found.append(self._correction(entry, policy))
        return found

    def _entry(self, entry: LedgerEntry, policy: CreditPolicy) -> CreditEntry:
        return CreditEntry(
            points=entry.points,
            code=entry.code,
            text=self._title(entry.code),
            occurred_at=entry.at,
            expires_at=entry.at + policy.window,
            order_id=entry.subject[2:] if entry.subject.startswith("o:") else None,
            listing_id=entry.subject[2:] if entry.subject.startswith("l:") else None,
            decision_id=entry.decision,
        )

    def _correction(self, entry: LedgerEntry, policy: CreditPolicy) -> CreditEntry:
        return CreditEntry(
            points=entry.returned,
            code=CORRECTION,
            text=f"{self._title(entry.code)}: put right",
            occurred_at=entry.corrected,
            expires_at=entry.at + policy.window,
            listing_id=entry.subject[2:],
            decision_id=entry.decision,
        )

    def _clean_orders(self, points: int, policy: CreditPolicy, now: int) -> CreditEntry:
        earning = policy.earning
        text = f"Orders that went well, {earning.points} points for each {earning.orders}"
        return CreditEntry(points=points, code=CLEAN_ORDERS, text=text, occurred_at=now, expires_at=now + policy.window)

    def _title(self, code: str) -> str:
        known = self._judge.policies.statements.policies.get(code)
        return code if known is None else known.title


def _may_be_recalled(state: CreditState, policy: CreditPolicy, now: int) -> bool:
    """Whether a party came out of probation a short while ago."""
    return state.graduated > ESTABLISHED and now - state.graduated <= policy.probation.recall_within


def _cases(state: CreditState, policy: CreditPolicy, code: str) -> int:
    """Cases of a code that the repeat rule counted at the latest of them."""
    times = [each.at for each in state.ledger if each.code == code and each.counts]
    return max((sum(1 for at in times if end - policy.repeat.within < at <= end) for end in times), default=0)
