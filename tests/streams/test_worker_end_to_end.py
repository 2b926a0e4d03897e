"""The worker as a process between a real broker and a real store: the embedded one, and Apache Kafka.

One stream with every kind of bad record is put into topics. One worker reads it undisturbed; the others read the same
topics under trouble, with outputs and Redis keys of their own, and must end up with the same.
"""

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from features.decode import TOPIC_KINDS
from features.merchant import MerchantRecord
from features.outputs import LEVELS, EnforcementDecided, Output, Standing
from streams.clients import kafka_config
from streams.dead_letters import DeadLetter, Selection, read_dead_letters
from streams.embedded import EmbeddedServices
from streams.recording import as_bytes, headers_of
from streams.topics import create_topics
from tests.deployment import Deployment, Shard
from tests.faults.verdict import InputFaults, journal_of, judge
from tests.fed import Fed, ends_of, feed
from tests.streams.mixed_input import END, MARK, MixedInput, mixed_input
from tests.worker_process import Worker

pytestmark = pytest.mark.timeout(240)

PARTITIONS = 4
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Stage:
    """A broker with the stream in its topics."""

    deployment: Deployment
    is_kafka: bool
    given: MixedInput
    fed: list[Fed]

    @property
    def ends(self) -> dict[tuple[str, int], int]:
        """Offset after the last record of each input partition."""
        return ends_of(self.fed)

    def run(self, name: str, **worker: object) -> Deployment:
        """A deployment that reads the same input."""
        deployment = replace(self.deployment, run=name, worker=worker)
        create_topics(deployment.settings)
        return deployment


@pytest.fixture(scope="module")
def stage(brokers: str, services: EmbeddedServices) -> Stage:
    """The stream in the input topics."""
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    deployment = Deployment(brokers, services.redis_url, prefix, "calm", PARTITIONS)
    create_topics(deployment.settings)
    given = mixed_input()
    return Stage(deployment, brokers != services.brokers, given, feed(deployment, given.records))


@dataclass(frozen=True)
class Calm:
    """What the undisturbed worker left."""

    deployment: Deployment
    state: list[Shard]
    outputs: list[Message]
    letters: list[DeadLetter]
    exit_code: int | None
    log: str


