"""Arms of merchants, and how sure their difference is."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.evaluation.policy_experiments import (
    TUNED_FOR,
    Outcome,
    always_quantile,
    compare_arms,
)


def test_the_difference_is_that_of_the_rates_of_all_orders() -> None:
    """With the error of merchants that are alike in their rates that of their binomials."""
    treated = [Outcome(10, float(n % 5 == 0)) for n in range(100)]
    control = [Outcome(10, float(n % 2 == 0)) for n in range(100)]
    found = compare_arms(treated, control)
    assert found.difference == pytest.approx(0.02 - 0.05)
    assert found.treated.standard_error is not None
    # Of 100 merchants each with a share of 0 or 0.1: standard deviation over the root of their number.
    assert found.treated.standard_error == pytest.approx(0.04 / sqrt(99), rel=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.03 < found.high < 0


def test_merchants_without_orders_count_for_nothing() -> None:
    """And an arm of too few says nothing."""
    some = [Outcome(10, 1)] * 19
    assert compare_arms([*some, Outcome(0, 0)], [Outcome(10, 1)] * 50).difference is None
    assert compare_arms([*some, Outcome(10, 1)], [Outcome(10, 1)] * 50).difference == 0


@given(merchants=st.integers(2, 100_000))
def test_the_interval_for_all_times_is_wider(merchants: int) -> None:
    """Than one for who looks once, at any number of merchants."""
    assert always_quantile(merchants) > 2.2


def test_the_sequence_is_narrowest_where_it_was_tuned() -> None:
    """In standard errors it is least near that number."""
    near = always_quantile(TUNED_FOR)
    assert near < always_quantile(TUNED_FOR // 20)
    assert near < always_quantile(TUNED_FOR * 20)
    assert near == pytest.approx(3.0, abs=0.2)
