"""How a merchant's state is measured."""

import redis

from benchmarks.state_size import state_size


def test_a_merchants_state_is_its_record_and_separately_its_orders_and_listings(redis_db: str) -> None:
    """Orders and listings count for their merchant, other namespaces and the shard's own blobs do not."""
    with redis.Redis.from_url(redis_db) as store:
        store.mset(
            {
                "{a:0}:m:m1": b"x" * 100,
                "{a:0}:o:m1:o1": b"x" * 50,
                "{a:1}:m:m2": b"x" * 300,
                "{a:1}:l:m2:l1": b"x" * 10,
                "{a:1}:m:m3": b"x" * 200,
                "{a:1}:clock": b"x" * 7,
                "{b:1}:m:m9": b"x" * 999,
            }
        )
        store.rpush("{a:0}:journal", "entry")
    size = state_size(redis_db, "a")
    assert (size.merchants, size.orders, size.listings) == (3, 1, 1)
    assert (size.record, size.with_entities) == (200, 200)
    assert size.with_keys == 200 + len("{a:1}:m:m3")
    assert size.shards > 7
