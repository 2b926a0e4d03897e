"""As recorded: the flushes of a live run, one after the other, as its journal's topic names them.

The journal says which records made up each flush, with the worker's clock, ticks, gaps and what was put aside. So the
core is given what it was given then, messages of other shards included, and each shard goes its way alone.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from config.settings import Settings
from detectors.flush import Flush
from features.decode import RECORD_KINDS, RecordKind
from features.shard import Record
from streams.clients import kafka_config
from streams.reading import (
    POLL_SECONDS,
    Partition,
    PartitionEnd,
    ReadError,
    TopicReader,
    partition_of,
    read_to_end,
)
from streams.recording import as_bytes, headers_of
from streams.store import JournalEntry
from streams.tails import EPOCH_HEADER, key_of, merged_journal

#: Records of one topic that wait for those that come before them.
_AHEAD: Final = 20_000
_decode_entry = msgspec.json.Decoder(JournalEntry).decode


class ShardJournal(Struct):
    """The flushes of a shard since its state was begun last; ``states`` were begun in all."""

    entries: list[JournalEntry]
    states: int


def read_journals(settings: Settings, shards: Collection[int]) -> dict[int, ShardJournal]:
    """Everything that the journal's topic holds of some shards.

    Raises
    ------
    streams.reading.ReadError
        The topic can't be read, or no longer holds the beginning.
    """
    topic = settings.topics.journal
    found: dict[int, dict[bytes, list[JournalEntry]]] = {shard: {} for shard in shards}
    with TopicReader(kafka_config(settings), [topic], start=dict.fromkeys([(topic, each) for each in shards], 0)) as it:
        for message in read_to_end(it):
            _, shard = partition_of(message)
            epoch = dict(headers_of(message)).get(EPOCH_HEADER)
            if as_bytes(message.key()) == key_of(settings.worker.namespace, shard) and epoch is not None:
                found[shard].setdefault(epoch, []).append(_decode_entry(as_bytes(message.value()) or b""))
    journals = {}
    for shard, epochs in found.items():
        latest = next(reversed(epochs.values()), [])
        entries = merged_journal([], latest, 0)
        if latest and not entries:
            first = min(entry.sequence for entry in latest)
            raise ReadError(
                f"the journal of shard {shard} in {topic} begins with flush {first}: what was before it was deleted "
                "(topics.retention_inputs_days), so this run can't be followed from its beginning any more"
            )
        journals[shard] = ShardJournal(entries, len(epochs))
    return journals


class RecordedFlushes:
    """The flushes of one shard, with their records.

    Parameters
    ----------
    settings
        What the topics are called and how they are reached.
    shard
        Its number.
    entries
        Its journal.

    Raises
    ------
    streams.reading.ReadError
        Here and while reading: a topic can't be read, or records that the journal names are gone.
    """

    def __init__(self, settings: Settings, shard: int, entries: Sequence[JournalEntry]) -> None:
        self._settings = settings
        self._shard = shard
        self._entries = entries
        self._kinds: Mapping[str, RecordKind] = {settings.topics.name(kind): kind for kind in RECORD_KINDS}
        self._wanted = {topic for entry in entries for topic, _, _ in entry.ranges}
        self._buffers: dict[str, deque[Record]] = {topic: deque() for topic in self._wanted}
        #: Next offset to be read of each topic; of one at its end, none.
        self._next: dict[str, int] = dict.fromkeys(self._wanted, 0)
        self._open = set(self._wanted)
        self._paused: set[str] = set()
        self.read = 0

    def __iter__(self) -> Iterator[tuple[JournalEntry, Flush]]:
        """Each flush."""
        if not self._wanted:
            for entry in self._entries:
                yield entry, self._flush(entry, [])
            return
        start = {(topic, self._shard): 0 for topic in self._wanted}
        with TopicReader(kafka_config(self._settings), sorted(self._wanted), start=start) as reader:
            for entry in self._entries:
                records: list[Record] = []
                for topic, first, last in entry.ranges:
                    self._fetch(reader, topic, last)
                    records += self._take(topic, first, last)
                yield entry, self._flush(entry, records)

    def _flush(self, entry: JournalEntry, records: list[Record]) -> Flush:
        return Flush(entry.sequence, records, entry.tick, entry.clock, entry.gaps, entry.poison, entry.policies)

    def _fetch(self, reader: TopicReader, topic: str, last: int) -> None:
        """Read on until a topic has come to an offset, or to its end."""
        if topic in self._paused:
            self._paused.discard(topic)
            reader.resume((topic, self._shard))
        while self._next[topic] <= last and topic in self._open:
            for message in reader.poll(POLL_SECONDS):
                if isinstance(message, PartitionEnd):
                    self._end(reader, message.partition)
                else:
                    self._keep(message)
            for other, buffer in self._buffers.items():
                if len(buffer) >= _AHEAD and other != topic and other not in self._paused and other in self._open:
                    self._paused.add(other)
                    reader.pause((other, self._shard))

    def _end(self, reader: TopicReader, place: Partition) -> None:
        if place[0] in self._open:
            self._open.discard(place[0])
            reader.pause(place)

    def _keep(self, message: Message) -> None:
        topic, shard = partition_of(message)
        if topic not in self._open:
            return
        offset = message.offset() or 0
        self._next[topic] = offset + 1
        self.read += 1
        headers = cast("tuple[tuple[str, bytes], ...]", headers_of(message))
        key, value, time = as_bytes(message.key()), as_bytes(message.value()), message.timestamp()[1]
        self._buffers[topic].append(Record(self._kinds[topic], topic, shard, offset, time, key, value, headers))

    def _take(self, topic: str, first: int, last: int) -> list[Record]:
        """The records of a range. One that begins later than the range does, or has no end, has lost some."""
        buffer = self._buffers[topic]
        while buffer and buffer[0].offset < first:
            # Left out by the live run, too: it said so by a gap.
            buffer.popleft()
        taken = []
        while buffer and buffer[0].offset <= last:
            taken.append(buffer.popleft())
        # The first and the last of a range were records; between them offsets may hold none.
        if not taken or taken[0].offset != first or taken[-1].offset != last:
            raise ReadError(
                f"{topic}/{self._shard} does not hold offsets {first} to {last} any more, which the journal names: "
                "they were deleted (topics.retention_inputs_days), or the topic was made anew"
            )
        return taken
