from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import OrderDelivered
from streams.simulator.config import HOUR_MS
from streams.simulator.demand import poisson
from streams.simulator.ids import IdMaker, opaque
from streams.simulator.schedule import Schedule
from streams.simulator.shop import TYPICAL, draw_quality
from streams.simulator.stock import pretty

START = 1_700_000_000_000


def _event(time: int, order_id: str = "o") -> OrderDelivered:
    return OrderDelivered(event_id="e", occurred_at=time, merchant_id="m", order_id=order_id)


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 2**64 - 1), min_size=2, max_size=20))
def test_ids_are_one_to_one(salt: int, indexes: set[int]) -> None:
    """Different numbers have different ids, whatever the salt."""
    assert len({opaque(index, salt) for index in indexes}) == len(indexes)


def test_ids_show_no_order() -> None:
    """Ids made one after the other rise and fall like random numbers."""
    make = IdMaker(1234)
    ids = [make() for _ in range(1000)]
    rises = sum(a < b for a, b in pairwise(ids))
    assert 420 < rises < 580


@given(st.lists(st.integers(0, 10 * HOUR_MS - 1), max_size=60))
def test_a_schedule_gives_records_in_order(offsets: list[int]) -> None:
    """Whatever is put in comes out sorted by time, complete, and in the order of putting at equal times."""
    schedule = Schedule(START, START + 10 * HOUR_MS)
    for number, offset in enumerate(offsets):
        schedule.put("orders", b"m", _event(START + offset, f"o{number:03}"))
    taken = [record for hour in range(10) for record in schedule.take(hour)]
    keys = [(record.timestamp, record.value.partition(b'"order_id":"')[2]) for record in taken]
    assert keys == sorted(keys)
    assert len(taken) == len(offsets)


def test_what_happens_at_the_end_is_not_seen() -> None:
    """Neither records nor actions at the end or later count."""
    schedule = Schedule(START, START + HOUR_MS)
    ran: list[int] = []
    schedule.put("orders", b"m", _event(START + HOUR_MS))
    schedule.at(START + HOUR_MS, ran.append)
    schedule.at(START + HOUR_MS - 1, ran.append)
    schedule.run_until(START + 5 * HOUR_MS)
    assert ran == [START + HOUR_MS - 1]
    assert schedule.take(0) == []


def test_actions_may_schedule_actions() -> None:
    """An action that is due within the same stretch runs in it."""
    schedule = Schedule(START, START + HOUR_MS)
    ran: list[int] = []
    schedule.at(START + 5, lambda time: schedule.at(time + 2, ran.append))
    schedule.at(START + 6, ran.append)
    schedule.run_until(START + 100)
    assert ran == [START + 6, START + 7]


def test_nothing_goes_into_an_hour_that_is_over() -> None:
    """A bug that would break the order of the stream is loud."""
    schedule = Schedule(START, START + 3 * HOUR_MS)
    schedule.take(0)
    with pytest.raises(RuntimeError, match="scheduled into the past"):
        schedule.put("orders", b"m", _event(START + 1))


@pytest.mark.parametrize("mean", [0.2, 5.0, 900.0])
def test_poisson_has_the_mean(mean: float) -> None:
    """Mean and variance agree, below and above the switch to the normal approximation."""
    random = Random(1)
    draws = [poisson(random, mean) for _ in range(4000)]
    average = sum(draws) / len(draws)
    variance = sum((draw - average) ** 2 for draw in draws) / len(draws)
    assert average == pytest.approx(mean, rel=0.08)
    assert variance == pytest.approx(mean, rel=0.12)


def test_quality_averages_to_the_typical() -> None:
    """Beta-distributed rates have the means of TYPICAL and lie between 0 and 1."""
    random = Random(2)
    drawn = [draw_quality(random) for _ in range(6000)]
    assert all(0 <= rate <= 1 for quality in drawn for rate in quality)
    for index, mean in enumerate(TYPICAL):
        assert sum(quality[index] for quality in drawn) / len(drawn) == pytest.approx(mean, rel=0.12)


@given(st.floats(0, 1e9))
def test_prices_look_like_prices(price: float) -> None:
    """Prices end in 99, or 49 when small, and stay near what was meant."""
    shown = pretty(price)
    assert shown % 50 == 49
    assert abs(shown - price) <= max(100, 0.01 * price)
