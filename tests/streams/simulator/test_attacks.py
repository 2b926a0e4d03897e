"""Each attack leaves its pattern in the stream, and honest merchants do not."""

import statistics
from collections import Counter

import pytest

from features.events import (
    ListingCreated,
    ListingUpdated,
    MerchantAccountChanged,
    OrderDelivered,
    OrderRefunded,
    OrderShipped,
    OrderTracked,
)
from streams.simulator.catalog import CATEGORIES, PROTECTED_BRANDS
from tests.streams.simulator.market import DAY_MS, Market, OrderStory

MEDIANS = {category.name: category.median for category in CATEGORIES}


def _share(stories: list[OrderStory], claim: str) -> float:
    return sum(story.claim == claim for story in stories) / len(stories)


def _scanned_before(story: OrderStory) -> bool:
    scanned = story.time(OrderTracked)
    return scanned is not None and scanned < story.order.occurred_at


def _delivered_not_received(story: OrderStory) -> bool:
    return story.claim == "not_received" and story.time(OrderDelivered) is not None


# -- bust-out ---------------------------------------------------------------------------------------------------------


def test_bust_out_changes_the_bank_and_floods_the_shop(market: Market) -> None:
    """Before the burst: a new bank account, then ten or more listings at half the list price, and price cuts."""
    for merchant, onset in market.truth.attacks["bust_out"].onsets.items():
        window = range(onset, onset + 7 * DAY_MS)
        mine = [event for event in market.events if event.merchant_id == merchant and event.occurred_at in window]
        banks = [e for e in mine if isinstance(e, MerchantAccountChanged) and e.what == "bank"]
        assert [e.occurred_at for e in banks] == [onset]
        offers = [event for event in mine if isinstance(event, ListingCreated)]
        assert len(offers) >= 10
        assert statistics.mean(1 - e.price / (e.list_price or e.price) for e in offers) > 0.4
        assert any(isinstance(e, ListingUpdated) and e.list_price and e.price < 0.7 * e.list_price for e in mine)


def test_bust_out_takes_orders_and_does_not_ship(market: Market) -> None:
    """Orders a day multiply, hardly any is shipped, most end as not received, and sellers' refunds follow."""
    for merchant, onset in market.truth.attacks["bust_out"].onsets.items():
        before = market.orders_of(merchant, until=onset)
        burst = market.orders_of(merchant, onset, onset + 11 * DAY_MS)
        days_before = (onset - market.config.start) / DAY_MS
        assert len(burst) / 11 > 8 * len(before) / days_before
        scanned = sum(story.time(OrderTracked) is not None for story in burst)
        assert scanned / len(burst) < 0.25
        assert _share(burst, "not_received") > 0.35
        refunded = [e for story in burst for e in story.all(OrderRefunded)]
        assert len(refunded) > 0.3 * len(burst)
    assert market.truth.attacks["bust_out"].orders == pytest.approx(
        sum(
            len(market.orders_of(m, onset, onset + 11 * DAY_MS))
            for m, onset in market.truth.attacks["bust_out"].onsets.items()
        ),
        rel=0.1,
    )


def test_bust_out_accounts_are_young_or_dormant(market: Market) -> None:
    """Before the burst the account is either new or has been quiet for a while."""
    registered = {
        event.merchant_id: event.registered_at  # type: ignore[union-attr]
        for event in market.events
        if type(event).__name__ == "MerchantRegistered"
    }
    for merchant, onset in market.truth.attacks["bust_out"].onsets.items():
        age = (onset - registered[merchant]) / DAY_MS
        earlier = [story.order.occurred_at for story in market.orders_of(merchant, until=onset)]
        quiet = (onset - max(earlier)) / DAY_MS if earlier else float("inf")
        assert age < 31 or quiet > 6


# -- counterfeit ------------------------------------------------------------------------------------------------------


def test_counterfeits_are_cheap_and_unauthorised(market: Market) -> None:
    """Listings after the onset: protected brands named without authorisation, at half the category's price or less."""
    for merchant, onset in market.truth.attacks["counterfeit"].onsets.items():
        fakes = [v for v in market.versions[merchant] if v.occurred_at >= onset]
        assert len(fakes) >= 8
        assert all(v.price <= 0.52 * MEDIANS[v.category] for v in fakes)
        assert not any("brand:" in name for v in fakes for name in v.authorizations or ())
        branded = [v for v in fakes if v.brand in PROTECTED_BRANDS]
        assert len(branded) >= len(fakes) / 4


