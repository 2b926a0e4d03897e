"""What older versions stored is read and continued."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest

from detectors.flush import Flush
from detectors.judge import Judge, fresh_models
from features.shard import Record
from features.windows import DAY_MS
from streams.snapshot import BLOBS, LISTS, restore, take_changes
from streams.store import STORE_VERSION, JournalEntry, Position
from tests.golden.write import FOLDER, SEED, apply, figures
from tests.streams.shard_fakes import MemoryStore, Shelf, make_judge

FILES = sorted(FOLDER.glob("shard-v*.json"))


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge by the packaged policies, as the files were written by."""
    return make_judge()


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A golden file."""
    path: Path = request.param
    contents: dict[str, Any] = orjson.loads(path.read_bytes())
    return contents


def raw(value: str | dict[str, str]) -> bytes:
    """A stored value as bytes."""
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"])


def shelf_of(golden: dict[str, Any]) -> Shelf:
    """The stored shard of a golden file."""
    return Shelf(
        sequence=golden["sequence"],
        journal=[JournalEntry(n, [tuple(each) for each in r], t, p) for n, r, t, p in golden["journal"]],
        values={name: raw(value) for name, value in golden["values"].items()},
        timers=golden["timers"],
        lists={name: [raw(each) for each in entries] for name, entries in golden["lists"].items()},
    )


def records(listed: list[dict[str, Any]]) -> list[Record]:
    """Records of a golden file."""
    return [
        Record(r["topic"], r["topic"], 0, r["offset"], r["timestamp"], r["key"].encode(), r["value"].encode())
        for r in listed
    ]


def test_every_version_has_a_file() -> None:
    """Each version of the state before the present one can be tried."""
    assert [path.name for path in FILES][: STORE_VERSION - 1] == [f"shard-v{n}.json" for n in range(1, STORE_VERSION)]


async def test_an_older_state_is_continued(golden: dict[str, Any], judge: Judge) -> None:
    """Journal and later records are applied on top of it, as the version that wrote it would have."""
    store = MemoryStore(shelf_of(golden), "w")
    await store.claim()
    core = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(SEED))
    await apply(core, store, Flush(2, records(golden["journalled"])))
    await apply(core, store, Flush(3, records(golden["following"])))
    expected = golden["expected"]
    statistics = core.state.statistics
    counted = {"records": statistics.records, "orders": statistics.orders, "labels": statistics.labels}
    assert counted == {name: expected[name] for name in counted}
    known = figures(core.state)
    assert len(known) >= 5
    assert known == {key: expected["merchants"][key] for key in known}


async def test_an_older_state_is_stored_in_the_present_form(golden: dict[str, Any], judge: Judge) -> None:
    """The next checkpoint carries the present version, and a shard restored from it has the same figures."""
    store = MemoryStore(shelf_of(golden), "w")
    await store.claim()
    core = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(SEED))
    await apply(core, store, Flush(2, records(golden["journalled"])))
    changes = take_changes(core)
    await store.checkpoint(1, Position(sequence=2), changes.values, changes.deleted, changes.timers, changes.appends)
    assert store.shelf.position.version == STORE_VERSION
    timed = {name[0] + name[2:] for name in store.shelf.values if name[:2] in ("l:", "m:")}
    assert timed <= set(store.shelf.timers)
    again = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(SEED))
    for one in (core, again):
        await apply(one, store, Flush(3, records(golden["following"])))
    known = figures(again.state)
    assert known == {key: figures(core.state)[key] for key in known}
    assert again.state.statistics == core.state.statistics


async def test_what_an_older_version_kept_for_good_leaves(golden: dict[str, Any], judge: Judge) -> None:
    """Listings and merchants of an older state leave by event time like all others; those with outputs leave a stub."""
    store = MemoryStore(shelf_of(golden), "w")
    await store.claim()
    core = restore(0, await store.load(BLOBS, LISTS), judge, fresh_models(SEED))
    await apply(core, store, Flush(2, records(golden["journalled"])))
    now = core.state.clock.watermark
    live = {name for name in store.shelf.values if name[:2] in ("l:", "m:")}
    assert len(live) > 60
    for number, days in enumerate((200, 400, 600, 800, 1_200), 3):
        await apply(core, store, Flush(number, [], now + days * DAY_MS))
        changes = take_changes(core)
        position = Position(sequence=number)
        await store.checkpoint(
            store.shelf.sequence, position, changes.values, changes.deleted, changes.timers, changes.appends
        )
    left = {name for name in store.shelf.values if name[:2] in ("l:", "m:", "o:")}
    assert left == {f"m:{key}" for key, one in core.state.merchants.items() if one.record.sequence}
    assert store.shelf.timers == {}
