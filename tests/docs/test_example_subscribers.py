"""The example subscribers in Python and Node on the outputs of a run: every event once, in order, whatever happens.

A worker judges a simulated marketplace on the embedded broker. What it published is put into a topic of each test's
own, on that broker and on Apache Kafka, in two halves and with repeats, so that the subscriber can be killed between.
"""

import json
import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from streams.archive import ArchiveRecord
from streams.embedded import EmbeddedServices
from streams.recording import headers_of
from streams.simulator import Simulation, SimulatorConfig
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.docs.subscribers import NodeUnavailableError, Seen, Subscriber, node_subscriber, python_subscriber
from tests.fed import ends_of, feed
from tests.worker_process import Worker

pytestmark = pytest.mark.timeout(300)

PARTITIONS = 3
Start = Callable[..., Subscriber]


@dataclass(frozen=True)
class Published:
    """What a worker published: events in the order of partitions and offsets, and the standings after all of them."""

    events: list[Message]
    standings: list[Message]

    def latest(self) -> dict[bytes, dict[str, Any]]:
        """The last standing of each merchant and creator."""
        return {bytes(message.key() or b""): json.loads(message.value() or b"") for message in self.standings}

    def in_force(self) -> list[tuple[str, ...]]:
        """What the standings say is in force or waits and does not expire by itself, as the subscribers list it."""
        rows: list[tuple[str, ...]] = []
        for standing in self.latest().values():
            whose = (
                f"creator {standing['creator_id']}"
                if "creator_id" in standing
                else f"merchant {standing['merchant_id']}"
            )
            for action in standing["enforcements"]:
                expires = action["expires_at"]
                if expires is None or expires > time.time_ns() // 1_000_000:
                    subject = f"{action['subject']['kind']} {action['subject']['id']}"
                    state = "waiting" if action.get("requires_review") else "in force"
                    rows.append((whose, action["action"], subject, state))
        return sorted(rows)


