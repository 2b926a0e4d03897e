"""Our ADWIN against River's, and what it promises."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import drift

from detectors.adwin import AdaptiveWindow, AdwinState
from detectors.model import SnapshotMismatch


def wandering(seed: int, count: int, change: float = 1 / 1_500) -> list[float]:
    """Values whose mean jumps now and then; labels or reals, by the seed."""
    random = Random(seed)
    mean, values = random.random(), []
    for _ in range(count):
        if random.random() < change:
            mean = random.random()
        labels = seed % 2 == 1
        values.append(float(random.random() < mean) if labels else min(1.0, max(0.0, random.gauss(mean, 0.2))))
    return values


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), delta=st.sampled_from([0.2, 0.002, 1e-4]), clock=st.sampled_from([1, 8, 32]))
def test_it_finds_what_river_finds_when_river_finds_it(seed: int, delta: float, clock: int) -> None:
    """On any stream the same changes at the same values, with the same window and sum; River's class starts anew after
    a change, so the window behind it is compared.
    """
    ours = AdaptiveWindow(delta=delta, clock=clock)
    theirs = drift.ADWIN(delta=delta, clock=clock)._helper  # type: ignore[no-untyped-call]
    for value in wandering(seed, 4_000):
        assert (ours.update(value) is not None) == theirs.update(value)
        assert ours.width == theirs.get_width()
        assert ours.state().total == pytest.approx(theirs.get_total(), abs=1e-9)


def test_a_change_is_told_with_what_was_and_what_is() -> None:
    """Before and after are the means of the two parts, and the window is what came since."""
    random = Random(1)
    window = AdaptiveWindow()
    for _ in range(2_000):
        assert window.update(float(random.random() < 0.05)) is None
    shifts = [shift for _ in range(500) if (shift := window.update(float(random.random() < 0.4))) is not None]
    assert shifts[0].before == pytest.approx(0.05, abs=0.02)
    assert shifts[-1].after > 0.2
    assert shifts[-1].window <= window.width <= 700
    assert window.mean == pytest.approx(0.4, abs=0.1)


def test_where_nothing_changes_there_is_hardly_an_alarm() -> None:
    """Fewer than one in 100,000 independent values, and the window has all of them or nearly."""
    random = Random(2)
    window = AdaptiveWindow(delta=1e-4)
    alarms = sum(window.update(float(random.random() < 0.1)) is not None for _ in range(100_000))
    assert alarms <= 1
    assert window.width > 40_000


def test_memory_grows_with_the_logarithm() -> None:
    """A hundred thousand values fit into a hundred buckets."""
    window = AdaptiveWindow()
    for _ in range(100_000):
        window.update(0.5)
    assert window.width == 100_000
    assert sum(map(len, window.state().sums)) <= 5 * 18


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_what_is_not_on_0_to_1_is_refused(value: float) -> None:
    """One NaN would poison the sums for ever."""
    window = AdaptiveWindow()
    with pytest.raises(ValueError, match="between 0 and 1"):
        window.update(value)
    assert window.width == 0


@given(seed=st.integers(0, 10**6), cut=st.integers(0, 1_500))
@settings(max_examples=25, deadline=None)
def test_a_restored_window_continues_bit_for_bit(seed: int, cut: int) -> None:
    """At any moment."""
    values = wandering(seed, 3_000)
    whole, first = AdaptiveWindow(), AdaptiveWindow()
    for value in values[:cut]:
        whole.update(value)
        first.update(value)
    second = AdaptiveWindow()
    second.restore(first.state())
    assert [whole.update(value) for value in values[cut:]] == [second.update(value) for value in values[cut:]]
    assert whole.state() == second.state()


@pytest.mark.parametrize(
    "state",
    [
        AdwinState([], [], 0.0, 0.0, 0, 0),
        AdwinState([[0.5]], [[]], 0.5, 0.0, 1, 1),
        AdwinState([[0.5] * 6], [[0.0] * 6], 3.0, 0.0, 6, 6),
        AdwinState([[1.5]], [[0.0]], 1.5, 0.0, 1, 1),
        AdwinState([[0.5]], [[0.0]], 0.5, 0.0, 2, 1),
        AdwinState([[0.5]], [[0.0]], 0.9, 0.0, 1, 1),
        AdwinState([[float("nan")]], [[0.0]], 0.5, 0.0, 1, 1),
        AdwinState([[0.5]], [[0.0]], 0.5, 9.0, 1, 1),
        AdwinState([[0.5]], [[0.0]], 0.5, 0.0, 1, -1),
    ],
)
def test_a_state_that_cannot_be_is_refused(state: AdwinState) -> None:
    """No rows, rows that differ, too many buckets, impossible sums, and sums that don't add up."""
    with pytest.raises(SnapshotMismatch):
        AdaptiveWindow().restore(state)
