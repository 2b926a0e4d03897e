"""The dead letters: what could not be processed, for people to look at and to put back.

A dead letter is the original record, key and value untouched, with headers that say why and where from (``dlq_reason``,
``dlq_detail``, ``dlq_topic``, ``dlq_partition``, ``dlq_offset``, ``dlq_at``: the original record's timestamp in ms)
after its own ones. Resubmitting publishes key, value and own headers to the original topic again, where the worker
treats them like any record; events count once by their ``event_id``, so it does no harm to do it twice. The header
``dlq_resubmitted`` names the dead letter that a record came from. If such a record fails again, its new dead letter
carries that header too, so a record that can never be processed is seen, and is not sent round again without being
asked for.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Message
from msgspec import Struct

from streams.archive import ArchiveRecord, Headers
from streams.reading import StalledError, TopicReader, partition_of, read_to_end
from streams.recording import as_bytes, headers_of

REASON: Final = "dlq_reason"
DETAIL: Final = "dlq_detail"
TOPIC: Final = "dlq_topic"
PARTITION: Final = "dlq_partition"
OFFSET: Final = "dlq_offset"
AT: Final = "dlq_at"
RESUBMITTED: Final = "dlq_resubmitted"
_PREFIX: Final = "dlq_"
_ID: Final = "ce_id"
_MAX_DIGITS: Final = 15
_PATIENCE_SECONDS: Final = 3.0
#: Its record's timestamp was the reason, so it must not come back with the same.
_FUTURE: Final = "future"


class Coordinate(Struct, frozen=True, order=True):
    """Where a dead letter stands in the dead-letter topic; written ``PARTITION:OFFSET``."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Coordinate":
        """The coordinate written ``3:1042``.

        Raises
        ------
        ValueError
            The text is something else.
        """
        if not (match := re.fullmatch(r"(\d{1,9}):(\d{1,18})", text, re.ASCII)):
            raise ValueError(f"{text!r} is not PARTITION:OFFSET, such as 3:1042")
        return cls(int(match[1]), int(match[2]))


class DeadLetter(Struct, frozen=True):
    """A dead letter as it was read. Text from headers is empty where a header is missing.

    ``timestamp`` is when it was published, in ms.
    """

    coordinate: Coordinate
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers

    def header(self, name: str) -> str:
        """A header as text; the last one where it repeats."""
        for found, value in reversed(self.headers):
            if found == name:
                return (value or b"").decode(errors="replace")
        return ""

    @property
    def reason(self) -> str:
        """Code of the reason."""
        return self.header(REASON)

    @property
    def topic(self) -> str:
        """The original topic."""
        return self.header(TOPIC)

    @property
    def source(self) -> str:
        """Coordinates of the original record, ``TOPIC:PARTITION:OFFSET``."""
        return ":".join(self.header(name) or "?" for name in (TOPIC, PARTITION, OFFSET))

    @property
    def came_back(self) -> str:
        """Coordinates of the dead letter that was resubmitted as this record, if so."""
        return self.header(RESUBMITTED)

    @property
    def record_time(self) -> int | None:
        """The original record's timestamp, ms; ``None`` if the header does not say."""
        text = self.header(AT)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None

    def original(self, dead_letter_topic: str) -> ArchiveRecord:
        """The original record, ready to be published again.

        It keeps its own headers and its timestamp; only a record that lay too far in the future for its timestamp gets
        the present time.
        """
        names = [name for name, _ in self.headers]
        reason_at = len(names) - 1 - names[::-1].index(REASON) if REASON in names else 0
        kept = tuple(
            (name, value)
            for index, (name, value) in enumerate(self.headers)
            # The worker's id of the dead letter stands before its reason; the record may have one of its own.
            if not name.startswith(_PREFIX) and not (name == _ID and index == reason_at - 1)
        )
        trace = (RESUBMITTED, f"{dead_letter_topic}:{self.coordinate}".encode())
        timestamp = None if self.reason == _FUTURE else self.record_time
        return ArchiveRecord(self.topic, self.key, self.value, timestamp, (*kept, trace))


