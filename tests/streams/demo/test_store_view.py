"""Owners, checkpoints and sizes as the demo reads them from the store."""

from collections.abc import Iterator

import pytest
import redis

from streams.demo.options import demo_settings
from streams.demo.store_view import StoreView
from streams.store import Position, ShardStore


@pytest.fixture
def view(redis_db: str) -> Iterator[StoreView]:
    """A view of two shards in an empty store."""
    watching = StoreView(demo_settings({"redis": {"url": redis_db}, "topics": {"partitions": 2}}))
    yield watching
    watching.close()


async def test_sees_what_the_shard_store_writes(view: StoreView, redis_db: str) -> None:
    """Owner and checkpoint are found where the worker's own code puts them."""
    assert view.owned() == 0
    assert view.checkpointed() == {}
    async with redis.asyncio.Redis.from_url(redis_db) as client:
        store = ShardStore(client, "shopwarden", 1, "me")
        await store.claim()
        await store.checkpoint(0, Position(sequence=1, offsets={"orders": 12, "listings": 3}), {"m:a": b"x"}, [], {})
    assert view.owned() == 1
    assert view.checkpointed() == {("orders", 1): 12, ("listings", 1): 3}
    assert view.merchant_bytes() == 1


def test_median_of_all_shards(view: StoreView, redis_db: str) -> None:
    """The median is over the merchants of every shard, and of merchants alone."""
    assert view.merchant_bytes() is None
    with redis.Redis.from_url(redis_db) as client:
        for number in range(2500):
            client.set(f"{{shopwarden:{number % 2}}}:m:{number}", b"x" * 100)
        for number in range(2499):
            client.set(f"{{shopwarden:{number % 2}}}:m:big{number}", b"x" * 300)
        client.set("{shopwarden:0}:o:1", b"x" * 10_000)
    assert view.merchant_bytes() == 100
