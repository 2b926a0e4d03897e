"""Honest trouble looks like an attack in one respect and like honest trade in all others."""

from collections import Counter

from features.events import MerchantAccountChanged, OrderShipped
from tests.streams.simulator.market import DAY_MS, Market, OrderStory


def _shipped(stories: list[OrderStory]) -> float:
    return sum(story.time(OrderShipped) is not None for story in stories) / len(stories)


def test_hard_negatives_are_honest(market: Market) -> None:
    """No merchant of a hard negative is an attacker, and none has two of them but for strikes."""
    involved = [m for episode in market.truth.hard_negatives.values() for m in episode.merchants]
    assert not set(involved) & set(market.attackers)
    planned = [m for name, e in market.truth.hard_negatives.items() if name != "carrier_strike" for m in e.merchants]
    assert len(planned) == len(set(planned)) == 8


def test_a_strike_makes_many_deliver_late_who_shipped_in_time(market: Market) -> None:
    """Parcels on strike come late at many merchants; they were handed over as punctually as ever."""
    episode = market.truth.hard_negatives["carrier_strike"]
    assert len(episode.merchants) >= 5
    merchants = set(episode.merchants)
    caught = [
        story
        for story in market.orders
        if story.order.merchant_id in merchants and episode.start - DAY_MS < story.order.occurred_at < episode.until
    ]
    assert sum(story.delivered_late for story in caught) / len(caught) > 0.25
    assert sum(story.shipped_late for story in caught) / len(caught) < 0.12


def test_a_viral_burst_is_shipped(market: Market) -> None:
    """Orders multiply through one creator, and nine in ten are shipped."""
    for merchant, onset in market.truth.hard_negatives["viral_burst"].onsets.items():
        burst = market.orders_of(merchant, onset, onset + 5 * DAY_MS)
        before = market.orders_of(merchant, until=onset)
        assert len(burst) / 5 > 8 * len(before) / ((onset - market.config.start) / DAY_MS)
        creators = Counter(story.order.creator_id for story in burst if story.order.creator_id)
        assert creators.most_common(1)[0][1] > 0.8 * len(burst)
        assert _shipped(burst) > 0.88


def test_a_sale_cuts_prices_and_ends(market: Market) -> None:
    """Prices fall by a fifth to two fifths beside the old ones, orders rise and are shipped, prices return."""
    for merchant, onset in market.truth.hard_negatives["discount_sale"].onsets.items():
        sale = market.orders_of(merchant, onset, onset + 5 * DAY_MS)
        before = market.orders_of(merchant, onset - 20 * DAY_MS, onset)
        assert len(sale) / 5 > 2 * len(before) / 20
        assert _shipped(sale) > 0.85
        cuts = [v for v in market.versions[merchant] if v.occurred_at == onset]
        assert cuts
        assert all(v.list_price and 0.55 < v.price / v.list_price < 0.85 for v in cuts)
        after = [v for v in market.versions[merchant] if onset + 3 * DAY_MS <= v.occurred_at <= onset + 5 * DAY_MS]
        restored = {v.listing_id: v.price for v in after}
        back = [restored.get(v.listing_id) == v.list_price for v in cuts]
        assert sum(back) > 0.7 * len(back)  # a merchant may change a price again


def test_bad_luck_passes(market: Market) -> None:
    """Late shipments abound for ten days, and not before and not after."""
    onsets = market.truth.hard_negatives["bad_luck"].onsets
    spell, rest = [], []
    for merchant, onset in onsets.items():
        spell += market.orders_of(merchant, onset, onset + 10 * DAY_MS)
        rest += market.orders_of(merchant, until=onset) + market.orders_of(merchant, onset + 17 * DAY_MS)
    assert sum(story.shipped_late for story in spell) / len(spell) > 0.15
    assert sum(story.shipped_late for story in rest) / len(rest) < 0.12


def test_abusive_buyers_claim_what_was_delivered(bazaar: Market) -> None:
    """Most of their orders at three honest shops are claimed; the truth names the buyers."""
    episode = bazaar.truth.hard_negatives["refund_abuse"]
    buyers = bazaar.truth.buyers
    assert set(buyers.values()) == {"refund_abuse"} and len(episode.merchants) == 3
    theirs = [story for story in bazaar.orders if story.order.buyer_id in buyers]
    assert {story.order.merchant_id for story in theirs} <= set(episode.merchants)
    assert sum(story.claim is not None for story in theirs) / len(theirs) > 0.6
    others = [s for m in episode.merchants for s in bazaar.orders_of(m) if s.order.buyer_id not in buyers]
    assert sum(story.claim in ("not_received", "not_as_described") for story in others) / len(others) < 0.08


