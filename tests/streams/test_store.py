from collections.abc import AsyncIterator

import msgspec
import pytest
import redis

from config.settings import load_settings
from streams.clients import AsyncRedis, async_redis_client
from streams.store import STORE_VERSION, JournalEntry, Position, ShardLostError, ShardStore, StoreError

NAMESPACE = "test"


@pytest.fixture
async def client(redis_db: str) -> AsyncIterator[AsyncRedis]:
    """A client of an empty database, as the worker has it."""
    client = async_redis_client(load_settings(redis={"url": redis_db}))
    yield client
    await client.aclose()


@pytest.fixture
async def store(client: AsyncRedis) -> ShardStore:
    """The store of shard 3, claimed."""
    return await claimed(client, "first")


async def claimed(client: AsyncRedis, token: str, partition: int = 3) -> ShardStore:
    """A store of a shard that has just been claimed."""
    store = ShardStore(client, NAMESPACE, partition, token)
    await store.claim()
    return store


def entry(sequence: int, tick: int | None = None) -> JournalEntry:
    """A flush of ten records."""
    first = 10 * (sequence - 1)
    return JournalEntry(sequence, [("orders", first, first + 9)], tick, "policy-1")


def contents(url: str) -> dict[bytes, object]:
    """Everything in the database."""
    with redis.Redis.from_url(url) as plain:
        found: dict[bytes, object] = {}
        for key in plain.scan_iter():
            kind = plain.type(key)
            if kind == b"list":
                found[key] = plain.lrange(key, 0, -1)
            elif kind == b"zset":
                found[key] = plain.zrange(key, 0, -1, withscores=True)
            else:
                found[key] = plain.get(key)
        return found


async def test_a_new_shard_is_empty(store: ShardStore) -> None:
    """Nothing stored means: from the beginning, without journal, timers and blobs."""
    loaded = await store.load(["clock"])
    assert loaded.position == Position()
    assert (loaded.journal, loaded.timers, loaded.blobs) == ([], [], {})
    assert await store.read(["m:m1"]) == [None]


async def test_a_checkpoint_is_read_back(store: ShardStore) -> None:
    """Position, blobs, records, timers and the journal after it come back as they were written."""
    for sequence in (1, 2, 3):
        await store.journal(entry(sequence))
    position = Position(sequence=2, offsets={"orders": 20, "listings": 4}, pseudonym_key="k1")
    values = {"clock": b'{"highest":5}', "m:m1": b"{}", "o:m1:o1": b"[1]"}
    await store.checkpoint(0, position, values, [], {"om1:o1": 50, "mm1": 20, "om1:o2": 30})
    await store.journal(entry(4, tick=77))

    loaded = await store.load(["clock", "statistics"])
    assert loaded.position == position
    assert loaded.journal == [entry(3), entry(4, tick=77)]
    assert loaded.timers == [(20, "mm1"), (30, "om1:o2"), (50, "om1:o1")]
    assert loaded.blobs == {"clock": b'{"highest":5}'}
    assert await store.read(["o:m1:o2", "o:m1:o1"]) == [None, b"[1]"]

    position = Position(sequence=4, offsets={"orders": 40})
    await store.checkpoint(2, position, {"m:m1": b"{1}"}, ["o:m1:o1"], {"om1:o1": 0, "mm1": 21})
    loaded = await store.load([])
    assert loaded.position == position
    assert loaded.journal == []
    assert loaded.timers == [(21, "mm1"), (30, "om1:o2")]
    assert await store.read(["m:m1"]) == [b"{1}"]
    assert await store.read(["o:m1:o1"]) == [None]


async def test_all_keys_of_a_shard_share_a_hash_tag(store: ShardStore, redis_db: str) -> None:
    """A Redis Cluster keeps a shard on one node, and two deployments or shards never meet."""
    await store.journal(entry(1))
    await store.checkpoint(0, Position(sequence=1), {"m:m1": b"{}"}, [], {"mm1": 5})
    await store.journal(entry(2))
    names = {"owner", "sequence", "journal", "position", "timers", "m:m1"}
    assert set(contents(redis_db)) == {f"{{test:3}}:{name}".encode() for name in names}


