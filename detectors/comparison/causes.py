"""Why one run took a decision that the other did not, as far as the policies say."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from config.policies import PolicyFiles
from config.policy_specs import RuleSpec
from detectors.comparison.matching import Match
from detectors.comparison.policy_changes import PolicyChange, policy_changes
from detectors.comparison.policy_words import change_words
from detectors.comparison.published import Decision

#: Where the rule and its ladder say the same in both sets.
ELSEWHERE: Final = (
    "the rule is the same in both: earlier decisions, strikes or cool-downs, or other input, made the difference"
)


class Causes:
    """What differs between two policy sets, asked by decision."""

    def __init__(self, baseline: PolicyFiles, candidate: PolicyFiles) -> None:
        self.changes: list[PolicyChange] = policy_changes(baseline, candidate)
        self._rules = [{spec.id: spec for spec, _ in files.rules} for files in (baseline, candidate)]
        self._changed = {
            section: _by_name([each for each in self.changes if each.section == section])
            for section in ("rules", "ladders")
        }

    def of(self, match: Match, before: Sequence[Match] = ()) -> str:
        """Why a decision is not the same in both runs; empty if it is.

        ``before``: what was decided about the same merchant or creator until then. Strikes are counted by policy, so
        what differed under the same policy can be the cause.
        """
        if match.outcome == "equal":
            return ""
        said = self._by_rules(match)
        if said:
            return said
        policy = self._policy(match.decision)
        for each in reversed(before):
            if each.outcome != "equal" and self._policy(each.decision) == policy:
                earlier = each.decision
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
        spec = self._rules[1].get(decision.rule) or self._rules[0].get(decision.rule)
        return decision.rule if spec is None else spec.policy

    def _one_sided(self, decision: Decision, *, missing_in: int) -> str:
        which = "the baseline" if missing_in == 0 else "the candidate"
        there: RuleSpec | None = self._rules[missing_in].get(decision.rule)
        if there is None:
            return f"{which} has no rule {decision.rule}"
        if there.mode != "enforce":
            return f"in {which} the rule {decision.rule} is {'off' if there.mode == 'off' else 'in shadow'}"
        if there.action is None:
            return f"in {which} the rule {decision.rule} leads to no action"
        return self._change(decision.rule)

    def _change(self, rule: str) -> str:
        """What changed in a rule or its ladders, in words; empty if nothing did."""
        changes = self._changed["rules"].get(rule, [])
        ladders = {spec.action for rules in self._rules if (spec := rules.get(rule)) is not None and spec.action}
        words = [change_words(change) for change in changes if change.key != "version"]
        words += [change_words(each) for name in sorted(ladders) for each in self._changed["ladders"].get(name, [])]
        return "; ".join(words)


class PolicyPair(Struct, frozen=True):
    """Two policy sets by version, and what differs."""

    baseline: str
    candidate: str
    changes: list[PolicyChange]


def _by_name(changes: Sequence[PolicyChange]) -> dict[str, list[PolicyChange]]:
    found: dict[str, list[PolicyChange]] = {}
    for each in changes:
        found.setdefault(each.name, []).append(each)
    return found
