from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from config.policies import load_policies
from features.decode import InputLimits, TopicKind, decode
from features.events import ListingCreated, ListingRemoved, ListingVersion, OrderCreated, OrderEvent
from features.listing_text import compile_terms, listing_signals
from streams.simulator import Plan, Simulation, SimulatorConfig, simulate
from tests.streams.simulator.market import DAY_MS, Market

SMALL = SimulatorConfig.for_events(8_000, seed=3)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two simulations of one configuration, and two iterations of one simulation, are equal record for record."""
    simulation = Simulation(SMALL)
    first = list(simulation)
    truth = simulation.truth
    assert list(simulation) == first == list(simulate(SMALL))
    assert simulation.truth == truth


def test_another_seed_gives_another_marketplace() -> None:
    """Seeds share no event."""
    one = {record.value for record in simulate(SMALL)}
    other = {record.value for record in simulate(replace(SMALL, seed=4))}
    assert one.isdisjoint(other)


def test_the_worker_accepts_every_record(market: Market) -> None:
    """Each record passes the worker's own decoding: valid fields, right topic, key equal to the merchant."""
    limits = InputLimits()
    kinds: dict[str, TopicKind] = {"merchants": "merchants", "listings": "listings", "orders": "orders"}
    for record, event in zip(market.records, market.events, strict=True):
        assert decode(kinds[record.topic], record.key, record.value, record.timestamp, limits) == event
        assert record.timestamp == event.occurred_at


def test_records_come_in_the_order_of_event_time(market: Market) -> None:
    """Times never go back and lie between start and end."""
    times = [record.timestamp for record in market.records]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert market.config.start <= times[0]
    assert times[-1] < market.config.end


def test_event_ids_are_unique(market: Market) -> None:
    """No two events share an id."""
    assert len({event.event_id for event in market.events}) == len(market.events)


def test_orders_are_for_listings_on_sale_at_their_price(market: Market) -> None:
    """An order's lines name live listings of its merchant, at their present price; the total is their sum."""
    live: dict[str, ListingVersion] = {}
    for event in market.events:
        if isinstance(event, ListingVersion):
            live[event.listing_id] = event
        elif isinstance(event, ListingRemoved):
            del live[event.listing_id]
        elif isinstance(event, OrderCreated):
            for item in event.items:
                assert live[item.listing_id].merchant_id == event.merchant_id
                assert live[item.listing_id].price == item.unit_price
            assert event.total == sum(item.quantity * item.unit_price for item in event.items)


def test_merchants_register_before_anything_else_of_theirs(market: Market) -> None:
    """A merchant's first event is its registration, at most once, and at the latest when it happened."""
    seen: set[str] = set()
    for event in market.events:
        registered = type(event).__name__ == "MerchantRegistered"
        assert registered == (event.merchant_id not in seen)
        seen.add(event.merchant_id)
    assert len(seen) == market.truth.merchants


def test_an_order_begins_with_its_creation_unless_its_tracking_is_fake(market: Market) -> None:
    """Only fake tracking has events of an order before the order."""
    fakers = set(market.truth.attacks["fake_tracking"].merchants)
    for story in market.orders:
        if story.order.merchant_id not in fakers:
            assert story.events[0] is story.order
            assert sum(isinstance(event, OrderCreated) for event in story.events) == 1


def test_ids_do_not_tell_attackers(market: Market) -> None:
    """Ids of attackers look like all others and lie anywhere among them."""
    ids = sorted({event.merchant_id for event in market.events})
    assert all(len(merchant) == 16 and int(merchant, 16) >= 0 for merchant in ids)
    places = [ids.index(merchant) / len(ids) for merchant in market.attackers]
    assert len(places) == 13
    assert 0.25 < sum(places) / len(places) < 0.75
    assert max(places) - min(places) > 0.5


def test_switching_off_an_attack_leaves_the_others_as_they_were() -> None:
    """Each scenario has random numbers of its own."""
    config = SimulatorConfig(seed=2, merchants=100, orders_per_day=20, bust_out=Plan(3), brushing=Plan(2))
    both = Simulation(config).truth
    without = Simulation(replace(config, bust_out=Plan(0))).truth
    assert "bust_out" not in without.attacks
    onsets = [sorted(truth.attacks["brushing"].onsets.values()) for truth in (both, without)]
    assert onsets[0] == onsets[1]


def test_memory_does_not_grow_with_the_length_of_the_stream() -> None:
    """What waits to be put into the stream is as much after a year as after a quarter."""

    def most_waiting(span_days: float) -> int:
        config = SimulatorConfig(merchants=30, orders_per_day=15, span_days=span_days, carrier_strike=Plan(1))
        simulation = Simulation(config)
        most = 0
        for record in simulation:
            if record.topic == "orders":
                most = max(most, sum(map(len, simulation._world.schedule._hours.values())))
        return most

    assert most_waiting(300) < 1.3 * most_waiting(75)


def test_packaged_policies_find_nothing_in_honest_listings_and_much_in_fakes(market: Market) -> None:
    """Words, brands and permits of honest listings are clean; most listings of counterfeiters are not."""
    spec = load_policies().terms
    assert spec is not None
    terms = compile_terms(spec[0])
    fakers = set(market.truth.attacks["counterfeit"].merchants)
    caught: Counter[str] = Counter()
    for merchant, versions in market.versions.items():
        for version in versions:
            signals = listing_signals(version, terms)
            found = signals.replica_terms or signals.brand_unauthorised
            if merchant in fakers:
                caught["found" if found else "missed"] += 1
            else:
                assert not found, version
                assert not (signals.category_restricted or signals.category_prohibited), version
                assert signals.contact_terms == signals.prohibited_terms == signals.claim_terms == 0, version
    assert caught["found"] > caught["missed"]


@pytest.mark.parametrize("topic", ["merchants", "listings", "orders"])
def test_every_topic_has_its_share(market: Market, topic: str) -> None:
    """Orders are most of the traffic, listings about a tenth."""
    share = sum(record.topic == topic for record in market.records) / len(market.records)
    low, high = {"merchants": (0.003, 0.03), "listings": (0.05, 0.2), "orders": (0.8, 0.95)}[topic]
    assert low < share < high


def test_a_short_simulation_without_scenarios_works() -> None:
    """A day is enough when nothing has to unfold."""
    config = SimulatorConfig.for_events(5_000, span_days=1)
    assert not any(plan.count for plan in config.plans().values())
    records = list(islice(simulate(config), 100_000))
    assert any(isinstance(event, OrderEvent) for event in _decoded(config))
    assert records[-1].timestamp - records[0].timestamp <= DAY_MS


def _decoded(config: SimulatorConfig) -> list[object]:
    return list(Market(config).events)


def test_listings_are_as_the_contract_wants_them(market: Market) -> None:
    """Titles, categories, image hashes; a list price is above the price."""
    created = [event for event in market.events if isinstance(event, ListingCreated)]
    for listing in created:
        assert len(listing.title) > 8
        assert listing.category.count("/") == 1
        assert listing.image_hashes
        assert listing.list_price is None or listing.list_price > listing.price
    assert 0.3 < sum(listing.list_price is not None for listing in created) / len(created) < 0.6
