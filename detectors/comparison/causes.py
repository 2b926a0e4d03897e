"""Why one run took a decision that the other did not, as far as the policies say."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from config.policies import PolicyFiles
from detectors.actions import NO_STRIKE
from detectors.comparison.matching import Match
from detectors.comparison.policy_changes import PolicyChange, policy_changes
from detectors.comparison.policy_words import change_words
from detectors.comparison.published import Decision
from detectors.policy import PolicySet

#: Where the rule and its ladder say the same in both sets.
ELSEWHERE: Final = (
    "the rule is the same in both: earlier decisions, strikes or cool-downs, or other input, made the difference"
)
#: Where the baseline had nothing to say at all.
SILENT: Final = "the baseline was silent then: what this decision rests on did not reach it, or was not judged"

_CREDIT: Final = frozenset({"credit", "creator_credit"})


class Policies(Struct, frozen=True):
    """A policy set as it is written and as it was compiled."""

    files: PolicyFiles
    compiled: PolicySet


class Causes:
    """What differs between two policy sets, asked by decision."""

    def __init__(self, baseline: Policies, candidate: Policies) -> None:
        self.changes: list[PolicyChange] = policy_changes(baseline.files, candidate.files)
        self.versions = baseline.compiled.version, candidate.compiled.version
        self._sets = baseline.compiled, candidate.compiled

    def of(self, match: Match, before: Sequence[Match] = ()) -> str:
        """Why a decision is not the same in both runs; empty if it is.

        ``before``: what was decided about the same merchant or creator until then; what differed under the same policy
        can be the cause.
        """
        if match.outcome == "equal":
            return ""
        said = self._by_rules(match)
        if said:
            return said
        decision, policy = match.decision, self._policy(match.decision)
        for each in reversed(before):
            earlier = each.decision
            if each.outcome == "equal" or self._policy(earlier) != policy or earlier.kind != decision.kind:
                continue
            # Strikes are counted by policy and kind of subject; what is in force and cool-downs are of the subject.
            if earlier.subject_id == decision.subject_id or earlier.action not in NO_STRIKE:
                day = datetime.fromtimestamp(earlier.starts_at / 1000, UTC).date()
                return (
                    f"{earlier.action} by {earlier.rule} of {day} was {each.outcome}: strikes under {policy} "
                    "and what is in force differ"
                )
        return ELSEWHERE

    def _by_rules(self, match: Match) -> str:
        if match.outcome == "gained":
            return self._one_sided(match.decision, missing_in=0)
        if match.outcome == "lost":
            return self._one_sided(match.decision, missing_in=1)
        found = [self._change(each.rule) for each in (match.baseline, match.candidate) if each is not None]
        return "; ".join(dict.fromkeys(each for each in found if each))

    def _policy(self, decision: Decision) -> str:
        rule = self._sets[1].rule(decision.rule) or self._sets[0].rule(decision.rule)
        return decision.rule if rule is None else rule.policy

    def _one_sided(self, decision: Decision, *, missing_in: int) -> str:
        which = "the baseline" if missing_in == 0 else "the candidate"
        there = self._sets[missing_in].rule(decision.rule)
        if there is None:
            return f"{which} has no rule {decision.rule}"
        if there.mode != "enforce":
            return f"in {which} the rule {decision.rule} is {'off' if there.mode == 'off' else 'in shadow'}"
        if there.action is None:
            return f"in {which} the rule {decision.rule} leads to no action"
        return self._change(decision.rule)

    def _change(self, rule_id: str) -> str:
        """What changed in a rule or its ladders, in words; empty if nothing did."""
        rules = [found for each in self._sets if (found := each.rule(rule_id)) is not None]
        ladders = {rule.action for rule in rules if rule.action is not None}
        # What asks for a review below a rule's own threshold is written with that rule.
        names = {rule_id, rule_id.removesuffix("-review")}
        by_score = any(rule_id in each.by_score for each in self._sets)
        words = [
            change_words(change)
            for change in self.changes
            if (change.section == "rules" and change.name in names and change.key != "version")
            or (change.section == "ladders" and change.name in ladders)
            or (by_score and change.section in _CREDIT)
        ]
        return "; ".join(words)


class PolicyPair(Struct, frozen=True):
    """Two policy sets by version, and what differs."""

    baseline: str
    candidate: str
    changes: list[PolicyChange]
