"""The decision table of remedies: its checks when it is loaded, and that the packaged one decides as it reads."""

import shutil
from pathlib import Path

import pytest

from config.policies import PACKAGED, PolicyError, load_policies
from detectors.policy import PolicySet, compile_policies
from detectors.remedy_table import CAUSES, EVIDENCE
from features.registry import FEATURES
from tests.builders import packaged_policies


def table(folder: Path, text: str) -> PolicySet:
    """The packaged policies with another table of remedies."""
    shutil.copytree(PACKAGED, folder, dirs_exist_ok=True)
    (folder / "remedies.yaml").write_text(text, encoding="utf-8")
    return compile_policies(load_policies(folder), FEATURES)


def mistakes(folder: Path, old: str, new: str) -> list[str]:
    """What is wrong with the packaged table after a change."""
    text = (PACKAGED / "remedies.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(PolicyError) as caught:
        table(folder, text.replace(old, new, 1))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("cause: [lost]", "cause: [lots]", 'unknown cause "lots"; did you mean "lost"?'),
        ("{scanned: true}", "{scaned: true}", 'unknown evidence "scaned"; did you mean "scanned"?'),
        ("id: lost-by-carrier", "id: lost-never-seen", "two rows have the id lost-never-seen"),
        ("kind: voucher", "kind: vouchr", "Invalid enum value 'vouchr'"),
        ("abusive_buyer: 0.6", "abusive_buyer: 0.1", "abusive_buyer is below doubtful_buyer"),
        ("doubted_tiers: [probation, watch]", "doubted_tiers: [plus]", '"plus" can\'t be both trusted and doubted'),
        ("given: {doubtful_tracking: true}\n", "given: {}\n", "row lost-by-carrier decides nothing"),
        ("{scanned: true}", "{scanned: true, shipped: false}", "row lost-by-carrier decides nothing"),
        ("USD: 100", "usd: 100", "Expected `str` matching regex"),
        ("share: 0.1", "shares: 0.1", "unknown field `shares`"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Unknown words, rows that can decide nothing and contradictions are errors with file and line."""
    found = mistakes(tmp_path, old, new)
    assert any(problem.startswith("remedies.yaml:") and words in problem for problem in found), found


def test_a_case_that_no_row_decides_is_an_error(tmp_path: Path) -> None:
    """The message names the cause and the evidence of the first such case."""
    last = "    - id: late-by-carrier\n      cause: [late]\n"
    found = mistakes(tmp_path, last, last + "      given: {scanned: true}\n")
    assert any(
        "no row decides late with {shipped: false, shipped_late: false, scanned: false}" in problem
        or "no row decides late with {shipped_late: false, scanned: false}" in problem
        for problem in found
    ), found


def test_the_version_of_the_policies_follows_the_table_and_not_its_sources(tmp_path: Path) -> None:
    """Who cites another source judges the same; who changes a share does not."""
    text = (PACKAGED / "remedies.yaml").read_text(encoding="utf-8")
    same = table(tmp_path / "a", text.replace('source: "16 CFR 435.2"', 'source: "the Mail Order Rule"', 1))
    other = table(tmp_path / "b", text.replace("share: 0.05", "share: 0.06", 1))
    assert same.version == packaged_policies().version != other.version


def test_the_packaged_table_knows_every_cause() -> None:
    """Each cause has rows, and the last of them takes every case that is left."""
    remedies = packaged_policies().remedies
    assert remedies is not None
    for cause in CAUSES:
        assert remedies.rows[cause][-1].named == 0


def test_the_first_row_that_fits_decides() -> None:
    """An empty parcel is the seller's fault before it is a doubtful claim; a doubtful one before it is cheap."""
    remedies = packaged_policies().remedies
    assert remedies is not None
    base = EVIDENCE["shipped"] | EVIDENCE["delivered"] | EVIDENCE["cheap"]
    assert remedies.row("not_received", base).id == "not-received-cheap"
    doubtful = base | EVIDENCE["doubtful_buyer"]
    assert remedies.row("not_received", doubtful).id == "not-received-doubtful"
    assert remedies.row("not_received", doubtful | EVIDENCE["light"]).id == "not-received-empty-parcel"
    assert remedies.row("not_received", doubtful | EVIDENCE["abusive_buyer"]).id == "not-received-abuse"
