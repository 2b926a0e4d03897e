import numpy as np
import pytest
from scipy.stats import chi2

from detectors.evaluation.stability import borders, counts_between, migration, shares, stability


def test_the_index_is_that_of_the_formula() -> None:
    """Half and half that becomes three quarters and a quarter: 0.25 ln 1.5 + 0.25 ln 2."""
    found = stability([50, 50], [75, 25])
    assert found is not None
    assert found.index == pytest.approx(0.25 * np.log(1.5) + 0.25 * np.log(2))
    assert found.bound == pytest.approx(chi2.ppf(0.95, 1) * 0.02)
    assert found.shifted


def test_the_bound_is_that_of_the_literature() -> None:
    """Ten groups of a thousand against a thousand: 0.034; of a hundred: 0.338."""
    thousand, hundred = stability([100] * 10, [100] * 10), stability([10] * 10, [10] * 10)
    assert thousand is not None and hundred is not None
    assert (thousand.index, round(thousand.bound, 3), round(hundred.bound, 3)) == (0, 0.034, 0.338)


def test_chance_alone_stays_below_the_bound() -> None:
    """Two samples of one distribution are told apart one time in twenty."""
    random = np.random.default_rng(9)
    above = 0
    for _ in range(400):
        before, after = (np.bincount(random.integers(0, 10, 500), minlength=10).tolist() for _ in range(2))
        found = stability(before, after)
        assert found is not None
        above += found.index > found.bound
    assert 8 <= above <= 36


def test_nothing_is_stable_without_two_groups() -> None:
    """Without anybody, or with one group, there is no index; groups that do not match are a mistake."""
    assert stability([], []) is None
    assert stability([3, 0], [5, 0]) is None
    assert stability([3, 1], [0, 0]) is None
    with pytest.raises(ValueError, match="2 groups"):
        stability([1, 2], [1, 2, 3])


def test_a_group_that_empties_is_no_infinity() -> None:
    """Everybody leaves a group: a large index, and a number."""
    found = stability([50, 50], [100, 0])
    assert found is not None and 1 < found.index < 10


def test_borders_part_evenly() -> None:
    """Deciles of 1 to 100, and fewer groups where values repeat."""
    values = [float(value) for value in range(100)]
    inner = borders(values)
    assert counts_between(values, inner) == [10] * 10
    assert borders([1.0] * 9 + [2.0]) == [1.0, 2.0]
    assert counts_between([0.5, 1.0, 3.0], [1.0, 2.0]) == [1, 1, 1]
    assert borders([]) == []


def test_moves_are_counted_by_row() -> None:
    """Two of three stay where they were."""
    found = migration([("plus", "plus"), ("plus", "watch"), ("watch", "watch")], ["watch", "plus"])
    assert found.moves == {"watch": {"watch": 1, "plus": 0}, "plus": {"watch": 1, "plus": 1}}
    assert found.stable == pytest.approx(2 / 3)
    assert shares(found.moves) == {"watch": {"watch": 1.0, "plus": 0.0}, "plus": {"watch": 0.5, "plus": 0.5}}
    assert migration([], ["plus"]).stable is None
