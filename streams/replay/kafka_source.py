"""Rounds out of Kafka: partitions read side by side to where they ended when the replay was planned.

No consumer group, nothing committed. A round is complete when each partition has been read beyond it or to its end.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from typing import Final, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from config.settings import Settings
from features.decode import TOPIC_KINDS
from features.shard import Record
from streams.clients import kafka_config
from streams.reading import POLL_SECONDS, Partition, PartitionEnd, ReadError, TopicReader, partition_of, read_to_end
from streams.recording import as_bytes, headers_of
from streams.replay.plan import KafkaInput, Plan
from streams.replay.rounds import RANK, ROUND_MS, Batches, RoundBuffer
from streams.tails import Extent, extents

#: Records that wait for those of other partitions, of all partitions together, before the furthest are paused.
_AHEAD: Final = 40_000
#: Live traffic may be faster than the look at the ends; what was seen by then is where they are. Seconds.
_LOOK_S: Final = 30.0


class KafkaSource:
    """The records of some shards, round by round.

    Parameters
    ----------
    topics
        Where each partition ends.
    settings, plan
        How to reach Kafka and what the topics are called; the window.
    shards
        Those that are wanted.

    Raises
    ------
    streams.reading.ReadError
        Here and while reading: Kafka can't be read.
    """

    late = 0

    def __init__(self, topics: KafkaInput, settings: Settings, plan: Plan, shards: Collection[int]) -> None:
        self._plan = plan
        self._kinds = {settings.topics.name(kind): kind for kind in TOPIC_KINDS}
        wanted = frozenset(shards)
        self._ends: dict[Partition, int] = {
            (topic, number): end for topic, number, end in topics.ends if topic in self._kinds and number in wanted
        }
        starts = {(topic, number): start for topic, number, start in topics.starts}
        #: Partitions that are not at their end, and how far (ms) each has been read.
        self._reached: dict[Partition, int] = {
            place: 0 for place, end in self._ends.items() if end > starts.get(place, 0)
        }
        self._total = sum(self._ends.values())
        self._read_so_far = 0
        self._buffer = RoundBuffer()
        self._paused: set[Partition] = set()
        self._stack = ExitStack()
        self._reader: TopicReader | None = None
        if self._reached:
            names = sorted({topic for topic, _ in self._reached})
            start = {place: starts.get(place, 0) for place in self._reached}
            self._reader = self._stack.enter_context(TopicReader(kafka_config(settings), names, start=start))

    @property
    def part(self) -> float:
        """The share of the records that was read, 0 to 1; those that the topics no longer hold count as well."""
        return self._read_so_far / self._total if self._total else 1.0

    def close(self) -> None:
        """Leave Kafka."""
        self._stack.close()

    def peek(self) -> int | None:
        """Number of the next round with records; ``None`` at the end.

        Raises
        ------
        streams.reading.ReadError
            Kafka can't be read.
        """
        while self._reached:
            first = self._buffer.first
            complete = min(self._reached.values()) // ROUND_MS
            if first is not None and first < complete:
                return first
            self._balance(complete)
            self._read()
        return self._buffer.first

    def take(self) -> Batches:
        """The records of that round."""
        return self._buffer.take()

    def _balance(self, complete: int) -> None:
        """Hold back partitions that are far ahead of the slowest, which everything waits for."""
        reader = cast("TopicReader", self._reader)
        if self._buffer.size >= _AHEAD:
            for place, moment in self._reached.items():
                if moment // ROUND_MS > complete and place not in self._paused:
                    self._paused.add(place)
                    reader.pause(place)
        for place in [place for place in self._paused if self._reached.get(place, 0) // ROUND_MS <= complete]:
            self._paused.discard(place)
            reader.resume(place)

    def _read(self) -> None:
        reader = cast("TopicReader", self._reader)
        reached, ends, add = self._reached, self._ends, self._buffer.add
        warm_from, end = self._plan.warm_from or 0, self._plan.end
        for message in reader.poll(POLL_SECONDS):
            if isinstance(message, PartitionEnd):
                self._finish(message.partition)
                continue
            place = partition_of(message)
            moment = reached.get(place)
            if moment is None:
                # Written after the replay was planned, or after the window.
                continue
            topic, number = place
            offset = message.offset() or 0
            self._read_so_far += 1
            if offset >= ends[place]:
                self._finish(place)
                continue
            time = message.timestamp()[1]
            if time > moment:
                reached[place] = moment = time
            if end is not None and moment >= end:
                self._finish(place)
                continue
            if moment >= warm_from:
                kind = self._kinds[topic]
                headers = cast("tuple[tuple[str, bytes], ...]", headers_of(message))
                key, value = as_bytes(message.key()), as_bytes(message.value())
                taken = Record(kind, topic, number, offset, time, key, value, headers)
                add(moment // ROUND_MS, number, (moment, RANK[kind], offset, taken))
            if offset + 1 >= ends[place]:
                self._finish(place)

    def _finish(self, place: Partition) -> None:
        """Wait no longer for a partition."""
        if self._reached.pop(place, None) is not None and place not in self._paused:
            cast("TopicReader", self._reader).pause(place)
        self._paused.discard(place)


def present_extents(settings: Settings, topics: Iterable[str]) -> Mapping[Partition, Extent]:
    """What each partition of some topics holds now.

    The broker is asked, and then read from the record before that on: the embedded one says too little.

    Raises
    ------
    streams.reading.ReadError
        The topics can't be read, or one does not exist.
    """
    config = kafka_config(settings)
    names = list(topics)
    with TopicReader(config, names) as reader:
        partitions = reader.partitions
    try:
        held = extents(AdminClient(config), partitions)
    except KafkaException as error:
        raise ReadError(f"the broker does not tell how far the topics reach: {error.args[0].str()}") from None
    found = dict(held)
    start = {place: max(extent.earliest, extent.end - 1) for place, extent in held.items()}
    until = time.monotonic() + _LOOK_S
    with TopicReader(config, names, start=start) as reader:
        for message in read_to_end(reader):
            place = partition_of(message)
            known = found[place]
            found[place] = Extent(known.earliest, max(known.end, (message.offset() or 0) + 1))
            if time.monotonic() > until:
                break
    return found