def test_buyers_of_counterfeits_find_out(market: Market) -> None:
    """Claims of counterfeit and low ratings are many times those of ordinary orders."""
    episode = market.truth.attacks["counterfeit"]
    sold = [s for m, onset in episode.onsets.items() for s in market.orders_of(m, onset, onset + 45 * DAY_MS)]
    assert len(sold) == pytest.approx(episode.orders, rel=0.05)
    assert _share(sold, "counterfeit") > 0.07 > 20 * _share(market.ordinary, "counterfeit")
    ratings = [story.rating for story in sold if story.rating is not None]
    assert sum(rating <= 2 for rating in ratings) / len(ratings) > 0.25


# -- fake tracking ----------------------------------------------------------------------------------------------------


def test_fake_tracking_has_implausible_scans(market: Market) -> None:
    """Scans before the order and numbers of other orders, which ordinary orders never have."""
    assert not any(map(_scanned_before, market.ordinary))
    for merchant, onset in market.truth.attacks["fake_tracking"].onsets.items():
        sold = market.orders_of(merchant, onset, onset + 42 * DAY_MS)
        assert sum(map(_scanned_before, sold)) / len(sold) > 0.15
        numbers = Counter(e.tracking_number for s in sold for e in s.all(OrderShipped))  # type: ignore[union-attr]
        assert sum(count for count in numbers.values() if count > 1) / len(sold) > 0.2


def test_tracking_numbers_of_ordinary_orders_are_their_own(market: Market) -> None:
    """No number is used twice."""
    numbers = Counter(
        e.tracking_number  # type: ignore[union-attr]
        for story in market.ordinary
        for e in story.all(OrderShipped)
    )
    assert max(numbers.values()) == 1


def test_fake_tracking_is_delivered_and_not_received(market: Market) -> None:
    """A large part of what was "delivered" never came; with ordinary orders that is rare but does happen."""
    ordinary = sum(map(_delivered_not_received, market.ordinary)) / len(market.ordinary)
    assert 0 < ordinary < 0.01
    for merchant, onset in market.truth.attacks["fake_tracking"].onsets.items():
        sold = market.orders_of(merchant, onset, onset + 42 * DAY_MS)
        assert sum(map(_delivered_not_received, sold)) / len(sold) > 0.2


# -- brushing ---------------------------------------------------------------------------------------------------------


def test_brushing_is_a_few_buyers_on_fewer_devices(market: Market) -> None:
    """Most orders of a ring's shops come from at most 14 buyers on at most 3 devices, small and again and again."""
    onsets = market.truth.attacks["brushing"].onsets
    for merchant, onset in onsets.items():
        sold = market.orders_of(merchant, onset, onset + 40 * DAY_MS)
        devices = Counter(story.order.device_id for story in sold)
        ring = [device for device, count in devices.items() if count >= 10]
        assert 1 <= len(ring) <= 3
        brushed = [story for story in sold if story.order.device_id in ring]
        buyers = {story.order.buyer_id for story in brushed}
        assert len(brushed) / len(sold) > 0.6
        assert 3 <= len(buyers) <= 14
        assert max(story.order.total for story in brushed) < 1000
        ratings = [story.rating for story in brushed if story.rating is not None]
        assert len(ratings) / len(brushed) > 0.75
        assert sum(rating == 5 for rating in ratings) / len(ratings) > 0.95


def test_a_ring_links_its_shops(market: Market) -> None:
    """The shops of a ring share buyers; two rings share none."""
    onsets = market.truth.attacks["brushing"].onsets
    regulars = []
    for merchant, onset in onsets.items():
        buyers = Counter(s.order.buyer_id for s in market.orders_of(merchant, onset))
        regulars.append({buyer for buyer, count in buyers.items() if count >= 3})
    first, second, third, fourth = regulars
    assert len(first & second) >= 5
    assert len(third & fourth) >= 5
    assert not first & third


# -- truth ------------------------------------------------------------------------------------------------------------


def test_truth_counts_what_is_there(market: Market) -> None:
    """Merchants of each attack are as many as planned, all different, and its times lie in the span."""
    truth = market.truth
    assert {name: len(episode.merchants) for name, episode in truth.attacks.items()} == {
        "bust_out": 3,
        "counterfeit": 3,
        "fake_tracking": 3,
        "brushing": 4,
    }
    assert len(market.attackers) == 13
    assert truth.merchants - truth.honest_merchants == 13
    for episode in truth.attacks.values():
        assert truth.start < episode.start < episode.until < truth.end
        assert episode.start == min(episode.onsets.values())
        assert episode.orders > 20
