"""Where a replay's outputs go: an archive file, or topics that no deployment can call its own.

A replay must not be able to enforce. So it has no producer but :class:`ReplayProducer`, which takes a
:class:`ReplayTopics` and nothing else; and such a name begins with ``replay-``, which :mod:`config.topics` refuses for
every topic of a deployment. Neither an option nor a variable nor a file can bring the two together.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from msgspec import Struct

from config.settings import Settings
from config.topics import REPLAY_PREFIX
from streams.archive import ArchiveError, ArchiveRecord, check_name, check_writable, write_archive
from streams.clients import kafka_config, producer_config
from streams.reading import SILENT
from streams.replay.outputs import OUTPUT_TOPICS

KAFKA: Final = "kafka:"
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_ASK_S: Final = 30.0


class DestinationError(Exception):
    """Outputs can't go there; the message says why."""


class ReplayTopics(Struct, frozen=True):
    """The topics of a replay's outputs, all of which begin with ``name`` and a full stop.

    Raises
    ------
    DestinationError
        The name is not one of a replay.
    """

    name: str

    def __post_init__(self) -> None:
        if not self.name.startswith(REPLAY_PREFIX):
            raise DestinationError(
                f"a replay writes to topics of its own, whose names begin with {REPLAY_PREFIX!r}; {self.name!r} may be "
                f"live. Try {KAFKA}{REPLAY_PREFIX}{self.name}"
            )
        if not _NAME.fullmatch(self.name) or self.name == REPLAY_PREFIX:
            raise DestinationError(
                f"{self.name!r} is no name of a replay's topics: {REPLAY_PREFIX!r} and letters, digits, '.', '_' and "
                "'-', up to 200 in all"
            )

    def topic(self, contract: str) -> str:
        """The topic that stands for the one of the contract."""
        return f"{self.name}.{contract}"


class ReplayFile(Struct, frozen=True):
    """An archive file."""

    path: Path
    overwrite: bool


Destination: TypeAlias = ReplayTopics | ReplayFile


def parse_destination(text: str, *, overwrite: bool) -> Destination:
    """What ``--out`` says.

    Raises
    ------
    DestinationError
        It is neither, or can't be written.
    """
    if text.startswith(KAFKA):
        return ReplayTopics(text.removeprefix(KAFKA))
    path = Path(text)
    try:
        check_name(path)
    except ArchiveError as error:
        raise DestinationError(f"{error}, or a topic with {KAFKA}{REPLAY_PREFIX}NAME") from None
    try:
        check_writable(path, overwrite=overwrite)
    except ArchiveError as error:
        raise DestinationError(str(error)) from None
    return ReplayFile(path, overwrite)


@contextmanager
def open_destination(
    destination: Destination | None, settings: Settings, shards: int
) -> Iterator[Callable[[ArchiveRecord], None]]:
    """Something that takes outputs; a file appears when the block ends well.

    Raises
    ------
    DestinationError
        Outputs can't be written.
    """
    match destination:
        case None:
            yield lambda _: None
        case ReplayFile(path, overwrite):
            try:
                with write_archive(path, overwrite=overwrite) as archive:
                    yield archive.write
            except ArchiveError as error:
                raise DestinationError(str(error)) from error
        case ReplayTopics():
            producer = ReplayProducer(destination, settings, shards)
            yield producer.write
            producer.flush()


class ReplayProducer:
    """Puts outputs into a replay's topics, in order; makes the topics where they are missing.

    Parameters
    ----------
    topics
        Where to.
    settings
        How to reach Kafka.
    shards
        Partitions of topics that are made: an output goes to the partition of its shard's number.
    """

    def __init__(self, topics: ReplayTopics, settings: Settings, shards: int) -> None:
        self._names = {contract: topics.topic(contract) for contract in OUTPUT_TOPICS}
        self._failure: KafkaError | None = None
        self._create(settings, shards)
        self._producer = Producer(producer_config(settings, logger=SILENT))

    def write(self, record: ArchiveRecord) -> None:
        """Hand an output to the producer.

        Raises
        ------
        DestinationError
            The broker refused one.
        """
        while True:
            try:
                self._producer.produce(
                    self._names[record.topic],
                    value=record.value,
                    key=record.key,
                    partition=record.partition or 0,
                    timestamp=record.timestamp or 0,
                    headers=list(record.headers),
                    on_delivery=self._settle,
                )
            except BufferError:
                self._producer.poll(0.1)  # the broker sets the pace
                continue
            except KafkaException as error:
                raise DestinationError(f"Kafka does not take an output: {error.args[0].str()}") from error
            break
        self._producer.poll(0)
        self._raise()

    def flush(self) -> None:
        """Wait until the broker has everything; errors as :meth:`write`."""
        self._producer.flush()
        self._raise()

    def _settle(self, error: KafkaError | None, _: Message) -> None:
        self._failure = self._failure or error

    def _raise(self) -> None:
        if self._failure is not None:
            raise DestinationError(f"Kafka did not take an output: {self._failure.str()}")

    def _create(self, settings: Settings, shards: int) -> None:
        admin = AdminClient(kafka_config(settings, logger=SILENT))
        # Outputs have the times of their events, which may be long ago: nothing is deleted by time.
        config = {"retention.ms": "-1"}
        replication = settings.topics.replication
        wanted = [NewTopic(name, shards, replication, config=config) for name in self._names.values()]
        for name, future in admin.create_topics(wanted, request_timeout=_ASK_S).items():
            try:
                future.result(_ASK_S)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise DestinationError(f"topic {name} can't be made: {error.args[0].str()}") from None