@pytest.fixture(scope="module")
def calm(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """One worker, from the beginning to the end, stopped by SIGTERM."""
    deployment = stage.deployment
    with Worker(deployment, tmp_path_factory.mktemp("calm")) as worker:
        worker.until_checkpointed(stage.ends)
        code = worker.stop()
    return Calm(deployment, deployment.state(), deployment.outputs(), letters_of(deployment), code, worker.log())


def letters_of(deployment: Deployment) -> list[DeadLetter]:
    """All dead letters of a run."""
    settings = deployment.settings
    return list(read_dead_letters(kafka_config(settings), settings.topics.dead_letters, Selection()))


def header(message: Message, name: str) -> str:
    """The one header of a name."""
    found = [value for key, value in headers_of(message) if key == name]
    assert len(found) == 1 and found[0] is not None, (name, found)
    return found[0].decode()


def id_of(message: Message) -> str:
    """The CloudEvents id."""
    return header(message, "ce_id")


def content(message: Message) -> object:
    """Everything of a message that must not depend on when it was published."""
    return message.topic(), message.partition(), message.key(), message.value(), headers_of(message)


# -- one worker -------------------------------------------------------------------------------------------------------


def test_a_told_worker_stops_cleanly(calm: Calm) -> None:
    """SIGTERM ends it with exit code 0, no error in its log, all shards given up and nothing left in the journals."""
    assert calm.exit_code == 0
    levels = Counter(orjson.loads(line)["level"].upper() for line in calm.log.splitlines())
    assert not levels.keys() & {"ERROR", "CRITICAL"}, calm.log
    for shard in calm.deployment.shards():
        assert "owner" not in shard
        assert "journal" not in shard


def test_every_bad_record_is_in_the_dead_letters(stage: Stage, calm: Calm) -> None:
    """With its own bytes, key and headers, the right reason, and where it came from; each once, and nothing else."""
    letters = {letter.header(MARK): letter for letter in calm.letters}
    bad = {name: special for name, special in stage.given.specials.items() if special.reason is not None}
    assert sorted(letter.header(MARK) for letter in calm.letters) == sorted(bad)
    places = {record.headers[MARK]: record for record in stage.fed if MARK in record.headers}
    for name, special in bad.items():
        letter, place = letters[name], places[name.encode()]
        assert letter.reason == special.reason, name
        assert (letter.key, letter.value) == (special.record.key, special.record.value), name
        assert letter.source == f"{place.topic}:{place.partition}:{place.offset}", name
        assert letter.record_time == special.record.timestamp, name
        assert len(letter.header("dlq_detail")) > 10, name
        assert letter.headers[: len(special.record.headers)] == special.record.headers, name
    assert {special.reason for special in bad.values()} >= {
        "empty", "oversize", "undecodable", "invalid", "unknown_type", "wrong_topic", "wrong_key", "future",
    }  # fmt: skip


def test_everything_else_is_processed(stage: Stage, calm: Calm) -> None:
    """Every record is counted once: as rejected, as a repeat, or as an event; and the good ones around are applied."""
    statistics = calm.deployment.statistics()
    rejected = sum(special.reason is not None for special in stage.given.specials.values())
    assert statistics.records == len(stage.fed) == len(stage.given.records)
    assert statistics.rejected == rejected
    assert statistics.duplicates == stage.given.duplicates + 1  # "a day ahead" creates an order that exists
    stored = {key for shard in calm.state for key in shard}
    orders = {
        f"o:{event['merchant_id']}:{event['order_id']}"
        for event in good_events(stage)
        if event["type"] == "order.created" and event["occurred_at"] > END - 30 * 86_400_000
    }
    assert len(orders) > 100
    assert orders <= stored
    merchant = orjson.loads(stage.given.specials["unknown fields"].record.value or b"")["merchant_id"]
    assert f"o:{merchant}:order-fields" in stored
    assert f"l:{merchant}:listing-fields" in stored
    assert statistics.labels > 0
    assert statistics.timers > 0


def good_events(stage: Stage) -> Iterator[dict[str, Any]]:
    """All events that are not special."""
    for record in stage.given.records:
        if MARK not in dict(record.headers):
            yield orjson.loads(record.value or b"")


def test_outputs_are_cloud_events(calm: Calm) -> None:
    """Headers of CloudEvents 1.0 in binary mode, a body that its struct describes completely, keyed by merchant."""
    decode = msgspec.json.Decoder(Output).decode
    events = [message for message in calm.outputs if message.topic() == calm.deployment.settings.topics.events]
    kinds = Counter(header(message, "ce_type") for message in events)
    assert kinds.keys() >= {"shopwarden.risk.assessed.v1", "shopwarden.enforcement.decided.v1"}
    assert kinds.keys() >= {"shopwarden.audit.sampled.v1"}
    for message in events:
        value = as_bytes(message.value()) or b""
        output = decode(value)
        assert msgspec.json.decode(msgspec.json.encode(output)) == msgspec.json.decode(value)
        assert output.__struct_config__.tag == header(message, "ce_type")
        assert header(message, "ce_specversion") == "1.0"
        assert header(message, "ce_source").startswith("/")
        assert RFC3339.fullmatch(header(message, "ce_time"))
        assert header(message, "content-type") == "application/json"
        assert (output.merchant_id or getattr(output, "creator_id", None) or "").encode() == message.key()
        if not isinstance(output, EnforcementDecided):
            continue
        assert output.mode == "live"
        assert output.facts


def test_ids_are_unique(calm: Calm) -> None:
    """No id twice, over all output topics, dead letters included."""
    ids = [id_of(message) for message in calm.outputs] + [letter.header("ce_id") for letter in calm.letters]
    assert [identifier for identifier, count in Counter(ids).items() if count > 1] == []
    assert len(ids) > 200


def assert_gapless(deployment: Deployment, messages: list[Message]) -> dict[str, int]:
    """Per merchant the events number from 1, in order and without gaps, and standings say how far they reflect them.

    Returns each merchant's last number.
    """
    last: dict[str, int] = defaultdict(int)
    reflected: dict[str, int] = defaultdict(int)
    bodies = [(message.topic(), orjson.loads(message.value() or b"")) for message in messages]
    for topic, body in bodies:
        if topic == deployment.settings.topics.events and "merchant_id" in body:
            party = body["merchant_id"] or body["creator_id"]
            assert body["sequence"] == last[party] + 1, body
            last[party] += 1
    for topic, body in bodies:
        if topic == deployment.settings.topics.merchant_standing:
            assert reflected[body["merchant_id"]] <= body["sequence"] <= last[body["merchant_id"]], body
            reflected[body["merchant_id"]] = body["sequence"]
    return last


def test_sequences_have_no_gaps(calm: Calm) -> None:
    """A consumer can tell by a merchant's numbers that nothing is missing and nothing out of order."""
    last = assert_gapless(calm.deployment, calm.outputs)
    for merchant, record in merchants(calm).items():
        assert record.sequence == last.get(merchant, 0)


def merchants(calm: Calm) -> dict[str, MerchantRecord]:
    """All stored merchants."""
    return {
        key[2:]: msgspec.json.decode(value, type=MerchantRecord)
        for shard in calm.state
        for key, value in shard.items()
        if key.startswith("m:")
    }


def test_standings_are_the_latest_state(calm: Calm) -> None:
    """The compacted topic holds, per merchant, as last record the level and the actions that are stored."""
    settings = calm.deployment.settings
    admin = AdminClient(kafka_config(settings))
    resource = ConfigResource(ResourceType.TOPIC, settings.topics.merchant_standing)
    assert admin.describe_configs([resource])[resource].result(10)["cleanup.policy"].value == "compact"
    latest: dict[str, Standing] = {}
    for message in calm.outputs:
        if message.topic() == settings.topics.merchant_standing:
            standing = msgspec.json.decode(message.value() or b"", type=Standing)
            assert message.key() == standing.merchant_id.encode()
            latest[standing.merchant_id] = standing
    found = {name: (each.level, {e.decision_id for e in each.enforcements}) for name, each in latest.items()}
    stored = {}
    for name, record in merchants(calm).items():
        active = set() if record.enforcement is None else {each.decision_id for each in record.enforcement.active}
        stored[name] = (LEVELS[record.level], active)
    assert len(found) >= 5
    assert any(active for _, active in found.values())
    assert {name: found.get(name, ("low", set())) for name in stored} == stored


def committed(deployment: Deployment) -> dict[tuple[str, int], int]:
    """Offsets of the consumer group, as lag tools see them."""
    settings = deployment.settings
    consumer = Consumer(kafka_config(settings, group_id=settings.worker.group_id))
    try:
        asked = [TopicPartition(topic, number) for topic in settings.topics.inputs for number in range(PARTITIONS)]
        found = consumer.committed(asked, timeout=15)
    finally:
        consumer.close()
    return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}


