"""Creators in the simulator: who drives what, and what the truth says of them."""

from collections import Counter
from typing import Any

from features.events import OrderCreated
from streams.simulator import CREATOR_NAMES, Plan, SimulatorConfig
from streams.simulator.plans import CREATOR_PATTERNS, attackers_of, default_counts
from tests.streams.simulator.market import Market


def _market(**plans: Plan) -> Market:
    size: dict[str, Any] = {"seed": 21, "merchants": 30, "orders_per_day": 5, "span_days": 60, **plans}
    return Market(SimulatorConfig(**size))


def _driven(market: Market, creator: str) -> Counter[str]:
    """Orders of a creator by merchant."""
    return Counter(
        event.merchant_id for event in market.events if isinstance(event, OrderCreated) and event.creator_id == creator
    )


def test_creators_scenarios_happen_only_where_they_are_asked_for() -> None:
    """No default has them, and an occurrence brings as many malicious shops as it says."""
    assert not any(default_counts(5_000)[name] for name in CREATOR_NAMES)
    assert [attackers_of(name, 2) for name in CREATOR_NAMES] == [6, 2]


def test_every_creator_is_named() -> None:
    """Who drives an order is honest or labelled, and nobody is both."""
    market = _market(bad_promoter=Plan(1), deceived_creator=Plan(1))
    truth = market.truth
    creators = {event.creator_id for event in market.events if isinstance(event, OrderCreated) and event.creator_id}
    honest, bad = set(truth.honest_creators), set(truth.creators)
    assert creators <= honest | bad
    assert not honest & bad
    assert {creator for ids in truth.creator_traps.values() for creator in ids} < honest


def test_a_bad_promoter_lives_off_its_ring() -> None:
    """Each of two has three shops of its own, most of whose orders it drives, and they are counterfeiters."""
    market = _market(bad_promoter=Plan(2))
    truth = market.truth
    assert len(truth.creators) == 2
    shops = truth.promotions["bad_promoter"].merchants
    assert len(shops) == 6
    assert {truth.attackers()[shop] for shop in shops} == {CREATOR_PATTERNS["bad_promoter"]}
    assert not set(shops) & set(truth.honest)
    for creator in truth.creators:
        driven = _driven(market, creator)
        own = [shop for shop in shops if shop in driven]
        assert len(own) == 3
        assert sum(driven[shop] for shop in own) > 0.5 * driven.total()


def test_stealth_promotes_more_honest_goods() -> None:
    """In the open hardly any of what a bad promoter drives is an honest shop's."""
    shares = []
    for stealth in (0.0, 1.0):
        market = _market(bad_promoter=Plan(1, stealth=stealth))
        (creator,) = market.truth.creators
        driven = _driven(market, creator)
        shares.append(sum(driven[shop] for shop in market.truth.honest) / driven.total())
    assert shares[0] < shares[1]


def test_a_deceived_creator_is_honest() -> None:
    """It drives most of what the bad shop sells, and works with honest ones too."""
    market = _market(deceived_creator=Plan(1))
    truth = market.truth
    assert not truth.creators
    ((creator,),) = truth.creator_traps.values()
    (shop,) = truth.promotions["deceived_creator"].merchants
    assert truth.attackers() == {shop: "bust_out"}
    driven = _driven(market, creator)
    orders = sum(isinstance(event, OrderCreated) and event.merchant_id == shop for event in market.events)
    assert driven[shop] > 0.5 * orders
    assert len(driven) == 3


def test_asking_for_creators_changes_nobody_else() -> None:
    """Honest merchants and their orders are the same with and without, but for what the creators add."""
    with_, without = _market(deceived_creator=Plan(1)), _market()
    assert with_.truth.honest == without.truth.honest[: len(with_.truth.honest)]
