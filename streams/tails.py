"""What the topics hold of a shard behind its last checkpoint: outputs published already, and journalled flushes.

All messages of a shard lie in the partition of its number, published in order by its owners alone, so what stands there
behind the checkpoint came from the flushes after it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from msgspec import Struct, field

from detectors.flush import Emit, Stream
from streams.reading import Partition, TopicReader, partition_of, read_to_end
from streams.store import JournalEntry

logger = logging.getLogger("shopwarden.tails")

#: Headers of the messages in the journal's topic: which state's flushes these are.
EPOCH_HEADER = "epoch"
_ID_HEADER = "ce_id"
_ASK_S = 30.0
_decode_entry = msgspec.json.Decoder(JournalEntry).decode


class Tail(Struct):
    """What one shard's partitions hold from some offsets on."""

    #: Topic -> ids of the messages, in order.
    ids: dict[str, list[str]] = field(default_factory=dict)
    #: Epoch -> entries of the journal's topic, in order of arrival.
    entries: dict[str, list[JournalEntry]] = field(default_factory=dict)
    #: Topic -> offset after the last message.
    ends: dict[str, int] = field(default_factory=dict)


class PublishedBefore:
    """Outputs that were published by earlier owners after the last checkpoint: recovery leaves them out.

    Parameters
    ----------
    ids
        Stream -> ids found in its topic.
    entries
        Journal entries found in their topic.
    ends
        Topic -> offset behind what was found.
    compacted
        Streams whose topic keeps the latest message of a key alone. Of what was published there some may be gone, but
        never the last: up to that one nothing is published again, or it would take the place of a later one.
    """

    def __init__(
        self,
        ids: Mapping[Stream, Sequence[str]] | None = None,
        entries: Iterable[JournalEntry] = (),
        ends: Mapping[str, int] | None = None,
        compacted: Iterable[Stream] = ("standing", "creator_standing"),
    ) -> None:
        self._ids = {stream: set(found) for stream, found in (ids or {}).items() if found}
        self._entries = {(entry.sequence, entry.claim) for entry in entries}
        self._ends = dict(ends or {})
        self._compacted = frozenset(compacted)
        self._recovering = True
        #: Keys of compacted topics for which something was published that had not been there.
        self._renewed: set[bytes | None] = set()
        self.left_out = 0

    def unpublished(self, emits: list[Emit]) -> list[Emit]:
        """Those of a flush's outputs that are not in their topics yet."""
        if not self._ids:
            return emits
        kept = [emit for emit in emits if not self._was_published(emit)]
        self.left_out += len(emits) - len(kept)
        return kept

    def _was_published(self, emit: Emit) -> bool:
        ids = self._ids.get(emit.stream)
        if ids is None:
            return False
        found = emit.id in ids
        if found:
            ids.discard(emit.id)
            if not ids:
                del self._ids[emit.stream]
        if emit.stream not in self._compacted:
            return found
        if self._recovering or (found and emit.key not in self._renewed):
            return True
        self._renewed.add(emit.key)
        return False

    def holds(self, entry: JournalEntry) -> bool:
        """Whether an entry is in the journal's topic already."""
        return bool(self._entries) and (entry.sequence, entry.claim) in self._entries

    def settled(self) -> dict[str, int]:
        """What the topics hold once the journal has been applied again: offsets behind it, where all of it came up.

        Where something did not come up (flushes are cut otherwise, as their journal is lost), the rest goes on being
        left out should it come up later; in compacted topics, which have to be right in the end, only while nothing
        else was published for its key.
        """
        self._entries = set()
        self._recovering = False
        return {} if self._ids else self._ends


def read_tails(config: Mapping[str, Any], starts: Mapping[Partition, int], journal: str, key: str) -> dict[int, Tail]:
    """Read partitions from some offsets to their ends.

    Parameters
    ----------
    config
        Of a confluent-kafka consumer.
    starts
        Topic and partition -> offset to begin at.
    journal
        Name of the journal's topic; the keys of its messages begin with ``key``, or they belong to another deployment.

    Returns
    -------
    By partition number.

    Raises
    ------
    streams.reading.ReadError
        The topics can't be read.
    """
    tails = {number: Tail() for _, number in starts}
    for (topic, number), offset in starts.items():
        tails[number].ends[topic] = offset
    with TopicReader(config, sorted({topic for topic, _ in starts}), start=starts) as reader:
        for message in read_to_end(reader):
            topic, number = partition_of(message)
            tail = tails[number]
            tail.ends[topic] = (message.offset() or 0) + 1
            headers = dict(message.headers() or ())
            if topic != journal:
                identifier = headers.get(_ID_HEADER)
                if isinstance(identifier, bytes):
                    tail.ids.setdefault(topic, []).append(identifier.decode())
                continue
            value, epoch = message.value(), headers.get(EPOCH_HEADER)
            if message.key() == key_of(key, number) and isinstance(value, bytes) and isinstance(epoch, bytes):
                tail.entries.setdefault(epoch.decode(), []).append(_decode_entry(value))
    return tails


def key_of(namespace: str, number: int) -> bytes:
    """Key of a shard's messages in the journal's topic."""
    return f"{namespace}/{number}".encode()


class Extent(Struct, frozen=True):
    """First offset that a partition holds, and the one after its last."""

    earliest: int
    end: int


def extents(admin: AdminClient, partitions: Iterable[Partition]) -> dict[Partition, Extent]:
    """What partitions hold now. The end may be too low: the embedded broker counts batches, not records.

    Raises
    ------
    confluent_kafka.KafkaException
        The broker does not tell.
    """
    wanted = [TopicPartition(*partition) for partition in partitions]
    if not wanted:
        return {}
    found: list[dict[Partition, int]] = []
    for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):  # type: ignore[no-untyped-call]
        asked = admin.list_offsets(dict.fromkeys(wanted, spec), request_timeout=_ASK_S)
        found.append({(tp.topic, tp.partition): future.result(_ASK_S).offset for tp, future in asked.items()})
    earliest, latest = found
    return {partition: Extent(max(0, first), max(0, latest[partition])) for partition, first in earliest.items()}


def merged_journal(
    stored: Sequence[JournalEntry], history: Iterable[JournalEntry], sequence: int
) -> list[JournalEntry]:
    """The flushes after checkpoint ``sequence``: those that Redis holds, and after them those that it has forgotten.

    Of two entries with one number the one of the later claim counts, and with it everything that its worker wrote after
    it; what an earlier owner wrote from there on did not happen.
    """
    merged: list[JournalEntry] = []

    def put(entry: JournalEntry) -> None:
        at = entry.sequence - sequence - 1
        if 0 <= at <= len(merged):
            del merged[at:]
            merged.append(entry)

    for entry in sorted(history, key=lambda entry: entry.claim):
        put(entry)
    for entry in stored:
        at = entry.sequence - sequence - 1
        if at < 0:
            continue
        if at >= len(merged) or merged[at].claim < entry.claim:
            put(entry)
        elif merged[at].claim == entry.claim:
            # The same entry, or Redis has it as it was amended last.
            merged[at] = entry
        else:
            break
    return merged
