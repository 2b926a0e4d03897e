"""What a shard has been given and not yet applied, and which of it makes up the next flush."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from features.decode import RECORD_KINDS, RecordKind
from features.shard import Record
from streams.store import JournalEntry


class Intake:
    """Buffers of one shard's input topics.

    Topics are merged by the records' own timestamps as far as they are known: while a topic lags behind what its
    broker has, others don't run ahead of it. ``highwater`` tells how far a topic reaches, ``None`` while that is not
    known. (As Kafka Streams does it with ``max.task.idle.ms``.) Within a topic the order is that of the offsets,
    always. Messages of other shards are taken as they come, ahead of everything: their senders may be at other times.
    """

    def __init__(
        self,
        topics: Mapping[RecordKind, str],
        partition: int,
        capacity: int,
        highwater: Callable[[str], int | None],
    ) -> None:
        self.partition = partition
        self._highwater = highwater
        #: Whether a topic that the broker has not been heard of may still have something: at the start only.
        self.patient = True
        self._capacity = capacity
        self._kinds: dict[str, RecordKind] = {topic: kind for kind, topic in topics.items()}
        self._topics = [topics[kind] for kind in RECORD_KINDS if kind in topics]
        self._untimed = topics.get("exchange", "")
        self._buffers: dict[str, deque[Any]] = {topic: deque() for topic in self._topics}
        #: Next offset of each topic at which waiting brought nothing.
        self._in_vain: dict[str, int] = {}
        #: Next offset to accept of each topic.
        self.next_offset: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._buffers.values()))

    def offer(self, topic: str, records: Sequence[Any]) -> None:
        """Take records fetched from a topic; those already taken are dropped."""
        expected = self.next_offset.get(topic, 0)
        if records[0].offset < expected:
            records = [record for record in records if record.offset >= expected]
            if not records:
                return
        self._buffers[topic].extend(records)
        self.next_offset[topic] = records[-1].offset + 1

    def reserve(self, journal: Iterable[JournalEntry]) -> None:
        """Make room for journalled flushes: a predecessor with other settings may have made larger ones."""
        for entry in journal:
            self._capacity = max(self._capacity, sum(last - first + 1 for _, first, last in entry.ranges))

    def full(self) -> list[str]:
        """Topics whose buffer wants no more for now."""
        return [topic for topic, buffer in self._buffers.items() if len(buffer) >= self._capacity]

    def waiting_for(self) -> bool:
        """Whether a topic with nothing buffered has more at its broker, so that waiting would help to merge."""
        return any(
            not buffer
            and topic != self._untimed
            and self._behind(topic)
            and self._in_vain.get(topic) != self.next_offset.get(topic, 0)
            for topic, buffer in self._buffers.items()
        )

    def waited(self) -> None:
        """Note that waiting brought nothing: a topic may end in offsets that hold no record (markers, compaction)."""
        self.patient = False
        for topic, buffer in self._buffers.items():
            if not buffer and topic != self._untimed and self._behind(topic):
                self._in_vain[topic] = self.next_offset.get(topic, 0)

    def _behind(self, topic: str) -> bool:
        highwater = self._highwater(topic)
        return self.patient if highwater is None else self.next_offset.get(topic, 0) < highwater

    def take(self, limit: int) -> list[Record]:
        """Up to ``limit`` records for the next flush, merged by timestamp."""
        # Up to here (time, rank) all is known: what a lagging topic brings next may have the time of its last record.
        horizon = None
        for rank, topic in enumerate(self._topics):
            buffer = self._buffers[topic]
            if buffer and topic != self._untimed and self._behind(topic):
                last = (buffer[-1].timestamp, rank)
                horizon = last if horizon is None else min(horizon, last)
        #: Of each topic that goes on: the time that its next record counts for, and the topic's rank.
        heads: list[tuple[int, int]] = []
        for rank, topic in enumerate(self._topics):
            buffer = self._buffers[topic]
            if buffer:
                head = (0 if topic == self._untimed else max(0, buffer[0].timestamp), rank)
                if horizon is None or head <= horizon:
                    heads.append(head)
        taken: list[Record] = []
        while heads and len(taken) < limit:
            head = min(heads)
            heads.remove(head)
            # From one topic as long as it is before the others: mostly a long run.
            bound = min(heads, default=None)
            if horizon is not None and (bound is None or horizon < bound):
                bound = horizon
            rest = self._take_run(head, bound, limit, taken)
            if rest is not None and (horizon is None or rest <= horizon):
                heads.append(rest)
        if not taken and len(self):
            # Timestamps out of order across the horizon: never wait for ever.
            topic = min((t for t, b in self._buffers.items() if b), key=lambda t: self._buffers[t][0].timestamp)
            return [self._record(topic, self._buffers[topic].popleft())]
        return taken

    def _take_run(
        self, head: tuple[int, int], bound: tuple[int, int] | None, limit: int, taken: list[Record]
    ) -> tuple[int, int] | None:
        """Take the records of the topic that ``head`` stands for, up to ``bound``; returns the head of what is left."""
        reached, rank = head
        topic = self._topics[rank]
        buffer = self._buffers[topic]
        timed = topic != self._untimed
        while True:
            taken.append(self._record(topic, buffer.popleft()))
            if not buffer:
                return None
            # A timestamp that steps back is read as the one before: offsets keep their order.
            if timed and (timestamp := buffer[0].timestamp) > reached:
                reached = timestamp
                if bound is not None and (reached, rank) > bound:
                    return reached, rank
            if len(taken) >= limit:
                return reached, rank

    def take_entry(self, entry: JournalEntry) -> list[Record] | None:
        """The records that a journal entry names, in its order; ``None`` while they have not all arrived."""
        if any(self.next_offset.get(topic, 0) <= last for topic, _, last in entry.ranges):
            return None
        taken = []
        for topic, _, last in entry.ranges:
            buffer = self._buffers[topic]
            while buffer and buffer[0].offset <= last:
                taken.append(self._record(topic, buffer.popleft()))
        return taken

    def _record(self, topic: str, fetched: Any) -> Record:
        return Record(
            self._kinds[topic],
            topic,
            self.partition,
            fetched.offset,
            fetched.timestamp,
            fetched.key,
            fetched.value,
            fetched.headers,
        )


def ranges_of(records: Sequence[Record]) -> list[tuple[str, int, int]]:
    """Runs of one topic in a flush: topic, first and last offset, in order."""
    ranges: list[tuple[str, int, int]] = []
    topic = ""
    first = last = 0
    for record in records:
        if record.topic != topic:
            if topic:
                ranges.append((topic, first, last))
            topic, first = record.topic, record.offset
        last = record.offset
    if topic:
        ranges.append((topic, first, last))
    return ranges
