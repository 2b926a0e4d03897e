"""A real Redis Cluster of three nodes: a shard stays on one of them, and a node that dies is waited for."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
import redis

from config.settings import Settings, load_settings
from features.shard import Statistics
from streams.clients import async_redis_client, redis_client
from streams.embedded import EmbeddedServices
from streams.patience import Patience
from streams.store import JournalEntry, Position, ShardLostError, ShardStore
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import feed
from tests.streams.mixed_input import mixed_input
from tests.valkey_cluster import NODES, ValkeyCluster
from tests.worker_process import Worker

pytestmark = pytest.mark.broker

SHARDS = 6
PARTITIONS = 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[ValkeyCluster]:
    """Three nodes, whole at the beginning of each test."""
    with ValkeyCluster() as cluster:
        yield cluster


@pytest.fixture
def settings(cluster: ValkeyCluster) -> Settings:
    """Settings that name one node of the cluster."""
    return load_settings(redis={"url": cluster.url, "cluster": True})


def entry(sequence: int) -> JournalEntry:
    """A flush of one record."""
    return JournalEntry(sequence, [("orders", sequence - 1, sequence - 1)], None, "p", 0, 0)


async def write(store: ShardStore, first: int, last: int, pause: float = 0.0) -> None:
    """Journal and checkpoint so many flushes."""
    for number in range(first, last + 1):
        await store.journal(entry(number))
        position = Position(sequence=number, offsets={"orders": number})
        await store.checkpoint(number - 1, position, {"m:a": b"%d" % number, "l:a": b"x"}, [], {"ma": number})
        await asyncio.sleep(pause)


def stored(deployment: Deployment, name: str) -> list[bytes]:
    """One key of each shard, where it is there; nothing while a node is away."""
    settings = load_settings(redis={"url": deployment.redis_url, "cluster": True, "retries": 1})
    try:
        with contextlib.closing(redis_client(settings)) as client:
            values = [client.get(deployment.tag(number) + name) for number in range(PARTITIONS)]
    except (redis.RedisError, redis.exceptions.RedisClusterException):
        return []
    return [cast("bytes", value) for value in values if value is not None]


def counted(deployment: Deployment) -> int:
    """Records counted by all shards."""
    return sum(msgspec.json.decode(value, type=Statistics).records for value in stored(deployment, "statistics"))


async def test_a_shard_lives_on_one_node(cluster: ValkeyCluster, settings: Settings) -> None:
    """Everything that the store does works on a cluster: shards on all nodes, each of them whole on its own."""
    client = async_redis_client(settings)
    stores = [ShardStore(client, "whole", number, "me") for number in range(SHARDS)]
    assert {cluster.node_of(store.key("owner")) for store in stores} == set(range(NODES))
    for store in stores:
        await store.claim()
        await write(store, 1, 3)
        await store.journal(entry(4))
        loaded = await store.load(["clock"])
        assert (loaded.position.sequence, len(loaded.journal), loaded.timers) == (3, 1, [(3, "ma")])
        assert (await store.load([])).position.sequence == 3
        assert await store.read(["m:a", "m:b", "l:a"]) == [b"3", None, b"x"]
        await ShardStore(client, "whole", store._partition, "thief").claim()
        with pytest.raises(ShardLostError):
            await store.journal(entry(5))
    await client.aclose()


async def test_scripts_are_sent_where_they_are_missing(cluster: ValkeyCluster, settings: Settings) -> None:
    """Each node has scripts of its own, and forgets them when it starts anew."""
    client = async_redis_client(settings)
    stores = [ShardStore(client, "scripts", number, "me") for number in range(SHARDS)]
    for store in stores:
        await store.claim()
        await write(store, 1, 1)
    for number in range(NODES):
        with cluster.client(number) as node:
            node.script_flush()
    for store in stores:
        await write(store, 2, 2)
    await client.aclose()


async def test_nodes_that_die_are_waited_for(
    cluster: ValkeyCluster, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """One node after the other is killed for three seconds while all shards write: every write is there, once, and an
    outage is a few lines in the log.
    """
    client = async_redis_client(settings)
    patience = Patience()
    stores = [ShardStore(client, "deaths", number, "me", patience) for number in range(SHARDS)]
    for store in stores:
        await store.claim()
    with caplog.at_level(logging.INFO):
        writing = [asyncio.create_task(write(store, 1, 120, 0.05)) for store in stores]
        for number in range(NODES):
            await asyncio.sleep(1)
            await asyncio.to_thread(cluster.kill, number)
            await asyncio.sleep(3)
            await asyncio.to_thread(cluster.start, number)
        async with asyncio.timeout(60):
            await asyncio.gather(*writing)
    for store in stores:
        loaded = await store.load([])
        assert (loaded.position.sequence, loaded.journal, loaded.timers) == (120, [], [(120, "ma")])
        assert await store.read(["m:a"]) == [b"120"]
    told = [record.getMessage() for record in caplog.records if record.name == "shopwarden.patience"]
    assert 2 <= len(told) <= 2 * NODES
    await client.aclose()


def test_a_worker_on_a_cluster_outlives_a_node(
    cluster: ValkeyCluster, services: EmbeddedServices, topic_prefix: str, tmp_path: Path
) -> None:
    """A whole worker with four shards: a node dies under it and comes back; every record is counted once."""
    deployment = Deployment(services.brokers, cluster.url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    records = mixed_input().records
    victim = cluster.node_of(deployment.tag(0) + "owner")
    with Worker(deployment, tmp_path, variables={"SHOPWARDEN_REDIS__CLUSTER": "true"}) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        feed(deployment, records[:200])
        worker.until(lambda: counted(deployment) > 20, "some records")
        cluster.kill(victim)
        fed = feed(deployment, records[200:])
        worker.until(lambda: "Redis is away" in worker.log(), "the outage")
        time.sleep(3)
        cluster.start(victim)
        worker.until(lambda: counted(deployment) == len(fed), "the rest", 60)
        assert worker.stop() == 0
        assert "Traceback" not in worker.log()
    assert counted(deployment) == len(fed)


async def test_a_state_of_version_1_is_found_on_all_nodes(settings: Settings) -> None:
    """The walk for records without timers reaches every shard's node, and finds that shard's alone."""
    client = async_redis_client(settings)
    try:
        for number in range(SHARDS):
            store = ShardStore(client, "older", number, "w")
            await store.claim()
            values = {f"m:m{number}": b"{}", f"l:m{number}:x": b"{}", f"o:m{number}:y": b"{}"}
            await store.checkpoint(0, Position(version=1, sequence=1), values, [], {})
        for number in range(SHARDS):
            loaded = await ShardStore(client, "older", number, "w").load([])
            assert loaded.entities == [f"l:m{number}:x", f"m:m{number}"]
    finally:
        await client.aclose()
