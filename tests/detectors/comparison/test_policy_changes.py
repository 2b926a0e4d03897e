import shutil
from pathlib import Path

import pytest

from config.policies import PACKAGED, load_policies, parse_policies
from detectors.comparison.causes import ELSEWHERE, Causes, Policies
from detectors.comparison.matching import Match, match
from detectors.comparison.policy_changes import PolicyChange, policy_changes
from detectors.comparison.policy_words import change_words
from detectors.policy import compile_policies
from features.registry import FEATURES
from tests.detectors.comparison.made import decision, restriction


def changed(folder: Path, file: str, *replacements: tuple[str, str]) -> Path:
    """A copy of the packaged policies in which words of a file are others, each once."""
    shutil.copytree(PACKAGED, folder)
    text = (folder / file).read_text(encoding="utf-8")
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after, 1)
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def changes(folder: Path) -> list[PolicyChange]:
    """What a folder says that the packaged policies do not."""
    return policy_changes(load_policies(PACKAGED), load_policies(folder))


def test_the_same_is_the_same(tmp_path: Path) -> None:
    """Comments, sources, white space in conditions and the order of words are no difference."""
    folder = changed(
        tmp_path / "p", "merchants.yaml",
        ("rules:", "# a comment\nrules:"),
        ("when: late_ship_rate_30d_lower > 0.04", 'when: "late_ship_rate_30d_lower   >  0.04"'),
        ('source: "TikTok Shop late dispatch rate', 'source: "Somebody else'),
    )  # fmt: skip
    assert changes(folder) == []


def test_a_rule_that_changed(tmp_path: Path) -> None:
    """Each key that differs, evidence by feature."""
    folder = changed(
        tmp_path / "p", "merchants.yaml",
        ("when: late_ship_rate_30d_lower > 0.04", "when: late_ship_rate_30d_lower > 0.03"),
        ("mature_ship_orders_30d: 20, late_shipments_30d: 5, ", "mature_ship_orders_30d: 30, "),
    )  # fmt: skip
    assert changes(folder) == [
        PolicyChange("rules", "removed", "late-dispatch", "evidence.late_shipments_30d", 5, None),
        PolicyChange("rules", "changed", "late-dispatch", "evidence.mature_ship_orders_30d", 20, 30),
        PolicyChange(
            "rules", "changed", "late-dispatch", "when",
            "late_ship_rate_30d_lower > 0.04", "late_ship_rate_30d_lower > 0.03",
        ),
    ]  # fmt: skip


def test_rules_that_came_and_went(tmp_path: Path) -> None:
    """A rule of another name is one that went and one that came, told in words."""
    folder = changed(tmp_path / "p", "merchants.yaml", ("- id: late-dispatch\n", "- id: very-late-dispatch\n"))
    gone, new = changes(folder)
    assert (gone.kind, gone.name, new.kind, new.name) == ("removed", "late-dispatch", "added", "very-late-dispatch")
    assert change_words(new) == (
        "rule very-late-dispatch: added (Orders handed to the carrier too late; enforce, warning)"
    )


SECTIONS = """
ladders:
  order_limit:
    steps:
      - {action: limit_orders, days: 7}
      - {action: limit_orders, days: 28}
    cool_down_days: 7
    look_back_days: 180
holdout:
  policies: [late_dispatch]
  actions: [warn, demote_listing, limit_orders]
  period_days: 60
"""


def test_ladders_and_words() -> None:
    """Steps are told whole, words of a list by what came and went, other keys by what they were."""
    before = parse_policies("before", {"a.yaml": SECTIONS})
    text = SECTIONS.replace("days: 28}", "days: 28, review: true}").replace("period_days: 60", "period_days: 30")
    after = parse_policies(
        "after", {"b.yaml": text.replace("[warn, demote_listing, limit_orders]", "[limit_orders, warn]")}
    )
    assert not before.problems and not after.problems
    steps = "limit_orders 7 d, then limit_orders 28 d"
    assert [change_words(each) for each in policy_changes(before, after)] == [
        f"ladder order_limit: steps {steps} → {steps}, reviewed",
        "holdout: actions - demote_listing",
        "holdout: period_days 60 → 30",
    ]


def compiled(folder: Path) -> Policies:
    """A folder's policies, as written and as compiled."""
    files = load_policies(folder)
    return Policies(files, compile_policies(files, FEATURES))


@pytest.fixture
def causes(tmp_path: Path) -> Causes:
    """Between the packaged policies and a folder with one rule in shadow, one changed, one ladder longer."""
    folder = changed(
        tmp_path / "p", "merchants.yaml",
        ("when: late_ship_rate_30d_lower > 0.04", "when: late_ship_rate_30d_lower > 0.03"),
    )  # fmt: skip
    text = (folder / "merchants.yaml").read_text(encoding="utf-8")
    begin = text.index("- id: overdue-orders")
    text = text[:begin] + text[begin:].replace("mode: enforce", "mode: shadow", 1)
    (folder / "merchants.yaml").write_text(text, encoding="utf-8")
    steps = (folder / "enforcement.yaml").read_text(encoding="utf-8")
    (folder / "enforcement.yaml").write_text(
        steps.replace("- {action: limit_orders, days: 7}", "- {action: limit_orders, days: 8}", 1), encoding="utf-8"
    )
    return Causes(compiled(PACKAGED), compiled(folder))


def of(causes: Causes, *matches: Match) -> str:
    """The cause of the last of some matches about one merchant."""
    return causes.of(matches[-1], matches[:-1])


def test_why_a_decision_was_lost(causes: Causes) -> None:
    """The rule is in shadow, or there is none."""
    assert of(causes, *match([decision(rule="overdue-orders")], [])) == (
        "in the candidate the rule overdue-orders is in shadow"
    )
    assert of(causes, *match([decision(rule="of-yesterday")], [])) == "the candidate has no rule of-yesterday"


def test_why_a_decision_was_gained_or_changed(causes: Causes) -> None:
    """The rule says something else, or its ladder does; an equal one needs no cause."""
    assert of(causes, *match([], [decision(rule="late-dispatch")])) == (
        "rule late-dispatch: when late_ship_rate_30d_lower > 0.04 → late_ship_rate_30d_lower > 0.03"
    )
    longer = match([restriction(0, 7)], [restriction(0, 8)])
    assert of(causes, *longer).startswith("ladder order_limit: steps limit_orders 7 d, then")
    assert of(causes, *match([decision()], [decision()])) == ""


def test_what_went_before_can_be_the_cause(causes: Causes) -> None:
    """A rule that did not change, after another decision under its policy that differs; else nothing is known."""
    lost, gained = match([decision(0, rule="overdue-orders")], [decision(9, rule="not-received-severe")])
    assert of(causes, lost, gained) == (
        "warn by overdue-orders of 2026-01-01 was lost: strikes under non_delivery and what is in force differ"
    )
    assert of(causes, gained) == ELSEWHERE
