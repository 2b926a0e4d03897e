"""Rules that the score fires, and not features: milestones, the warning before them, the same violation repeated.

A milestone is about what a party did: it takes new facts against it, or that there is a score for the first time. A
score that falls because old clean orders leave the window fires nothing.
"""

from typing import Protocol

from detectors.credit import ledger
from detectors.credit.assessment import Assessment
from detectors.credit.entries import title_of
from detectors.credit.policy import CreditPolicy, Milestone
from detectors.credit.text import score_in_words
from detectors.finding import Finding
from detectors.judge import Judge, Models
from detectors.outbox import Outbox
from detectors.rules import Rule
from features.credit import CreditState, LedgerEntry
from features.outputs import LEVELS, Detector, Reason, RiskAssessed, Subject, Versions
from features.party import Party
from features.registry import FEATURES_VERSION
from features.windows import DAY_MS


class Enforcing(Protocol):
    """What credit asks of the enforcer."""

    def next_sequence(self, party: Party) -> int:
        """Number of the next event of a party."""

    def acts(self, party: Party, subject: Subject, finding: Finding) -> bool:
        """Whether a decision would follow from rules that fired."""

    def enforce(self, party: Party, subject: Subject, finding: Finding, assessment_id: str) -> bool:
        """Decide on what follows from rules that fired; true if anything is carried out."""

    def stand(self, party: Party) -> None:
        """Publish a party's latest standing."""


class ScoreRules:
    """Fires the rules by the score for the parties of one shard."""

    __slots__ = ("_enforcer", "_judge", "_models", "_outbox")

    def __init__(self, models: Models, judge: Judge, outbox: Outbox, enforcer: Enforcing) -> None:
        self._models = models
        self._judge = judge
        self._outbox = outbox
        self._enforcer = enforcer

    def milestones(
        self,
        party: Party,
        policy: CreditPolicy,
        state: CreditState,
        before: int | None,
        assessment: Assessment,
        *,
        facts: bool,
    ) -> None:
        """Fire the lowest milestone that the score has come down to from the one ``before``, or the warning of the
        next; forget milestones that it has risen well above.
        """
        score = assessment.score
        if score is None:
            return
        passed = [each for each in policy.milestones if score <= each.score]
        known_now = before is None and bool(state.ledger)
        if (facts or known_now) and self._pass(party, policy, state, before, assessment, passed):
            return
        if state.reached is not None and score > state.reached + policy.margin:
            above = [each.score for each in policy.milestones if each.score > state.reached]
            state.reached = min([each for each in above if score <= each + policy.margin], default=None)

    def _pass(
        self,
        party: Party,
        policy: CreditPolicy,
        state: CreditState,
        before: int | None,
        assessment: Assessment,
        passed: list[Milestone],
    ) -> bool:
        """Fire; true if it was a milestone."""
        score = assessment.points
        words = score_in_words(state.ledger, policy, assessment, self._judge.policies.statements)
        reached = policy.start if state.reached is None else state.reached
        if passed and passed[-1].score < reached:
            state.reached = passed[-1].score
            self._fire(party, passed[-1].rule, words, score, passed[-1].score)
            return True
        previous = policy.start if before is None else before
        for each in policy.milestones:
            warned_at = each.score + policy.margin
            if each.score < min(score, reached) and score <= warned_at < previous:
                self._fire(party, each.warning, words, score, each.score)
        return False

    def repeats(self, party: Party, policy: CreditPolicy, state: CreditState, entry: LedgerEntry) -> None:
        """Fire the repeat rule where an entry that was just made is one case too many of its code."""
        repeat = policy.repeat
        if entry.counts and ledger.cases(state.ledger, entry.code, entry.at - repeat.within) >= repeat.times:
            title = title_of(entry.code, self._judge.policies.statements)
            words = f"{title}: {repeat.times} cases in {repeat.within // DAY_MS} days"
            self._fire(party, repeat.rule, words, repeat.times, repeat.times)

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


def undone_by_pardon(
    policy: CreditPolicy, state: CreditState, reached: int | None, cases_before: dict[str, int]
) -> list[str]:
    """Ids of rules by the score that would not have fired without what was pardoned: milestones below ``reached``
    before, and the repeat rule where there were too many cases of a code.

    What is reached now follows from the score as it is.
    """
    undone = []
    if reached is not None:
        score = state.score if state.score is not None else policy.start
        state.reached = min([each.score for each in policy.milestones if score <= each.score], default=None)
        kept = policy.start if state.reached is None else state.reached
        undone = [each.rule.id for each in policy.milestones if reached <= each.score < kept]
    for code, times in cases_before.items():
        if times >= policy.repeat.times > most_cases(state, policy, code):
            undone.append(policy.repeat.rule.id)
    return undone


def most_cases(state: CreditState, policy: CreditPolicy, code: str) -> int:
    """The most cases of a code that the repeat rule has counted at once."""
    times = [each.at for each in state.ledger if each.code == code and each.counts]
    within = policy.repeat.within
    return max([sum(1 for at in times if end - within < at <= end) for end in times], default=0)
