"""Runs of ``shopwarden worker`` as a process, and what they leave behind: for the tests from end to end."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import orjson
import redis
from confluent_kafka import Message, Producer

from config.settings import Settings
from features.shard import Statistics
from streams.archive import ArchiveRecord
from streams.clients import kafka_config, producer_config
from streams.local_process import LocalProcess
from streams.reading import TopicReader, partition_of, read_to_end
from streams.recording import as_bytes, headers_of
from streams.store import Position

COMMAND = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "worker"]
PATIENCE_S = 60.0
#: Changes with the way to the state, not with the state: who owned the shard, and into how many flushes it was cut.
OF_THE_RUN = ("owner", "sequence")

Shard = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """Names and addresses of one run: inputs by prefix, outputs, group and Redis keys by the run's own name."""

    brokers: str
    redis_url: str
    prefix: str
    run: str
    partitions: int
    worker: Mapping[str, Any] = field(default_factory=dict)
    kafka: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """What a worker of this deployment sees."""
        return Settings(**self._sections())

    def environment(self) -> dict[str, str]:
        """Our own environment, with the settings of this deployment and no others."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWARDEN_")}
        for section, values in self._sections().items():
            if isinstance(values, dict):
                for name, value in values.items():
                    variables[f"SHOPWARDEN_{section}__{name}".upper()] = str(value)
            else:
                variables[f"SHOPWARDEN_{section}".upper()] = str(values)
        return variables

    def _sections(self) -> dict[str, Any]:
        outputs = ("events", "merchant_standing", "creator_standing", "dead_letters")
        names = {topic: f"{self.prefix}{self.run}-{topic}" for topic in outputs}
        return {
            # As short as Kafka allows by default: a killed worker's shards are free only after its session. The
            # embedded broker waits for half of the rebalance timeout at each join.
            "kafka": {"brokers": self.brokers, "session_timeout_s": 6, "rebalance_timeout_s": 3} | dict(self.kafka),
            "redis": {"url": self.redis_url},
            # The records are of long ago, and a broker would delete them.
            "topics": {"prefix": self.prefix, "partitions": self.partitions, "retention_inputs_days": 0} | names,
            "worker": {
                "group_id": f"{self.prefix}{self.run}",
                "namespace": f"{self.prefix}{self.run}",
                "checkpoint_interval_s": 0.2,
                "publish_level": "guarded",
                "audit_rate": 0.05,
            }
            | dict(self.worker),
            "pseudonym_key": "only-for-tests-and-nothing-else",
        }

    # -- what a run left behind ---------------------------------------------------------------------------------------

    def read(self, *topics: str) -> list[Message]:
        """Everything in some topics, in the order of topics, partitions and offsets."""
        with TopicReader(kafka_config(self.settings), topics) as reader:
            return sorted(read_to_end(reader), key=lambda message: (*partition_of(message), message.offset() or 0))

    def outputs(self) -> list[Message]:
        """All events and standings."""
        return self.read(self.settings.topics.events, self.settings.topics.merchant_standing)

    def tag(self, number: int) -> str:
        """Beginning of the keys of a shard."""
        return f"{{{self.settings.worker.namespace}:{number}}}:"

    @contextlib.contextmanager
    def store(self) -> Iterator["redis.Redis"]:
        """A client of the store."""
        with redis.Redis.from_url(self.redis_url) as client:
            yield client

    def shards(self) -> list[Shard]:
        """Everything stored, by shard; keys without the tag. Journals that are empty do not appear."""
        found: list[Shard] = []
        with self.store() as client:
            for number in range(self.partitions):
                tag = self.tag(number)
                shard: Shard = {}
                for key in client.scan_iter(match=_literal(tag) + "*", count=1000):
                    kind = client.type(key)
                    if kind == b"zset":
                        value: Any = client.zrange(key, 0, -1, withscores=True)
                    elif kind == b"list":
                        value = client.lrange(key, 0, -1)
                    else:
                        value = client.get(key)
                    shard[key.decode().removeprefix(tag)] = value
                found.append(shard)
        return found

    def state(self) -> list[Shard]:
        """What must not depend on how it came about: all that is stored but owners and numbers of flushes."""
        shards = self.shards()
        for shard in shards:
            for name in OF_THE_RUN:
                shard.pop(name, None)
            position = position_of(shard)
            shard["position"] = (position.offsets, position.pseudonym_key)
        return shards

    def positions(self) -> dict[tuple[str, int], int]:
        """Next offset of each input partition by the last checkpoints."""
        with self.store() as client:
            values = client.mget([self.tag(number) + "position" for number in range(self.partitions)])
        return {
            (topic, number): offset
            for number, value in enumerate(values)
            if value is not None
            for topic, offset in msgspec.json.decode(value, type=Position).offsets.items()
        }

    def journalled(self) -> int:
        """Number of flushes in the journals."""
        with self.store() as client:
            return sum(client.llen(self.tag(number) + "journal") for number in range(self.partitions))

    def owned(self) -> int:
        """Number of shards that have an owner."""
        with self.store() as client:
            return sum(client.exists(self.tag(number) + "owner") for number in range(self.partitions))

    def statistics(self) -> Statistics:
        """Counts of all shards together."""
        total = Statistics()
        for shard in self.shards():
            counted = msgspec.json.decode(shard.get("statistics", b"{}"), type=Statistics)
            for name in Statistics.__struct_fields__:
                if name != "shadow":
                    setattr(total, name, getattr(total, name) + getattr(counted, name))
        return total


class Worker:
    """A worker process for as long as a ``with`` block lasts; ``settings`` are of the section ``worker``, and
    ``variables`` of its environment.
    """

    def __init__(
        self,
        deployment: Deployment,
        folder: Path,
        name: str = "worker",
        variables: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self._deployment = deployment
        changes = {f"SHOPWARDEN_WORKER__{key.upper()}": str(value) for key, value in settings.items()}
        self._environment = deployment.environment() | changes | dict(variables or {})
        self._process = LocalProcess(name, folder / f"{name}-{time.monotonic_ns()}")
        self.log_text = ""

    def __enter__(self) -> Self:
        self._process.start(COMMAND, self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            sys.stderr.write(f"\nlog of {self._process.name}:\n{self.log()}\n")
        self._keep_log()
        self._process.end()

    def log(self) -> str:
        """What the worker has written."""
        with contextlib.suppress(OSError):
            self.log_text = self._process.log.read_text(errors="replace")
        return self.log_text

    def entries(self) -> list[dict[str, Any]]:
        """The lines of its log."""
        return [orjson.loads(line) for line in self.log().splitlines()]

    def holds(self) -> set[int]:
        """Shards that it says it was assigned and has not released."""
        held: set[int] = set()
        for entry in self.entries():
            # Whatever the fields are called, the message and the number are what counts.
            text = orjson.dumps(entry).decode()
            if "shard assigned" in text:
                held.add(entry["shard"])
            elif "shard released" in text:
                held.discard(entry["shard"])
        return held

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S, pause: float = 0.02) -> None:
        """Wait for something while the worker runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self._process.running, f"the worker ended before {what}:\n{self.log()}"
            assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s:\n{self.log()}"
            time.sleep(pause)

    def until_checkpointed(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Wait until checkpoints cover all records before these offsets."""
        try:
            self.until(lambda: self._deployment.positions() == ends, "the checkpoint of everything", 60)
        except AssertionError as error:
            found = self._deployment.positions()
            missing = {place: (found.get(place), end) for place, end in ends.items() if found.get(place) != end}
            raise AssertionError(f"not checkpointed (at, wanted): {missing}") from error

    @property
    def pid(self) -> int:
        """Process id of the worker itself."""
        return self._process.pid

    def stop(self, seconds: float = 30.0, number: int = signal.SIGTERM) -> int | None:
        """Tell it to stop; returns the exit code, ``None`` if it went on for so many seconds."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, number)
        return self.wait(seconds)

    def kill(self) -> None:
        """SIGKILL."""
        os.kill(self._process.pid, signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds: float) -> int | None:
        """The exit code of a worker that ends by itself."""
        code = self._process.wait(seconds)
        self._keep_log()
        return code

    def _keep_log(self) -> None:
        self.log()


@dataclass(frozen=True)
class Fed:
    """An input record as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: dict[str, bytes | None]


def feed(deployment: Deployment, records: list[ArchiveRecord]) -> list[Fed]:
    """Put records into the input topics; returns everything that lies in these, then."""
    producer = Producer(producer_config(deployment.settings))
    prefix = deployment.settings.topics.prefix
    refused: list[object] = []
    for record in records:
        while True:
            try:
                producer.produce(
                    prefix + record.topic,
                    record.value,
                    record.key,
                    timestamp=record.timestamp or 0,
                    headers=list(record.headers),
                    on_delivery=lambda error, _: refused.append(error) if error else None,
                )
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    assert refused == []
    return [fed(message) for message in deployment.read(*deployment.settings.topics.inputs)]


def fed(message: Message) -> Fed:
    """A record as it was read from its topic."""
    topic, partition = partition_of(message)
    key, value = as_bytes(message.key()), as_bytes(message.value())
    return Fed(topic, partition, message.offset() or 0, key, value, message.timestamp()[1], dict(headers_of(message)))


def ends_of(records: list[Fed]) -> dict[tuple[str, int], int]:
    """Offset after the last record of each partition that has any."""
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        ends[place] = max(ends.get(place, 0), record.offset + 1)
    return ends


def position_of(shard: Shard) -> Position:
    """Where a shard's last checkpoint stands."""
    return msgspec.json.decode(shard.get("position", b"{}"), type=Position)


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in text)