def test_a_holiday_is_everybodys(bazaar: Market) -> None:
    """For its first four days there are about twice the usual orders, spread over the merchants as ever."""
    start = bazaar.truth.hard_negatives["holiday_peak"].start
    honest = [o for o in bazaar.orders if o.order.merchant_id not in bazaar.attackers]
    during = [o for o in honest if start <= o.order.occurred_at < start + 4 * DAY_MS]
    before = [o for o in honest if start - 14 * DAY_MS <= o.order.occurred_at < start]
    assert 1.6 < (len(during) / 4) / (len(before) / 14) < 3.2
    assert max(Counter(o.order.merchant_id for o in during).values()) / len(during) < 0.15


def test_a_newcomer_grows_and_ships(bazaar: Market) -> None:
    """A shop registered in the simulated time has more orders each week, and ships them."""
    for merchant, opened in bazaar.truth.hard_negatives["fast_newcomer"].onsets.items():
        assert opened > bazaar.config.start
        weeks = [
            len(bazaar.orders_of(merchant, opened + 7 * i * DAY_MS, opened + 7 * (i + 1) * DAY_MS)) for i in range(3)
        ]
        assert weeks[0] < weeks[1] < weeks[2] and weeks[2] > 25
        assert _shipped(bazaar.orders_of(merchant, opened, opened + 21 * DAY_MS)) > 0.9


def test_a_hub_is_shared_by_dozens_of_honest_shops(bazaar: Market) -> None:
    """One address is the first of two dozen accounts or so, none of them an attacker's."""
    clients = bazaar.truth.hard_negatives["shared_hub"].merchants
    values = Counter(
        (e.what, e.value_hash)
        for e in bazaar.events
        if isinstance(e, MerchantAccountChanged) and e.merchant_id in clients
    )
    (what, _), count = values.most_common(1)[0]
    assert (what, count > 18) == ("address", True)
    assert not set(clients) & set(bazaar.attackers)


def test_an_owner_changes_the_account_and_goes_on(bazaar: Market) -> None:
    """Device and bank change within a day; no burst and no deep cut follows."""
    for merchant, onset in bazaar.truth.hard_negatives["account_change"].onsets.items():
        window = range(onset, onset + 6 * DAY_MS)
        mine = [e for e in bazaar.events if e.merchant_id == merchant and e.occurred_at in window]
        assert {e.what for e in mine if isinstance(e, MerchantAccountChanged)} >= {"device", "bank", "phone"}
        cuts = [v for v in bazaar.versions[merchant] if v.occurred_at in window and v.list_price]
        assert all(v.price > 0.6 * (v.list_price or 0) for v in cuts)


def test_resellers_list_alike(bazaar: Market) -> None:
    """Four shops have listings whose titles differ in colour and size alone, with the maker's picture."""
    merchants = bazaar.truth.hard_negatives["brand_resellers"].merchants
    names = Counter(
        name for merchant in merchants for name in {v.title.split(",")[0] for v in bazaar.versions[merchant]}
    )
    assert len(merchants) == 4
    assert sum(count >= 3 for count in names.values()) >= 4


def test_seasonal_edits_keep_the_goods(bazaar: Market) -> None:
    """Most listings get words in front, and lose them again."""
    for merchant, onset in bazaar.truth.hard_negatives["seasonal_edits"].onsets.items():
        before = {v.listing_id: v.title for v in bazaar.versions[merchant] if v.occurred_at < onset}
        during = {v.listing_id: v.title for v in bazaar.versions[merchant] if onset <= v.occurred_at < onset + DAY_MS}
        kept = [listing for listing in before if listing in during]
        assert len(kept) >= 0.5 * len(before) - 3 and kept
        assert all(during[listing].endswith(before[listing]) for listing in kept)
        after = {v.listing_id: v.title for v in bazaar.versions[merchant] if v.occurred_at > onset + 15 * DAY_MS}
        assert any(after.get(listing) == before[listing] for listing in kept)
