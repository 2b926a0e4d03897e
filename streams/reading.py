"""Read topics from their beginning to their end, without a consumer group.

The end is where the broker says so for each partition while reading (librdkafka's end-of-partition event), since list
offsets cannot be relied on with the embedded broker. A partition that grows meanwhile ends where it was first reached.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from msgspec import Struct

from streams.clients import names_cause

#: The client waits so long even when something has come, unless its batch is full; so it must be short.
POLL_SECONDS: Final = 0.05
#: The client says each failed connection again and again; commands say once, in their own error, what was wrong.
SILENT: Final = logging.getLogger("librdkafka.silent")
SILENT.disabled = True
_METADATA_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 30.0
_BATCH: Final = 500

#: Errors that trying again does not mend.
_HOPELESS: Final = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - public, in spite of their names
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    }
)

Partition: TypeAlias = tuple[str, int]


class ReadError(Exception):
    """Topics cannot be read; the message says why."""


class NoTopicError(ReadError):
    """A topic does not exist."""


class StalledError(ReadError):
    """The broker has not answered for long."""


class PartitionEnd(Struct, frozen=True):
    """The end of a partition was reached; records after it may still come if the partition grows."""

    partition: Partition


class TopicReader:
    """Reads all partitions of some topics. Use it in a ``with`` statement.

    Parameters
    ----------
    config
        Settings of the confluent-kafka consumer. Nothing is committed and no group is joined.
    topics
        Names of existing topics.
    start
        Partitions to read and the first offset of each; ``None`` reads all from their beginning.
    patience
        Seconds after which a silent broker is taken for gone.

    Raises
    ------
    ReadError
        No broker answers, or a topic does not exist.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        topics: Sequence[str],
        *,
        start: Mapping[Partition, int] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._patience = patience
        self._consumer = Consumer(
            {
                **config,
                "group.id": "shopwarden-reader",  # required by the client; never joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16 * 1024,
                # A fetch that waits at the end of some partitions holds up the others, and so does the second that the
                # client pauses by default when its queue was full: together they made reading six times slower.
                "fetch.wait.max.ms": 20,
                "fetch.queue.backoff.ms": 20,
                "fetch.message.max.bytes": 256 * 1024,
                "error_cb": self._on_error,
                "logger": SILENT,
            }
        )
        self._heard = time.monotonic()
        self._brokers = config.get("bootstrap.servers", "")
        self._trouble = "it has said nothing"
        try:
            found = self._find(topics)
            offsets = dict.fromkeys(found, OFFSET_BEGINNING) if start is None else dict(start)
            for topic, partition in sorted(offsets.keys() - found):
                raise ReadError(f"topic {topic!r} has no partition {partition}")
            # The offset goes into the assignment: a seek right after it fails (PITFALLS A10).
            self._consumer.assign([TopicPartition(*partition, offset) for partition, offset in offsets.items()])
        except BaseException:
            self._consumer.close()
            raise
        self.partitions: tuple[Partition, ...] = tuple(sorted(offsets))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._consumer.close()

    def poll(self, seconds: float, *, must_come: bool = True) -> list[Message | PartitionEnd]:
        """What comes in so many seconds, in the order of each partition.

        Parameters
        ----------
        seconds
            How long to collect.
        must_come
            Whether there is something to wait for: a partition whose end has not been reached and that is not paused.

        Raises
        ------
        ReadError
            The broker refuses, or (a StalledError) nothing that must come has come for long.
        """
        found: list[Message | PartitionEnd] = []
        for message in self._consumer.consume(_BATCH, seconds):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - public, in spite of its name
                found.append(PartitionEnd(partition_of(message)))
            elif error.fatal() or error.code() in _HOPELESS:
                raise ReadError(f"the broker refuses: {error.str()}")
            else:
                self._on_error(error)  # the client tries again by itself
        now = time.monotonic()
        if found or not must_come:
            self._heard = now
        elif now - self._heard > self._patience:
            raise StalledError(f"the broker has not answered for {self._patience:.0f} s: {self._trouble}")
        return found

    def pause(self, partition: Partition) -> None:
        """Fetch no more of a partition until :meth:`resume`."""
        self._consumer.pause([TopicPartition(*partition)])

    def resume(self, partition: Partition) -> None:
        """Go on with a paused partition."""
        self._consumer.resume([TopicPartition(*partition)])

    def _find(self, topics: Sequence[str]) -> set[Partition]:
        try:
            metadata = self._consumer.list_topics(timeout=_METADATA_SECONDS)
        except KafkaException as error:
            self._consumer.poll(0)  # hears what was wrong
            raise ReadError(f"no broker answers at {self._brokers}: {self._trouble}") from error
        found: set[Partition] = set()
        for topic in topics:
            described = metadata.topics.get(topic)
            if described is None or described.error is not None:
                raise NoTopicError(f"there is no topic {topic!r}; the broker has {_listed(metadata.topics)}")
            found.update((topic, partition) for partition in described.partitions)
        return found

    def _on_error(self, error: KafkaError) -> None:
        if names_cause(error):
            self._trouble = error.str()


def read_to_end(reader: TopicReader) -> Iterator[Message]:
    """The records of a reader's partitions until each has reached its end, in the order they come.

    Raises
    ------
    ReadError
        See :meth:`TopicReader.poll`.
    """
    unfinished = set(reader.partitions)
    while unfinished:
        for event in reader.poll(POLL_SECONDS):
            if isinstance(event, PartitionEnd):
                unfinished.discard(event.partition)
                reader.pause(event.partition)
            elif partition_of(event) in unfinished:
                yield event


def partition_of(message: Message) -> Partition:
    """Topic and partition of a record."""
    return message.topic() or "", message.partition() or 0


def _listed(topics: Mapping[str, Any]) -> str:
    names = sorted(name for name in topics if not name.startswith("__"))
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "") if names else "none"
