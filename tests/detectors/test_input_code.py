"""Code written out over a model's inputs, against the loops that it stands for."""

from math import log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.input_code import (
    KnownTerm,
    Range,
    compile_deviations,
    compile_dot,
    compile_judgement,
    compile_scaling,
    compile_step,
)

RANGES = (
    Range(0.0, 2.0, 0.0, 0.5, False),
    Range(0.0, 9.0, 0.0, 1.0 / log1p(9.0), True),
    Range(-3.0, 3.0, -3.0, 1.0 / 6.0, False),
)
BOUND = 4.0

gaps = st.lists(st.none() | st.floats(-5, 12), min_size=3, max_size=3)
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3)


def edge(value: float, low: float, high: float) -> float:
    """An end of the range, marked by adding ten."""
    assert not low <= value < high
    return 10.0 if value <= low else 11.0


def scaled(value: float | None, each: Range) -> float | None:
    """One value, step by step."""
    if value is None:
        return None
    if value == each.low:
        return 0.0
    if not each.low < value < each.high:
        return edge(value, each.low, each.high)
    return ((log1p(value) if each.log else value) - each.offset) * each.factor


@given(gaps, shares)
def test_scaling_equals_the_loop(values: list[float | None], missing: list[float]) -> None:
    """To the last bit, inside the ranges, at their ends and beyond, with and without gaps."""
    scaling = compile_scaling(RANGES, edge)
    expected = [scaled(value, each) for value, each in zip(values, RANGES, strict=True)]
    assert scaling.known(values) == expected
    filled = [neutral if value is None else value for value, neutral in zip(expected, missing, strict=True)]
    assert scaling.filled(values, missing) == filled


@given(gaps, shares, st.lists(st.floats(1, 100), min_size=3, max_size=3))
def test_deviations_equal_the_loop(values: list[float | None], means: list[float], factors: list[float]) -> None:
    """In order, cut to the bound; absent values deviate by nothing."""
    found = compile_deviations(3, BOUND)(values, means, factors)
    for value, mean, factor, deviation in zip(values, means, factors, found, strict=True):
        expected = 0.0 if value is None else min(max((value - mean) * factor, -BOUND), BOUND)
        assert deviation == expected


numbers = st.lists(st.floats(-9, 9), min_size=3, max_size=3)


@given(numbers, numbers, st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_products_and_steps_equal_the_loops(
    point: list[float], weights: list[float], slope: float, pull: float, rate: float
) -> None:
    """To the last bit, from the first to the last."""
    total = point[0] * weights[0]
    for value, weight in zip(point[1:], weights[1:], strict=True):
        total += value * weight
    assert compile_dot(3)(point, weights) == total
    stepped = compile_step(3)(point, weights, slope, pull, rate)
    assert stepped == [w - rate * (slope * x + pull * w) for x, w in zip(point, weights, strict=True)]


TERMS = (KnownTerm(0, 3.0, 0.25), KnownTerm(2, -9.0, 0.5))


@given(gaps, shares, st.lists(st.floats(1, 100), min_size=3, max_size=3), st.lists(numbers, min_size=2, max_size=2))
def test_the_whole_way_at_once_equals_its_steps(
    values: list[float | None], means: list[float], factors: list[float], weights: list[list[float]]
) -> None:
    """Scaled values, point and log-odds of the one function have the bits of scaling, deviating, adding the known
    terms and multiplying one after the other.
    """
    judgement = compile_judgement(RANGES, edge, BOUND, TERMS, 2.0)
    scaled = compile_scaling(RANGES, edge).known(values)
    known = 0.0
    for term in TERMS:
        value = scaled[term.position]
        if value is not None:
            known += term.factor * (value - term.reference)
    point = [*compile_deviations(3, BOUND)(scaled, means, factors), min(max(known, -2.0), 2.0)]
    weight = [*weights[0], weights[1][0]]
    odds = compile_dot(4)(point, weight)
    assert judgement.scaled(values, means, factors, weight) == (scaled, odds)
    assert judgement.point(values, means, factors, weight) == (point, odds)


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0] * 4])
def test_another_number_of_values_is_refused(values: list[float]) -> None:
    """Nothing is scaled by the range of another input."""
    scaling = compile_scaling(RANGES, edge)
    with pytest.raises(ValueError, match="to unpack"):
        scaling.known(values)
    with pytest.raises(ValueError, match="to unpack"):
        scaling.filled(values, [0.5] * 3)
    with pytest.raises(ValueError, match="to unpack"):
        compile_deviations(3, BOUND)(values, [0.5] * 3, [1.0] * 3)
    with pytest.raises(ValueError, match="to unpack"):
        compile_dot(3)(values, [0.5] * 3)
