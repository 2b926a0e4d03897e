"""Checks of a credit policy: every mistake is named, with its file and line."""

from pathlib import Path

import pytest

from config.policies import PACKAGED, PolicyError, load_policies
from detectors.policy import PolicySet, compile_policies
from features.registry import FEATURES
from tests.detectors.policy_folders import RULE, compile_folder

TEXT = (PACKAGED / "credit.yaml").read_text(encoding="utf-8")


def compiled(folder: Path, text: str) -> PolicySet:
    """The packaged policies with another credit.yaml."""
    for path in PACKAGED.glob("*.yaml"):
        (folder / path.name).write_text(
            text if path.name == "credit.yaml" else path.read_text(encoding="utf-8"), "utf-8"
        )
    return compile_policies(load_policies(folder), FEATURES)


def problems(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """What is wrong after some words were replaced, at their first place."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(PolicyError) as raised:
        compiled(folder, text)
    return [str(each) for each in raised.value.problems]


def test_the_packaged_ones_are_good(packaged: PolicySet) -> None:
    """There is one for merchants and one for creators."""
    assert set(packaged.credit) == {"merchant", "creator"}


def test_without_the_sections_no_credit_is_kept(tmp_path: Path) -> None:
    """They are optional: a folder from before goes on."""
    policies = compile_folder(tmp_path, RULE)
    assert policies.credit == {}
    assert policies.by_score == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        (
            "    counterfeit: {class",
            "    conterfeit: {class",
            "violations",
            'unknown policy "conterfeit"; did you mean',
        ),
        ("class: counterfeit_fraud, sev", "class: fraud, sev", "violations", 'unknown class "fraud"'),
        ("severity: critical, s", "severity: grave, s", "violations", 'unknown severity "grave"'),
        ("factors: [1, 1.5, 2, 3]", "factors: [1, 0.5]", "repetition", "factor 0.5 is below 1 before it"),
        ("ladder: credit_150", "ladder: credit_151", "milestones", 'unknown ladder "credit_151"'),
        ("ladder: credit_150", "ladder: listing_removal", "milestones", "cannot be taken against a merchant"),
        ("{score: 150, l", "{score: 250, l", "milestones", "250 is not below the start, 200"),
        ("{score: 150, l", "{score: 105, l", "milestones", "is not below 105"),
        ("low: {points: 4,", "low: {points: 40,", "severities", '"medium" costs less than "low"'),
        ("{score_at_most: 180, ", "{", "tiers", "a probability alone never restricts"),
        ("{score_at_most: 150}", "{score_at_most: 200}", "tiers", "a probability alone never restricts"),
        ("{score_at_least: 208, upper_at_most: 0.75}", "{score_at_least: 208}", "tiers", "luck is not rewarded"),
        ("{settlement_days: 1, r", "{settlement_days: 9, r", "tiers", "a better tier settles later"),
        ("recall: {cancel: 0.05", "recall: {cancels: 0.05", "probation", 'unknown rate "cancels"'),
        ("otherwise_days: 180", "otherwise_days: 20", "probation", "otherwise_days is below days"),
        ("  window_days: 180", "  window_days: 60", "window_days", "at least 90"),
        ("strengths: {late_ship: 3, ", "strengths: {", "harm", '"late_ship" is missing'),
        ("cases: {counterfeit_fraud:", "cases: {counterfeits:", "harm", 'unknown class "counterfeits"'),
        ("signs: {payout_change:", "signs: {payout_changes:", "harm", 'unknown sign "payout_changes"'),
        ("standard: standard", "standard: normal", "standard", 'unknown tier "normal"'),
        ("actions: {warn: 0.25", "actions: {wran: 0.25", "actions", 'unknown action "wran"'),
        ("subjects: {order: 0.2}", "subjects: {parcel: 0.2}", "subjects", 'unknown subject "parcel"'),
        ("    days: 90\n", "    days: 365\n", "repeat_rule", "days is above window_days"),
    ],
)
def test_a_mistake_is_named_where_it_is(tmp_path: Path, old: str, new: str, line: str, message: str) -> None:
    """With the file, the line of the key, and what is wrong with it."""
    found = [each for each in problems(tmp_path, (old, new)) if message in each]
    assert found, problems(tmp_path, (old, new))
    lines = TEXT.splitlines()
    start = next(i for i, each in enumerate(lines) if each == "credit:")
    number = next(i for i, each in enumerate(lines[start:], start + 1) if each.startswith(f"  {line}:"))
    assert found[0].startswith(f"credit.yaml:{number}: credit: ")


def test_a_row_says_where_it_comes_from(tmp_path: Path) -> None:
    """A figure without a source is refused."""
    (problem,) = problems(tmp_path, ('daily_loss: 25, source: "As for listings"}', "daily_loss: 25}"))
    assert "source" in problem


def test_the_version_depends_on_figures_and_not_on_sources(packaged: PolicySet, tmp_path: Path) -> None:
    """Another source is the same policy; another figure is not."""
    same = compiled(tmp_path, TEXT.replace('source: "TikTok Shop AHR"', 'source: "Elsewhere"', 1))
    assert same.version == packaged.version
    assert compiled(tmp_path, TEXT.replace("points: 25", "points: 26", 1)).version != packaged.version
