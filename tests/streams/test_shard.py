import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
import pytest

from detectors.flush import Emit
from detectors.judge import Judge
from features.shard import ShardClock, ShardState, Statistics
from streams.publish import PublishError
from streams.shard import ShardOptions, ShardRunner
from streams.simulator.config import DEFAULT_END
from streams.store import JournalEntry, ShardLostError, StoreError
from tests.streams.shard_fakes import (
    NEVER,
    OPTIONS,
    Crash,
    CrashError,
    Fetched,
    MemoryPublisher,
    MemoryStore,
    Shelf,
    Topics,
    make_judge,
    marketplace,
    offer_all,
    start_shard,
)

PATIENCE_S = 20.0
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much, so that there is something to compare."""
    return make_judge(publish_level=1, audit_rate=0.2)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Some two thousand events."""
    return marketplace()


@dataclass
class Outcome:
    """What a run left behind."""

    shelf: Shelf
    sent: list[Emit]
    entries: list[JournalEntry]
    acknowledged: list[dict[str, int]]


async def until(condition: object, what: str) -> None:
    """Wait until a function gives something true."""
    assert callable(condition)
    for _ in range(int(PATIENCE_S * 1000)):
        if condition():
            return
        await asyncio.sleep(0.001)
    pytest.fail(f"{what} did not happen within {PATIENCE_S:.0f} s")


async def run_through(runner: ShardRunner, topics: Mapping[str, list[Fetched]]) -> None:
    """Run a shard until it has applied everything, and stop it; an error in it is raised here."""
    offer_all(runner, topics)
    task = asyncio.create_task(runner.run())
    await until(lambda: task.done() or (not len(runner.intake) and not runner._recovering), "the end of the records")
    runner.stop()
    await task


async def undisturbed(judge: Judge, topics: Mapping[str, list[Fetched]], options: ShardOptions = OPTIONS) -> Outcome:
    """One worker, no trouble."""
    shelf, publisher, acknowledged = Shelf(), MemoryPublisher(), list[dict[str, int]]()
    runner = await start_shard(MemoryStore(shelf, "only"), publisher, judge, options, acknowledged=acknowledged)
    await run_through(runner, topics)
    return Outcome(shelf, publisher.sent, publisher.topics.entries, acknowledged)


