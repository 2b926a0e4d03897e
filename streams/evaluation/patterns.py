"""Which pattern of malice a rule is about."""

from detectors.evaluation.observations import NAMING_RANK
from detectors.policy import PolicySet
from features.outputs import LEVELS
from streams.demo.rulebook import ATTACK_POLICIES


def pattern_of_rules(policies: PolicySet) -> dict[str, str]:
    """The pattern of each rule of severity high or above, by its id.

    The simulator's attacks know their policies; any other pattern is named as the policy that it breaks, so that a
    truth file's "counterfeit" or "account_takeover" meets the rules under these policies.
    """
    known = {policy: attack for attack, broken in ATTACK_POLICIES.items() for policy in broken}
    return {
        rule.id: known.get(rule.policy, rule.policy)
        for rule in policies.rules.values()
        if LEVELS.index(rule.severity) >= NAMING_RANK
    }
