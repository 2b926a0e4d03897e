"""The core counts what the oracle counts, whatever happens to orders and in whatever order it is heard."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.apply import Core
from detectors.judge import Judge
from features.listing import ListingRecord
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population
from features.registry import FEATURES, Context
from features.shard import ShardState
from tests.builders import DAY, START, Shard, make_judge, placed, shipped
from tests.oracle import COUNTS, DENOMINATORS, RATES, WINDOWS, Order, expected, gather
from tests.oracle_claims import Claims
from tests.strategies import Event, event_streams

#: Every windowed feature that the oracle works out.
NAMES = [
    f"{name}_{days}d"
    for days in WINDOWS
    for name in ("orders", "gmv", *COUNTS.values(), *DENOMINATORS.values(), *(rate for rate, _ in RATES.values()))
] + ["late_buyer_cancels_30d", "failed_value_share_30d"]


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, for whom no order is too old for another event."""
    return make_judge(retention_days=200)


def check(shard: Shard, arrived: list[Event]) -> None:
    """Every count and rate of every merchant is what the oracle says of the events that arrived."""
    merchants = shard.state.merchants
    latest: dict[str, int] = {}
    for event in arrived:
        latest[event["merchant_id"]] = max(event["occurred_at"], latest.get(event["merchant_id"], 0))
    assert set(merchants) == set(latest)
    as_of = {name: merchant.record.as_of for name, merchant in merchants.items()}
    watermark = shard.state.clock.watermark
    for name, time in as_of.items():
        assert latest[name] <= time <= max(latest[name], watermark)
    for name, one in expected(arrived, as_of=as_of, watermark=watermark, excused=excused(arrived)).items():
        assert set(one.features) == set(NAMES)
        context = Context(merchants[name], shard.state.population)
        found = {feature: FEATURES[feature].get(context) for feature in NAMES}
        assert found == one.features, name


def excused(arrived: list[Event]) -> set[tuple[str, str]]:
    """Orders whose claims are held against their buyers, by the oracle."""
    claims, orders = Claims(), dict[tuple[str, str], Order]()
    for event in arrived:
        if event["type"].startswith("order."):
            order = orders.setdefault((event["merchant_id"], event["order_id"]), Order())
            if event["event_id"] not in order.seen:
                known = order.created
                gather(order, event)
                claims.arrive(event, order, known is None and order.created is not None)
    return {key for key, order in orders.items() if order.excused}


def stored_and_read(shard: Shard) -> None:
    """Put a shard's state through the bytes that would be stored."""
    core, state = shard.core, ShardState(0)
    for name, merchant in core.state.merchants.items():
        record = msgspec.json.decode(msgspec.json.encode(merchant.packed()), type=MerchantRecord)
        state.merchants[name] = Merchant(name, record)
    for key, order in core.state.orders.items():
        state.orders[key] = msgspec.json.decode(msgspec.json.encode(order), type=OrderRecord)
        assert state.orders[key] == order
    for key, listing in core.state.listings.items():
        state.listings[key] = msgspec.json.decode(msgspec.json.encode(listing), type=ListingRecord)
    state.population = msgspec.json.decode(msgspec.json.encode(core.state.population), type=Population)
    state.clock, state.statistics, state.timers = core.state.clock, core.state.statistics, core.state.timers
    shard.core = Core(state, core.models, shard.judge)


@given(event_streams(max_merchants=2, listings=True), st.integers(0, 80), st.sampled_from([0, 1, 3, 20, 40]), st.data())
@settings(max_examples=120, deadline=None)
def test_counts_and_rates_are_the_oracles(
    judge: Judge, events: list[Event], first: int, days: int, data: st.DataObject
) -> None:
    """In the middle of a stream and at its end, with time standing still or moved on, and with a restart between."""
    shard = Shard(judge)
    for number, (arrived, part) in enumerate([(events[:first], events[:first]), (events, events[first:])]):
        if part:
            cut = data.draw(st.integers(0, len(part)))
            shard.apply(*part[:cut])
            shard.apply(*part[cut:])
            # Timers that are set behind the watermark fire when it moves next.
            shard.flush([], shard.state.clock.highest + days * DAY + number)
            check(shard, arrived)
        stored_and_read(shard)


def test_amounts_in_another_currency_are_left_out(judge: Judge) -> None:
    """Orders count in any currency, turnover in that of the merchant's first order."""
    shard = Shard(judge)
    events = [placed("o1"), placed("o2", currency="USD", total=700), placed("o3", total=50)]
    shard.apply(*events)
    check(shard, events)
    assert (shard.feature("orders_7d"), shard.feature("gmv_7d")) == (3, 1050)


@pytest.mark.parametrize("days", [-400, -1, 0, 170, 200, 20_000])
def test_promises_that_cannot_be_meant_are_bounded(judge: Judge, days: int) -> None:
    """A promise before the order, or half a year after it, is late from its bound on, and no order is kept for ever."""
    shard = Shard(judge)
    promise = placed()["occurred_at"] + days * DAY
    events = [placed(ship_by=promise, deliver_by=promise), placed("o2", at=DAY)]
    shard.apply(*events)
    check(shard, events)
    for day in (2, 5, 150, 181, 182, 198):
        shard.apply(tick=day * DAY)
        check(shard, events)
    shard.apply(tick=500 * DAY)
    assert shard.state.orders == {}
    assert not [key for key in shard.state.timers.due(START + 2_000 * DAY) if key[0] == "o"]


def test_corrections_reach_counts_of_long_ago(judge: Judge) -> None:
    """A shipment reported two months late takes the lateness back where it was counted."""
    shard = Shard(judge)
    events = [placed(), placed("o2", at=50 * DAY)]
    shard.apply(*events, tick=50 * DAY)
    assert shard.feature("late_shipments_60d") == 1
    events.append(shipped(at=DAY))
    shard.apply(events[-1])
    check(shard, events)
    assert shard.feature("late_shipments_60d") == 0
