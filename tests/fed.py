"""Input records as they lie in their topics."""

from dataclasses import dataclass

from confluent_kafka import Message, Producer

from streams.archive import ArchiveRecord
from streams.clients import producer_config
from streams.reading import partition_of
from streams.recording import as_bytes, headers_of
from tests.deployment import Deployment


@dataclass(frozen=True)
class Fed:
    """An input record as it lies in its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: dict[str, bytes | None]


def feed(deployment: Deployment, records: list[ArchiveRecord]) -> list[Fed]:
    """Put records into the input topics; returns everything that lies in these, then."""
    producer = Producer(producer_config(deployment.settings))
    prefix = deployment.settings.topics.prefix
    refused: list[object] = []
    for record in records:
        while True:
            try:
                producer.produce(
                    prefix + record.topic,
                    record.value,
                    record.key,
                    timestamp=record.timestamp or 0,
                    headers=list(record.headers),
                    on_delivery=lambda error, _: refused.append(error) if error else None,
                )
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    assert refused == []
    return [fed(message) for message in deployment.read(*deployment.settings.topics.inputs)]


def fed(message: Message) -> Fed:
    """A record as it was read from its topic."""
    topic, partition = partition_of(message)
    key, value = as_bytes(message.key()), as_bytes(message.value())
    return Fed(topic, partition, message.offset() or 0, key, value, message.timestamp()[1], dict(headers_of(message)))


def ends_of(records: list[Fed]) -> dict[tuple[str, int], int]:
    """Offset after the last record of each partition that has any."""
    ends: dict[tuple[str, int], int] = {}
    for record in records:
        place = (record.topic, record.partition)
        ends[place] = max(ends.get(place, 0), record.offset + 1)
    return ends
