"""Base rates that follow the world."""

from math import exp, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base_rate import HALF_LIFE_MS, STRENGTH, BaseRate, BaseRateState
from detectors.model import SnapshotMismatch
from features.windows import DAY_MS


def test_without_labels_nothing_is_corrected() -> None:
    """The model's own opinion stands."""
    assert BaseRate().shift == 0.0


def test_corrected_probabilities_have_the_mean_that_was_seen() -> None:
    """A model that expects three times too much is brought to the share seen, within what rarity allows."""
    rate, random = BaseRate(), Random(1)
    for number in range(20_000):
        rate.add(1 + number, 0.09, random.random() < 0.03)
    odds = log(0.09 / 0.91) + rate.shift
    assert 1 / (1 + exp(-odds)) == pytest.approx(0.03, abs=0.004)


def test_what_was_seen_fades_by_half_in_a_half_life() -> None:
    """After it, twenty labels weigh as much as ten."""
    old, young = BaseRate(), BaseRate()
    for _ in range(20):
        old.add(DAY_MS, 0.5, True)
    for _ in range(10):
        young.add(DAY_MS + HALF_LIFE_MS, 0.5, True)
    old.add(DAY_MS + HALF_LIFE_MS, 0.0, False)
    assert old.shift == pytest.approx(young.shift)


def test_a_few_labels_change_little_and_thousands_not_everything() -> None:
    """Two bad orders double nothing, and no correction exceeds its bound."""
    few, many = BaseRate(), BaseRate()
    for _ in range(2):
        few.add(1, 0.01, True)
    for _ in range(5_000):
        many.add(1, 0.001, True)
    assert few.shift < log((2 + STRENGTH) / STRENGTH)
    assert many.shift == 2.0


@given(st.lists(st.tuples(st.integers(1, 10**12), st.floats(0, 1), st.booleans()), max_size=30))
def test_a_revised_label_counts_as_if_it_had_been_right_at_once(labels: list[tuple[int, float, bool]]) -> None:
    """For whatever came before and after, in order of time."""
    wrong, right = BaseRate(), BaseRate()
    labels.sort()
    for index, (time, expected, positive) in enumerate(labels):
        wrong.add(time, expected, positive != (index == 0))
        right.add(time, expected, positive)
    if labels:
        wrong.revise(labels[0][0], labels[0][2])
    assert wrong.shift == pytest.approx(right.shift, abs=1e-6)


@pytest.mark.parametrize("state", [(-1, 0.0, 0.0), (0, -1.0, 0.0), (0, 0.0, float("inf")), (0, float("nan"), 0.0)])
def test_counts_that_cannot_be_are_refused(state: tuple[int, float, float]) -> None:
    """And leave the counts as they were."""
    rate = BaseRate()
    rate.add(5, 0.2, True)
    before = rate.state()
    with pytest.raises(SnapshotMismatch):
        rate.restore(BaseRateState(*state))
    assert rate.state() == before
