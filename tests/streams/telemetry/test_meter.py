"""What a worker counts of its own work."""

import asyncio
from collections import Counter

import msgspec
import orjson
import pytest

from detectors.flush import Emit
from detectors.judge import Judge
from features.shard import Statistics
from streams.protocol import Step
from streams.shard import ShardRunner
from streams.telemetry.instruments import Instruments
from streams.telemetry.meter import MOST_VALUES, OTHER, Decision, WorkerMeter
from tests.streams.shard_fakes import (
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

DECIDED = b"shopwarden.enforcement.decided.v1"


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge by the packaged policies."""
    return make_judge(publish_level=1)


@pytest.fixture(scope="module")
def market() -> dict[str, list[Fetched]]:
    """Records of a small marketplace, one of them no JSON."""
    topics = marketplace()
    orders = topics["orders"]
    last = orders[-1]
    orders.append(Fetched(len(orders), last.timestamp, last.key, b"no JSON"))
    return topics


async def run_through(runner: ShardRunner, market: dict[str, list[Fetched]]) -> None:
    """Run a shard until it has applied everything, and stop it."""
    offer_all(runner, market)
    task = asyncio.create_task(runner.run())
    while not task.done() and (len(runner.intake) or runner.recovering):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    runner.stop()
    await task


async def run(judge: Judge, market: dict[str, list[Fetched]]) -> tuple[WorkerMeter, Topics, Shelf]:
    """A shard from the beginning to the end of the records, and what was counted."""
    meter, shelf, publisher = WorkerMeter(), Shelf(), MemoryPublisher()
    runner = await start_shard(MemoryStore(shelf, "only"), publisher, judge, instruments=Instruments(meter))
    await run_through(runner, market)
    return meter, publisher.topics, shelf


async def test_it_agrees_with_what_was_done(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Records by topic, outputs by type, dead letters by reason, decisions by policy: as they lie in the topics."""
    meter, topics, shelf = await run(judge, market)
    sent = topics.sent
    assert meter.records == {topic: len(records) for topic, records in market.items() if records}
    types = Counter(dict(emit.headers)["ce_type"].decode() for emit in sent if emit.stream == "events")
    assert types[DECIDED.decode()] > 3
    counted = {kind: count for kind, count in meter.outputs.items() if kind.startswith("shopwarden.")}
    assert counted == types
    streams = Counter(emit.stream for emit in sent)
    assert meter.outputs["merchant-standing"] == streams["standing"] > 0
    assert meter.outputs["shard-message"] == len(topics.messages["exchange"]) > 0
    assert meter.outputs["dead-letter"] == streams["dead_letters"] == 1
    assert meter.dead_letters == {"undecodable": 1}
    decided = [
        orjson.loads(e.value or b"") for e in sent if dict(e.headers).get("ce_type", b"").endswith(b"decided.v1")
    ]
    assert meter.decisions == Counter(
        Decision(each["policy"]["id"], each["action"], each["requires_review"]) for each in decided
    )
    statistics = msgspec.json.decode(shelf.values["statistics"], type=Statistics)
    assert meter.statistics() == statistics


async def test_times_are_observed(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """Each flush and checkpoint once; stages are parts of flushes; a takeover's recovery is observed too."""
    meter, _, shelf = await run(judge, market)
    assert meter.flushes.count == shelf.position.sequence
    assert meter.checkpoints.count > 5
    assert meter.recoveries.count == 1
    assert 0 < meter.apply_seconds < meter.flushes.total
    assert 0 < meter.journal_seconds < meter.flushes.total


async def test_counters_never_fall(judge: Judge, market: dict[str, list[Fetched]]) -> None:
    """A successor counts from where it took over, not from the shard's beginning, so that a restart adds nothing."""
    shelf, topics = Shelf(), Topics()
    struck = [0]

    def strike(step: Step) -> None:
        struck[0] += step is Step.PUBLISHED
        if struck[0] == 30:
            raise CrashError

    first = WorkerMeter()
    runner = await start_shard(
        MemoryStore(shelf, "first"), MemoryPublisher(topics), judge, passed=strike, instruments=Instruments(first)
    )
    offer_all(runner, market)
    with pytest.raises(CrashError):
        await runner.run()
    stored = msgspec.json.decode(shelf.values["statistics"], type=Statistics).records
    second = WorkerMeter()
    runner = await start_shard(
        MemoryStore(shelf, "second"), MemoryPublisher(topics), judge, instruments=Instruments(second)
    )
    await run_through(runner, market)
    total = sum(map(len, market.values()))
    assert stored > 0
    assert second.statistics().records == sum(second.records.values()) == total - stored
    assert second.flushes_recovered > 0
    before = second.statistics()
    second.ended(0)
    assert second.statistics() == before


def test_labels_are_bounded() -> None:
    """However many policies come and go, there are no more labels than the limit; the others are counted together."""
    meter = WorkerMeter()
    for number in range(2 * MOST_VALUES):
        value = {"policy": {"id": f"policy-{number}"}, "action": "warn", "requires_review": False}
        headers = (("ce_type", DECIDED),)
        meter.published([Emit("events", b"m", orjson.dumps(value), headers, f"id-{number}")])
    assert len(meter.decisions) == MOST_VALUES + 1
    assert meter.decisions[Decision(OTHER, "warn", False)] == MOST_VALUES
