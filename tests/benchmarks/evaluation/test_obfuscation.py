"""Forbidden terms in disguise, in real titles where they are there, and in made-up ones."""

from pathlib import Path

import pytest

from benchmarks.evaluation.obfuscation import KINDS, TRIED, evaluate, forbidden, load_titles, part_of, variants
from config.policies import load_policies
from config.policy_specs import TermsSpec
from tests.benchmarks.evaluation.made_up_data import TITLES

_FILE = Path(__file__).parents[4] / "shared" / "data" / "pricerunner" / "pricerunner_aggregate.csv.gz"


@pytest.fixture(scope="module")
def spec() -> TermsSpec:
    """The term lists that come along."""
    files = load_policies()
    assert files.terms is not None
    return files.terms[0]


@pytest.mark.data
@pytest.mark.skipif(not _FILE.exists(), reason="the PriceRunner data set is not here")
def test_disguised_terms_are_found_in_real_titles_without_false_alarms() -> None:
    """Of 2,040 variants at least 97 % are found, of each kind at least 85 %; at most 0.1 % of the titles alarm."""
    figures = evaluate(load_titles(_FILE))
    assert figures["variants"] >= 500
    assert figures["titles"] > 4_000
    assert figures["recall"] >= 0.97
    assert min(figures["by_kind"].values()) >= 0.85
    assert figures["false_alarm_share"] <= 0.001


def test_disguised_terms_are_found_in_made_up_titles_without_false_alarms() -> None:
    """The same without the data set: titles full of numbers and single letters alarm nobody."""
    figures = evaluate(TITLES, seed=2, count=40)
    assert figures["variants"] == 40 * len(KINDS) >= 500
    assert figures["recall"] >= 0.95
    assert figures["false_alarms"] == 0


def test_the_parts_share_no_term_and_no_title(spec: TermsSpec) -> None:
    """What was tried out is not reported, and both parts are large enough to say something."""
    tuning, report = ({term for _, term in forbidden(spec, part)} for part in ("tuning", "report"))
    assert not tuning & report
    assert not report & TRIED
    assert min(len(tuning), len(report)) > 50
    assert {part_of(title) for title in TITLES} == {"tuning", "report"}


def test_variants_are_disguises_and_the_same_for_a_seed(spec: TermsSpec) -> None:
    """No variant has its term as it is written, and a seed always gives the same."""
    made = variants(TITLES, spec, 3, "report", 30)
    assert made == variants(TITLES, spec, 3, "report", 30)
    assert made != variants(TITLES, spec, 4, "report", 30)
    assert {each.kind for each in made} == set(KINDS)
    assert not [each for each in made if f" {each.term} " in f" {each.title} "]
