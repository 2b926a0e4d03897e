import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.policies import PACKAGED
from config.settings import Settings
from streams.cli import main
from streams.policy_tests.suite import run_files, test_files
from streams.policy_tests.verdict import Verdict

LATE = """
tests:
  - name: Late
    given:
      - {at: 0d, type: merchant.registered, registered_at: -400d}
      - {at: 1d, every: 6h, times: 60, type: order.created, order_id: "o{n}", ship_by: 2d, deliver_by: 9d}
      - {at: 4d, every: 6h, times: 60, type: order.shipped, order_id: "o{n}"}
      - {at: 7d, every: 6h, times: 60, type: order.delivered, order_id: "o{n}"}
    until: 20d
"""


def run(*arguments: object) -> Result:
    """Run ``shopwarden policies test``."""
    return CliRunner().invoke(main, ["policies", "test", *map(str, arguments)])


def verdict(tmp_path: Path, rest: str, policies: Path = PACKAGED) -> Verdict:
    """What came of a shop that ships everything late, with these expectations."""
    (tmp_path / "t.yaml").write_text(LATE + rest, encoding="utf-8")
    (((_, (found,)),)) = run_files(Settings(), policies, [tmp_path / "t.yaml"])
    return found


def test_the_packaged_tests_pass() -> None:
    """Every one that comes along holds under the policies that come along, and there are some."""
    result = run()
    assert result.exit_code == 0, result.output
    assert "0 failed" in result.output and "FAIL" not in result.output
    assert len(test_files(PACKAGED)) >= 3


def test_what_is_expected_comes(tmp_path: Path) -> None:
    """By rule, action, subject, time, length and count."""
    found = verdict(
        tmp_path,
        "    expect:\n"
        "      - {rule: late-dispatch-severe, action: limit_orders, subject: merchant, merchant: shop, after: 4d,"
        " before: 12d, count: 1}\n"
        "      - {action: limit_orders, days: 7, review: false, ended: expiry}\n"
        "    never:\n      - {action: close_merchant}\n",
    )
    assert found.failures == []
    assert found.decisions >= 2


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (
            "    expect: [{rule: late-dispatch-severe, after: 19d}]\n",
            "expected and never came: any action by late-dispatch-severe after 19d",
        ),
        (
            "    expect: [{rule: late-dispatch-severe, count: 7}]\n",
            "expected 7 times, came 1 times: any action by late-dispatch-severe",
        ),
        ("    expect: [{rule: late-dispatch-severe, count: 0}]\n", "expected 0 times, came 1 times"),
        ("    never: [{action: limit_orders}]\n", "came and must not: day"),
        ("    expect: [{action: warn}]\n    only: true\n", "came and was not expected: day"),
        ("    end: {shop: {level: low}}\n", "at the end shop is at level"),
        ("    end: {shop: {tier: gold}}\n", "at the end shop is in tier"),
        ("    end: {shop: {in_force: [suspend_merchant]}}\n", "at the end in force on shop:"),
        ("    expect: [{rule: late-dispatch-severe, ended: appeal}]\n", "ended by appeal"),
    ],
)
def test_what_does_not_hold_is_told(tmp_path: Path, rest: str, words: str) -> None:
    """With what was expected and what came instead."""
    failures = "\n".join(verdict(tmp_path, rest).failures)
    assert words in failures
    assert "decided was:" in failures and "by late-dispatch-severe against merchant shop" in failures


def test_how_near_a_rule_came_is_told(tmp_path: Path) -> None:
    """A rule that did not fire: which figure was missing, and when it was nearest."""
    failures = "\n".join(verdict(tmp_path, "    expect: [{rule: seller-cancellation}]\n").failures)
    assert "nearest on day" in failures
    assert "needs seller_cancels_30d >= 4, was 0" in failures


def test_other_policies_give_other_results(tmp_path: Path) -> None:
    """A rule in shadow decides nothing, and the failure says that it fired."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder)
    text = (folder / "merchants.yaml").read_text(encoding="utf-8")
    (folder / "merchants.yaml").write_text(text.replace("mode: enforce", "mode: shadow", 1), encoding="utf-8")
    failures = "\n".join(verdict(tmp_path, "    expect: [{rule: late-dispatch}]\n", folder).failures)
    assert "the rule fired for merchant shop" in failures


def test_a_decision_can_be_spoken_of(tmp_path: Path) -> None:
    """An override of the latest decision by a rule ends it; of one that was never taken it is a mistake."""
    override = (
        "      - {at: 14d, type: enforcement.overridden, decision: poor-fulfilment, action: limit_orders, by: a,"
        " why: b}\n"
    )
    given = LATE.replace("    until: 20d\n", override + "    until: 20d\n")
    (tmp_path / "t.yaml").write_text(
        given + "    expect: [{rule: poor-fulfilment, ended: override}]\n", encoding="utf-8"
    )
    result = run(tmp_path / "t.yaml")
    assert result.exit_code == 0, result.output
    (tmp_path / "t.yaml").write_text(
        given.replace("decision: poor-fulfilment", "decision: brushing") + "    only: true\n", encoding="utf-8"
    )
    result = run(tmp_path / "t.yaml")
    assert result.exit_code == 1
    assert "t.yaml:9:" in result.output and "no decision by rule brushing was taken against shop" in result.output


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("    expect: [{rule: late-dispach}]\n", 'no rule is called "late-dispach"; did you mean "late-dispatch"?'),
        ("    never: [{action: warm}]\n", 'no action is called "warm"; did you mean "warn"?'),
        ("    end: {shop: {level: lowest}}\n", 'no level is called "lowest"'),
    ],
)
def test_a_name_that_is_none_is_a_mistake(tmp_path: Path, rest: str, words: str) -> None:
    """A test that could never fail, or never pass, is not run."""
    (tmp_path / "t.yaml").write_text(LATE + rest, encoding="utf-8")
    result = run(tmp_path / "t.yaml")
    assert result.exit_code == 1
    assert words in result.output and "Traceback" not in result.output


def test_an_event_that_cannot_be_used_is_a_mistake(tmp_path: Path) -> None:
    """As a dead letter would say it, with file and line."""
    (tmp_path / "t.yaml").write_text(
        LATE.replace("order.shipped,", "order.shipped, weight_grams: -5,") + "    only: true\n"
    )
    result = run(tmp_path / "t.yaml")
    assert result.exit_code == 1
    assert "t.yaml:7:" in result.output and "weight_grams" in result.output


def test_a_failure_ends_with_exit_code_1(tmp_path: Path) -> None:
    """And the line of the test."""
    (tmp_path / "t.yaml").write_text(LATE + "    only: true\n", encoding="utf-8")
    result = run("--quiet", tmp_path / "t.yaml")
    assert result.exit_code == 1
    assert "FAIL  line 3: Late" in result.output and "1 test, 1 failed" in result.output


def test_a_folder_without_tests_is_a_usage_error(tmp_path: Path) -> None:
    """Nothing to run is no success."""
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED, folder, ignore=shutil.ignore_patterns("tests"))
    result = run("--policies", folder)
    assert result.exit_code == 2
    assert "has no tests" in result.output
