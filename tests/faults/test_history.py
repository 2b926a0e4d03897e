"""The journals of a run as the append-only file has them."""

from pathlib import Path

import msgspec
import pytest
import redis

from streams.store import JournalEntry
from tests.faults.history import commands, journals
from tests.faults.store import Store

pytestmark = pytest.mark.broker


def entry(number: int, first: int = 0) -> JournalEntry:
    """A flush of one record."""
    return JournalEntry(number, [("orders", first, first)], None, "policy")


def write(store: Store, key: str, *entries: JournalEntry) -> None:
    """Append to a journal, as the worker does."""
    with redis.Redis.from_url(store.url) as client:
        client.rpush(key, *[msgspec.json.encode(each) for each in entries])


def test_all_that_was_ever_in_a_journal_is_found() -> None:
    """Entries that were cut since, of both shards, and not those of other namespaces; a restart does not matter."""
    with Store() as store, redis.Redis.from_url(store.url) as client:
        write(store, "{run:0}:journal", entry(1), entry(2))
        client.ltrim("{run:0}:journal", 1, -1)
        write(store, "{run:1}:journal", entry(1, 7))
        write(store, "{other:0}:journal", entry(1, 9))
        store.kill()
        store.start()
        write(store, "{run:0}:journal", entry(3))
        found = journals(store.history, "run")
    assert found == {0: [entry(1), entry(2), entry(3)], 1: [entry(1, 7)]}


def test_what_a_store_set_back_forgot_is_not_found() -> None:
    """An entry after the moment that the store goes back to was never there; its number is taken anew."""
    with Store() as store:
        write(store, "{run:0}:journal", entry(1))
        _noted(store)
        write(store, "{run:0}:journal", entry(2, 5))
        store.kill()
        store.set_back(0)
        store.start()
        with redis.Redis.from_url(store.url) as client:
            assert client.llen("{run:0}:journal") == 1
        write(store, "{run:0}:journal", entry(2, 6))
        assert journals(store.history, "run") == {0: [entry(1), entry(2, 6)]}


def _noted(store: Store) -> None:
    while not store._sizes:
        store.watch()


def test_a_gap_is_told() -> None:
    """A journal that lacks a flush can't be followed."""
    with Store() as store:
        write(store, "{run:0}:journal", entry(1), entry(3))
        with pytest.raises(ValueError, match=r"shard 0 lacks the flushes \[2\]"):
            journals(store.history, "run")


def test_a_command_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """A file ends where the last whole command ends."""
    file = tmp_path / "file.aof"
    file.write_bytes(b"#TS:1\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*2\r\n$3\r\nDEL\r\n$5\r\nab")
    assert list(commands(file)) == [[b"DEL", b"a"]]
