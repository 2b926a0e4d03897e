from collections.abc import Callable

import msgspec
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from config.settings import Settings, load_settings
from detectors.flush import Emit, Stream
from streams.clients import kafka_config, producer_config
from streams.publish import Publisher
from streams.store import JournalEntry
from streams.tails import Extent, PublishedBefore, extents, merged_journal, read_tails
from streams.topics import create_topics


def emit(name: str, stream: Stream = "events") -> Emit:
    """An output."""
    return Emit(stream, b"m", b"{}", (("ce_id", name.encode()),), name)


def entry(sequence: int, claim: int = 1, first: int | None = None) -> JournalEntry:
    """A flush of ten records."""
    first = 10 * sequence if first is None else first
    return JournalEntry(sequence, [("orders", first, first + 9)], None, "p", claim=claim)


# -- what was published before ----------------------------------------------------------------------------------------


def test_what_was_published_is_left_out_once() -> None:
    """Ids that the topic holds are left out the first time they come up; everything else goes out, in order."""
    before = PublishedBefore({"events": ["a", "b"]}, ends={"events": 7})
    assert [each.id for each in before.unpublished([emit("a"), emit("c"), emit("b"), emit("d")])] == ["c", "d"]
    assert before.left_out == 2
    assert before.settled() == {"events": 7}
    assert [each.id for each in before.unpublished([emit("a")])] == ["a"]


def test_ends_are_only_passed_when_all_came_up() -> None:
    """While an output of the tail has not come up again, a later recovery has to look at it once more."""
    before = PublishedBefore({"events": ["a", "lost"]}, ends={"events": 7})
    before.unpublished([emit("a")])
    assert before.settled() == {}
    assert before.unpublished([emit("lost")]) == []


def test_of_a_compacted_topic_nothing_up_to_the_last_is_published_again() -> None:
    """Compaction may have taken an older standing away; published again it would take the place of a later one."""
    before = PublishedBefore({"standing": ["s3"]})
    emits = [emit(name, "standing") for name in ("s1", "s2", "s3", "s4")]
    assert [each.id for each in before.unpublished(emits)] == ["s4"]


def test_a_standing_that_never_comes_up_stops_nothing_for_good() -> None:
    """After recovery standings go out, whatever the tail held."""
    before = PublishedBefore({"standing": ["gone"]})
    assert before.unpublished([emit("s1", "standing")]) == []
    before.settled()
    assert [each.id for each in before.unpublished([emit("s2", "standing")])] == ["s2"]


def test_after_recovery_a_standing_is_left_out_while_it_is_the_latest() -> None:
    """A standing of a flush whose journal is lost is not published again, unless another of its key was meanwhile."""
    before = PublishedBefore({"standing": ["s1", "s3"]})
    before.settled()
    assert before.unpublished([emit("s1", "standing")]) == []
    assert [each.id for each in before.unpublished([emit("s2", "standing"), emit("s3", "standing")])] == ["s2", "s3"]


def test_entries_are_known_by_number_and_claim() -> None:
    """The same flush of another claim is another one."""
    before = PublishedBefore(entries=[entry(4, 1)])
    assert before.holds(entry(4, 1))
    assert not before.holds(entry(4, 2))
    before.settled()
    assert not before.holds(entry(4, 1))


# -- two copies of the journal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "history", "wanted"),
    [
        pytest.param([entry(3), entry(4)], [], [entry(3), entry(4)], id="Redis alone"),
        pytest.param([], [entry(3), entry(4)], [entry(3), entry(4)], id="Redis forgot all"),
        pytest.param([entry(3)], [entry(3), entry(4)], [entry(3), entry(4)], id="Redis forgot the last"),
        pytest.param([entry(3), entry(4)], [entry(3)], [entry(3), entry(4)], id="Kafka is behind"),
        pytest.param([entry(3)], [entry(1), entry(2), entry(3)], [entry(3)], id="what the checkpoint covers"),
        pytest.param([entry(3)], [entry(5)], [entry(3)], id="a hole ends it"),
        pytest.param([], [entry(3, 1), entry(4, 1), entry(4, 2, 99)], [entry(3, 1), entry(4, 2, 99)], id="later claim"),
        pytest.param(
            [], [entry(3, 1), entry(4, 1), entry(3, 2, 99)], [entry(3, 2, 99)], id="what followed the earlier is void"
        ),
        pytest.param([entry(3, 2, 99)], [entry(3, 1), entry(4, 1)], [entry(3, 2, 99)], id="Redis has the later claim"),
        pytest.param(
            [entry(3, 1)], [entry(3, 2, 99), entry(4, 2)], [entry(3, 2, 99), entry(4, 2)], id="Redis is of before"
        ),
    ],
)
def test_merged_journal(stored: list[JournalEntry], history: list[JournalEntry], wanted: list[JournalEntry]) -> None:
    """The flushes after checkpoint 2, from what Redis and Kafka hold of them."""
    assert merged_journal(stored, history, 2) == wanted


