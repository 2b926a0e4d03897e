"""Attacks by what sellers do: takeover, self-dealing, empty boxes, triangulation, second accounts, bad service."""

from collections import Counter, defaultdict
from statistics import median

from features.events import (
    ListingCreated,
    ListingUpdated,
    MerchantAccountChanged,
    MerchantClosed,
    OrderCancelled,
    OrderDelivered,
    OrderDisputed,
    OrderShipped,
)
from tests.streams.simulator.market import DAY_MS, Market, OrderStory


def _onsets(bazaar: Market, name: str) -> dict[str, int]:
    found = bazaar.truth.attacks[name].onsets
    assert found
    return found


def _shipped(stories: list[OrderStory]) -> list[OrderShipped]:
    return [event for story in stories for event in story.all(OrderShipped)]  # type: ignore[misc]


def _share(stories: list[OrderStory], *claims: str) -> float:
    return sum(story.claim in claims for story in stories) / len(stories)


def _details(bazaar: Market, merchant: str) -> dict[str, str]:
    """What the account holds in the end."""
    return {
        e.what: e.value_hash
        for e in bazaar.events
        if isinstance(e, MerchantAccountChanged) and e.merchant_id == merchant
    }


def test_a_takeover_changes_device_and_bank_and_then_the_shop(bazaar: Market) -> None:
    """First the account, within three days prices at about half, new listings and another ship_from; few parcels."""
    for merchant, onset in _onsets(bazaar, "account_takeover").items():
        mine = [e for e in bazaar.events if e.merchant_id == merchant and onset <= e.occurred_at < onset + 10 * DAY_MS]
        changed = {e.what: e.occurred_at for e in mine if isinstance(e, MerchantAccountChanged)}
        edits = [e for e in mine if isinstance(e, ListingUpdated) and e.list_price and e.price < 0.8 * e.list_price]
        assert changed.keys() >= {"device", "bank"}
        assert min(changed.values()) == onset <= changed["bank"] <= edits[0].occurred_at <= onset + 5 * DAY_MS
        assert sum(isinstance(e, ListingCreated) for e in mine) >= 5
        before = {v.ship_from for v in bazaar.versions[merchant] if v.occurred_at < onset}
        assert len(before) == 1 and edits[-1].ship_from in ("CN", "VN", "MX")
        burst = bazaar.orders_of(merchant, edits[0].occurred_at, onset + 10 * DAY_MS)
        history = bazaar.orders_of(merchant, until=onset)
        assert len(history) >= 5
        assert len(burst) > 3 * len(history) * 10 / ((onset - bazaar.config.start) / DAY_MS)
        assert len([s for s in burst if s.time(OrderDelivered) is not None]) / len(burst) < 0.4


def test_self_dealing_is_many_names_on_few_devices(bazaar: Market) -> None:
    """Two or three devices, the account's own among them, place most of the orders under a dozen names or more."""
    for merchant, onset in _onsets(bazaar, "self_dealing").items():
        sold = bazaar.orders_of(merchant, onset, onset + 36 * DAY_MS)
        devices = Counter(story.order.device_id for story in sold)
        few = [device for device, count in devices.items() if count >= 8]
        assert 2 <= len(few) <= 3
        assert _details(bazaar, merchant)["device"] in few
        dealt = [story for story in sold if story.order.device_id in few]
        assert len(dealt) / len(sold) > 0.6
        assert len({story.order.buyer_id for story in dealt}) >= 12


def test_honest_devices_are_of_a_household_at_most(bazaar: Market) -> None:
    """No device has more than three buyers, though some have two or three; no honest seller's own device buys there."""
    buyers: dict[str | None, set[str]] = defaultdict(set)
    for story in bazaar.ordinary:
        buyers[story.order.device_id].add(story.order.buyer_id)
    sizes = Counter(len(names) for names in buyers.values())
    assert max(sizes) == 3 and sizes[2] > 20
    own = {e.value_hash for e in bazaar.events if isinstance(e, MerchantAccountChanged) and e.what == "device"}
    assert not own & buyers.keys()


