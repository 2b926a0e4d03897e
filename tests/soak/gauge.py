"""Figures of a worker and its store while they run."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import redis

from features.shard import ShardClock
from tests.deployment import Deployment, position_of

_LOOK_S = 0.05
_SCAN = 5_000
_KINDS = {"m:": "merchants", "o:": "orders", "l:": "listings"}


@dataclass(frozen=True)
class Sample:
    """One moment: memory in bytes, keys by kind, rates a second since the sample before.

    ``store`` is all that Redis uses beyond what it used when it was empty; ``shards`` is the part of it in the keys of
    the shards themselves (models, examples, statistics).
    """

    at_s: float
    rss: int
    store: int
    shards: int
    keys: Mapping[str, int]
    lag: int
    events_per_s: float
    checkpoints_per_s: float
    watermark: int

    @property
    def bytes_an_entity(self) -> float:
        """Memory of Redis for each of them, on average."""
        return (self.store - self.shards) / max(1, self.entities)

    @property
    def entities(self) -> int:
        """Merchants, orders and listings stored."""
        return sum(self.keys[kind] for kind in _KINDS.values())


class Gauge:
    """Looks at the checkpoints all the time, and at the rest when asked."""

    def __init__(self, deployment: Deployment, pid: int) -> None:
        self._deployment = deployment
        self._pid = pid
        self._started = self._latest = time.monotonic()
        with deployment.store() as client:
            self._empty = _used(client)
        self._positions: dict[int, bytes | str] = {}
        self._checkpoints = 0
        self._counted = 0
        self._applied = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gauge", daemon=True)

    def __enter__(self) -> "Gauge":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def sample(self, fed: int) -> Sample:
        """How things are now; ``fed`` is the number of records in the topics."""
        now = time.monotonic()
        elapsed, self._latest = now - self._latest, now
        applied = self._total()
        checkpoints = self._checkpoints
        with self._deployment.store() as client:
            memory = _used(client) - self._empty
            keys, others = self._keys(client)
            shards = sum(client.memory_usage(key, samples=0) or 0 for key in others)
            watermark = self._watermark(client)
        sample = Sample(
            at_s=now - self._started,
            rss=resident(self._pid),
            store=memory,
            shards=shards,
            keys=keys,
            lag=max(0, fed - applied),
            events_per_s=(applied - self._applied) / elapsed,
            checkpoints_per_s=(checkpoints - self._counted) / elapsed,
            watermark=watermark,
        )
        self._applied, self._counted = applied, checkpoints
        return sample

    def _total(self) -> int:
        return sum(sum(position_of({"position": value}).offsets.values()) for value in self._positions.values())

    def _keys(self, client: redis.Redis) -> tuple[Mapping[str, int], list[bytes]]:
        """Numbers of keys by kind, and the keys that are of no merchant, order or listing."""
        found = dict.fromkeys([*_KINDS.values(), "other"], 0)
        others = []
        for key in client.scan_iter(match=f"{{{self._deployment.settings.worker.namespace}:*", count=_SCAN):
            kind = _KINDS.get(key.decode().partition("}:")[2][:2], "other")
            found[kind] += 1
            if kind == "other":
                others.append(key)
        return found, others

    def _watermark(self, client: redis.Redis) -> int:
        """Of the shard that is furthest behind."""
        numbers = range(self._deployment.partitions)
        values = client.mget([self._deployment.tag(number) + "clock" for number in numbers])
        return min(msgspec.json.decode(value or b"{}", type=ShardClock).watermark for value in values)

    def _run(self) -> None:
        names = {number: self._deployment.tag(number) + "position" for number in range(self._deployment.partitions)}
        with self._deployment.store() as client:
            while not self._stopping.wait(_LOOK_S):
                for number, value in zip(names, client.mget(list(names.values())), strict=True):
                    if value is not None and value != self._positions.get(number):
                        self._checkpoints += 1
                        self._positions[number] = value


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])


def resident(pid: int) -> int:
    """Bytes of a process that are in memory (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no memory: it has ended")
