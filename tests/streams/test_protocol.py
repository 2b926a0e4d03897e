"""A failure after every numbered step of the protocol, and what the journal's second copy and the tails are for."""

import contextlib
from collections.abc import Callable

import msgspec
import pytest

from detectors.apply import ApplyError, Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge
from features.omissions import Gap, Poison
from features.outputs import GapDetected
from features.shard import Statistics
from streams.protocol import MOST_POISON, Step
from streams.store import StoreError
from streams.tails import Extent
from tests.builders import Shard, outputs, placed
from tests.streams.shard_fakes import (
    CrashError,
    Fetched,
    MemoryPublisher,
    MemoryStore,
    Shelf,
    Topics,
    make_judge,
    marketplace,
    start_shard,
)
from tests.streams.test_shard import run_through, undisturbed

NOW = 1_800_000_000_000


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes much."""
    return make_judge(publish_level=1, audit_rate=0.2)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Some two thousand events."""
    return marketplace()


def striking(step: Step, times: int) -> Callable[[Step], None]:
    """A hook that fails when a step was done for the n-th time."""
    left = [times]

    def passed(done: Step) -> None:
        if done is step:
            left[0] -= 1
            if left[0] == 0:
                raise CrashError(step.name)

    return passed


@pytest.mark.parametrize("step", list(Step), ids=lambda step: step.name.lower())
async def test_a_failure_after_any_step_changes_nothing(
    step: Step, judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """Three workers fail after the same step, each one a little later: the fourth leaves the state and the messages of
    a run without trouble, each message once.
    """
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    failures = 0
    # What is done once per takeover fails the first time; what a flush does, early, later, and between checkpoints.
    often = step in (Step.JOURNALLED, Step.APPLIED, Step.PUBLISHED)
    for attempt, times in enumerate((2, 5, 7, 0) if often else (1, 1, 1, 0)):
        store = MemoryStore(shelf, f"worker {attempt}")
        with contextlib.suppress(CrashError):
            passed = striking(step, times)
            runner = await start_shard(store, MemoryPublisher(topics), judge, passed=passed)
            await run_through(runner, market)
            continue
        failures += 1
    assert failures == 3
    assert topics.sent == calm.sent
    assert shelf == calm.shelf


async def test_journal_entries_that_redis_forgot_come_from_kafka(
    judge: Judge, market: dict[str, list[Fetched]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is set back to an older checkpoint without the journal after it: the flushes are applied as they were, and
    nothing is published again.
    """
    monkeypatch.setattr("streams.protocol.RECORD_EVERY_S", 0.0)
    calm = await undisturbed(judge, market)
    shelf, topics = Shelf(), Topics()
    runner = await start_shard(
        MemoryStore(shelf, "first"), MemoryPublisher(topics), judge, passed=striking(Step.PUBLISHED, 12)
    )
    with pytest.raises(CrashError):
        await run_through(runner, market)
    assert len(topics.entries) == 12
    older = Shelf(sequence=0)
    runner = await start_shard(MemoryStore(older, "second"), MemoryPublisher(topics), judge)
    assert [entry.ranges for entry in older.journal] == [entry.ranges for entry in topics.entries]
    await run_through(runner, market)
    assert topics.sent == calm.sent
    assert [entry.ranges for entry in topics.entries] == [entry.ranges for entry in calm.entries]
    assert older.values["statistics"] == calm.shelf.values["statistics"]


async def test_the_clock_is_part_of_the_journal(judge: Judge) -> None:
    """A record from the future of the worker's clock is put aside, and also by a successor in whose time it is not."""
    event = {
        "event_id": "e1",
        "type": "order.delivered",
        "occurred_at": NOW + 400 * 86_400_000,
        "merchant_id": "m",
        "order_id": "o",
    }
    topics_in = {"orders": [Fetched(0, NOW + 400 * 86_400_000, b"m", msgspec.json.encode(event))]}
    shelf, topics = Shelf(), Topics()
    runner = await start_shard(
        MemoryStore(shelf, "first"),
        MemoryPublisher(topics),
        judge,
        clock=lambda: NOW,
        passed=striking(Step.JOURNALLED, 1),
    )
    with pytest.raises(CrashError):
        await run_through(runner, topics_in)
    assert topics.sent == []
    later = await start_shard(
        MemoryStore(shelf, "second"), MemoryPublisher(topics), judge, clock=lambda: NOW + 500 * 86_400_000
    )
    await run_through(later, topics_in)
    (letter,) = topics.messages["dead_letters"]
    headers = dict(letter.headers)
    assert headers["dlq_reason"] == b"future"
    assert b"after the worker's clock" in headers["dlq_detail"]
    assert later.core.state.clock.highest == 0


# -- poison -----------------------------------------------------------------------------------------------------------


class _FaultyCore(Core):
    """Fails on some records, as code with a fault would, in the midst of changing its state."""

    offsets: frozenset[int] = frozenset()

    def apply(self, flush: Flush, events: object = None) -> list[Emit]:
        put_aside = {poison.offset for poison in flush.poison}
        for record in flush.records:
            if record.topic == "orders" and record.offset in self.offsets - put_aside:
                self.state.merchants.clear()
                raise ApplyError(Poison(record.topic, record.offset, "ZeroDivisionError: division by zero"))
        return super().apply(flush, events)  # type: ignore[arg-type]


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[frozenset[int]], None]:
    """Has shards fail on these offsets of the orders."""

    def make(offsets: frozenset[int]) -> None:
        monkeypatch.setattr("streams.snapshot.Core", type("Faulty", (_FaultyCore,), {"offsets": offsets}))

    return make


async def test_a_record_that_can_not_be_applied_is_put_aside(
    judge: Judge, market: dict[str, list[Fetched]], faulty: Callable[[frozenset[int]], None]
) -> None:
    """Each such record costs a restart and ends in the dead letters with its bytes; all others are counted once."""
    faulty(frozenset({100, 101, 900}))
    shelf, topics = Shelf(), Topics()
    restarts = 0
    for attempt in range(10):
        runner = await start_shard(MemoryStore(shelf, f"worker {attempt}"), MemoryPublisher(topics), judge)
        with contextlib.suppress(ApplyError):
            await run_through(runner, market)
            break
        restarts += 1
    assert restarts == 3
    letters = topics.messages["dead_letters"]
    assert [letter.value for letter in letters] == [market["orders"][offset].value for offset in (100, 101, 900)]
    assert {dict(letter.headers)["dlq_reason"] for letter in letters} == {b"unprocessable"}
    statistics = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    assert statistics.records == sum(map(len, market.values()))
    assert statistics.rejected == 3
    assert len({emit.id for emit in topics.sent}) == len(topics.sent)


async def test_a_fault_that_is_no_matter_of_records_stops_the_worker(
    judge: Judge, market: dict[str, list[Fetched]], faulty: Callable[[frozenset[int]], None]
) -> None:
    """When everything fails, only so many records are put aside before the worker asks for help."""
    faulty(frozenset(range(10_000)))
    shelf, topics = Shelf(), Topics()
    for attempt in range(MOST_POISON):
        runner = await start_shard(MemoryStore(shelf, f"worker {attempt}"), MemoryPublisher(topics), judge)
        with pytest.raises(ApplyError):
            await run_through(runner, market)
    before = shelf.sequence
    runner = await start_shard(MemoryStore(shelf, "the last"), MemoryPublisher(topics), judge)
    with pytest.raises(StoreError, match="no matter of single records"):
        await run_through(runner, market)
    assert shelf.sequence == before
    assert sum(len(entry.poison) for entry in shelf.journal) == MOST_POISON


def test_the_core_names_the_record_that_it_fails_on(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception from within becomes one that names topic, offset and what went wrong."""
    shard = Shard(judge)
    shard.apply(placed("o1"))

    def fail(*_: object) -> None:
        raise OverflowError("too much")

    monkeypatch.setattr("detectors.orders.OrderFlow._create", fail)
    with pytest.raises(ApplyError, match=r"record 1 of orders could not be applied: OverflowError: too much"):
        shard.apply(placed("o2"))


# -- gaps -------------------------------------------------------------------------------------------------------------


async def test_expired_records_are_left_out_and_said_to_be(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """A worker comes back after the topic has dropped what it wanted next, some of it journalled: the rest is counted,
    and events name exactly the offsets that were not seen, once, whatever happens meanwhile.
    """
    shelf, topics = Shelf(), Topics()
    runner = await start_shard(
        MemoryStore(shelf, "first"), MemoryPublisher(topics), judge, passed=striking(Step.JOURNALLED, 14)
    )
    with pytest.raises(CrashError):
        await run_through(runner, market)
    journalled = max(last for entry in shelf.journal for topic, _, last in entry.ranges if topic == "orders")
    seen = shelf.position.offsets["orders"]
    earliest = journalled + 10
    extents = {"orders": Extent(earliest, len(market["orders"]))}
    left = {**market, "orders": market["orders"][earliest:]}
    for attempt, step in enumerate((Step.SOUGHT, Step.APPLIED, Step.CHECKPOINTED, None)):
        passed = striking(step, 1) if step else striking(Step.CLAIMED, 0)
        with contextlib.suppress(CrashError):
            runner = await start_shard(
                MemoryStore(shelf, f"again {attempt}"), MemoryPublisher(topics), judge, extents=extents, passed=passed
            )
            await run_through(runner, left)
    told = [one for one in outputs(topics.sent) if isinstance(one, GapDetected)]
    missed = sorted(offset for one in told for offset in range(one.first_offset, one.last_offset + 1))
    assert missed == list(range(seen, earliest))
    assert {(one.topic, one.why) for one in told} == {("orders", "expired")}
    statistics = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    assert statistics.missed == earliest - seen
    assert statistics.records == sum(map(len, market.values())) - statistics.missed
    assert len({emit.id for emit in topics.sent}) == len(topics.sent)
    assert shelf.position.offsets["orders"] == len(market["orders"])


async def test_a_topic_that_ends_before_its_position_is_read_on_from_its_end(
    judge: Judge, market: dict[str, list[Fetched]]
) -> None:
    """Nothing that the shorter topic holds is counted twice; what comes after its end is counted."""
    shelf, topics = Shelf(), Topics()
    publisher = MemoryPublisher(topics)
    await run_through(await start_shard(MemoryStore(shelf, "first"), publisher, judge), market)
    before = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    end = len(market["orders"]) - 30
    runner = await start_shard(MemoryStore(shelf, "second"), publisher, judge, extents={"orders": Extent(0, end)})
    more = [record._replace(offset=record.offset - 10) for record in market["orders"][-20:]]
    await run_through(runner, {"orders": [*market["orders"][:end], *more]})
    (told,) = [one for one in outputs(topics.sent) if isinstance(one, GapDetected)]
    assert (told.first_offset, told.last_offset, told.why) == (end, end + 29, "truncated")
    after = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    assert after.records == before.records + 20
    assert shelf.position.offsets["orders"] == end + 20


def test_a_gap_is_counted_and_told_by_the_core(judge: Judge) -> None:
    """The number of offsets enters the statistics, and the event has an id of its own."""
    shard = Shard(judge)
    (emit,) = shard.core.apply(Flush(1, [], gaps=[Gap("orders", 5, 9, "expired")]))
    assert shard.state.statistics.missed == 5
    assert (emit.id, emit.key) == ("gap-orders-0-5-9", b"shard-0")


def test_a_gap_is_told_the_same_by_a_shard_that_was_restored(judge: Judge) -> None:
    """Its time is the shard's event time, which is stored, and not that of whatever was applied before."""
    shards = [Shard(judge), Shard(judge)]
    for shard in shards:
        shard.state.clock.highest = 1_704_067_200_000
    shards[0].core._outbox.time = 5
    told = [shard.core.apply(Flush(1, [], gaps=[Gap("orders", 5, 9, "expired")])) for shard in shards]
    assert told[0] == told[1]
    assert dict(told[0][0].headers)["ce_time"] == b"2024-01-01T00:00:00.000Z"
