"""Writes the golden file of the present version: a stored shard, the records that follow, and what becomes of them.

`python -m tests.golden.write`, once a version of the state and before the next one changes it; the file is then for
good.
"""

import asyncio
import base64
from pathlib import Path
from typing import Any, Final

import orjson

from detectors.apply import Core
from detectors.flush import Flush
from detectors.judge import fresh_models
from features.registry import FEATURES, Context
from features.shard import Record, ShardState
from streams.intake import ranges_of
from streams.simulator import SCENARIO_NAMES, Plan, Simulation, SimulatorConfig
from streams.snapshot import take_changes
from streams.store import STORE_VERSION, JournalEntry, Position
from tests.streams.shard_fakes import MemoryStore, Shelf, load_needed, make_judge

FOLDER: Final = Path(__file__).parent
#: Records in the checkpoint, in the journal after it, and behind that.
STORED, JOURNALLED, FOLLOWING = 640, 30, 60
#: What is compared of each merchant in the end: figures whose definitions a version may not change silently.
COMPARED: Final = ("orders_90d", "gmv_90d", "refunds_90d", "live_listings", "distinct_buyers_30d", "price_level")
SEED: Final = 42


async def apply(core: Core, store: MemoryStore, flush: Flush) -> None:
    """Load and apply a flush."""
    events = core.decode(flush)
    await load_needed(store, core.state, core.needed(flush, events))
    core.apply(flush, events)


def figures(state: ShardState) -> dict[str, list[float | None]]:
    """The compared figures of all merchants in use."""
    contexts = {key: Context(merchant, state.population) for key, merchant in sorted(state.merchants.items())}
    return {key: [FEATURES[name].get(context) for name in COMPARED] for key, context in contexts.items()}


def records() -> list[Record]:
    """A small marketplace with a bust-out, in order of time."""
    plans: dict[str, Any] = {name: Plan(0) for name in SCENARIO_NAMES} | {"bust_out": Plan(1, 0.3)}
    config = SimulatorConfig(seed=3, merchants=8, orders_per_day=2, span_days=90, **plans)
    counted: dict[str, int] = {}
    found = []
    for each in Simulation(config):
        offset = counted[each.topic] = counted.get(each.topic, -1) + 1
        found.append(Record(each.topic, each.topic, 0, offset, each.timestamp, each.key, each.value))  # type: ignore[arg-type]
    return found


def as_json(record: Record) -> dict[str, Any]:
    """A record as it stands in the file."""
    assert record.key is not None
    assert record.value is not None
    return {
        "topic": record.topic,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "key": record.key.decode(),
        "value": record.value.decode(),
    }


def text(value: bytes) -> str | dict[str, str]:
    """A stored value, readable where it can be."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


async def golden() -> dict[str, Any]:
    """The contents of the file."""
    store = MemoryStore(Shelf(), "golden")
    await store.claim()
    core = Core(ShardState(0), fresh_models(SEED), make_judge())
    rest = records()
    stored, journalled, following = (
        rest[:STORED],
        rest[STORED : STORED + JOURNALLED],
        rest[STORED + JOURNALLED : STORED + JOURNALLED + FOLLOWING],
    )
    await apply(core, store, Flush(1, stored))
    changes = take_changes(core)
    offsets = {record.topic: record.offset + 1 for record in stored}
    position = Position(sequence=1, offsets=offsets, pseudonym_key="k1")
    await store.checkpoint(0, position, changes.values, changes.deleted, changes.timers, changes.appends)
    await store.journal(JournalEntry(2, ranges_of(journalled), None, core.judge.policies.version))
    shelf = store.shelf
    kept = {
        "version": STORE_VERSION,
        "sequence": shelf.sequence,
        "values": {name: text(value) for name, value in sorted(shelf.values.items())},
        "timers": dict(sorted(shelf.timers.items())),
        "lists": {name: [text(each) for each in entries] for name, entries in sorted(shelf.lists.items())},
        "journal": [orjson.loads(orjson.dumps([e.sequence, e.ranges, e.tick, e.policy])) for e in shelf.journal],
        "journalled": [as_json(record) for record in journalled],
        "following": [as_json(record) for record in following],
    }
    await apply(core, store, Flush(2, journalled))
    await apply(core, store, Flush(3, following))
    state = core.state
    kept["compared"] = COMPARED
    kept["expected"] = {
        "records": state.statistics.records,
        "orders": state.statistics.orders,
        "labels": state.statistics.labels,
        "merchants": figures(state),
    }
    return kept


def main() -> None:
    """Write the file, unless it is there."""
    path = FOLDER / f"shard-v{STORE_VERSION}.json"
    if path.exists():
        raise SystemExit(f"{path.name} is there: it shows what that version wrote, so it is never written again")
    path.write_bytes(orjson.dumps(asyncio.run(golden()), option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