async def test_everything_is_applied_published_and_checkpointed(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """At the end the journal is empty, offsets and statistics cover all records, and the shard is given up."""
    outcome = await undisturbed(judge, market)
    shelf = outcome.shelf
    assert shelf.journal == []
    assert shelf.owner == ""
    ends = {topic: len(records) for topic, records in market.items() if records}
    assert shelf.position.offsets == ends
    assert shelf.position.pseudonym_key == "k1"
    statistics = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    assert statistics.records == sum(ends.values())
    assert statistics.timers > 0
    assert statistics.labels > 0
    assert len({emit.id for emit in outcome.sent}) == len(outcome.sent) > 100


async def test_kafka_is_told_of_checkpoints_only(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Offsets are acknowledged behind each checkpoint, rising, and end where the last one stands."""
    outcome = await undisturbed(judge, market)
    assert len(outcome.acknowledged) > 5
    totals = [sum(offsets.values()) for offsets in outcome.acknowledged]
    assert totals == sorted(set(totals))
    assert outcome.acknowledged[-1] == outcome.shelf.position.offsets


POINTS = (
    "before journal",
    "after journal",
    "load",
    "before publishing",
    "after publishing",
    "before delivery",
    "before checkpoint",
    "after checkpoint",
)


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_anywhere_changes_nothing(
    point: str, times: int, judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """Workers that crash, each at the same point, and their successor leave the bytes that one without trouble leaves,
    and publish the same messages in the same order, none of them twice.
    """
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    crashes = 0
    for attempt in range(4):
        crash = Crash(point, times if attempt < 3 else 0)
        store = MemoryStore(shelf, f"worker {attempt}", crash)
        runner = await start_shard(store, MemoryPublisher(topics, crash), judge)
        with contextlib.suppress(CrashError):
            await run_through(runner, market)
            continue
        crashes += 1
    assert crashes == 3
    assert topics.sent == calm.sent
    assert [entry.ranges for entry in topics.entries] == [entry.ranges for entry in calm.entries]
    assert shelf == calm.shelf


async def test_a_small_cache_changes_nothing(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """What was evicted is loaded again as it was: state and outputs are those of a worker that keeps everything."""
    calm = await undisturbed(judge, market)
    shelf, publisher = Shelf(), MemoryPublisher()
    store = MemoryStore(shelf, "small")
    options = msgspec.structs.replace(OPTIONS, cache_entries=5)
    runner = await start_shard(store, publisher, judge, options)
    await run_through(runner, market)
    assert shelf == calm.shelf
    assert publisher.sent == calm.sent
    assert max(store.reads.count(key) for key in set(store.reads)) > 3


async def test_a_successor_with_other_limits_recovers_the_same_flushes(
    judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """Journalled flushes are applied as they were, also when the successor would have made others."""
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    runner = await start_shard(
        MemoryStore(shelf, "first"), MemoryPublisher(topics, Crash("after publishing", 2)), judge
    )
    with pytest.raises(CrashError):
        await run_through(runner, market)
    assert len(shelf.journal) >= 2
    options = msgspec.structs.replace(OPTIONS, max_flush_records=7)
    runner = await start_shard(MemoryStore(shelf, "second"), MemoryPublisher(topics), judge, options)
    intake = runner.intake
    intake._highwater = lambda topic: len(market[topic])
    task = asyncio.create_task(runner.run())
    ends = {topic: len(records) for topic, records in market.items() if records}

    def feed() -> bool:
        """As the transport does it, nothing more of a topic that is full; true when all was taken."""
        for topic in ends.keys() - intake.full():
            start = intake.next_offset.get(topic, 0)
            if piece := market[topic][start : start + 3]:
                runner.offer(topic, piece)
        return intake.next_offset == ends and not len(intake)

    await until(feed, "the end of the records")
    runner.stop()
    await task
    assert shelf.position.offsets == calm.shelf.position.offsets
    apart = {"position"}
    assert {k: v for k, v in shelf.values.items() if k not in apart} == {
        k: v for k, v in calm.shelf.values.items() if k not in apart
    }
    assert {emit.id: emit for emit in topics.sent} == {emit.id: emit for emit in calm.sent}


async def test_a_worker_that_lost_its_shard_writes_nothing(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """As soon as another worker has claimed the shard, the next journal entry fails and nothing is applied."""
    shelf, publisher = Shelf(), MemoryPublisher()
    runner = await start_shard(MemoryStore(shelf, "old"), publisher, judge)
    await MemoryStore(shelf, "new").claim()
    with pytest.raises(ShardLostError):
        await run_through(runner, market)
    assert shelf == Shelf(owner="new")
    assert publisher.sent == []


async def test_a_checkpoint_waits_for_the_broker(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """State and offsets are stored only when the broker has everything that follows from them."""
    shelf, publisher, acknowledged = Shelf(), MemoryPublisher(), list[dict[str, int]]()
    publisher.confirming.clear()
    options = msgspec.structs.replace(OPTIONS, checkpoint_interval=0.05)
    runner = await start_shard(MemoryStore(shelf, "w"), publisher, judge, options, acknowledged=acknowledged)
    offer_all(runner, market)
    task = asyncio.create_task(runner.run())
    await until(lambda: runner._checkpointing is not None, "a checkpoint")
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert shelf.sequence == 0
        assert len(shelf.journal) > 0
        assert acknowledged == []
    publisher.confirming.set()
    await until(lambda: shelf.position.offsets == {k: len(v) for k, v in market.items() if v}, "the last checkpoint")
    runner.stop()
    await task
    assert acknowledged[-1] == shelf.position.offsets


async def test_a_refused_output_stops_the_shard_without_a_checkpoint(
    judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """What the broker refused is left to the successor, who publishes it."""
    calm = await undisturbed(judge, market)
    shelf, publisher = Shelf(), MemoryPublisher()
    publisher.refuses = True
    runner = await start_shard(MemoryStore(shelf, "first"), publisher, judge)
    with pytest.raises(PublishError):
        await run_through(runner, market)
    assert shelf.sequence == 0
    assert shelf.values == {}
    successor = MemoryPublisher()
    await run_through(await start_shard(MemoryStore(shelf, "second"), successor, judge), market)
    assert successor.sent == calm.sent


async def test_a_store_that_was_changed_behind_its_back_stops_the_shard(
    judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """A journal that does not end where the shard believes is an error, not something to write over."""
    shelf = Shelf()
    runner = await start_shard(MemoryStore(shelf, "w"), MemoryPublisher(), judge)
    shelf.sequence = 7
    with pytest.raises(StoreError):
        await run_through(runner, market)
    assert shelf.values == {}


async def test_a_stop_leaves_nothing_to_recover(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """A stop in the middle finishes what was begun: journal empty, the rest left for the successor, nothing twice."""
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    options = msgspec.structs.replace(OPTIONS, checkpoint_records=1_000_000)
    runner = await start_shard(MemoryStore(shelf, "first"), MemoryPublisher(topics), judge, options)
    offer_all(runner, market)
    task = asyncio.create_task(runner.run())
    await until(lambda: len(shelf.journal) >= 3, "three flushes")
    runner.stop()
    await task
    assert 3 <= shelf.sequence < calm.shelf.sequence
    assert shelf.journal == []
    assert shelf.owner == ""
    await run_through(await start_shard(MemoryStore(shelf, "second"), MemoryPublisher(topics), judge), market)
    assert topics.sent == calm.sent
    assert shelf == calm.shelf


async def test_a_stop_during_recovery_leaves_the_journal(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """A successor told to stop before the journalled records have come back keeps them for its own successor."""
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    runner = await start_shard(MemoryStore(shelf, "first", Crash("after journal", 3)), MemoryPublisher(topics), judge)
    with pytest.raises(CrashError):
        await run_through(runner, market)
    journal = list(shelf.journal)
    runner = await start_shard(MemoryStore(shelf, "second"), MemoryPublisher(topics), judge)
    task = asyncio.create_task(runner.run())
    await asyncio.sleep(0.02)
    runner.stop()
    await task
    assert shelf.journal == journal
    await run_through(await start_shard(MemoryStore(shelf, "third"), MemoryPublisher(topics), judge), market)
    assert shelf == calm.shelf


def never_shipped() -> list[Fetched]:
    """Orders that nobody ships: most were due an hour before DEFAULT_END, some are due half a day after it."""
    records = []
    for number in range(50):
        at = DEFAULT_END - 4 * DAY + number * HOUR // 2 if number < 49 else DEFAULT_END - HOUR // 2
        event = {
            "event_id": f"e{number}",
            "type": "order.created",
            "occurred_at": at,
            "merchant_id": "m",
            "order_id": f"o{number}",
            "buyer_id": f"b{number}",
            "items": [{"listing_id": "l", "quantity": 1, "unit_price": 2000}],
            "total": 2000,
            "currency": "EUR",
            "ship_by": DEFAULT_END + (-HOUR if number < 40 else 12 * HOUR),
            "deliver_by": DEFAULT_END + 9 * DAY,
        }
        records.append(Fetched(number, at, b"m", msgspec.json.encode(event)))
    return records


async def test_a_quiet_shard_is_moved_on_by_ticks(judge: Judge) -> None:
    """Where event time keeps up with the clock, a tick fires the timers of a quiet shard, with consequences; it is
    journalled, so a crash right after it is repaired with the same outputs.
    """
    orders = {"orders": never_shipped()}
    clock = DEFAULT_END + 23 * HOUR
    due = clock - OPTIONS.allowed_lateness_ms
    options = msgspec.structs.replace(OPTIONS, idle_tick=0.02, max_flush_records=100)
    outcomes = []
    # The first journal entry is that of the records, the second that of the tick.
    for crash in (NEVER, Crash("after journal", 2)):
        shelf, topics = Shelf(), Topics()
        store = MemoryStore(shelf, "quiet", crash)
        runner = await start_shard(store, MemoryPublisher(topics), judge, options, clock=lambda: clock)
        offer_all(runner, orders)
        task = asyncio.create_task(runner.run())
        state = runner.core.state
        await until(partial(_ticked, task, state, due), "a tick")
        runner.stop()
        if crash is NEVER:
            await task
        else:
            with pytest.raises(CrashError):
                await task
            assert [entry.tick for entry in shelf.journal] == [None, due]
            runner = await start_shard(MemoryStore(shelf, "successor"), MemoryPublisher(topics), judge)
            await run_through(runner, orders)
        assert msgspec.json.decode(shelf.values["clock"], type=ShardClock).watermark == due
        assert any(emit.id.startswith(f"tick-0-{due}-") for emit in topics.sent)
        outcomes.append((shelf, {emit.id: emit for emit in topics.sent}))
    assert outcomes[0] == outcomes[1]


def _ticked(task: asyncio.Task[None], state: ShardState, due: int) -> bool:
    return task.done() or state.clock.watermark == due


async def test_a_shard_is_moved_on_however_long_it_has_been_quiet(judge: Judge) -> None:
    """Timers of days later fire too, and a record that came with an absurd timestamp changes nothing about that."""
    state = await _after_days(judge, never_shipped())
    assert state.clock.watermark == DEFAULT_END + 3 * DAY - OPTIONS.allowed_lateness_ms
    first, *others = never_shipped()
    absurd = first._replace(timestamp=DEFAULT_END * 1000, value=b"no event")
    state = await _after_days(judge, [absurd, *others])
    assert state.clock.watermark == DEFAULT_END + 3 * DAY - OPTIONS.allowed_lateness_ms


async def _after_days(judge: Judge, orders: list[Fetched]) -> ShardState:
    """A shard's state three days after its last record, of which nothing was due meanwhile."""
    clock = [DEFAULT_END]
    options = msgspec.structs.replace(OPTIONS, idle_tick=0.02, max_flush_records=100)
    store = MemoryStore(Shelf(), "quiet")
    runner = await start_shard(store, MemoryPublisher(), judge, options, clock=lambda: clock[0])
    offer_all(runner, {"orders": orders})
    task = asyncio.create_task(runner.run())
    state = runner.core.state
    await until(lambda: task.done() or len(state.orders) >= len(orders) - 1, "the end of the records")
    clock[0] += 3 * DAY
    await asyncio.sleep(0.2)
    runner.stop()
    await task
    return state


async def test_history_is_not_moved_to_today(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Records of long ago leave event time where it is, however quiet it gets after them."""
    shelf = Shelf()
    options = msgspec.structs.replace(OPTIONS, checkpoint_interval=0.01, idle_tick=0.01)
    runner = await start_shard(
        MemoryStore(shelf, "w"), MemoryPublisher(), judge, options, clock=lambda: DEFAULT_END + 400 * DAY
    )
    offer_all(runner, market)
    task = asyncio.create_task(runner.run())
    await until(lambda: not len(runner.intake), "the end of the records")
    await asyncio.sleep(0.1)
    assert runner.core.state.clock.watermark < DEFAULT_END
    runner.stop()
    await task


async def test_a_lagging_topic_is_waited_for_but_not_for_ever(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Nothing is applied while a topic that has more is silent; when its time is over the others go on."""
    shelf = Shelf()
    options = msgspec.structs.replace(OPTIONS, merge_wait=0.3)
    runner = await start_shard(MemoryStore(shelf, "w"), MemoryPublisher(), judge, options)
    runner.intake._highwater = lambda topic: len(market[topic])
    runner.offer("orders", market["orders"])
    task = asyncio.create_task(runner.run())
    await asyncio.sleep(0.15)
    assert shelf.journal == []
    await until(lambda: shelf.journal or shelf.sequence, "going on without it")
    runner.stop()
    await task
