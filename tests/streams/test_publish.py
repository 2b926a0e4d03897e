import asyncio
import time
from collections.abc import Callable

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from config.settings import Settings, load_settings
from detectors.flush import Emit, Stream
from streams.clients import kafka_config, outputs_config, producer_config
from streams.embedded import LOOPBACK, free_port
from streams.patience import OutageError
from streams.publish import Batch, Publisher, PublishError
from streams.reading import TopicReader, read_to_end
from streams.topics import connect_admin, create_topics

Messages = list[tuple[bytes | str | None, bytes | str | None, object]]


def emit(number: int, stream: Stream = "events", key: bytes | None = b"m", size: int = 0) -> Emit:
    """A numbered message."""
    identifier = f"orders-0-{number}-0"
    return Emit(stream, key, b"%d" % number + b"x" * size, (("ce_id", identifier.encode()),), identifier)


@pytest.fixture
def settings(any_broker: str, topic_prefix: str) -> Settings:
    """Settings with topics of this test's own, which exist."""
    settings = load_settings(kafka={"brokers": any_broker}, topics={"partitions": 2, "prefix": topic_prefix})
    create_topics(settings)
    return settings


@pytest.fixture
def publisher(settings: Settings) -> Publisher:
    """The worker's publisher."""
    return make(settings)


@pytest.fixture
def read(settings: Settings) -> Callable[[str], Messages]:
    """Key, value and headers of everything in a topic."""

    def messages(topic: str) -> Messages:
        with TopicReader(kafka_config(settings), [topic]) as reader:
            return [(message.key(), message.value(), message.headers()) for message in read_to_end(reader)]

    return messages


def make(settings: Settings, **config: object) -> Publisher:
    """A publisher with these settings."""
    return Publisher(producer_config(settings, **config), names(settings), settings.topics.journal, "test")


def names(settings: Settings) -> dict[Stream, str]:
    """Topics of the outputs."""
    topics = settings.topics
    return {"events": topics.events, "standing": topics.merchant_standing, "dead_letters": topics.dead_letters}


async def test_what_is_delivered_is_in_the_topic(
    publisher: Publisher, settings: Settings, read: Callable[[str], Messages]
) -> None:
    """When a batch counts as delivered, each message is in its stream's topic, with key, headers, and in order."""
    await publisher.delivered(publisher.publish((emit(number) for number in range(500)), 0))
    await publisher.delivered(publisher.publish([emit(1, "standing"), emit(2, "dead_letters", None)], 0))
    assert read(settings.topics.events) == [
        (b"m", b"%d" % number, [("ce_id", b"orders-0-%d-0" % number)]) for number in range(500)
    ]
    assert [value for _, value, _ in read(settings.topics.merchant_standing)] == [b"1"]
    assert [(key, value) for key, value, _ in read(settings.topics.dead_letters)] == [(None, b"2")]


async def test_a_full_queue_sets_the_pace(settings: Settings, read: Callable[[str], Messages]) -> None:
    """More messages than the producer has room for are all delivered, in order."""
    publisher = make(settings, queue_buffering_max_messages=100)
    await publisher.delivered(publisher.publish((emit(number) for number in range(1000)), 0))
    assert [value for _, value, _ in read(settings.topics.events)] == [b"%d" % number for number in range(1000)]


async def test_close_sends_what_is_left(
    publisher: Publisher, settings: Settings, read: Callable[[str], Messages]
) -> None:
    """A publisher that is closed has sent everything."""
    publisher.publish([emit(1)], 0)
    publisher.close()
    assert [value for _, value, _ in read(settings.topics.events)] == [b"1"]


async def test_an_empty_batch_is_delivered() -> None:
    """Nothing to send is nothing to wait for."""
    publisher = make(load_settings(kafka={"brokers": f"{LOOPBACK}:{free_port()}"}))
    await publisher.delivered(publisher.publish([], 0))
    assert Batch().done


@pytest.mark.kafka
async def test_a_message_that_the_broker_refuses_raises(kafka: str, topic_prefix: str) -> None:
    """One refused message among good ones, and the batch is an error that says what the broker said."""
    settings = load_settings(kafka={"brokers": kafka})
    topic = NewTopic(f"{topic_prefix}narrow", 1, 1, config={"max.message.bytes": "1000"})
    admin, _ = connect_admin(settings, 10)
    admin.create_topics([topic])[topic.topic].result(30)
    publisher = Publisher(
        producer_config(settings, compression_type="none"), {"events": topic.topic}, "journal", "test"
    )
    batch = publisher.publish([emit(1), emit(2, size=5000), emit(3)], 0)
    with pytest.raises(PublishError, match=r"Kafka did not take an output: .*[Mm]essage.*large"):
        await publisher.delivered(batch)


async def test_a_broker_that_is_away_raises_in_time() -> None:
    """When no broker confirms within the delivery timeout, the batch is an error."""
    settings = load_settings(kafka={"brokers": f"{LOOPBACK}:{free_port()}", "delivery_timeout_s": 1})
    publisher = make(settings)
    batch = publisher.publish([emit(1)], 0)
    assert not batch.done
    with pytest.raises(PublishError, match="nothing after the last checkpoint counts"):
        await publisher.delivered(batch)


async def test_an_outage_is_waited_for_beside_other_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With a worker's settings no broker is an outage: deliveries and, when very many messages are under way, those
    who want to publish wait; the event loop goes on; told to stop, they give up after the grace.
    """
    monkeypatch.setattr("streams.publish._MOST_UNDER_WAY", 3)
    monkeypatch.setattr("streams.publish._OUTAGE_AFTER_S", 0.2)
    settings = load_settings(kafka={"brokers": f"{LOOPBACK}:{free_port()}"})
    publisher = Publisher(outputs_config(settings), names(settings), settings.topics.journal, "test")
    await asyncio.wait_for(publisher.room(), 1)
    batch = publisher.publish([emit(number) for number in range(5)], 0)
    waiting = [asyncio.create_task(publisher.delivered(batch)), asyncio.create_task(publisher.room())]
    ticks = 0
    started = time.monotonic()
    while time.monotonic() - started < 2:
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 60
    assert publisher.outage.waiting
    assert not any(task.done() for task in waiting)
    assert len([record for record in caplog.records if "Kafka, for outputs, is away" in record.getMessage()]) == 1
    publisher.end(0.3)
    for task in waiting:
        with pytest.raises(OutageError, match="the journal has their flushes"):
            await asyncio.wait_for(task, 2)
    assert not publisher.outage.waiting


def test_a_message_beyond_the_producers_limit_raises_at_once() -> None:
    """What the producer itself refuses is the same error, not one of another library."""
    settings = load_settings(kafka={"brokers": f"{LOOPBACK}:{free_port()}"})
    publisher = make(settings, message_max_bytes=2000)
    with pytest.raises(PublishError, match="Kafka did not take an output"):
        publisher.publish([emit(1, size=5000)], 0)
