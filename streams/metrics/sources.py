"""Where the fold's events come from: archives and topics, merged by event time.

Records are written when somebody gets to it, which may be long after the event; what counts is when it happened.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from pathlib import Path
from typing import Final, get_args

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from config.settings import Settings
from features.decode import TOPIC_KINDS, TopicKind
from streams.archive import ArchiveRecord, read_archive
from streams.clients import kafka_config
from streams.comparison.reading import OUTPUTS, event_time
from streams.metrics.alignment import Alignment, RisingTime
from streams.reading import POLL_SECONDS, Partition, PartitionEnd, TopicReader, partition_of
from streams.recording import archive_record, as_bytes, headers_of
from streams.topic_names import contract_names

_KINDS: Final = frozenset(get_args(TopicKind))
#: Records of one partition that may wait for the others, if it is more than an hour ahead of one of them.
_BUFFER: Final = 20_000


def archive_events(
    paths: Sequence[Path], advance: Callable[[int], object] = lambda _: None
) -> Iterator[tuple[int, ArchiveRecord]]:
    """Input and output events of some archives with their times (ms), merged by event time; at the same time inputs go
    first.

    Each file is read once for its inputs and once for its outputs, as their order in it is that of being written.

    Raises
    ------
    streams.archive.ArchiveError
        A file cannot be read.
    """
    parts: list[Iterator[tuple[int, int, ArchiveRecord]]] = []
    for rank, outputs in enumerate((False, True)):
        for path in paths:
            records = read_archive(path, advance if not outputs else lambda _: None)
            parts.append(_rising(_some(records, outputs=outputs), rank))
    return ((time, record) for time, _, record in merge(*parts, key=lambda each: each[:2]))


def _some(records: Iterable[ArchiveRecord], *, outputs: bool) -> Iterator[tuple[int, ArchiveRecord]]:
    for record in records:
        if outputs and record.topic == OUTPUTS:
            yield event_time(dict(record.headers).get("ce_time")) or 0, record
        elif not outputs and record.topic in _KINDS:
            yield _occurred_at(record.value, record.timestamp or 0), record


def _rising(records: Iterable[tuple[int, ArchiveRecord]], rank: int) -> Iterator[tuple[int, int, ArchiveRecord]]:
    """With times that never fall: what comes late goes where it could first have been read."""
    clock = RisingTime()
    for time, record in records:
        yield clock.at(time), rank, record


def topic_events(
    settings: Settings, stop: Callable[[], bool] | None = None, *, rest: bool = True
) -> Iterator[tuple[int, ArchiveRecord | None]]:
    """Input and output events of the topics from their beginning, with their times (ms), in one order.

    Parameters
    ----------
    settings
        How to reach Kafka, and what the topics are called.
    stop
        Whether to stop, asked again and again; without it the present end of every partition is the end.
    rest
        Whether to give out the last hour too, in which other records may yet come before these.

    Yields
    ------
    A record with its time; or no record, to say that none of before that time will come.

    Raises
    ------
    streams.reading.ReadError
        The topics cannot be read.
    """
    names = contract_names(settings.topics)
    moment = _moment_of(settings.topics.name("events"))
    topics = [*(settings.topics.name(kind) for kind in TOPIC_KINDS), settings.topics.name("events")]
    with TopicReader(kafka_config(settings), topics) as reader:
        # Inputs go first at the same time: a decision follows from what it is about.
        ranked = sorted(reader.partitions, key=lambda each: (topics.index(each[0]), each[1]))
        numbers = {partition: number for number, partition in enumerate(ranked)}
        alignment: Alignment[Message] = Alignment(len(numbers))
        unfinished = set(ranked)
        paused: set[Partition] = set()
        while unfinished if stop is None else not stop():
            for event in reader.poll(POLL_SECONDS, must_come=bool(unfinished - paused)):
                if isinstance(event, PartitionEnd):
                    alignment.end(numbers[event.partition])
                    unfinished.discard(event.partition)
                    continue
                partition = partition_of(event)
                if stop is None and partition not in unfinished:
                    continue  # written after the end
                alignment.add(numbers[partition], moment(event), event)
                if partition in unfinished and alignment.should_wait(numbers[partition], _BUFFER):
                    paused.add(partition)
                    reader.pause(partition)
            for time, message in alignment.take():
                yield time, _renamed(message, names)
            yield alignment.reached, None
            for partition in [each for each in paused if alignment.may_go_on(numbers[each], _BUFFER)]:
                paused.discard(partition)
                reader.resume(partition)
        for time, message in alignment.take(rest=True) if rest else ():
            yield time, _renamed(message, names)


def _renamed(message: Message, names: Mapping[str, str]) -> ArchiveRecord:
    record = archive_record(message)
    return msgspec.structs.replace(record, topic=names[record.topic])


class _Dated(Struct):
    occurred_at: int = 0


_read_time: Final = msgspec.json.Decoder(_Dated).decode


def _occurred_at(value: bytes | None, otherwise: int) -> int:
    """When an input event happened, ms; of what cannot be read the record's own time."""
    try:
        return _read_time(value or b"").occurred_at or otherwise
    except (msgspec.DecodeError, UnicodeDecodeError):
        return otherwise


def _moment_of(outputs: str) -> Callable[[Message], int]:
    """The event time of a record, ms: an input's stands in its value, an output's in its header."""

    def moment(message: Message) -> int:
        if message.topic() != outputs:
            return _occurred_at(as_bytes(message.value()), message.timestamp()[1])
        return event_time(dict(headers_of(message)).get("ce_time")) or 0

    return moment
