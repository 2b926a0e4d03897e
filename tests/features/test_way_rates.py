"""Rates at which the orders of all merchants go bad."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.way_rates import MOST_ORDERS, RECENT_DAYS, STRENGTH, YEAR_DAYS, WayRate

DAYS = st.lists(
    st.integers(0, 400).flatmap(lambda day: st.tuples(st.just(day), st.just(10), st.integers(0, 10))),
    max_size=12,
).map(sorted)


def test_without_orders_it_is_what_was_known() -> None:
    """Whatever that is."""
    assert WayRate().expected(0.03) == pytest.approx(0.03)


def test_it_lies_between_lately_and_the_year() -> None:
    """A bad month after good ones: the recent rate is near 20 %, the year's lower, and what is expected in between."""
    rate = WayRate()
    for day in range(180):
        for _ in range(20):
            rate.add([(day, 50, 1 if day < 150 else 10)])
    recent, year = rate.recent_bad / rate.recent_orders, rate.year_bad / rate.year_orders
    assert year < rate.expected(0.02) < recent
    assert rate.expected(0.02) == pytest.approx((recent + year) / 2, abs=0.01)


@given(DAYS, DAYS)
def test_the_order_of_merchants_does_not_matter(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> None:
    """Days that come late count what is left of them, so who is looked at first changes nothing."""
    first, second = WayRate(), WayRate()
    for days in (one, other):
        first.add(days)
    for days in (other, one):
        second.add(days)
    assert first.expected(0.1) == pytest.approx(second.expected(0.1))


@given(DAYS)
def test_it_is_the_sum_of_decayed_days(days: list[tuple[int, int, int]]) -> None:
    """Against the definition, with the weights of the last day."""
    rate = WayRate()
    rate.add(days)
    total = sum(orders for _, orders, _ in days)
    part = min(1.0, MOST_ORDERS / total) if total else 1.0
    last = max((day for day, _, _ in days), default=0)

    def expected(half_life: float) -> float:
        weights = [part * 0.5 ** ((last - day) / half_life) for day, _, _ in days]
        bad = sum(weight * hits for weight, (_, _, hits) in zip(weights, days, strict=True))
        orders = sum(weight * count for weight, (_, count, _) in zip(weights, days, strict=True))
        return float((bad + STRENGTH * 0.1) / (orders + STRENGTH))

    assert rate.expected(0.1) == pytest.approx((expected(RECENT_DAYS) + expected(YEAR_DAYS)) / 2)


def test_a_big_merchant_counts_as_one_among_many() -> None:
    """A bust-out of a thousand orders moves it no more than one of fifty."""
    big, small = WayRate(), WayRate()
    big.add([(10, 1000, 1000)])
    small.add([(10, 50, 50)])
    assert big.expected(0.05) == pytest.approx(small.expected(0.05))


def test_it_reads_back_as_it_was_stored() -> None:
    """As part of a shard's population."""
    rate = WayRate()
    rate.add([(20_000, 10, 1)])
    assert msgspec.json.decode(msgspec.json.encode(rate), type=WayRate) == rate