@pytest.fixture(scope="module")
def published(services: EmbeddedServices, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The outputs of one worker on a simulated marketplace that ends today, so that some actions are in force still."""
    deployment = Deployment(services.brokers, services.redis_url, f"t{uuid.uuid4().hex[:10]}-", "demo", PARTITIONS)
    create_topics(deployment.settings)
    now = time.time_ns() // 1_000_000
    records = [
        ArchiveRecord(record.topic, record.key, record.value, record.timestamp)
        for record in Simulation(SimulatorConfig.for_events(5_000, seed=7, end=now))
    ]
    ends = ends_of(feed(deployment, records))
    with Worker(deployment, tmp_path_factory.mktemp("demo")) as worker:
        worker.until_checkpointed(ends)
        assert worker.stop() == 0
    topics = deployment.settings.topics
    return Published(deployment.read(topics.events), deployment.read(topics.merchant_standing, topics.creator_standing))


@pytest.fixture(scope="module", params=["python", "node"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """How an example is called."""
    if request.param == "python":
        return python_subscriber()
    try:
        return node_subscriber()
    except NodeUnavailableError as error:
        if os.environ.get("SHOPWARDEN_REQUIRE_NODE") == "1":
            pytest.fail(f"SHOPWARDEN_REQUIRE_NODE=1, but {error}", pytrace=False)
        pytest.skip(str(error))


@pytest.fixture
def start(command: list[str], tmp_path: Path) -> Iterator[Start]:
    """Start an example; it is ended with the test."""
    started: list[Subscriber] = []

    def run(**options: str) -> Subscriber:
        subscriber = Subscriber(command, tmp_path, **options)
        started.append(subscriber)
        subscriber.start()
        return subscriber

    yield run
    for subscriber in started:
        subscriber.end()


class Topics:
    """An events topic and a standings topic of a test's own."""

    def __init__(self, brokers: str, prefix: str) -> None:
        self.events, self.standings = f"{prefix}events", f"{prefix}standings"
        admin = AdminClient({"bootstrap.servers": brokers})
        wanted = [NewTopic(name, PARTITIONS, 1) for name in (self.events, self.standings)]
        for future in admin.create_topics(wanted).values():
            future.result(30)
        # As a worker's: compressed batches, which clients need a codec for.
        self._producer = Producer({"bootstrap.servers": brokers, "acks": "all", "compression.type": "lz4"})

    def put(self, topic: str, messages: list[Message]) -> None:
        """Publish messages as they were, into the same partitions."""
        for message in messages:
            self.put_one(topic, message.partition() or 0, message.key(), message.value(), headers_of(message))
        assert self._producer.flush(60) == 0

    def put_one(self, topic: str, partition: int, key: Any, value: Any, headers: Any) -> None:
        """Publish one message."""
        self._producer.produce(topic, value, key, partition, headers=list(headers))
        self._producer.poll(0)


def id_of(message: Message) -> str:
    """The CloudEvents id."""
    return (dict(headers_of(message))["ce_id"] or b"").decode()


def parties(seen: list[Seen]) -> dict[str, list[int]]:
    """The sequences of each merchant and creator, in the order that they were seen in."""
    found: dict[str, list[int]] = defaultdict(list)
    for event in seen:
        if event.sequence is not None:
            found[event.party].append(event.sequence)
    return found


def test_every_event_once_in_order(start: Start, any_broker: str, topic_prefix: str, published: Published) -> None:
    """A subscriber that is killed in the middle, and reads repeats and types that nobody knows, takes each event once,
    each merchant's in order, and in the end has in force what the standings say.
    """
    events = published.events
    half = [message for message in events if (message.offset() or 0) < 40]
    rest = [message for message in events if (message.offset() or 0) >= 40]
    assert len(half) >= 100 and len(rest) >= 100
    topics = Topics(any_broker, topic_prefix)
    topics.put(topics.events, half)
    subscriber = start(brokers=any_broker, topic=topics.events, group=topic_prefix + "enforcement", standings="")
    subscriber.until(lambda: len(subscriber.seen()) >= 50, "the first events")
    subscriber.kill()
    if not subscriber.in_python:
        with subscriber.state.open("ab") as file:
            file.write(b'{"id":"half a li')
    # What a worker that woke up too late would send once more, and what a newer version would.
    topics.put(topics.events, half[-30:])
    headers = [("ce_id", b"invented-0-0-0"), ("ce_type", b"shopwarden.invented.v1")]
    unknown = b'{"type": "shopwarden.invented.v1", "partition": 0, "invented": {"a": [1]}}'
    topics.put_one(topics.events, 0, b"shard-0", unknown, headers)
    topics.put_one(topics.events, 0, b"shard-0", unknown, headers)
    topics.put(topics.events, rest)
    subscriber.start()
    wanted = {*map(id_of, events), "invented-0-0-0"}
    subscriber.until(lambda: len(subscriber.seen()) >= len(wanted), "all events")
    assert subscriber.stop() == 0
    seen = subscriber.seen()
    assert len(seen) == len(wanted) and {event.id for event in seen} == wanted
    for party, sequences in parties(seen).items():
        assert sequences == list(range(1, len(sequences) + 1)), party
    assert subscriber.listed() == published.in_force()


@pytest.mark.broker
def test_a_new_subscriber_begins_with_the_standings(
    start: Start, services: EmbeddedServices, topic_prefix: str, published: Published
) -> None:
    """Where the events before the standings are gone, what they began is in force all the same; those that the
    standings reflect are passed over.
    """
    topics = Topics(services.brokers, topic_prefix)
    topics.put(topics.standings, published.standings)
    # Of each partition the last events alone are left, and one that is newer than the standings.
    topics.put(topics.events, [message for message in published.events if (message.offset() or 0) >= 40])
    standing = next(each for each in published.latest().values() if "merchant_id" in each)
    merchant_key = standing["merchant_id"].encode()
    # Not everything that a merchant's events tell changes its standing, so some may be later than that.
    mine = [message for message in published.events if message.key() == merchant_key]
    partition = mine[-1].partition() or 0
    sequence = 1 + max(json.loads(message.value() or b"")["sequence"] for message in mine)
    newer = {
        "type": "shopwarden.enforcement.decided.v1",
        "decision_id": "d-new",
        "mode": "live",
        "requires_review": True,
    }
    newer |= {"merchant_id": standing["merchant_id"], "sequence": sequence, "action": "hold_payout"}
    newer |= {"subject": {"kind": "merchant", "id": standing["merchant_id"]}}
    headers = [("ce_id", b"d-new"), ("ce_type", b"shopwarden.enforcement.decided.v1")]
    topics.put_one(topics.events, partition, merchant_key, json.dumps(newer).encode(), headers)
    topics.put(topics.events, [])
    names = {"topic": topics.events, "standings": f"{topics.standings},missing", "group": topic_prefix + "g"}
    subscriber = start(brokers=services.brokers, **names)
    subscriber.until(lambda: any(event.id == "d-new" for event in subscriber.seen()), "the new event")
    assert subscriber.stop() == 0
    reflected = {key.decode(): each["sequence"] for key, each in published.latest().items()}
    late = [event for event in subscriber.seen() if event.sequence is not None and event.id != "d-new"]
    assert all(event.sequence > reflected.get(event.party.partition(" ")[2], 0) for event in late if event.sequence)
    merchant = f"merchant {standing['merchant_id']}"
    new = (merchant, "hold_payout", merchant, "waiting")
    assert subscriber.listed() == sorted([*published.in_force(), new])
