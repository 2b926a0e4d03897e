"""(c) The worker: ``shopwarden worker``, one process, doing the whole job.

Timed from outside. It begins with the first entry in a shard's journal, which is written before the flush that it names
is applied. It ends with the last marker in the dead letters, by the timestamp that the worker's producer put on it:
each marker is the last record of its partition, and is published after the flush it came with was applied. Checkpoints
(state, models and offsets to Redis, once a second) fall between the two. That all records were processed, and each
once, is read from the last checkpoint: the offsets of every partition, and the shards' own count of records.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import orjson
import redis
from confluent_kafka import Consumer, Message, TopicPartition

from benchmarks.deployment import Deployment
from benchmarks.processes import CompetitorError, Result, WorkerProcess, worker
from benchmarks.records import MARKER_TYPE
from features.shard import Statistics
from streams.clients import kafka_config
from streams.topics import create_topics

_START_S = 60.0
_RUN_S = 120.0
_FIRST_LOOK_S = 0.002
_LOOK_S = 0.02


@dataclass(frozen=True)
class WorkerRun:
    """How fast a worker was, in how many flushes; ``extra`` is what was done with it afterwards, while it still ran."""

    result: Result
    flushes: int
    extra: Any = None


def run_worker(
    deployment: Deployment,
    records: int,
    afterwards: Callable[[], Any] | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> WorkerRun:
    """Start a worker on topics that hold ``records`` and time it until it has done them all; ``variables`` are of its
    environment, beside the deployment's.

    Raises
    ------
    CompetitorError
        The worker failed, was too slow, or did not process each record once.
    """
    settings = deployment.settings
    create_topics(settings)
    store = redis.Redis.from_url(deployment.redis_url)
    shards = [f"{{{settings.worker.namespace}:{number}}}:" for number in range(deployment.partitions)]
    with store, worker(deployment.environment() | dict(variables)) as process:
        for _ in process.waiting(_START_S, "begin"):
            if store.exists(*[shard + "journal" for shard in shards], *[shard + "position" for shard in shards]):
                break
            time.sleep(_FIRST_LOOK_S)
        started, cpu = time.time(), _cpu_seconds(process.pid)
        ended = _last_marker(deployment, process)
        cpu = _cpu_seconds(process.pid) - cpu
        for _ in process.waiting(_RUN_S, f"checkpoint {records} records"):
            if sum(_offsets(store, shards, settings.topics.exchange).values()) >= records:
                break
            time.sleep(_LOOK_S)
        _verify(store, shards, settings.topics.exchange, records)
        flushes = sum(int(store.get(shard + "sequence") or 0) for shard in shards)
        extra = afterwards() if afterwards is not None else None
    return WorkerRun(Result(records, ended - started, cpu), flushes, extra)


def _last_marker(deployment: Deployment, process: WorkerProcess) -> float:
    """When the last marker was published, in seconds since the epoch."""
    topics = deployment.settings.topics
    expected = len(topics.inputs) * deployment.partitions
    consumer = Consumer(kafka_config(deployment.settings, group_id="markers", fetch_wait_max_ms=100))
    consumer.assign([TopicPartition(topics.dead_letters, number, 0) for number in range(deployment.partitions)])
    found: dict[tuple[str, int], float] = {}
    try:
        for _ in process.waiting(_RUN_S, f"publish {expected} markers"):
            for message in consumer.consume(1000, 0.1):
                if not message.error() and _is_marker(message):
                    headers = dict(message.headers() or ())
                    place = (_text(headers["dlq_topic"]), int(_text(headers["dlq_partition"])))
                    if place in found:
                        raise CompetitorError(f"the marker of {place} was published twice")
                    found[place] = message.timestamp()[1] / 1000
            if len(found) == expected:
                break
    finally:
        consumer.close()
    return max(found.values())


def _is_marker(message: Message) -> bool:
    with suppress(orjson.JSONDecodeError):
        document = orjson.loads(message.value() or b"")
        return isinstance(document, dict) and document.get("type") == MARKER_TYPE
    return False


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _offsets(store: "redis.Redis", shards: list[str], exchange: str) -> dict[tuple[str, str], int]:
    """Next offset of each input topic of each shard, by the last checkpoints; not of the exchange topic."""
    offsets = {}
    for shard in shards:
        position = store.get(shard + "position")
        if position is not None:
            for topic, offset in orjson.loads(position)["offsets"].items():
                if topic != exchange:
                    offsets[shard, topic] = offset
    return offsets


def _verify(store: "redis.Redis", shards: list[str], exchange: str, records: int) -> None:
    offsets = sum(_offsets(store, shards, exchange).values())
    counted = [msgspec.json.decode(store.get(shard + "statistics") or b"{}", type=Statistics) for shard in shards]
    processed = sum(statistics.records for statistics in counted)
    if offsets != records or processed != records:
        raise CompetitorError(f"of {records} records the worker processed {processed}, up to offsets {offsets}")


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, where the system tells (Linux); else 0."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