def test_kafka_knows_how_far_the_checkpoints_are(stage: Stage, calm: Calm) -> None:
    """After a clean stop the group's offsets are those of the last checkpoint: lag tools show no lag."""
    assert calm.deployment.positions() == stage.ends
    offsets = committed(calm.deployment)
    assert {place: offset for place, offset in offsets.items() if offset} == stage.ends


def test_a_restarted_worker_does_nothing_twice(stage: Stage, calm: Calm, tmp_path: Path) -> None:
    """Everything has been done: a new worker claims the shards, publishes nothing and leaves the state as it is."""
    with Worker(calm.deployment, tmp_path) as worker:
        worker.until(lambda: len(worker.holds()) == PARTITIONS, "the assignment")
        worker.until(_quiet(calm.deployment), "quiet")
        assert worker.stop() == 0
    assert calm.deployment.state() == calm.state
    assert [content(message) for message in calm.deployment.outputs()] == [content(m) for m in calm.outputs]
    assert len(letters_of(calm.deployment)) == len(calm.letters)


def _quiet(deployment: Deployment, looks: int = 75) -> Callable[[], bool]:
    """True after a number of looks; a worker that read something again would have published it by then."""
    left = iter(range(looks))
    return lambda: next(left, None) is None


# -- trouble ----------------------------------------------------------------------------------------------------------


