import logging
from collections.abc import Collection, Iterator

import msgspec
import pytest

from detectors import model as models
from detectors.apply import Core
from detectors.examples import BEHAVIOURS, CHALLENGES, LABELS, LISTINGS, STAGE_LABELS
from detectors.flush import Emit, Flush
from detectors.judge import Judge, fresh_models
from detectors.signing import Signer
from features.merchant import STATE_VERSION, MerchantRecord
from features.shard import Needed, Record, ShardState
from features.windows import DAY_MS
from streams.intake import Intake
from streams.models import ANOMALY, BAD_ORDER, CATEGORY, CHALLENGER
from streams.snapshot import BLOBS, LISTS, METRICS, Changes, encoding_ahead, evict, restore, take_changes
from streams.store import Position, StoreError
from tests.streams.shard_fakes import TOPICS, MemoryStore, Shelf, load_needed, make_judge, marketplace

SIZE = 150


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much, and holds every other minor decision out."""
    return make_judge(publish_level=1, audit_rate=0.2, holdout_rate=0.5)


@pytest.fixture(scope="module")
def flushes() -> list[Flush]:
    """A small marketplace's events in flushes."""
    return list(_flushes())


def _flushes() -> Iterator[Flush]:
    intake = Intake(TOPICS, 0, 1_000_000, lambda _: 0)
    for topic, records in marketplace().items():
        if records:
            intake.offer(topic, records)
    sequence = 0
    while len(intake):
        sequence += 1
        yield Flush(sequence, intake.take(SIZE))


def fresh_core(judge: Judge) -> Core:
    """A shard that has seen nothing."""
    return Core(ShardState(0), fresh_models(42), judge)


async def work(core: Core, store: MemoryStore, flush: Flush) -> list[Emit]:
    """Load and apply a flush."""
    events = core.decode(flush)
    await load_needed(store, core.state, core.needed(flush, events))
    return core.apply(flush, events)


async def put(store: MemoryStore, sequence: int, changes: Changes) -> None:
    """Store changes as the checkpoint after a flush."""
    shelf = store.shelf
    position = Position(sequence=sequence)
    await store.checkpoint(shelf.sequence, position, changes.values, changes.deleted, changes.timers, changes.appends)


async def claimed(shelf: Shelf) -> MemoryStore:
    """A store over a shelf."""
    store = MemoryStore(shelf, "w")
    await store.claim()
    return store


async def test_encoding_ahead_bit_by_bit_changes_no_byte(judge: Judge, flushes: list[Flush]) -> None:
    """Whatever comes between two records that are encoded ahead, flushes or checkpoints, the checkpoints are those of a
    shard that encodes everything when one is due.
    """
    steady, ahead = fresh_core(judge), fresh_core(judge)
    stores = await claimed(Shelf()), await claimed(Shelf())
    encoding = encoding_ahead(ahead.state)
    encoded = 0
    for number, flush in enumerate(flushes, 1):
        await work(steady, stores[0], flush)
        await work(ahead, stores[1], flush)
        for _ in range(17 * number % 40):
            if next(encoding, "over") == "over":
                encoding = encoding_ahead(ahead.state)
                break
        waiting = [*ahead.state.touched_merchants.values(), *ahead.state.touched_orders.values()]
        encoded += sum(value is not None for value in waiting)
        if number % 4 == 0:
            changes = take_changes(steady), take_changes(ahead)
            assert changes[0] == changes[1]
            for store, each in zip(stores, changes, strict=True):
                await put(store, number, each)
    assert encoded


async def test_a_restored_shard_goes_on_as_if_it_had_never_stopped(judge: Judge, flushes: list[Flush]) -> None:
    """A shard built anew from the store after every flush gives the outputs and the bytes of one that lives on."""
    one, many = await claimed(Shelf()), await claimed(Shelf())
    living = fresh_core(judge)
    held_out = 0
    for flush in flushes:
        again = restore(0, await many.load(BLOBS, LISTS), judge, fresh_models(42))
        emits = await work(again, many, flush)
        assert emits == await work(living, one, flush)
        held_out += sum(b'"withheld"' in (emit.value or b"") for emit in emits)
        await put(one, flush.sequence, take_changes(living))
        await put(many, flush.sequence, take_changes(again))
        assert many.shelf == one.shelf
    assert len(one.shelf.values) > 100
    assert held_out