async def test_who_lost_the_shard_can_write_nothing(store: ShardStore, client: AsyncRedis, redis_db: str) -> None:
    """After a second worker's claim the first one's journal entries and checkpoints fail, and change nothing."""
    await store.journal(entry(1))
    second = await claimed(client, "second")
    before = contents(redis_db)
    with pytest.raises(ShardLostError, match="shard 3 was refused: another worker owns"):
        await store.journal(entry(2))
    with pytest.raises(ShardLostError, match="checkpoint 1 of shard 3"):
        await store.checkpoint(0, Position(sequence=1), {"m:m1": b"{}"}, [], {"mm1": 5})
    await store.release()
    assert contents(redis_db) == before
    assert (await second.load([])).journal == [entry(1)]
    await second.journal(entry(2))
    await second.checkpoint(0, Position(sequence=2), {}, [], {})


async def test_a_released_shard_is_nobodys(store: ShardStore, redis_db: str) -> None:
    """Who gave a shard up can write no more either."""
    await store.release()
    assert contents(redis_db) == {}
    with pytest.raises(ShardLostError):
        await store.journal(entry(1))
    with pytest.raises(ShardLostError):
        await store.checkpoint(0, Position(sequence=1), {}, [], {})


async def test_a_repeated_call_changes_nothing(store: ShardStore, redis_db: str) -> None:
    """The client repeats what was not answered: the same entry or checkpoint again is a success without effect."""
    await store.journal(entry(1))
    await store.journal(entry(1))
    await store.journal(entry(2))
    await store.journal(entry(2))
    assert (await store.load([])).journal == [entry(1), entry(2)]
    arguments = (0, Position(sequence=1), {"m:m1": b"{}"}, ["o:x:1"], {"mm1": 5})
    await store.checkpoint(*arguments)
    after = contents(redis_db)
    await store.checkpoint(*arguments)
    assert contents(redis_db) == after
    # Its answer was lost too, and the checkpoint has cut the journal meanwhile.
    await store.journal(entry(2))
    assert contents(redis_db) == after
    assert (await store.load([])).journal == [entry(2)]


@pytest.mark.parametrize("sequence", [0, 1, 2, 4, 5])
async def test_a_journal_entry_must_follow_the_last(store: ShardStore, redis_db: str, sequence: int) -> None:
    """After entry 2 only entry 3 may come: gaps, and other entries under a number that was used, are refused."""
    await store.journal(entry(1))
    await store.journal(entry(2))
    before = contents(redis_db)
    with pytest.raises(StoreError, match=f"journal entry {sequence} of shard 3 does not follow"):
        await store.journal(entry(sequence, tick=1))
    assert contents(redis_db) == before
    await store.journal(entry(3))


async def test_a_checkpoint_must_follow_the_last(store: ShardStore, redis_db: str) -> None:
    """A checkpoint on top of another than the stored one is refused, with what to do about it."""
    for sequence in (1, 2, 3):
        await store.journal(entry(sequence))
    await store.checkpoint(0, Position(sequence=1), {"m:m1": b"1"}, [], {})
    before = contents(redis_db)
    for previous, sequence in ((0, 2), (2, 3)):
        with pytest.raises(StoreError, match="restart the worker"):
            await store.checkpoint(previous, Position(sequence=sequence), {"m:m1": b"2"}, [], {})
    assert contents(redis_db) == before


async def test_a_checkpoint_of_nothing_is_none(store: ShardStore, redis_db: str) -> None:
    """Without a flush since the last checkpoint nothing is written."""
    before = contents(redis_db)
    await store.checkpoint(0, Position(), {"m:m1": b"1"}, [], {})
    assert contents(redis_db) == before


async def test_a_large_checkpoint_is_one(store: ShardStore) -> None:
    """Tens of thousands of keys and timers, set and removed, in one call each."""
    count = 25_001
    ids = [f"m:{number}" for number in range(count)]
    await store.journal(entry(1))
    values = {f"o:{each}": each.encode() for each in ids}
    await store.checkpoint(
        0, Position(sequence=1), values, [], {f"o{each}": 1 + index for index, each in enumerate(ids)}
    )
    assert await store.read([f"o:{each}" for each in ids]) == [each.encode() for each in ids]
    loaded = await store.load([])
    assert loaded.timers == [(1 + index, f"o{each}") for index, each in enumerate(ids)]
    await store.journal(entry(2))
    gone = [f"o:{each}" for each in ids[1:]]
    await store.checkpoint(1, Position(sequence=2), {}, gone, {f"o{each}": 0 for each in ids[:-1]})
    assert await store.read([f"o:{each}" for each in ids]) == [b"m:0", *[None] * (count - 1)]
    assert (await store.load([])).timers == [(count, f"om:{count - 1}")]


