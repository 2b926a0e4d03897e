"""Ratios of a sample with known, unequal probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.evaluation.proportions import wilson
from detectors.evaluation.sampled_ratios import SampledUnit, estimate_ratio

UNITS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.floats(0.01, 1), st.booleans(), st.floats(0, 1e6)), min_size=1, max_size=40
)


def unit(cluster: str, probability: float, numerator: float, denominator: float = 1.0) -> SampledUnit:
    """A sampled unit."""
    return SampledUnit(cluster=cluster, inclusion_probability=probability, numerator=numerator, denominator=denominator)


def test_each_unit_stands_for_those_that_were_not_drawn() -> None:
    """One hit drawn at 10 % beside nine misses at 90 % stands for ten among twenty."""
    sample = [unit("hit", 0.1, 1), *[unit(f"m{n}", 0.9, 0) for n in range(9)]]
    assert estimate_ratio(sample).value == pytest.approx(10 / (10 + 9 / 0.9))


def test_equal_probabilities_and_single_units_give_the_plain_share() -> None:
    """The same value, and an interval that is a little wider than Wilson's: twelve hits tell little of the variance."""
    sample = [unit(f"m{n}", 0.5, float(n < 12)) for n in range(400)]
    found = estimate_ratio(sample)
    low, high = wilson(12, 400)
    assert (found.value, found.clusters, found.units) == (0.03, 400, 400)
    assert found.effective_units == pytest.approx(399)
    assert found.low is not None
    assert found.high is not None
    assert low - 1e-3 < found.low < low
    assert high < found.high < high + 2e-3


def test_units_of_one_merchant_tell_less_than_those_of_many() -> None:
    """The same units in a tenth of the clusters leave the ratio less certain."""
    many = estimate_ratio([unit(f"m{n}", 1, float(n % 200 < 10)) for n in range(200)])
    few = estimate_ratio([unit(f"m{n // 10}", 1, float(n < 10)) for n in range(200)])
    assert many.value == few.value == 0.05
    assert (few.high or 0) - (few.low or 0) > 2 * ((many.high or 0) - (many.low or 0))


def test_no_case_is_no_proof_that_there_are_none() -> None:
    """Of 300 clean units the share is 0, and may be up to some 1.3 %."""
    found = estimate_ratio([unit(f"m{n}", 0.2, 0) for n in range(300)])
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.0126, abs=2e-4)


def test_an_empty_sample_says_nothing() -> None:
    """Neither does one of units that count for nothing."""
    assert estimate_ratio([]).value is None
    assert estimate_ratio([unit("a", 0.5, 0, 0)]).high is None


@pytest.mark.parametrize(
    ("probability", "numerator", "denominator"), [(0, 0, 1), (1.1, 0, 1), (0.5, 2, 1), (0.5, -1, 1)]
)
def test_amounts_out_of_range_are_refused(probability: float, numerator: float, denominator: float) -> None:
    """A probability of nothing, or more of a unit than there is."""
    with pytest.raises(ValueError, match=r"is over 0|is no share"):
        estimate_ratio([unit("a", probability, numerator, denominator)])


@given(drawn=UNITS)
def test_the_interval_holds_its_value_and_stays_between_0_and_1(drawn: list[tuple[str, float, bool, float]]) -> None:
    """Whatever the probabilities and amounts."""
    found = estimate_ratio([unit(c, p, amount if hit else 0, amount) for c, p, hit, amount in drawn])
    if found.value is None:
        assert not any(amount for *_, amount in drawn)
        return
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1
