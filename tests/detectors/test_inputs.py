"""Fixed ranges: scaling to 0..1 and back."""

from math import inf, log1p, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.inputs import FixedRanges, Input

RANGES = FixedRanges([Input("plain", -2.0, 2.0), Input("tail", 0.0, 999.0, log=True)])


def test_values_are_scaled_by_range_and_logarithm() -> None:
    """The ends are 0 and 1; a logarithmic input gives its small values room."""
    assert RANGES.scale([-2.0, 0.0], [0.5, 0.5]) == [0.0, 0.0]
    assert RANGES.scale([2.0, 999.0], [0.5, 0.5]) == [1.0, 1.0]
    assert RANGES.scale([1.0, 9.0], [0.5, 0.5]) == pytest.approx([0.75, log1p(9) / log1p(999)])


def test_values_beyond_the_range_are_its_ends() -> None:
    """However far out, a value is at most the end of its range, and doesn't move the others."""
    assert RANGES.scale([-1e300, 1e300], [0.5, 0.5]) == [0.0, 1.0]
    assert RANGES.scale_known([-5, 10**30]) == [0.0, 1.0]


def test_absent_values() -> None:
    """``None`` becomes what stands for it, or stays."""
    assert RANGES.scale([None, None], [0.25, 0.75]) == [0.25, 0.75]
    assert RANGES.scale_known([None, 0.0]) == [None, 0.0]


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    """NaN and infinities stop here, in both scalings."""
    with pytest.raises(ValueError, match="not a finite number"):
        RANGES.scale([0.0, value], [0.5, 0.5])
    with pytest.raises(ValueError, match="not a finite number"):
        RANGES.scale_known([value, 0.0])


@given(st.floats(-2, 2), st.floats(0, 999))
def test_unscaling_returns_the_value(plain: float, tail: float) -> None:
    """Reasons show typical values in the feature's own unit."""
    assert RANGES.unscale(RANGES.scale([plain, tail], [0.5, 0.5])) == pytest.approx([plain, tail], abs=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [(1.0, 1.0, False), (2.0, 1.0, False), (nan, 1.0, False), (0.0, inf, False), (-1.0, 1.0, True)],
)
def test_an_impossible_range_is_refused(low: float, high: float, log: bool) -> None:
    """An empty or infinite range, or a logarithm of nothing, is an error where it is written."""
    with pytest.raises(ValueError, match="input 'x'"):
        Input("x", low, high, log)


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_inputs_need_names_of_their_own(names: list[str]) -> None:
    """Contributions are told apart by name."""
    with pytest.raises(ValueError, match="names of their own"):
        FixedRanges([Input(name, 0.0, 1.0) for name in names])
