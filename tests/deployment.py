"""A deployment of the worker as tests and benchmarks set it up, and what its workers leave behind."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import msgspec
import redis
from confluent_kafka import Message

from config.settings import Settings
from features.shard import Statistics
from streams.clients import kafka_config
from streams.reading import TopicReader, partition_of, read_to_end
from streams.store import Position

#: Changes with the way to the state, not with the state: who owned the shard, and into how many flushes it was cut.
OF_THE_RUN = ("owner", "sequence")
#: Many checkpoints and many outputs from few records.
EAGER = MappingProxyType({"checkpoint_interval_s": 0.2, "publish_level": "guarded", "audit_rate": 0.05})

Shard = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """Names and addresses of one run: inputs by prefix, outputs, group and Redis keys by the run's own name.

    ``worker`` and ``kafka`` are settings that differ from ``defaults``, and from the shortest timeouts.
    """

    brokers: str
    redis_url: str
    prefix: str
    run: str
    partitions: int
    worker: Mapping[str, Any] = field(default_factory=dict)
    kafka: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=lambda: EAGER)

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
        outputs = ("events", "merchant_standing", "creator_standing", "dead_letters", "journal", "exchange")
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
            }
            | dict(self.defaults)
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
        exchange = self.settings.topics.exchange
        return {place: offset for place, offset in self._positions().items() if place[0] != exchange}

    def settled(self) -> bool:
        """Whether the shards have applied all that they told each other, by the last checkpoints."""
        exchange = self.settings.topics.exchange
        before = self._positions()
        ends = dict.fromkeys(range(self.partitions), 0)
        for message in self.read(exchange):
            ends[partition_of(message)[1]] = (message.offset() or 0) + 1
        return before == self._positions() and all(
            before.get((exchange, number), 0) == end for number, end in ends.items()
        )

    def _positions(self) -> dict[tuple[str, int], int]:
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
                if name not in {"shadow", "drifts"}:
                    setattr(total, name, getattr(total, name) + getattr(counted, name))
        return total


def position_of(shard: Shard) -> Position:
    """Where a shard's last checkpoint stands."""
    return msgspec.json.decode(shard.get("position", b"{}"), type=Position)


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in text)
