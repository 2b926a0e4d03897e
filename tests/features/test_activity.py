import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.activity import BASE_LIFE, DAY_LIFE, HOUR_LIFE, Activity
from features.windows import DAY_MS, HOUR_MS

START = 1_704_067_200_000


def steady(per_day: float, days: float, amount: int = 2000) -> tuple[Activity, int]:
    """Orders in even steps from the start on; the counters, and the time of the last order."""
    activity = Activity()
    gap = DAY_MS / per_day
    times = [START + round(index * gap) for index in range(int(per_day * days))]
    for time in times:
        activity.add_order(time, amount)
    return activity, times[-1]


@given(st.lists(st.tuples(st.integers(0, 40 * DAY_MS), st.integers(0, 100_000)), min_size=1, max_size=20), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_arrival_does_not_matter(orders: list[tuple[int, int]], shuffle: random.Random) -> None:
    """The same orders in any order leave the same counters, but for rounding."""
    now = START + 40 * DAY_MS
    found = []
    for _ in range(2):
        activity = Activity()
        for time, amount in orders:
            activity.add_order(START + time, amount)
        activity.advance(now)
        found.append(activity)
        shuffle.shuffle(orders)
    first, second = found
    for name in ("orders_hour", "orders_day", "orders_base"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=0.001 * len(orders)), name
    for name in ("gmv_day", "gmv_base"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=len(orders)), name


@pytest.mark.parametrize(
    ("life", "name"), [(HOUR_LIFE, "orders_hour"), (DAY_LIFE, "orders_day"), (BASE_LIFE, "orders_base")]
)
def test_counters_halve_in_their_half_life(life: int, name: str) -> None:
    """Each counter of one order is a half after its half-life and a quarter after two."""
    activity = Activity()
    activity.add_order(START, 100)
    for share in (0.5, 0.25):
        activity.advance(activity.at + life)
        assert getattr(activity, name) == pytest.approx(share)


def test_reading_at_a_time_changes_nothing() -> None:
    """What is read for a later time is what advancing to it gives."""
    activity = Activity()
    activity.add_order(START, 100)
    later = START + 5 * HOUR_MS
    seen = activity.orders_in_hour(later), activity.orders_in_day(later)
    assert activity.at == START
    activity.advance(later)
    assert seen == pytest.approx((activity.orders_hour, activity.orders_day))
    activity.advance(START)
    assert activity.at == later


def test_a_late_order_counts_what_is_left_of_it() -> None:
    """An order that arrives an hour late adds a half to the hourly counter."""
    activity = Activity()
    activity.advance(START + HOUR_MS)
    activity.add_order(START, 100)
    assert activity.orders_hour == 0.5


@pytest.mark.parametrize("days", [3, 20, 120])
def test_a_steady_merchant_has_no_burst(days: float) -> None:
    """Evenly spread orders are about as usual in every figure, after days and after months."""
    activity, now = steady(200, days)
    active = now - START
    assert activity.burst_hour(now, active) == pytest.approx(1, abs=0.1)
    assert activity.burst_day(now, active) == pytest.approx(1, abs=0.15)
    assert activity.gmv_burst_day(now, active) == pytest.approx(1, abs=0.15)


def test_a_rush_shows() -> None:
    """Twenty times the usual orders in one day show as a burst of the day, more so in the hour."""
    activity, now = steady(20, 60)
    for _ in range(400):
        now += DAY_MS // 400
        activity.add_order(now, 2000)
    assert activity.burst_day(now, now - START) > 5
    assert activity.burst_hour(now, now - START) > activity.burst_day(now, now - START)


def test_the_first_orders_are_no_burst() -> None:
    """A merchant's first three orders on one day are not taken for a rush."""
    activity = Activity()
    for index in range(3):
        activity.add_order(START + index * 8 * HOUR_MS, 2000)
    assert activity.burst_day(activity.at, activity.at - START) < 1


def test_a_quiet_merchant_calms_down() -> None:
    """Without orders a burst fades, and never below zero."""
    activity, now = steady(50, 30)
    figures = [activity.burst_day(now + day * DAY_MS, now - START) for day in range(6)]
    assert all(before > after >= 0 for before, after in pairwise(figures))


def test_turnover_is_null_without_any() -> None:
    """Free orders, or none, have no turnover to compare."""
    activity = Activity()
    assert activity.gmv_burst_day(START, 0) is None
    activity.add_order(START, 0)
    assert activity.gmv_burst_day(START, 0) is None


def test_larger_orders_show_in_turnover_alone() -> None:
    """The same number of orders at ten times the price is a burst of turnover only."""
    activity, now = steady(50, 60)
    for _ in range(50):
        now += DAY_MS // 50
        activity.add_order(now, 20_000)
    burst = activity.gmv_burst_day(now, now - START)
    assert burst is not None and burst > 3
    assert activity.burst_day(now, now - START) == pytest.approx(1, abs=0.1)
