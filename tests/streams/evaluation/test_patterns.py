from config.settings import Settings
from features.outputs import LEVELS
from streams.demo.rulebook import ATTACK_POLICIES
from streams.evaluation.patterns import pattern_of_rules
from streams.worker import compiled_policies


def test_only_grave_rules_accuse_of_a_pattern() -> None:
    """Rules of severity high and above name the simulator's attack that they are about, or their own policy."""
    policies = compiled_policies(Settings())
    found = pattern_of_rules(policies)
    assert set(ATTACK_POLICIES) <= set(found.values())
    for rule in policies.rules.values():
        grave = LEVELS.index(rule.severity) >= LEVELS.index("high")
        assert (rule.id in found) == grave
    assert found["prohibited-category"] == policies.rules["prohibited-category"].policy == "prohibited_product"