async def test_changes_are_those_since_the_last_time(judge: Judge, flushes: list[Flush]) -> None:
    """What was touched is taken once; a flush that touches one merchant leaves the others out."""
    core, store = fresh_core(judge), await claimed(Shelf())
    for flush in flushes[:5]:
        await work(core, store, flush)
    everything = take_changes(core)
    assert {key.partition(":")[0] for key in everything.values} >= {"m", "o", "l", "clock", "statistics", "population"}
    assert everything.timers
    nothing = take_changes(core)
    assert set(nothing.values) == (set(BLOBS) | {METRICS}) - {CATEGORY, CHALLENGER}
    assert (nothing.deleted, nothing.timers) == ([], {})
    record = next(record for record in flushes[5].records if record.kind == "listings")
    await work(core, store, Flush(6, [record]))
    assert record.key is not None
    merchant = record.key.decode()
    owners = {key.split(":")[1] for key in take_changes(core).values if key[:2] in ("m:", "o:", "l:")}
    assert owners == {merchant}


async def test_changes_are_a_cut(judge: Judge, flushes: list[Flush]) -> None:
    """What later flushes do does not reach changes that were taken before."""
    core, store = fresh_core(judge), await claimed(Shelf())
    for flush in flushes[:4]:
        await work(core, store, flush)
    changes = take_changes(core)
    copy = msgspec.msgpack.encode(changes)
    for flush in flushes[4:8]:
        await work(core, store, flush)
    assert msgspec.msgpack.encode(changes) == copy


async def test_orders_past_their_retention_are_deleted(flushes: list[Flush]) -> None:
    """An order leaves state, store and timers when nothing can be expected of it any more."""
    core, store = fresh_core(make_judge(retention_days=1)), await claimed(Shelf())
    deleted: list[str] = []
    for flush in flushes:
        await work(core, store, flush)
        changes = take_changes(core)
        deleted += changes.deleted
        await put(store, flush.sequence, changes)
    assert len(deleted) > 50
    gone = [key for key in deleted if key not in store.shelf.values]
    assert len(gone) > 50
    assert not [key for key in gone if key[2:] in core.state.orders]
    orders = {key[2:] for key in store.shelf.values if key.startswith("o:")}
    assert {key[1:] for key in store.shelf.timers if key.startswith("o")} == orders


async def test_only_what_is_missing_is_loaded(judge: Judge, flushes: list[Flush]) -> None:
    """Records in the caches are not read again; those that do not exist do not appear."""
    core, store = fresh_core(judge), await claimed(Shelf())
    for flush in flushes[:3]:
        await work(core, store, flush)
    await put(store, 3, take_changes(core))
    merchant = next(iter(core.state.merchants))
    order = next(iter(core.state.orders))
    listing = next(iter(core.state.listings))
    del core.state.merchants[merchant]
    del core.state.orders[order]
    store.reads.clear()
    await load_needed(store, core.state, Needed({merchant, "nobody"}, {order, "no:order"}, {listing}))
    assert sorted(store.reads) == sorted([f"m:{merchant}", "m:nobody", f"o:{order}", "o:no:order"])
    assert merchant in core.state.merchants
    assert order in core.state.orders
    assert "nobody" not in core.state.merchants
    assert "no:order" not in core.state.orders


async def test_a_merchant_of_a_newer_version_is_refused(judge: Judge) -> None:
    """The message names the merchant and says what to do."""
    shelf = Shelf(values={"m:m1": msgspec.json.encode(MerchantRecord(version=STATE_VERSION + 1))})
    core, store = fresh_core(judge), await claimed(shelf)
    with pytest.raises(StoreError, match=r"merchant m1 was stored by a newer version .* upgrade this worker"):
        await load_needed(store, core.state, Needed({"m1"}))