class Selection(Struct, frozen=True):
    """Which dead letters are meant; an empty text or tuple stands for all."""

    reason: str = ""
    topic: str = ""
    coordinates: tuple[Coordinate, ...] = ()

    def includes(self, letter: DeadLetter) -> bool:
        """True when the letter is one of them."""
        return (
            (not self.reason or letter.reason == self.reason)
            and (not self.topic or letter.topic == self.topic)
            and (not self.coordinates or letter.coordinate in self.coordinates)
        )


def read_dead_letters(config: Mapping[str, Any], topic: str, selection: Selection) -> Iterator[DeadLetter]:
    """The selected dead letters, up to the present end of the topic.

    Parameters
    ----------
    config
        Settings of the confluent-kafka consumer.
    topic
        Name of the dead-letter topic.
    selection
        Which ones. Given coordinates, their partitions are read from the first of them.

    Raises
    ------
    ReadError
        The topic or one of its partitions does not exist, or no broker answers.
    """
    if not selection.coordinates:
        with TopicReader(config, [topic]) as reader:
            yield from filter(selection.includes, map(as_dead_letter, read_to_end(reader)))
        return
    missing = set(selection.coordinates)
    first = {
        (topic, partition): min(c.offset for c in missing if c.partition == partition)
        for partition in {c.partition for c in missing}
    }
    try:
        yield from _read_some(TopicReader(config, [topic], start=first, patience=_PATIENCE_SECONDS), selection, missing)
    except StalledError:
        # Kafka goes to the beginning when an offset is beyond the end; the embedded broker is silent then.
        yield from _read_some(TopicReader(config, [topic], start=dict.fromkeys(first, 0)), selection, missing)


def _read_some(reader: TopicReader, selection: Selection, missing: set[Coordinate]) -> Iterator[DeadLetter]:
    with reader:
        for message in read_to_end(reader):
            letter = as_dead_letter(message)
            if letter.coordinate in missing:
                missing.discard(letter.coordinate)
                if selection.includes(letter):
                    yield letter
                if not missing:
                    return


def as_dead_letter(message: Message) -> DeadLetter:
    """A record of the dead-letter topic."""
    return DeadLetter(
        coordinate=Coordinate(partition_of(message)[1], message.offset() or 0),
        key=as_bytes(message.key()),
        value=as_bytes(message.value()),
        timestamp=message.timestamp()[1],
        headers=headers_of(message),
    )


class Resubmission(Struct):
    """What became of the selected dead letters: sent by topic, or left for a reason."""

    sent: dict[str, int]
    left: dict[str, int]


def send_back(
    letters: Iterator[DeadLetter], dead_letter_topic: str, send: Callable[[ArchiveRecord], None], *, again: bool
) -> Resubmission:
    """Send the original records of dead letters back to their topics.

    Parameters
    ----------
    letters
        Which ones.
    dead_letter_topic
        Name of the topic they were read from, for the trace.
    send
        Publishes a record.
    again
        Whether to send those as well that were resubmitted before and came back.
    """
    result = Resubmission({}, {})
    sent: set[str] = set()
    for letter in letters:
        if not letter.topic:
            why = f"without the header {TOPIC}, so their topic is not known"
        elif letter.topic == dead_letter_topic:
            why = "from the dead-letter topic itself"
        elif letter.came_back in sent:
            why = "failed again while this was running"
        elif letter.came_back and not again:
            why = "resubmitted before and failed again (--again sends them once more)"
        else:
            send(letter.original(dead_letter_topic))
            sent.add(f"{dead_letter_topic}:{letter.coordinate}")
            result.sent[letter.topic] = result.sent.get(letter.topic, 0) + 1
            continue
        result.left[why] = result.left.get(why, 0) + 1
    return result