def test_killed_workers_lose_and_change_nothing(stage: Stage, calm: Calm, tmp_path: Path) -> None:
    """Workers killed with SIGKILL in the midst, before and between checkpoints: in the end Redis holds, byte for byte,
    what an undisturbed run over the same flushes comes to, and every output is there once, the same message.
    """
    deployment = stage.run("killed", max_flush_records=25, max_poll_records=25)
    with Worker(deployment, tmp_path, checkpoint_interval_s=60) as worker:
        worker.until(lambda: deployment.journalled() >= 20, "twenty flushes", pause=0.002)
        worker.kill()
    assert deployment.positions() == {}
    assert deployment.journalled() >= 20
    total = sum(stage.ends.values())
    with Worker(deployment, tmp_path, checkpoint_interval_s=0.05) as worker:
        worker.until(
            lambda: sum(deployment.positions().values()) > total / 2 and deployment.journalled() > 0,
            "half of the checkpoints",
            pause=0.002,
        )
        worker.kill()
    before = sum(deployment.positions().values())
    assert total / 2 < before < total
    # Faust without its compiled parts, which it falls back to silently, must do the same.
    with Worker(deployment, tmp_path, variables={"NO_CYTHON": "1"}) as worker:
        worker.until_checkpointed(stage.ends)
        assert worker.stop() == 0
        taken = [entry for entry in worker.entries() if entry.get("message") == "shard assigned"]
    assert sum(entry["journal"] for entry in taken) > 0, "nothing was recovered"
    reasons: Counter[str] = Counter(
        special.reason for special in stage.given.specials.values() if special.reason is not None
    )
    verdict = judge(deployment, journal_of(deployment), InputFaults(reasons))
    assert verdict.sound, verdict.examples
    assert (verdict.repeated_outputs, verdict.records >= total) == (0, True)
    assert {letter.source: letter.value for letter in letters_of(deployment)} == {
        letter.source: letter.value for letter in calm.letters
    }


def test_two_workers_share_the_shards(stage: Stage, tmp_path: Path) -> None:
    """A second worker takes over half of the shards, each with all its topics; when it leaves, the first has them all.
    Nothing is done twice or left out on the way.
    """
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    deployment = replace(stage.deployment, prefix=prefix, run="shared")
    create_topics(deployment.settings)
    records = stage.given.records
    third = len(records) // 3
    with Worker(deployment, tmp_path, "first") as first:
        ends = ends_of(feed(deployment, records[:third]))
        first.until_checkpointed(ends)
        assert first.holds() == set(range(PARTITIONS))
        with Worker(deployment, tmp_path, "second") as second:
            second.until(lambda: len(second.holds()) == PARTITIONS // 2, "its half of the shards")
            first.until(lambda: len(first.holds()) == PARTITIONS // 2, "its half of the shards")
            before = deployment.positions()
            ends = ends_of(feed(deployment, records[third : 2 * third]))
            second.until_checkpointed(ends)
            assert first.holds() | second.holds() == set(range(PARTITIONS))
            if stage.is_kafka:  # the embedded broker does not tell
                assert_together(deployment, {frozenset(first.holds()), frozenset(second.holds())})
            moved = {number for (topic, number), offset in ends.items() if before.get((topic, number), 0) < offset}
            assert moved & first.holds() and moved & second.holds()
            assert second.stop() == 0
        first.until(lambda: first.holds() == set(range(PARTITIONS)), "all shards")
        ends = ends_of(feed(deployment, records[2 * third :]))
        first.until_checkpointed(ends)
        assert first.stop() == 0
    assert deployment.statistics().records == len(records)
    outputs = deployment.outputs()
    assert_gapless(deployment, outputs)
    assert max(Counter(id_of(message) for message in outputs).values()) == 1
    sources = [letter.source for letter in letters_of(deployment)]
    assert len(set(sources)) == len(sources) == sum(s.reason is not None for s in stage.given.specials.values())


def assert_together(deployment: Deployment, holdings: set[frozenset[int]]) -> None:
    """By the group's own account, the members hold these partition numbers, each of all input topics."""
    settings = deployment.settings
    admin = AdminClient(kafka_config(settings))
    group = settings.worker.group_id
    described = admin.describe_consumer_groups([group], request_timeout=10)[group].result(10)
    found = set()
    for member in described.members:
        numbers = {topic: set[int]() for topic in (*settings.topics.inputs, settings.topics.exchange)}
        for assigned in member.assignment.topic_partitions:
            numbers[assigned.topic].add(assigned.partition)
        (held,) = {frozenset(each) for each in numbers.values()}
        found.add(held)
    assert found == holdings


def test_the_stream_has_what_the_tests_need(stage: Stage) -> None:
    """All shards have work, and all topics but feedback."""
    busy = {(record.topic.removeprefix(stage.deployment.prefix), record.partition) for record in stage.fed}
    assert {topic for topic, _ in busy} == set(TOPIC_KINDS) - {"feedback"}
    assert {number for topic, number in busy if topic == "orders"} == set(range(PARTITIONS))