async def test_eviction_keeps_what_is_not_stored(judge: Judge, flushes: list[Flush]) -> None:
    """The cache shrinks to its limit by what is stored; what was touched since stays whatever the limit."""
    core, store = fresh_core(judge), await claimed(Shelf())
    state = core.state
    for flush in flushes[:4]:
        await work(core, store, flush)
    size = len(state.merchants) + len(state.orders) + len(state.listings)
    assert evict(state, 10) == 0
    take_changes(core)
    assert evict(state, size) == 0
    assert evict(state, size - 7) == 7
    assert len(state.merchants) + len(state.orders) + len(state.listings) == size - 7
    await work(core, store, flushes[4])
    touched = set(state.touched_merchants), set(state.touched_orders), set(state.touched_listings)
    evict(state, 0)
    assert (set(state.merchants), set(state.orders), set(state.listings)) == touched


async def test_what_was_used_least_recently_leaves_first(judge: Judge, flushes: list[Flush]) -> None:
    """What was loaded first but used again since another checkpoint outlives what was not; every kind gives some."""
    core, store = fresh_core(judge), await claimed(Shelf())
    state = core.state
    for flush in flushes[:4]:
        await work(core, store, flush)
    take_changes(core)
    first = next(iter(state.merchants))
    old = {kind: set(cache) for kind, cache in _caches(state)}
    for flush in flushes[4:6]:
        await work(core, store, flush)
    used = {kind: set(touched) for kind, touched in _touched(state)}
    take_changes(core)
    size = sum(len(cache) for _, cache in _caches(state))
    idle = {kind: old[kind] - used[kind] for kind in old}
    assert evict(state, size - 12) == 12
    for kind, cache in _caches(state):
        left = old[kind] - set(cache)
        assert left <= idle[kind]
        assert left or not idle[kind]
        assert used[kind] <= set(cache)
    assert (first in state.merchants) or first in idle["m"]


def _caches(state: ShardState) -> list[tuple[str, Collection[str]]]:
    return [("m", state.merchants), ("o", state.orders), ("l", state.listings)]


def _touched(state: ShardState) -> list[tuple[str, Collection[str]]]:
    return [("m", state.touched_merchants), ("o", state.touched_orders), ("l", state.touched_listings)]


async def test_keys_are_those_of_live_entities() -> None:
    """After two years of shops that come and go, store, timers and memory hold what is live and no more; and a shard
    that is restored all the time stays the same as one that lives on, byte for byte.
    """
    judge = make_judge(publish_level=4, audit_rate=0.0, removed_listing_days=20, idle_listing_days=40)
    one, many = await claimed(Shelf()), await claimed(Shelf())
    living = fresh_core(judge)
    largest = 0
    for number, flush in enumerate(churn(quarters=12), 1):
        again = restore(0, await many.load(BLOBS, LISTS), judge, fresh_models(42))
        assert await work(again, many, flush) == await work(living, one, flush)
        await put(one, number, take_changes(living))
        await put(many, number, take_changes(again))
        assert many.shelf == one.shelf
        keys = {name for name in one.shelf.values if name[:2] in ("m:", "o:", "l:")}
        state = living.state
        live = {f"m:{key}" for key in state.merchants} | {f"o:{key}" for key in state.orders}
        assert keys == live | {f"l:{key}" for key in state.listings}
        stubs = {f"m{key}" for key, merchant in state.merchants.items() if not merchant.record.timer}
        assert set(one.shelf.timers) == {name[0] + name[2:] for name in keys} - stubs
        largest = max(largest, len(keys))
        if number % 4 == 0:
            evict(living.state, 3)
            await load_needed(one, living.state, needed_again(keys))
    assert largest > 40
    stubs_left = [merchant.record.sequence for merchant in living.state.merchants.values()]
    assert all(stubs_left)
    assert len([name for name in one.shelf.values if name[:2] in ("o:", "l:")]) == 0


