"""One shard as a whole: deterministic, whatever the flushes; time, bad input and repeats."""

from collections import Counter, defaultdict
from itertools import pairwise
from math import isfinite
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.flush import Emit, Flush
from detectors.judge import Judge
from features.outputs import LEVELS, RiskAssessed, ShardOutput, Standing
from features.registry import FEATURES
from features.shard import Record
from tests.builders import (
    DAY,
    HOUR,
    START,
    Shard,
    as_record,
    listed,
    make_judge,
    marketplace,
    of_order,
    outputs,
    placed,
    shipped,
    stored,
    tracked,
)
from tests.strategies import Event, event_streams


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=1, audit_rate=0.1)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """A small marketplace's records."""
    return marketplace()


def run(judge: Judge, records: list[Record], size: int) -> Shard:
    """A shard that has seen records in flushes of a size."""
    shard = Shard(judge)
    for start in range(0, len(records), size):
        shard.flush(records[start : start + size])
    return shard


@pytest.fixture(scope="module")
def seen(judge: Judge, records: list[Record]) -> Shard:
    """A shard that has seen the marketplace."""
    return run(judge, records, 500)


# -- determinism ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [500, 97, 10**9])
def test_flushes_decide_nothing(judge: Judge, records: list[Record], seen: Shard, size: int) -> None:
    """The same records, again or in other portions, give the same outputs and the same bytes of state."""
    again = run(judge, records, size)
    assert again.emits == seen.emits
    assert stored(again.core) == stored(seen.core)


def test_decoded_events_may_be_given(judge: Judge, records: list[Record], seen: Shard) -> None:
    """Whoever has decoded a flush already gets the same from it."""
    shard = Shard(judge)
    flush = Flush(1, records)
    emits = shard.core.apply(flush, shard.core.decode(flush))
    assert [emit for emit in emits if emit.stream != "exchange"] == seen.emits


def test_a_flush_reads_only_what_it_says_it_needs(judge: Judge, records: list[Record], seen: Shard) -> None:
    """With caches that hold nothing but what was asked for, the outputs are the same."""
    shard = Shard(judge)
    state = shard.state
    caches: list[dict[str, Any]] = [state.merchants, state.orders, state.listings]
    shelves: list[dict[str, Any]] = [{}, {}, {}]
    for number, start in enumerate(range(0, len(records), 250), 1):
        flush = Flush(number, records[start : start + 250])
        events = shard.core.decode(flush)
        needed = shard.core.needed(flush, events)
        asked = needed.merchants, needed.orders, needed.listings
        for cache, shelf, keys in zip(caches, shelves, asked, strict=True):
            assert not cache
            cache.update({key: shelf.pop(key) for key in keys if key in shelf})
        shard.emits += [emit for emit in shard.core.apply(flush, events) if emit.stream != "exchange"]
        for cache, shelf in zip(caches, shelves, strict=True):
            shelf.update(cache)
            cache.clear()
    assert shard.emits == seen.emits


@given(event_streams(max_merchants=2, listings=True), st.data())
@settings(max_examples=40, deadline=None)
def test_repeated_events_change_nothing(judge: Judge, events: list[Event], data: st.DataObject) -> None:
    """A stream in which any event may come again, at once or later, leaves the state and the outputs as they were."""
    records = [as_record(event, offset) for offset, event in enumerate(events)]
    at = data.draw(st.lists(st.integers(0, max(0, len(events) - 1)), max_size=8)) if events else []
    repeated: list[Record] = []
    for offset, record in enumerate(records):
        repeated.append(record)
        again = records[data.draw(st.integers(0, offset))]
        repeated += [msgspec.structs.replace(again, offset=10**6)] * at.count(offset)
    once, more = Shard(judge), Shard(judge)
    once.flush(records)
    more.flush(repeated)
    assert more.emits == once.emits
    statistics = more.state.statistics
    assert statistics.duplicates == once.state.statistics.duplicates + len(at)
    statistics.records -= len(at)
    statistics.duplicates -= len(at)
    assert stored(more.core) == stored(once.core)


# -- outputs ----------------------------------------------------------------------------------------------------------


def test_ids_are_unique(seen: Shard) -> None:
    """No two messages share an id, and each carries its own."""
    assert len(seen.emits) > 200
    assert len({emit.id for emit in seen.emits}) == len(seen.emits)
    for emit in seen.emits:
        assert dict(emit.headers)["ce_id"] == emit.id.encode()


