"""How near rules are to firing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.nearness import nearness
from detectors.policy import PolicySet
from detectors.rules import Rule, RuleGroup
from tests.detectors.policy_folders import KNOWN, RULE, compile_folder

WHEN = "late_ship_rate_30d > 0.04"


def rule_of(folder: Path, when: str, extra: str = "") -> Rule:
    """A rule with another condition; it needs 20 orders."""
    text = RULE.replace(f"when: {WHEN}", f"when: {when}") + extra
    return compile_folder(folder, text).rules["a-rule"]


def test_a_rule_that_fires_has_nothing_missing(tmp_path: Path) -> None:
    """Nearness 1."""
    found = nearness(rule_of(tmp_path, WHEN), {"late_ship_rate_30d": 0.05, "orders_30d": 20})
    assert (found.value, found.missing, found.unknown) == (1.0, [], [])


def test_what_is_missing_is_told_with_its_share(tmp_path: Path) -> None:
    """The furthest first, which is how near the rule is."""
    found = nearness(rule_of(tmp_path, WHEN), {"late_ship_rate_30d": 0.03, "orders_30d": 10})
    assert found.value == 0.5
    assert [(one.needed, one.seen) for one in found.missing] == [
        ("orders_30d >= 20", 10),
        ("late_ship_rate_30d > 0.04", 0.03),
    ]
    assert found.missing[1].reached == pytest.approx(0.75)


def test_a_limit_that_is_met_and_must_be_passed_is_near(tmp_path: Path) -> None:
    """Near, and no more: it does not fire."""
    found = nearness(rule_of(tmp_path, WHEN), {"late_ship_rate_30d": 0.04, "orders_30d": 20})
    assert found.value == 0.999


def test_of_alternatives_the_nearest_counts(tmp_path: Path) -> None:
    """``or`` asks for one of its parts, ``not`` for the contrary, a chain for each of its links."""
    values = {"late_ship_rate_30d": 0.02, "orders_30d": 60.0, "distinct_buyers_30d": 9.0}
    either = rule_of(tmp_path, "late_ship_rate_30d > 0.04 or distinct_buyers_30d >= 10")
    assert [one.needed for one in nearness(either, values).missing] == ["distinct_buyers_30d >= 10"]
    neither = rule_of(tmp_path, "not (late_ship_rate_30d > 0.01 or distinct_buyers_30d > 10)")
    assert [one.needed for one in nearness(neither, values).missing] == ["late_ship_rate_30d <= 0.01"]
    assert nearness(neither, values).value == pytest.approx(0.5)
    chain = rule_of(tmp_path, "30 < orders_30d < 50")
    assert [one.needed for one in nearness(chain, values).missing] == ["orders_30d < 50"]
    share = rule_of(tmp_path, "distinct_buyers_30d / orders_30d > 0.3")
    assert nearness(share, values).value == pytest.approx(0.5)


def test_what_is_null_or_divides_by_zero_is_unknown(tmp_path: Path) -> None:
    """There is no telling; a stand-in for null is one."""
    found = nearness(rule_of(tmp_path, WHEN), {"late_ship_rate_30d": None, "orders_30d": 20})
    assert (found.value, found.unknown) == (None, ["late_ship_rate_30d"])
    stood_in = rule_of(tmp_path, WHEN, "    null: {late_ship_rate_30d: 0.02}\n")
    assert nearness(stood_in, {"orders_30d": 20}).value == 0.5
    divided = rule_of(tmp_path, "orders_30d / distinct_buyers_30d > 2")
    assert nearness(divided, {"orders_30d": 20, "distinct_buyers_30d": 0}).value is None


_CONDITIONS = (
    WHEN,
    "late_ship_rate_30d > 0.04 and (orders_30d < 50 or not distinct_buyers_30d >= 5)",
    "0.01 <= late_ship_rate_30d < orders_30d / 100",
    "-order_total == 0 or late_ship_rate_30d != 0.5",
)


@pytest.fixture(scope="module", params=_CONDITIONS)
def rule(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rule:
    """Rules with conditions of every kind."""
    return rule_of(tmp_path_factory.mktemp("policies"), request.param)


@given(
    values=st.fixed_dictionaries(
        {name: st.none() | st.sampled_from([0.0, 0.04, 0.5, 5, 20, 49]) | st.floats(0, 100) for name in sorted(KNOWN)}
    )
)
def test_nearness_is_one_where_the_compiled_rule_fires(rule: Rule, values: dict[str, float | None]) -> None:
    """And only there: the two ways to evaluate a rule agree."""
    group = RuleGroup([rule])
    fires = group.fired([values[name] for name in group.features]) != []
    found = nearness(rule, values)
    assert (found.value == 1.0) == fires
    assert found.value is None or 0 <= found.value <= 1
    assert (found.value is None) == bool(found.unknown)


def test_packaged_rules_have_a_nearness(packaged: PolicySet) -> None:
    """Each can be worked out when all its features are zero, or says why not."""
    for rule in packaged.rules.values():
        found = nearness(rule, dict.fromkeys(rule.features, 0.0))
        assert found.value is not None or found.unknown