def churn(quarters: int) -> Iterator[Flush]:
    """Each quarter three new shops list four things, sell some of them and are never heard of again; then silence."""
    start, day, offset = 1_780_000_000_000, DAY_MS, 0
    for number in range(1, quarters + 9):
        at, records = start + number * 91 * day, []
        for shop in [f"shop{number}-{each}" for each in range(3)] if number <= quarters else []:
            for index in range(4):
                listing = {"listing_id": f"l{index}", "title": "Mug", "category": "home", "price": 500 + index}
                records.append(("listings", shop, {"type": "listing.created", **listing, "currency": "USD"}))
                if index % 2:
                    order = {"type": "order.created", **_created(f"o{index}"), "order_id": f"o{index}"}
                    records.append(("orders", shop, order))
        flush = []
        for topic, shop, fields in records:
            offset += 1
            event = {"event_id": f"e{offset}", "occurred_at": at + offset, "merchant_id": shop, **fields}
            value = msgspec.json.encode(event)
            flush.append(Record(topic, topic, 0, offset, at + offset, shop.encode(), value))  # type: ignore[arg-type]
        yield Flush(number, flush, at + day)


def needed_again(names: Collection[str]) -> Needed:
    """All of these."""
    merchants, orders, listings = ({name[2:] for name in names if name[:2] == kind} for kind in ("m:", "o:", "l:"))
    return Needed(merchants, orders, listings)