def test_sequences_have_no_gap(seen: Shard) -> None:
    """The events of each merchant are numbered from one, in the order in which they come; a standing carries the
    number of the event that it reflects.
    """
    last: Counter[str] = Counter()
    for emit in seen.emits:
        if emit.stream == "events":
            (output,) = outputs([emit])
            assert not isinstance(output, ShardOutput)
            last[output.merchant_id] += 1
            assert output.sequence == last[output.merchant_id]
        else:
            standing = msgspec.json.decode(emit.value or b"", type=Standing)
            assert standing.sequence == last[standing.merchant_id]
    assert last == {name: one.record.sequence for name, one in seen.state.merchants.items() if one.record.sequence}


def test_each_order_is_assessed_once_when_it_is_placed(judge: Judge, records: list[Record]) -> None:
    """Every order has the id of one assessment, its own, and with everything published each is there."""
    shard = run(make_judge(judge.policies, publish_level=0, audit_rate=0.0, retention_days=400), records, 1000)
    created = [event for record in records if (event := orjson.loads(record.value or b""))["type"] == "order.created"]
    orders = shard.state.orders
    assert len(created) == shard.state.statistics.orders == sum(one.created is not None for one in orders.values())
    published: defaultdict[str, list[RiskAssessed]] = defaultdict(list)
    for output in shard.outputs(RiskAssessed):
        if output.subject.kind == "order":
            published[f"{output.merchant_id}:{output.subject.id}"].append(output)
    for event in created:
        key = f"{event['merchant_id']}:{event['order_id']}"
        first = published[key][0]
        assert orders[key].assessment == first.assessment_id
        levels = [LEVELS.index(one.level) for one in published[key]]
        assert all(before < after for before, after in pairwise(levels)), "judged again only to say worse"
    assert len({order.assessment for order in orders.values()}) == len(orders)


def test_every_feature_is_finite_and_in_its_unit(judge: Judge, records: list[Record]) -> None:
    """With all features in the outputs, shares lie between 0 and 1, flags are flags, and nothing is negative that
    cannot be.
    """
    shard = run(make_judge(judge.policies, audit_rate=1.0, all_features=True), records[:2500], 1000)
    assessed = shard.outputs(RiskAssessed)
    assert {one.subject.kind for one in assessed} == {"merchant", "order", "listing"}
    for output in assessed:
        assert len(output.features) > 100
        for name, value in output.features.items():
            assert isfinite(value), name
            if FEATURES[name].unit == "0 or 1":
                assert value in (0, 1), name
            elif name == "discount_share":
                assert value <= 1, name
            elif "0 to 1" in FEATURES[name].unit:
                assert 0 <= value <= 1, (name, value)
            elif name != "scan_before_order_hours":
                assert value >= 0, (name, value)


# -- bad input --------------------------------------------------------------------------------------------------------


def test_bad_records_go_to_the_dead_letters_and_good_ones_go_on(judge: Judge) -> None:
    """Key, bytes and headers are untouched, the reason and the coordinates are added, and the orders around count."""
    headers = (("trace", b"\xff\x00"), ("trace", b"2"))
    bad = [
        Record("orders", "orders", 0, 2, START, None, None, headers),
        Record("orders", "orders", 0, 3, START, b"m1", b"{", headers),
        Record("orders", "orders", 0, 4, START, b"\xff", orjson.dumps(placed("o2")), headers),
        Record("listings", "x.listings", 0, 5, START + 7, b"m1", orjson.dumps(placed("o2")), headers),
        Record("orders", "orders", 0, 6, START, b"m1", b" " * 300_000, headers),
        as_record(placed("o2", at=25 * HOUR), 7, timestamp=START),
    ]
    shard = Shard(judge)
    emits = shard.flush([as_record(placed("o1"), 1), *bad, as_record(placed("o3"), 8)])
    letters = [emit for emit in emits if emit.stream == "dead_letters"]
    assert [(emit.key, emit.value) for emit in letters] == [(record.key, record.value) for record in bad]
    for record, letter in zip(bad, letters, strict=True):
        assert letter.headers[: len(record.headers)] == record.headers
        added = dict(letter.headers[len(record.headers) :])
        assert added["dlq_topic"] == record.topic.encode()
        assert added["dlq_partition"] == b"0"
        assert added["dlq_offset"] == str(record.offset).encode()
        assert added["dlq_at"] == str(record.timestamp).encode()
        assert added["dlq_detail"]
    reasons = [dict(emit.headers)["dlq_reason"] for emit in letters]
    assert reasons == [b"empty", b"undecodable", b"wrong_key", b"wrong_topic", b"oversize", b"future"]
    assert set(shard.state.orders) == {"m1:o1", "m1:o3"}
    statistics = shard.state.statistics
    assert (statistics.records, statistics.rejected, statistics.events) == (8, 6, 2)


@given(st.lists(st.binary(max_size=40), max_size=5))
@settings(max_examples=50, deadline=None)
def test_no_record_is_lost(judge: Judge, values: list[bytes]) -> None:
    """Whatever bytes come, each record is an event or a dead letter."""
    shard = Shard(judge)
    emits = shard.apply(*values)
    assert [emit.value for emit in emits if emit.stream == "dead_letters"] == values


