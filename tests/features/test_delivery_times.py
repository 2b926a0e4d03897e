"""Delivery times at present: Little's law, routes, promises."""

from math import exp, log
from random import Random

import pytest

from features.delivery_times import FIRST_GUESS_DAYS, LIMIT, DeliveryTimes
from features.windows import DAY_MS

START = 1_500_000_000_000


def run(
    times: DeliveryTimes,
    days: float,
    per_day: float,
    duration: float,
    start: int = START,
    where: str = "SP",
    seed: int = 1,
) -> int:
    """Orders at a steady rate that take ``duration`` days each; returns the end."""
    random = Random(seed)
    end = start + int(days * DAY_MS)
    events = []
    at = float(start)
    while at < end:
        events.append((int(at), 0))
        done = int(at + duration * DAY_MS)
        if done < end:
            events.append((done, 1))
        at += random.expovariate(per_day) * DAY_MS
    for time, kind in sorted(events):
        if kind:
            times.finished(time, where, f"MG>{where}", int(duration * DAY_MS))
        else:
            times.placed(time)
    return end


def expected_days(times: DeliveryTimes, now: int, where: str = "SP") -> float:
    """Expected days, not their logarithm."""
    return exp(times.expected_log_days(now, where, f"MG>{where}"))


def test_nothing_known() -> None:
    """The first guess, wherever it goes."""
    assert expected_days(DeliveryTimes(), START) == pytest.approx(FIRST_GUESS_DAYS)


@pytest.mark.parametrize("duration", [2.0, 6.0, 15.0])
def test_a_steady_stream_takes_the_time_it_takes(duration: float) -> None:
    """Orders under way over the rate at which they come are the days they take."""
    times = DeliveryTimes()
    now = run(times, 120, 100, duration)
    assert expected_days(times, now) == pytest.approx(duration, rel=0.15)


def test_a_young_shard_is_not_slow() -> None:
    """After two weeks, with a rate that has had no time to fill, the estimate is already right."""
    times = DeliveryTimes()
    now = run(times, 14, 20, 4.0)
    assert expected_days(times, now) == pytest.approx(4.0, rel=0.2)


def test_a_standstill_shows_before_any_promise_has_passed() -> None:
    """When nothing arrives any more, expected days grow within days, though no delivery has been late yet."""
    times = DeliveryTimes()
    now = run(times, 90, 20, 5.0)
    before = expected_days(times, now)
    for hour in range(7 * 24):
        times.placed(now + hour * 3_600_000)
    assert expected_days(times, now + 7 * DAY_MS) > 2 * before


def test_far_regions_take_longer() -> None:
    """A region's and a route's own deliveries move the estimate for it, and for others little."""
    times = DeliveryTimes()
    for at in range(300):
        time = START + at * DAY_MS // 4
        times.placed(time)
        far = at % 3 == 0
        times.finished(time, "AM" if far else "SP", "MG>AM" if far else "MG>SP", (20 if far else 5) * DAY_MS)
    now = START + 75 * DAY_MS
    assert expected_days(times, now, "AM") / expected_days(times, now) == pytest.approx(4.0, rel=0.15)


def test_a_new_route_is_its_region() -> None:
    """With few deliveries a route is taken to be like its region, and an unknown region like all."""
    times = DeliveryTimes()
    now = run(times, 60, 20, 10.0)
    known = times.expected_log_days(now, "SP", "MG>SP")
    assert times.expected_log_days(now, "SP", "BA>SP") == pytest.approx(known, abs=0.05)
    assert times.expected_log_days(now, "", "") == pytest.approx(known, abs=0.05)


def test_the_margin_of_a_promise() -> None:
    """Zero when promised and expected days are equal, one unit for each factor of e, cut at 3."""
    times = DeliveryTimes()
    expected = expected_days(times, START)
    for factor, margin in ((1.0, 0.0), (2.0, log(2)), (0.5, -log(2)), (1_000.0, 3.0)):
        deliver_by = START + int(expected * factor * DAY_MS)
        assert times.promise_margin(START, deliver_by, "SP", "") == pytest.approx(margin, abs=1e-6)
    assert times.promise_margin(START, START - DAY_MS, "SP", "") >= -3.0


def test_cancelled_orders_leave_without_teaching() -> None:
    """They are under way no longer, and took no time."""
    times = DeliveryTimes()
    times.placed(START)
    times.finished(START + DAY_MS, "SP", "MG>SP", None)
    assert times.under_way == 0
    assert times.overall.weight == 0.0
    assert not times.routes


def test_late_knowledge_counts_by_its_own_time() -> None:
    """Deliveries and orders that arrive out of order give the same sums."""
    one, other = DeliveryTimes(), DeliveryTimes()
    moments = [START + day * DAY_MS for day in (0, 3, 9, 30)]
    for times, order in ((one, moments), (other, [moments[0], *reversed(moments[1:])])):
        for time in order:
            times.placed(time)
            times.finished(time, "SP", "MG>SP", (time - START) // 3 + DAY_MS)
    now = START + 40 * DAY_MS
    assert one.expected_log_days(now, "SP", "MG>SP") == pytest.approx(other.expected_log_days(now, "SP", "MG>SP"))


def test_routes_are_bounded() -> None:
    """Made-up regions push out the stalest, and memory stays bounded."""
    times = DeliveryTimes()
    for at in range(LIMIT + 50):
        times.finished(START + at, f"r{at}", "", DAY_MS)
    assert 0.94 * LIMIT < len(times.routes) <= LIMIT
    assert "region/r0" not in times.routes
    assert f"region/r{LIMIT + 49}" in times.routes
