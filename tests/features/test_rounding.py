import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rounding import nearest


@given(st.floats(-1e9, 1e9), st.sampled_from([1.0, 1e1, 1e2, 1e3, 1e4]))
def test_a_number_is_rounded_to_the_nearest_decimal(value: float, parts: float) -> None:
    """The result has that many decimals, is as near as one of them can be, and is rounded again to itself."""
    rounded = nearest(value, parts)
    assert abs(rounded - value) <= 0.5 / parts * (1 + 1e-6) + 1e-6 * abs(value) / 1e4
    assert rounded == float(f"{rounded:.{len(str(int(parts))) - 1}f}")
    assert nearest(rounded, parts) == rounded


@pytest.mark.parametrize(
    ("value", "expected"), [(0.125, 0.13), (-0.125, -0.12), (2.675, 2.68), (-1.004, -1.0), (0.0, 0.0)]
)
def test_halves_go_up(value: float, expected: float) -> None:
    """Also below zero, and where the double lies just under the half."""
    assert nearest(value, 1e2) == expected
