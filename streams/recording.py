"""Read topics into an archive: one sequence in event-time order out of many partitions.

Records are merged by their Kafka timestamp, which is the event time where the producer set it so, as ``shopwarden
produce`` does. The order within a partition is kept as it is, because it is part of what happened: a record that came
late stays late. For the merge it counts as one of the moment before which it could not be read, so that the partitions
stay in step around it.

Memory is bounded: each partition has a buffer of some thousand records and is paused while it is full.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Final, Generic, TypeVar, cast

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from msgspec import Struct

from streams.archive import ArchiveRecord, Headers
from streams.reading import POLL_SECONDS, Partition, PartitionEnd, TopicReader, partition_of

#: Records of one partition that wait for those of the others.
_BUFFER: Final = 4000
#: While topics are recorded live, seconds that a record waits for earlier ones on their way in other partitions.
_SETTLE_SECONDS: Final = 0.5

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _Queue(Struct, Generic[T]):
    entries: deque[tuple[int, float, T]]
    highest: int = -1
    open: bool = True


class OrderedMerge(Generic[K, T]):
    """Merges sequences that arrive piece by piece into one that rises by time, keeping the order of each.

    Parameters
    ----------
    keys
        Names of the sequences. At the same time the earlier one goes first.
    """

    def __init__(self, keys: Iterable[K]) -> None:
        self._keys = list(keys)
        self._queues: dict[K, _Queue[T]] = {key: _Queue(deque()) for key in self._keys}
        self._rank = {key: rank for rank, key in enumerate(self._keys)}
        #: (time, rank) of the first entry of each sequence that has one.
        self._heads: list[tuple[int, int]] = []
        #: Sequences without an entry that may still get one: nothing may go before they have spoken.
        self._awaited = set(self._keys)

    def add(self, key: K, moment: int, item: T, arrived: float = 0.0) -> None:
        """Append to a sequence. ``arrived`` is for :meth:`pop`."""
        queue = self._queues[key]
        queue.highest = max(queue.highest, moment)
        queue.open = True
        queue.entries.append((queue.highest, arrived, item))
        if len(queue.entries) == 1:
            heapq.heappush(self._heads, (queue.highest, self._rank[key]))
            self._awaited.discard(key)

    def end(self, key: K) -> None:
        """Wait no longer for this sequence, until it gets another entry."""
        self._queues[key].open = False
        self._awaited.discard(key)

    def size(self, key: K) -> int:
        """Entries of a sequence that wait."""
        return len(self._queues[key].entries)

    def pop(self, arrived_by: float = float("inf")) -> Iterator[tuple[K, T]]:
        """Take what is known to be next, as long as it had arrived by then."""
        while self._heads and not self._awaited:
            rank = self._heads[0][1]
            key = self._keys[rank]
            queue = self._queues[key]
            if queue.entries[0][1] > arrived_by:
                return
            heapq.heappop(self._heads)
            _, _, item = queue.entries.popleft()
            if queue.entries:
                heapq.heappush(self._heads, (queue.entries[0][0], rank))
            elif queue.open:
                self._awaited.add(key)
            yield key, item


def record_topics(
    reader: TopicReader, *, seconds: float | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[ArchiveRecord]:
    """The records of a reader's partitions in event-time order.

    Parameters
    ----------
    reader
        Its topics are read from where it starts.
    seconds
        Go on with what comes in during so long; ``None`` stops at the end of each partition. While records come in, the
        order is right except for one that arrives more than half a second after a later one.
    clock
        Seconds, rising.

    Raises
    ------
    ReadError
        See :meth:`TopicReader.poll`.
    """
    live = seconds is not None
    until = clock() + (seconds or 0.0)
    merge: OrderedMerge[Partition, Message] = OrderedMerge(reader.partitions)
    unfinished = set(reader.partitions)
    full: set[Partition] = set()
    while (clock() < until) if live else unfinished:
        for event in reader.poll(POLL_SECONDS, must_come=bool(unfinished - full)):
            if isinstance(event, PartitionEnd):
                merge.end(event.partition)
                unfinished.discard(event.partition)
                if not live:
                    reader.pause(event.partition)
                continue
            partition = partition_of(event)
            if partition not in unfinished and not live:
                continue  # written after the end
            unfinished.add(partition)
            merge.add(partition, event.timestamp()[1], event, clock())
            if merge.size(partition) >= _BUFFER and partition not in full:
                full.add(partition)
                reader.pause(partition)
        # Where some partition has been read to its end, an earlier record may be on its way there.
        settled = clock() - _SETTLE_SECONDS if live and len(unfinished) < len(reader.partitions) else float("inf")
        for _, message in merge.pop(settled):
            yield archive_record(message)
        for partition in [partition for partition in full if merge.size(partition) < _BUFFER // 2]:
            full.discard(partition)
            reader.resume(partition)
    for partition in reader.partitions:
        merge.end(partition)
    for _, message in merge.pop():
        yield archive_record(message)


def archive_record(message: Message) -> ArchiveRecord:
    """A record of a topic as it stands in an archive."""
    kind, timestamp = message.timestamp()
    return ArchiveRecord(
        topic=message.topic() or "",
        key=as_bytes(message.key()),
        value=as_bytes(message.value()),
        timestamp=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
        headers=headers_of(message),
        partition=message.partition(),
        offset=message.offset(),
    )


def headers_of(message: Message) -> Headers:
    """The headers of a record, in their order."""
    headers = cast("list[tuple[str, bytes | None]] | None", message.headers())
    return tuple(headers or ())


def as_bytes(data: bytes | str | None) -> bytes | None:
    """Bytes of a record's part; confluent-kafka's types allow text, which it never gives."""
    return data.encode() if isinstance(data, str) else data