# -- time -------------------------------------------------------------------------------------------------------------


def late(shard: Shard) -> float | None:
    """Orders of the last seven days that are late."""
    return shard.feature("late_shipments_7d")


def test_an_order_that_is_never_shipped_is_found_by_the_watermark(judge: Judge) -> None:
    """Other merchants' events move time on: late once ship-by and the allowed lateness have passed, not a millisecond
    before.
    """
    shard = Shard(judge)
    shard.apply(placed())
    others = (placed(f"p{index}", at=2 * DAY + HOUR + index, merchant="m2") for index in (0, 1))
    shard.apply(next(others))
    assert (late(shard), shard.order().ship_overdue) == (0, False)
    shard.apply(next(others))
    assert (late(shard), shard.order().ship_overdue) == (1, True)
    assert shard.feature("unshipped_overdue_orders") == 1
    assert shard.merchant().record.as_of == START + 2 * DAY + 1


def test_a_tick_moves_a_quiet_shard_on(judge: Judge) -> None:
    """Without any event, a tick is what time is; one that goes back is ignored."""
    shard = Shard(judge)
    shard.apply(placed(), tick=2 * DAY)
    assert late(shard) == 0
    shard.apply(tick=2 * DAY + 1)
    assert late(shard) == 1
    shard.apply(tick=DAY)
    assert shard.state.clock.watermark == START + 2 * DAY + 1


def test_an_event_from_the_future_does_not_take_the_shard_along(judge: Judge) -> None:
    """An event dated hours after its record moves the watermark no further than that record's own timestamp."""
    shard = Shard(judge)
    shard.apply(placed(), placed("o2", at=2 * DAY - HOUR, merchant="m2"))
    shard.apply(placed("o3", at=3 * DAY - HOUR, merchant="m2"), timestamp=START + 2 * DAY - HOUR)
    assert shard.state.clock.watermark == START + 2 * DAY - 2 * HOUR
    assert late(shard) == 0


def test_other_topics_do_not_move_the_watermark(judge: Judge) -> None:
    """Listings may run ahead of orders without making them late."""
    shard = Shard(judge)
    shard.apply(placed(), listed(at=10 * DAY), timestamp=START + 10 * DAY)
    assert shard.state.clock.highest == START
    assert not shard.order().ship_overdue


def test_timers_fire_before_the_event_that_moved_time_on(judge: Judge) -> None:
    """In order of time, and with the id of the record that made them due."""
    shard = Shard(make_judge(judge.policies, publish_level=0, audit_rate=0.0))
    for index in range(8):
        shard.apply(placed(f"o{index}", at=index))
    emits = shard.apply(placed("last", at=4 * DAY))
    subjects = [output.subject.id for output in outputs(emits) if isinstance(output, RiskAssessed)]
    assert subjects[-1] in ("last", "m1")
    assert subjects.index("last") == len(subjects) - subjects[::-1].index("last") - 1
    assert all(emit.id.startswith("orders-0-8-") for emit in emits)
    assert shard.state.statistics.timers == 8


@given(st.permutations(range(6)))
@settings(max_examples=60, deadline=None)
def test_the_order_of_arrival_within_an_order_does_not_matter(judge: Judge, arrival: list[int]) -> None:
    """However the events of an order arrive, its facts, its flags and the merchant's counts are the same."""
    events = [
        placed(),
        shipped(at=2 * DAY + 1),
        tracked(at=-HOUR),
        tracked(at=4 * DAY, status="delivered"),
        of_order("return_requested", at=6 * DAY, reason="not_received"),
        of_order("reviewed", at=5 * DAY, rating=1),
    ]
    straight, shuffled = Shard(judge), Shard(judge)
    straight.apply(*events, tick=7 * DAY)
    for index in arrival:
        shuffled.apply(events[index])
    shuffled.apply(tick=7 * DAY)
    first, second = straight.order(), shuffled.order()
    for name in ("flags", "shipped", "first_scan", "delivered", "claims", "rating", "cancelled", "tracking"):
        assert getattr(first, name) == getattr(second, name), name
    # Priors are fitted when a day begins.
    for name, feature in FEATURES.items():
        if feature.window.endswith("0 d") and not name.endswith(("_shrunk", "_lower")):
            assert straight.feature(name) == shuffled.feature(name), name


def test_nothing_is_emitted_for_nothing(judge: Judge) -> None:
    """An empty flush changes no state and says nothing."""
    shard = Shard(judge)
    before = stored(shard.core)
    emits: list[Emit] = shard.apply()
    assert emits == []
    assert stored(shard.core) == before
