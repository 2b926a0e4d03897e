from config.settings import Settings
from features.outputs import LEVELS
from streams.evaluation.patterns import FITTING, PATTERN_POLICIES, does_what, patterns_of_policy, rules_about
from streams.simulator import ATTACK_NAMES
from streams.worker import compiled_policies


def test_every_pattern_of_the_simulator_has_policies() -> None:
    """Each attack, and nothing else, is listed, and what fits is a pattern too."""
    assert PATTERN_POLICIES.keys() == set(ATTACK_NAMES)
    assert all(patterns <= set(ATTACK_NAMES) for patterns in FITTING.values())


def test_rules_are_about_the_patterns_that_break_their_policy() -> None:
    """A policy that no attack breaks is a pattern of its own name; graveness is the rule's severity."""
    policies = compiled_policies(Settings())
    found = rules_about(policies)
    assert found.keys() == policies.rules.keys()
    for rule in policies.rules.values():
        assert found[rule.id].grave == (LEVELS.index(rule.severity) >= LEVELS.index("high"))
    assert found["prohibited-category"].patterns == {"prohibited_goods"}
    assert found["overdue-orders"].fits >= {"account_takeover"}
    assert patterns_of_policy("money_laundering") == {"money_laundering"}
    assert patterns_of_policy("brushing") == {"brushing", "self_dealing"}
    assert does_what("account_takeover", "bust_out") and not does_what("brushing", "bust_out")
