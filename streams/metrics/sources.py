"""Where the fold's events come from: archives and topics, merged by event time.

Outputs are written when the worker gets to it, which may be long after the event; what counts is when it happened.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from typing import Final, get_args

import msgspec
from confluent_kafka import Message

from config.settings import Settings
from features.decode import TOPIC_KINDS, TopicKind
from streams.archive import ArchiveRecord, read_archive
from streams.clients import kafka_config
from streams.comparison.reading import OUTPUTS, event_time
from streams.evaluation.archive_run import time_of
from streams.reading import TopicReader
from streams.recording import headers_of, own_time, record_topics
from streams.topic_names import contract_names

_KINDS: Final = frozenset(get_args(TopicKind))


def archive_events(paths: Sequence[Path], advance: Callable[[int], object] = lambda _: None) -> Iterator[ArchiveRecord]:
    """Input and output events of some archives, merged by event time; at the same time inputs go first.

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
    return (record for _, _, record in merge(*parts, key=lambda each: each[:2]))


def _some(records: Iterable[ArchiveRecord], *, outputs: bool) -> Iterator[tuple[int, ArchiveRecord]]:
    for record in records:
        if outputs and record.topic == OUTPUTS:
            yield event_time(dict(record.headers).get("ce_time")) or 0, record
        elif not outputs and record.topic in _KINDS:
            yield time_of(record), record


def _rising(records: Iterable[tuple[int, ArchiveRecord]], rank: int) -> Iterator[tuple[int, int, ArchiveRecord]]:
    """With times that never fall: what comes late goes where it could first have been read."""
    highest = 0
    for time, record in records:
        highest = max(highest, time)
        yield highest, rank, record


def topic_events(settings: Settings) -> Iterator[ArchiveRecord]:
    """Input and output events of the topics from their beginning to their present end, merged by event time.

    Raises
    ------
    streams.reading.ReadError
        The topics cannot be read.
    """
    with event_reader(settings) as reader:
        names = contract_names(settings.topics)
        for record in record_topics(reader, moment=moment_of(settings)):
            yield msgspec.structs.replace(record, topic=names[record.topic])


def event_reader(settings: Settings) -> TopicReader:
    """A reader of the input topics and of the topic of output events."""
    topics = [settings.topics.name(kind) for kind in TOPIC_KINDS]
    return TopicReader(kafka_config(settings), [*topics, settings.topics.name("events")])


def moment_of(settings: Settings) -> Callable[[Message], int]:
    """The event time of a record, ms: an output's stands in its header."""
    outputs = settings.topics.name("events")

    def moment(message: Message) -> int:
        if message.topic() != outputs:
            return own_time(message)
        return event_time(dict(headers_of(message)).get("ce_time")) or 0

    return moment
