"""The brokers of the test suite work, and what the helpers keep apart stays apart."""

import time

import pytest
import redis
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

RECORDS = 20


def test_round_trip(any_broker: str, topic_prefix: str) -> None:
    """Records produced to two partitions are consumed in order, on the embedded broker and on Apache Kafka."""
    topic = f"{topic_prefix}trip"
    admin = AdminClient({"bootstrap.servers": any_broker})
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": any_broker, "enable.idempotence": True})
    for number in range(RECORDS):
        producer.produce(topic, str(number).encode(), key=b"key", partition=number % 2)
    assert producer.flush(30) == 0

    consumer = Consumer(
        {
            "bootstrap.servers": any_broker,
            "group.id": f"{topic_prefix}group",
            # The embedded broker lets a first join wait for half of it.
            "session.timeout.ms": 6000,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([topic])
    found: dict[int, list[int]] = {0: [], 1: []}
    ended: set[int] = set()
    until = time.monotonic() + 60
    while len(ended) < 2 and time.monotonic() < until:
        message = consumer.poll(1.0)
        if message is None:
            continue
        partition = message.partition()
        value = message.value()
        assert partition is not None
        if (error := message.error()) is not None:
            assert error.code() == KafkaError._PARTITION_EOF
            ended.add(partition)
        else:
            assert value is not None
            found[partition].append(int(value))
    consumer.close()
    assert found == {0: list(range(0, RECORDS, 2)), 1: list(range(1, RECORDS, 2))}


def test_prefixes_differ(topic_prefix: str, request: pytest.FixtureRequest) -> None:
    """Each test has names of its own, which Kafka accepts."""
    assert topic_prefix.replace("-", "").isalnum()
    assert len(topic_prefix) < 20
    assert request.node.get_closest_marker("broker") is None


def test_databases_are_empty(redis_db: str, request: pytest.FixtureRequest) -> None:
    """A test finds an empty database whose keys are in none of the others; using it marks the test as `broker`."""
    with redis.Redis.from_url(redis_db) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
    with redis.Redis.from_url(redis_db.rpartition("/")[0] + "/0") as client:
        assert client.get("key") is None
    assert request.node.get_closest_marker("broker") is not None
