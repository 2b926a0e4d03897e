"""Tail probabilities against the definition."""

from collections.abc import Sequence
from math import exp, log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.model import SnapshotMismatch
from detectors.tail_probabilities import TailProbabilities, TailState

BINS = 16
POINTS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60)


def learned(points: Sequence[Sequence[float]], memory: int = 1_000, block: int = 10) -> TailProbabilities:
    """Tails that have learned two-dimensional points."""
    tails = TailProbabilities(2, bins=BINS, memory=memory, block=block)
    for point in points:
        tails.learn(tails.cells(point))
    return tails


def by_definition(points: Sequence[Sequence[float]], point: Sequence[float], memory: int, block: int) -> float:
    """The surprise of a point, from the points of all full blocks and their weights."""
    full = len(points) // block
    surprise = 0.0
    for at, value in enumerate(point):
        mine = int(value * (BINS - 1))
        left = right = total = 0.0
        for number, other in enumerate(points[: full * block]):
            weight = exp(-block / memory) ** (full - 1 - number // block)
            cell = int(other[at] * (BINS - 1))
            total += weight
            left += weight * (cell <= mine)
            right += weight * (cell >= mine)
        if total:
            surprise -= log2(min(1.0, 2 * (min(left, right) + 0.5) / (total + 0.5)))
    return surprise


@given(POINTS, st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_surprise_is_that_of_the_definition(points: list[tuple[float, float]], point: tuple[float, float]) -> None:
    """Blocks, decay and tables come to what the docstring says, for any points."""
    tails = learned(points, memory=40)
    assert tails.surprise(tails.cells(point)) == pytest.approx(by_definition(points, point, 40, 10), abs=1e-9)


def test_nothing_surprises_before_the_first_block() -> None:
    """There is nothing yet to be far from."""
    tails = learned([(0.5, 0.5)] * 9)
    assert tails.surprise(tails.cells((1.0, 0.0))) == 0.0
    tails.learn(tails.cells((0.5, 0.5)))
    assert tails.surprise(tails.cells((1.0, 0.0))) > 5.0


def test_the_middle_is_no_surprise_and_each_side_is_one() -> None:
    """Both tails count, and what half of the points lie beyond does not."""
    random = Random(1)
    tails = learned([(random.betavariate(8, 8), random.betavariate(8, 8)) for _ in range(2_000)])
    low, middle, high = (tails.surprise(tails.cells((value, 0.5))) for value in (0.05, 0.5, 0.95))
    assert middle < 0.5
    assert min(low, high) > 7.0


def test_surprises_of_inputs_add_up() -> None:
    """Strange in two respects is as strange as the two together."""
    random = Random(2)
    tails = learned([(random.random(), random.random()) for _ in range(1_000)])
    first, second, both = (tails.surprise(tails.cells(point)) for point in ((0.99, 0.5), (0.5, 0.01), (0.99, 0.01)))
    middle = tails.surprise(tails.cells((0.5, 0.5)))
    assert both == pytest.approx(first + second - middle)


def test_an_input_that_never_varies_says_nothing_until_it_does() -> None:
    """Most merchants have no cancelled orders; having none is nothing, having one is something."""
    tails = learned([(0.0, 0.5)] * 1_000)
    assert tails.surprise(tails.cells((0.0, 0.5))) == 0.0
    assert tails.surprise(tails.cells((0.2, 0.5))) > 8.0


def test_the_end_of_the_range_has_a_cell_of_its_own() -> None:
    """Beyond the range is further out than just within it."""
    random = Random(3)
    tails = learned([(random.uniform(0.0, 0.99), 0.5) for _ in range(2_000)])
    assert tails.surprise(tails.cells((1.0, 0.5))) > tails.surprise(tails.cells((0.99, 0.5))) + 2.0


def test_a_burst_barely_weighs_against_a_long_memory() -> None:
    """After 250 like anomalies, a whole window of the trees, they are still surprising."""
    random = Random(4)
    tails = learned([(random.betavariate(2, 8), random.betavariate(2, 8)) for _ in range(20_000)], memory=20_000)
    before = tails.surprise(tails.cells((0.95, 0.95)))
    for _ in range(250):
        tails.learn(tails.cells((0.95, 0.95)))
    after = tails.surprise(tails.cells((0.95, 0.95)))
    assert before > 20.0
    assert after > 9.0


@pytest.mark.parametrize(
    ("weights", "pending"),
    [
        ([1.0] * 31, []),
        ([-1.0] * 32, []),
        ([float("nan")] * 32, []),
        ([1.0] * 32, [0]),
        ([1.0] * 32, [0, 16] * 10),
        ([1.0] * 32, [0, 32]),
        ([1.0] * 32, [-1, 16]),
    ],
)
def test_a_state_that_cannot_be_is_refused(weights: list[float], pending: list[int]) -> None:
    """Another size, impossible weights, half a point, a block that is full, and cells that do not exist."""
    with pytest.raises(SnapshotMismatch):
        learned([]).restore(TailState(weights, pending))


def test_impossible_sizes_are_refused() -> None:
    """No input, no resolution, or a memory shorter than a block."""
    for inputs, bins, memory in ((0, 8, 100), (1, 1, 100), (1, 8, 5)):
        with pytest.raises(ValueError, match="tail probabilities"):
            TailProbabilities(inputs, bins=bins, memory=memory, block=10)
