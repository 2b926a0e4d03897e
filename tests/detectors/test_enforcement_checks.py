"""What is wrong in the enforcement part of policy files is said, with file and line."""

from pathlib import Path

import pytest

from config.policies import PACKAGED, PolicyError
from tests.detectors.policy_folders import RULE, compile_folder


def problems(folder: Path, *, rules: str = RULE, replaced: tuple[str, str] | None = None, more: str = "") -> str:
    """What compiling says of the packaged enforcement with something replaced or added."""
    text = (PACKAGED / "enforcement.yaml").read_text(encoding="utf-8")
    if replaced is not None:
        assert replaced[0] in text
        text = text.replace(*replaced, 1)
    with pytest.raises(PolicyError) as caught:
        compile_folder(folder, rules, enforcement=text + more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        (("actions: [hold_payout, freeze", "actions: [remove_listing, freeze"), "is not taken against merchants"),
        (("actions: [hold_payout, freeze", "actions: [hold_payment, freeze"), 'did you mean "hold_payout"?'),
        (
            ("always_reviewed: [suspend_creator", "always_reviewed: [suspend_creators"),
            'unknown action "suspend_creators"',
        ),
        (("independent_detectors: 2", "independent_detectors: 1"), "independent_detectors"),
        (
            ("independent_detectors: 2", "independent_detectors: 6"),
            "6 sources can never agree",
        ),
        (
            ("listings: [text, catalogue]", "listings: [text, parcels]"),
            "is named under orders and under listings",
        ),
        (("review_hold_payout_above: {USD:", "review_hold_payout_above: {dollars:"), "review_hold_payout_above"),
        (("evidence: {bad_order_rate_60d_lower: 0.1}", "evidence: {bad_order_rate: 0.1}"), "unknown feature"),
        (("evidence: {bad_order_rate_60d_lower: 0.1}", "evidence: {orders_30d: .inf}"), "must be a finite number"),
        (("late_ship_rate_7d <= 0.04", "late_rate_7d <= 0.04"), "relief: when, column 1"),
        (("max_actions: 100", "max_actions: -1"), "max_actions"),
        (("remind_days: 7, lapse_days: 28", "remind_days: 28, lapse_days: 28"), "lapse_days must be above remind_days"),
    ],
)
def test_mistakes_in_enforcement_are_named(tmp_path: Path, replaced: tuple[str, str], message: str) -> None:
    """Unknown names, numbers that cannot be, conditions that cannot be read."""
    found = problems(tmp_path, replaced=replaced)
    assert message in found
    assert "enforcement.yaml:" in found


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            '{party: m1, name: late_dispach, why: "x"}',
            'unknown rule or policy "late_dispach"; did you mean "late_dispatch"?',
        ),
        ('{party: m1, name: a-rule, why: "x", until: "2026-02-30"}', 'there is no day "2026-02-30"'),
        ("{party: m1, name: a-rule}", "why"),
    ],
)
def test_mistakes_in_allow_lists_are_named(tmp_path: Path, entry: str, message: str) -> None:
    """A rule that there is not, a day that there is not, a reason that is not given."""
    assert message in problems(tmp_path, more=f"\nallow:\n  entries:\n    - {entry}\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("confirmed: order_limit", "nobody is asked by the rule's ladder"),
        ("confirmed: order_limits", 'unknown ladder "order_limits"; did you mean "order_limit"?'),
        ("detector: guesses", "detector"),
        ("review_at: {when: late_ship_rate_30d > 0.02, action: order_limit}", "does more than ask a person to look"),
        ("review_at: {when: late_rate > 0.02}", "rule a-rule-review: when, column 1"),
    ],
)
def test_mistakes_in_rules_are_named(tmp_path: Path, line: str, message: str) -> None:
    """What follows a person's verdict, and the second threshold, must make sense."""
    assert message in problems(tmp_path, rules=f"{RULE}    {line}\n")


def test_a_companion_needs_its_name(tmp_path: Path) -> None:
    """The rule of a second threshold has an id of its own, which no other rule may have."""
    second = RULE.replace("rules:\n", "").replace("a-rule", "a-rule-review")
    rules = f"{RULE}    review_at: {{when: late_ship_rate_30d > 0.02}}\n{second}"
    assert 'there is a rule "a-rule-review" already' in problems(tmp_path, rules=rules)


def test_a_second_threshold_is_a_milder_rule(tmp_path: Path) -> None:
    """It has the policy and the evidence of its rule, asks a person, and leads to the rule's ladder when confirmed."""
    rule = RULE.replace("severity: elevated", "severity: critical")
    compiled = compile_folder(tmp_path, f"{rule}    review_at: {{when: late_ship_rate_30d > 0.02}}\n")
    main, companion = compiled.rules["a-rule"], compiled.rules["a-rule-review"]
    assert (companion.policy, companion.evidence) == (main.policy, main.evidence)
    assert (companion.severity, companion.action, companion.confirmed) == ("elevated", "review", "order_limit")
    assert companion.weight == main.weight / 2