def test_empty_boxes_weigh_next_to_nothing(bazaar: Market) -> None:
    """Parcels far lighter than the shop's honest ones, delivered, and half of them claimed."""
    for merchant, onset in _onsets(bazaar, "empty_box").items():
        before = median(e.weight_grams or 0 for e in _shipped(bazaar.orders_of(merchant, until=onset)))
        empty = [
            story
            for story in bazaar.orders_of(merchant, onset, onset + 36 * DAY_MS)
            if (parcels := _shipped([story])) and (parcels[0].weight_grams or 0) < before / 4
        ]
        assert len(empty) > 20
        assert sum(story.time(OrderDelivered) is not None for story in empty) / len(empty) > 0.9
        assert _share(empty, "not_as_described", "not_received", "wrong_item") > 0.35


def test_triangulation_is_cheap_from_anywhere_and_charged_back_late(bazaar: Market) -> None:
    """Makers' goods under the market, parcels from many countries, five stars, chargebacks weeks after the delivery."""
    for merchant, onset in _onsets(bazaar, "triangulation").items():
        sold = bazaar.orders_of(merchant, onset, onset + 41 * DAY_MS)
        origins = Counter(e.ship_from for e in _shipped(sold))
        assert len(origins) >= 5
        ratings = [story.rating for story in sold if story.rating is not None]
        assert sum(rating >= 4 for rating in ratings) / len(ratings) > 0.9
        late = []
        for story in sold:
            disputed, delivered = story.time(OrderDisputed), story.time(OrderDelivered)
            if disputed is not None and delivered is not None:
                late.append((disputed - delivered) / DAY_MS)
        assert len(late) / len(sold) > 0.08
        assert min(late) > 5


def test_a_second_account_shares_details_and_pictures_with_the_first(bazaar: Market) -> None:
    """It registers after the first one closed, shares two details or more, and its fakes have pictures from there."""
    closed = {e.merchant_id: e.occurred_at for e in bazaar.events if isinstance(e, MerchantClosed)}
    for merchant, onset in _onsets(bazaar, "linked_accounts").items():
        mine = _details(bazaar, merchant)
        first = [
            other
            for other in bazaar.truth.attacks["counterfeit"].onsets
            if sum(_details(bazaar, other)[what] == value for what, value in mine.items()) >= 2
        ]
        assert len(first) == 1
        assert closed[first[0]] < onset
        assert bazaar.truth.also[first[0]] == ["linked_accounts"]
        there = [int(image, 16) for v in bazaar.versions[first[0]] for image in v.image_hashes or ()]
        fakes = [v for v in bazaar.versions[merchant] if v.listing_id in bazaar.truth.listings]
        assert fakes
        for version in fakes:
            for image in version.image_hashes or ():
                assert min((int(image, 16) ^ other).bit_count() for other in there) <= 3


def test_probation_is_evaded_just_under_the_caps(bazaar: Market) -> None:
    """Three accounts of one operator, each near a hundred listings and fifty orders a day but not above."""
    onsets = _onsets(bazaar, "probation_evasion")
    assert len(onsets) == 6
    shared = Counter(value for merchant in onsets for value in _details(bazaar, merchant).values())
    assert sorted(count for count in shared.values() if count > 1) == [3] * 6
    for merchant, onset in onsets.items():
        listed = {v.listing_id for v in bazaar.versions[merchant]}
        assert 60 <= len(listed) <= 99
        sold = bazaar.orders_of(merchant, onset)
        days = Counter((story.order.occurred_at - onset) // DAY_MS for story in sold)
        assert 30 < max(days.values()) < 60
        cancelled = [s for s in sold if any(isinstance(e, OrderCancelled) and e.by == "seller" for e in s.events)]
        assert (len(cancelled) + sum(story.shipped_late for story in sold)) / len(sold) > 0.25


def test_bad_service_is_bad_throughout(bazaar: Market) -> None:
    """Late and cancelled orders, and goods not as described, many times as frequent as with others."""
    for merchant, onset in _onsets(bazaar, "poor_fulfilment").items():
        sold = bazaar.orders_of(merchant, onset, onset + 28 * DAY_MS)
        cancelled = [s for s in sold if any(isinstance(e, OrderCancelled) and e.by == "seller" for e in s.events)]
        assert (len(cancelled) + sum(story.shipped_late for story in sold)) / len(sold) > 0.3
    for merchant, onset in _onsets(bazaar, "not_as_described").items():
        sold = bazaar.orders_of(merchant, onset, onset + 25 * DAY_MS)
        assert _share(sold, "not_as_described") > 5 * _share(bazaar.ordinary, "not_as_described")
