"""The undisturbed run: the core applied in memory to the same records, in the order that the journal names.

No process, no broker, no store and no fault is involved: one core for each shard, from an empty state to the end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import cast

import msgspec
from confluent_kafka import Message

from config.settings import Settings
from detectors.flush import Emit, Flush
from detectors.judge import fresh_models
from features.decode import RECORD_KINDS, RecordKind
from features.keys import split_key
from features.order import OrderRecord, held_against_buyer
from features.shard import Record
from streams.reading import partition_of
from streams.recording import as_bytes, headers_of
from streams.snapshot import restore, take_changes
from streams.store import JournalEntry, Loaded, Position
from streams.worker import make_judge

Coordinates = tuple[str, int, int]


@dataclass
class Reference:
    """What must be there in the end: outputs by id, stored values and timers by shard, and the records applied."""

    outputs: dict[str, Emit] = field(default_factory=dict)
    values: dict[int, dict[str, bytes | list[bytes]]] = field(default_factory=dict)
    timers: dict[int, dict[str, int]] = field(default_factory=dict)
    applied: Counter[Coordinates] = field(default_factory=Counter)
    #: Orders, as merchant and order, whose claims are held against the buyer; many are forgotten before they leave the
    #: longest window.
    excused: set[tuple[str, str]] = field(default_factory=set)
    #: Records that the journal says were not there any more.
    left_out: set[Coordinates] = field(default_factory=set)

    def note_excused(self, orders: Mapping[str, OrderRecord], touched: Set[str]) -> None:
        """Note which of some orders are held against their buyers now."""
        for key in touched:
            order = orders.get(key)
            if order is not None and held_against_buyer(order):
                self.excused.add(split_key(key))
            elif order is not None:
                self.excused.discard(split_key(key))


def undisturbed(settings: Settings, records: Iterable[Message], journal: Mapping[int, list[JournalEntry]]) -> Reference:
    """Apply everything that the journals name, once."""
    kinds = {settings.topics.name(kind): kind for kind in RECORD_KINDS}
    given = {coordinates(message): _record(message, kinds) for message in records}
    judge = make_judge(settings)
    judge.settings = msgspec.structs.replace(judge.settings, shards=settings.topics.partitions)
    found = Reference()
    for shard, entries in journal.items():
        core = restore(shard, Loaded(Position(), [], [], {}), judge, fresh_models(settings.worker.seed))
        for entry in entries:
            places = [
                (topic, shard, offset) for topic, first, last in entry.ranges for offset in range(first, last + 1)
            ]
            found.applied.update(places)
            found.left_out.update(
                (gap.topic, shard, offset) for gap in entry.gaps for offset in range(gap.first, gap.last + 1)
            )
            applied = [given[place] for place in places if place in given]
            flush = Flush(entry.sequence, applied, entry.tick, entry.clock, entry.gaps, entry.poison)
            events = core.decode(flush)
            needed = core.needed(flush, events)
            for emit in core.apply(flush, events):
                if emit.stream != "exchange":
                    found.outputs[emit.id] = emit
            found.note_excused(core.state.orders, needed.orders)
        changes = take_changes(core)
        lists = {name: added[-keep:] for name, (added, keep) in changes.appends.items() if added}
        found.values[shard] = {**changes.values, **lists}
        found.timers[shard] = {key: time for key, time in changes.timers.items() if time}
    return found


def coordinates(message: Message) -> Coordinates:
    """Where a record lies."""
    return *partition_of(message), message.offset() or 0


def _record(message: Message, kinds: Mapping[str, RecordKind]) -> Record:
    topic, partition, offset = coordinates(message)
    headers = cast("tuple[tuple[str, bytes], ...]", headers_of(message))
    key, value = as_bytes(message.key()), as_bytes(message.value())
    return Record(kinds[topic], topic, partition, offset, message.timestamp()[1], key, value, headers)