@pytest.mark.parametrize("harm", ["damaged", "truncated", "swapped", "another key", "another shard", "older River"])
async def test_a_model_that_can_not_be_continued_is_trained_anew(
    judge: Judge,
    flushes: list[Flush],
    harm: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the kept examples, with a warning that says why; the rest of the state is as it was, and no checkpoint is
    in the way of the next.
    """
    core, store = fresh_core(judge), await claimed(Shelf())
    for flush in flushes:
        await work(core, store, flush)
        if harm == "older River" and flush is flushes[-1]:
            monkeypatch.setattr(models, "_RIVER", "0.1.0")
            core.models.category.changed = True
        await put(store, flush.sequence, take_changes(core))
    monkeypatch.undo()
    shelf, partition, reader = store.shelf, 0, judge
    values = shelf.values
    match harm:
        case "damaged":
            values[ANOMALY] = values[ANOMALY][:-1] + bytes([values[ANOMALY][-1] ^ 1])
            values[BAD_ORDER] = values[CATEGORY] = b"no snapshot"
        case "truncated":
            values[ANOMALY], values[BAD_ORDER], values[CATEGORY] = values[ANOMALY][:-9], b"", values[CATEGORY][:-9]
        case "swapped":
            values[ANOMALY], values[BAD_ORDER], values[CATEGORY] = values[BAD_ORDER], values[CATEGORY], values[ANOMALY]
        case "another key":
            reader = Judge(judge.settings, judge.policies, judge.pseudonyms, Signer(b"another key, of some length"))
        case "another shard":
            partition = 1
        case _:
            pass
    with caplog.at_level(logging.WARNING):
        again = restore(partition, await store.load(BLOBS, LISTS), reader, fresh_models(42))
    kept = {name: len(shelf.lists[name]) for name in LISTS if name != CHALLENGES}
    assert min(kept.values()) > 20
    why = "from River 0.1.0" if harm == "older River" else "signature is wrong"
    every = harm in {"another key", "another shard", "older River"}
    lists = (BEHAVIOURS, *(STAGE_LABELS if every else (LABELS,)), LISTINGS)
    # The watch over drift has nothing to be trained from.
    expected = [f"is trained anew from {count} kept" for count in [*(kept[name] for name in lists), *([0] * every)]]
    assert all(part in message and why in message for part, message in zip(expected, caplog.messages, strict=True))
    assert again.models.bad_order.metrics().labels == kept[LABELS]
    assert again.models.anomaly.learned == kept[BEHAVIOURS]
    assert again.models.category.learned == kept[LISTINGS]
    twin = restore(partition, await store.load(BLOBS, LISTS), reader, fresh_models(42))
    assert twin.models.bad_order.snapshot() == again.models.bad_order.snapshot()
    assert twin.models.anomaly.snapshot() == again.models.anomaly.snapshot()
    assert again.state.statistics == core.state.statistics
    assert again.state.clock == core.state.clock
    caplog.clear()
    await put(store, flushes[-1].sequence + 1, take_changes(again))
    restore(partition, await store.load(BLOBS, LISTS), reader, fresh_models(42))
    assert caplog.messages == []


async def test_the_challenger_goes_on_as_if_nothing_had_happened(
    judge: Judge, flushes: list[Flush], caplog: pytest.LogCaptureFixture
) -> None:
    """Its forests are grown again from the kept examples; with one of them lost it begins anew, and says so."""
    store = await claimed(Shelf())
    core = Core(ShardState(0), fresh_models(42, challenger=True), judge)
    for flush in flushes:
        await work(core, store, flush)
        await put(store, flush.sequence, take_changes(core))
    forest = core.models.challenger
    assert forest is not None
    assert forest.history > 5
    again = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(42, challenger=True)).models.challenger
    assert again is not None
    assert again.snapshot() == forest.snapshot()
    store.shelf.lists[CHALLENGES] = store.shelf.lists[CHALLENGES][1:]
    with caplog.at_level(logging.WARNING):
        anew = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(42, challenger=True)).models.challenger
    assert anew is not None
    assert anew.history == 0
    assert any("bad-order-forest is begun anew" in message for message in caplog.messages)
    # One that was switched off meanwhile is not missed.
    assert restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(42)).models.challenger is None


def test_the_caches_hold_records() -> None:
    """A guard for the tests above: their events reach merchants, orders and listings."""
    records: list[Record] = [record for flush in _flushes() for record in flush.records]
    assert {record.kind for record in records} == {"merchants", "listings", "orders"}


def _order_events(*events: tuple[str, int, dict[str, object]]) -> list[Flush]:
    """One flush an event of a merchant's orders: type, days since the first, and its fields."""
    flushes = []
    for number, (kind, day, fields) in enumerate(events, 1):
        at = 1_780_000_000_000 + day * DAY_MS
        event = {"event_id": f"e{number}", "type": kind, "occurred_at": at, "merchant_id": "m", **fields}
        record = Record("orders", "orders", 0, number, at, b"m", msgspec.json.encode(event))
        flushes.append(Flush(number, [record]))
    return flushes


def _created(order_id: str) -> dict[str, object]:
    items = [{"listing_id": "l", "quantity": 1, "unit_price": 500}]
    return {"order_id": order_id, "buyer_id": "b", "items": items, "total": 500, "currency": "USD"}


@pytest.mark.parametrize("in_flight", [False, True])
async def test_an_order_past_its_retention_does_not_come_back_from_the_store(judge: Judge, in_flight: bool) -> None:
    """An event of a retired order finds no order, whether its deletion is yet to come or under way."""
    core, store = fresh_core(judge), await claimed(Shelf())
    placed, later, stray = _order_events(
        ("order.created", 0, _created("a")),
        ("order.created", 200, _created("b")),
        ("order.disputed", 200, {"order_id": "a", "reason": "late"}),
    )
    await work(core, store, placed)
    await put(store, 1, take_changes(core))
    await work(core, store, later)
    assert "o:m:a" in store.shelf.values
    changes = take_changes(core) if in_flight else None
    await work(core, store, stray)
    if changes is not None:
        await put(store, 2, changes)
    await put(store, 3, take_changes(core))
    stored = msgspec.json.decode(store.shelf.values["o:m:a"])
    assert "created" not in stored
    assert store.shelf.timers["om:a"] == stored["timer"]
