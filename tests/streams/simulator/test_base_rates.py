"""What ordinary trade looks like: figures that platforms publish or tolerate (streams/simulator/shop.py names them)."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from math import log

import pytest

from features.events import ListingCreated, OrderCancelled, OrderCreated, OrderDisputed, OrderRefunded, OrderShipped
from streams.simulator.catalog import BRAND_MULTIPLE, CATEGORIES
from streams.simulator.demand import intensity
from tests.streams.simulator.market import DAY_MS, Market, OrderStory


def _cancelled_by(story: OrderStory, who: str) -> bool:
    return any(isinstance(event, OrderCancelled) and event.by == who for event in story.events)


def _refunded_by_seller(story: OrderStory) -> bool:
    return any(isinstance(event, OrderRefunded) and event.fault == "seller" for event in story.events)


RATES: dict[str, tuple[Callable[[OrderStory], bool], float, float]] = {
    "late dispatch": (lambda o: o.shipped_late, 0.03, 0.055),
    "late delivery": (lambda o: o.delivered_late, 0.03, 0.10),
    "cancelled by the seller": (lambda o: _cancelled_by(o, "seller"), 0.007, 0.025),
    "cancelled by the buyer": (lambda o: _cancelled_by(o, "buyer"), 0.018, 0.033),
    "not received": (lambda o: o.claim == "not_received", 0.006, 0.016),
    "not as described": (lambda o: o.claim == "not_as_described", 0.010, 0.022),
    "counterfeit": (lambda o: o.claim == "counterfeit", 0.0, 0.001),
    "no longer needed": (lambda o: o.claim == "no_longer_needed", 0.03, 0.08),
    "refunded at the seller's expense": (_refunded_by_seller, 0.02, 0.055),
    "disputed": (lambda o: o.time(OrderDisputed) is not None, 0.001, 0.008),
    "shipped": (lambda o: o.time(OrderShipped) is not None, 0.93, 0.975),
    "reviewed": (lambda o: o.rating is not None, 0.28, 0.42),
}


@pytest.mark.parametrize("name", RATES)
def test_share_of_ordinary_orders(market: Market, name: str) -> None:
    """Each kind of trouble is as frequent among ordinary orders as it is in the field."""
    happened, low, high = RATES[name]
    share = sum(map(happened, market.ordinary)) / len(market.ordinary)
    assert low <= share <= high


def test_low_ratings(market: Market) -> None:
    """Five to eight per cent of ratings are one or two stars, far more of those of late orders (Olist: 56 %)."""
    rated = [story for story in market.ordinary if story.rating is not None]
    low = [story for story in rated if (story.rating or 5) <= 2]
    assert 0.05 <= len(low) / len(rated) <= 0.085
    late = [story for story in rated if story.delivered_late]
    assert sum((story.rating or 5) <= 2 for story in late) / len(late) > 0.35


def test_sizes_of_merchants(market: Market) -> None:
    """The median merchant has 10 to 30 orders in 90 days; the biggest tenth has two fifths of all, nobody a tenth."""
    counts = Counter(story.order.merchant_id for story in market.orders)
    sizes = sorted(counts.values(), reverse=True)
    assert 10 <= statistics.median(sizes) <= 30
    assert sum(sizes[: len(sizes) // 10]) / sum(sizes) > 0.4
    assert sizes[0] / sum(sizes) < 0.1


def test_merchants_differ_in_quality(market: Market) -> None:
    """Late rates of merchants vary more than chance alone would let them."""
    late: dict[str, list[bool]] = defaultdict(list)
    for story in market.ordinary:
        late[story.order.merchant_id].append(story.shipped_late)
    busy = [marks for marks in late.values() if len(marks) >= 20]
    overall = sum(map(sum, busy)) / sum(map(len, busy))
    expected = sum(overall * (1 - overall) * len(marks) for marks in busy)
    observed = sum((sum(marks) - overall * len(marks)) ** 2 for marks in busy)
    assert observed > 1.5 * expected


def test_buyers_come_back(market: Market) -> None:
    """A tenth to a third of a busy merchant's orders come from buyers that it knows."""
    buyers: dict[str, list[str]] = defaultdict(list)
    for story in market.ordinary:
        buyers[story.order.merchant_id].append(story.order.buyer_id)
    shares = [1 - len(set(ids)) / len(ids) for ids in buyers.values() if len(ids) >= 50]
    assert 0.05 < statistics.mean(shares) < 0.33


def test_orders_follow_the_day(market: Market) -> None:
    """The evening of the American east coast has many times the orders of its early morning, as the curve says."""
    hours = Counter(event.occurred_at // 3_600_000 % 24 for event in market.events if isinstance(event, OrderCreated))
    assert hours[1] > 4 * hours[8]
    week = [intensity(hour * 3_600_000) for hour in range(7 * 24)]
    assert statistics.mean(week) == pytest.approx(1, abs=0.01)


def test_prices_are_log_normal_around_the_category_median(market: Market) -> None:
    """Median and spread of honest prices are those of the catalogue, brands that cost a multiple apart."""
    prices: dict[str, list[float]] = defaultdict(list)
    for event in market.events:
        if (
            isinstance(event, ListingCreated)
            and event.merchant_id not in market.involved
            and event.brand not in BRAND_MULTIPLE
        ):
            prices[event.category].append(log(event.price))
    checked = 0
    for category in CATEGORIES:
        sample = prices[category.name]
        if len(sample) >= 150:
            checked += 1
            assert statistics.median(sample) == pytest.approx(log(category.median), abs=0.25)
            assert statistics.stdev(sample) == pytest.approx(category.sigma, abs=0.12)
    assert checked >= 6


def test_demand_does_not_stop_before_the_end(market: Market) -> None:
    """The last full week has as many ordinary orders as one in the middle, within a fifth."""
    start = market.config.start
    weeks = Counter(
        (story.order.occurred_at - start) // (7 * DAY_MS)
        for story in market.orders
        if story.order.merchant_id not in market.involved
    )
    assert weeks[11] == pytest.approx(weeks[6], rel=0.2)