def test_an_amended_entry_is_redis_own() -> None:
    """Of one claim's entry, Redis holds how it was amended last."""
    amended = msgspec.structs.replace(entry(3), gaps=[])
    other = msgspec.structs.replace(entry(3), tick=5)
    assert merged_journal([amended], [other, entry(4)], 2) == [amended, entry(4)]


# -- reading them -----------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(any_broker: str, topic_prefix: str) -> Settings:
    """Settings with topics of this test's own, which exist."""
    settings = load_settings(kafka={"brokers": any_broker}, topics={"partitions": 2, "prefix": topic_prefix})
    create_topics(settings)
    return settings


async def test_tails_are_what_was_published_from_an_offset_on(settings: Settings) -> None:
    """Ids by topic and partition, journal entries of the namespace by epoch, and where each topic ends."""
    topics = settings.topics
    names: dict[Stream, str] = {"events": topics.events, "standing": topics.merchant_standing}

    def publisher(namespace: str) -> Publisher:
        return Publisher(producer_config(settings), names, topics.journal, namespace)

    ours, theirs = publisher("ours"), publisher("theirs")
    first = ours.publish([emit("old")], 1)
    await ours.delivered(first)
    assert first.ends == {topics.events: 1}
    batch = ours.publish([emit("a"), emit("s", "standing"), emit("b")], 1)
    recorded = ours.record([entry(3)], 1, "epoch")
    ours.record([entry(4)], 1, "other")
    ours.publish([emit("elsewhere")], 0)
    ours.close()
    theirs.record([entry(5)], 1, "epoch")
    theirs.close()
    await ours.delivered(batch)
    starts = {
        (topics.events, 0): 0, (topics.events, 1): 1, (topics.merchant_standing, 1): 0, (topics.journal, 1): 0,
    }  # fmt: skip
    tails = read_tails(kafka_config(settings), starts, topics.journal, "ours")
    assert tails[0].ids == {topics.events: ["elsewhere"]}
    assert tails[1].ids == {topics.events: ["a", "b"], topics.merchant_standing: ["s"]}
    assert tails[1].entries == {"epoch": [entry(3)], "other": [entry(4)]}
    assert tails[1].ends == {topics.events: 3, topics.merchant_standing: 1, topics.journal: 3}
    assert batch.ends == {topics.events: 3, topics.merchant_standing: 1}
    assert recorded.ends == {topics.journal: 1}


@pytest.mark.kafka
def test_extents(kafka: str, topic_prefix: str, delete_records: Callable[[str, str, int], None]) -> None:
    """The first offset that is left and the one after the last."""
    settings = load_settings(kafka={"brokers": kafka}, topics={"partitions": 1, "prefix": topic_prefix})
    create_topics(settings)
    topic = settings.topics.orders
    producer = Producer(producer_config(settings))
    for _ in range(10):
        producer.produce(topic, b"x")
    assert producer.flush(30) == 0
    admin = AdminClient(kafka_config(settings))
    assert extents(admin, [(topic, 0)]) == {(topic, 0): Extent(0, 10)}
    delete_records(kafka, topic, 4)
    assert extents(admin, [(topic, 0)]) == {(topic, 0): Extent(4, 10)}
    assert extents(admin, []) == {}


@pytest.fixture
def delete_records() -> Callable[[str, str, int], None]:
    """Deletes the records of partition 0 of a topic before an offset, as retention would."""

    def delete(brokers: str, topic: str, offset: int) -> None:
        admin = AdminClient({"bootstrap.servers": brokers})
        for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
            future.result(30)

    return delete
