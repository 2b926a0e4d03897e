"""Honest trouble looks like an attack in one respect and like honest trade in all others."""

from collections import Counter

from features.events import OrderShipped
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
