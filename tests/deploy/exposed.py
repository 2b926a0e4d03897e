"""Every metric that Shopwarden can show, from the collectors themselves, with figures of a small run in memory."""

import asyncio
from functools import cache

from faust.types import TP
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.replay.progress import Reached
from streams.telemetry.console_metrics import ConsoleMetrics
from streams.telemetry.instruments import Instruments
from streams.telemetry.meter import WorkerMeter
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.replay_metrics import ReplayMetrics
from streams.telemetry.worker_metrics import WorkerMetrics, WorkerView
from streams.watchdog import Beat, Progress
from tests.streams.shard_fakes import (
    MemoryPublisher,
    MemoryStore,
    Shelf,
    make_judge,
    marketplace,
    offer_all,
    start_shard,
)


@cache
def worker_exposition() -> str:
    """What a worker shows after a small marketplace."""
    return asyncio.run(_worker_exposition())


async def _worker_exposition() -> str:
    meter = WorkerMeter()
    runner = await start_shard(
        MemoryStore(Shelf(), "only"), MemoryPublisher(), make_judge(publish_level=1), instruments=Instruments(meter)
    )
    offer_all(runner, marketplace())
    task = asyncio.create_task(runner.run())
    while not task.done() and (len(runner.intake) or runner.recovering):  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    runner.stop()
    await task
    beat = Beat(
        waiting=False, joined=True, generation=1, partitions={TP("orders", 0): Progress(5, 5, 3, 9, full=False)}
    )
    view = WorkerView(
        ready=True,
        runners={0: runner},
        shards=1,
        policies="v1",
        beat=beat,
        away=["Redis"],
        redis_errors=1,
        producer_errors=2,
        consumer_errors=3,
        late=0.0,
    )
    registry = process_registry("worker")
    registry.register(WorkerMetrics(meter, lambda: view))
    return generate_latest(registry).decode()


def console_exposition() -> str:
    """What a console shows."""
    metrics = ConsoleMetrics(lambda: {"orders": 1})
    metrics.answered("/", "GET", 200, 0.1)
    return _shown(metrics)


def replay_exposition() -> str:
    """What a replay shows."""
    metrics = ReplayMetrics()
    metrics.reached = Reached(1)
    return _shown(metrics)


def _shown(metrics: ConsoleMetrics | ReplayMetrics) -> str:
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode()


def labels_by_name(exposition: str) -> dict[str, set[str]]:
    """Names of samples, each with the labels that it has, and of families that have none."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposition):
        counter = family.type == "counter"
        found.setdefault(f"{family.name.removesuffix('_total')}_total" if counter else family.name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found
