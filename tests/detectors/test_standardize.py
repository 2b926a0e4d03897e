"""Running standardisation."""

from random import Random
from statistics import fmean, pstdev

import pytest

from detectors.standardize import RunningStandardizer


def test_means_and_deviations_are_those_of_what_was_seen() -> None:
    """With many observations the prior no longer shows."""
    random = Random(1)
    rows = [[random.betavariate(2, 9), random.gauss(0.6, 0.05)] for _ in range(6_400)]
    scaler = RunningStandardizer(2, memory=1e9)
    for row in rows:
        scaler.observe(row)
    for at, column in enumerate(zip(*rows, strict=True)):
        mean, deviation = fmean(column), pstdev(column)
        assert scaler.means[at] == pytest.approx(mean, abs=0.002)
        probe = [0.0, 0.0]
        probe[at] = mean + deviation
        assert scaler.transform(probe)[at] == pytest.approx(1.0, abs=0.06)


def test_first_observations_are_not_extreme() -> None:
    """Before anything is seen the middle of the range is the mean and a quarter of it the deviation."""
    scaler = RunningStandardizer(1)
    assert scaler.transform([0.75]) == [1.0]
    scaler.observe([0.9])
    assert abs(scaler.transform([0.9])[0]) < 2.0


def test_deviations_are_cut() -> None:
    """No single input may decide alone, and a constant one doesn't explode when it moves."""
    scaler = RunningStandardizer(1)
    for _ in range(5_000):
        scaler.observe([0.5])
    assert scaler.transform([1.0]) == [4.0]
    assert scaler.transform([0.0]) == [-4.0]
    assert abs(scaler.transform([0.501])[0]) < 0.2


def test_absent_values_are_the_mean_and_teach_nothing() -> None:
    """An input that is often absent has the mean of its known values."""
    full, gaps = RunningStandardizer(1, memory=1e9), RunningStandardizer(1, memory=1e9)
    random = Random(2)
    for _ in range(3_200):
        value = random.random() / 2
        full.observe([value])
        gaps.observe([value])
        gaps.observe([None])
    assert gaps.transform([None]) == [0.0]
    assert gaps.means == pytest.approx(full.means)


def test_the_past_is_forgotten() -> None:
    """After several memories of other values the mean is theirs."""
    scaler = RunningStandardizer(1, memory=500)
    for value, count in ((0.1, 5_000), (0.8, 3_000)):
        for _ in range(count):
            scaler.observe([value])
    assert scaler.means[0] == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("pause", [1, 7, 33])
def test_storing_in_the_middle_of_a_block_changes_no_bit(pause: int) -> None:
    """Observations are added up in blocks; stored and read again at any point, the sums are as if it ran on."""
    random = Random(pause)
    whole, stored = RunningStandardizer(2), RunningStandardizer(2)
    for index in range(400):
        row = [random.random() if random.random() < 0.8 else None, random.random() ** 3]
        whole.observe(row)
        stored.observe(row)
        if index % pause == 0:
            state, stored = stored.state(), RunningStandardizer(2)
            stored.restore(state)
    assert stored.state() == whole.state()