async def test_lists_keep_the_latest_entries(store: ShardStore, redis_db: str) -> None:
    """A checkpoint appends in order and cuts the oldest; the same one again appends nothing twice."""
    for sequence in (1, 2):
        await store.journal(entry(sequence))
    entries = [b"%d" % number for number in range(2_500)]
    appends = {"examples:a": (entries, 2_000), "examples:b": ([b"x"], 5)}
    await store.checkpoint(0, Position(sequence=1), {"m:m1": b"1"}, ["o:x:1"], {"mm1": 5, "mm2": 0}, appends)
    loaded = await store.load([], ["examples:a", "examples:b", "examples:c"])
    assert loaded.lists == {"examples:a": entries[500:], "examples:b": [b"x"], "examples:c": []}
    before = contents(redis_db)
    await store.checkpoint(0, Position(sequence=1), {"m:m1": b"1"}, ["o:x:1"], {"mm1": 5, "mm2": 0}, appends)
    assert contents(redis_db) == before
    await store.checkpoint(1, Position(sequence=2), {}, [], {}, {"examples:b": ([b"y", b"z"], 2)})
    assert (await store.load([], ["examples:b"])).lists == {"examples:b": [b"y", b"z"]}


async def test_scripts_are_sent_again_to_a_store_that_lost_them(store: ShardStore, client: AsyncRedis) -> None:
    """A store that was restarted, or whose scripts were flushed, gets them again."""
    await store.journal(entry(1))
    await client.script_flush()
    await store.journal(entry(2))
    assert (await store.load([])).journal == [entry(1), entry(2)]


async def test_a_newer_checkpoint_is_refused(store: ShardStore, client: AsyncRedis) -> None:
    """A worker does not read what a newer version wrote."""
    await client.set(store.key("position"), msgspec.json.encode(Position(version=STORE_VERSION + 1)))
    with pytest.raises(StoreError, match=r"stored by a newer version .* upgrade this worker"):
        await store.load([])


async def test_an_older_state_is_searched_for_what_must_be_upgraded(store: ShardStore, client: AsyncRedis) -> None:
    """A state of version 1 gives the names of its merchants and listings, of its shard alone; a present one none."""
    other = await claimed(client, "other", partition=13)
    for each, position in ((store, Position(version=1, sequence=1)), (other, Position(version=1, sequence=1))):
        await each.checkpoint(0, position, {"m:a": b"{}", "l:a:1": b"{}", "o:a:1": b"{}", "clock": b"{}"}, [], {})
    await other.checkpoint(1, Position(version=1, sequence=2), {"m:b": b"{}"}, [], {})
    assert (await store.load([])).entities == ["l:a:1", "m:a"]
    await store.checkpoint(1, Position(sequence=2), {}, [], {})
    assert (await store.load([])).entities == []


async def test_an_older_checkpoint_is_claimed_for_this_version(store: ShardStore, client: AsyncRedis) -> None:
    """Ahead of the first entry that an older worker would misread, which from then on refuses it; who has lost the
    shard can't do it.
    """
    old = Position(version=2, sequence=1, offsets={"orders": 10})
    await store.checkpoint(0, old, {}, [], {})
    await store.raise_version(old)
    assert (await store.load([])).position == Position(sequence=1, offsets={"orders": 10})
    await claimed(client, "second")
    with pytest.raises(ShardLostError):
        await store.raise_version(old)


async def test_shards_do_not_meet(store: ShardStore, client: AsyncRedis) -> None:
    """Another shard has its own owner, journal and records."""
    other = await claimed(client, "other", partition=4)
    await store.journal(entry(1))
    await other.journal(entry(1))
    await store.checkpoint(0, Position(sequence=1), {"m:m1": b"3"}, [], {"mm1": 9})
    assert await other.read(["m:m1"]) == [None]
    loaded = await other.load([])
    assert loaded.journal == [entry(1)]
    assert loaded.timers == []
