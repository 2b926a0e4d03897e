"""Creating and checking topics."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from config.settings import Settings, load_settings
from streams.cli import main
from streams.clients import MAX_MESSAGE_BYTES, kafka_config, producer_config
from streams.topics import (
    TopicsError,
    TopicState,
    _problems,
    _warnings,
    check_topics,
    create_topics,
    topic_specs,
)


@pytest.fixture
def settings(any_broker: str, topic_prefix: str) -> Settings:
    """Settings of topics that no other test uses."""
    return load_settings(kafka={"brokers": any_broker}, topics={"partitions": 4, "prefix": topic_prefix})


def await_topic(admin: AdminClient, name: str, *, there: bool) -> None:
    """Kafka answers before all of its threads know."""
    until = time.monotonic() + 10
    while (name in admin.list_topics(timeout=5).topics) is not there:
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def create(settings: Settings) -> Callable[..., None]:
    """Create one topic of our names directly, as somebody else would: field, partitions, properties."""
    admin = AdminClient(kafka_config(settings))

    def make(field: str, partitions: int, **properties: str) -> None:
        config = {name.replace("_", "."): value for name, value in properties.items()}
        topic = NewTopic(settings.topics.name(field), partitions, 1, config=config)
        for future in admin.create_topics([topic]).values():
            future.result(10)
        await_topic(admin, topic.topic, there=True)

    return make


def states(**partitions: int) -> tuple[TopicState, ...]:
    """All topics as wanted, but with these partition counts."""
    specs = topic_specs(Settings())
    return tuple(TopicState(s, partitions.get(s.field, s.partitions), 1, s.cleanup) for s in specs)


def test_specs_follow_the_contract() -> None:
    """Names, cleanup and partitions are those of the contract's table; retention follows the settings."""
    settings = load_settings(
        topics={"prefix": "x-", "partitions": 12, "retention_inputs_days": 1, "retention_events_days": 0}
    )
    specs = {spec.field: spec for spec in topic_specs(settings)}
    assert [spec.name for spec in specs.values()] == [settings.topics.name(field) for field in settings.topics.NAMES]
    assert {f for f, spec in specs.items() if spec.cleanup == "compact"} == {
        "merchant_standing",
        "creator_standing",
        "policies",
    }
    assert {f: spec.partitions for f, spec in specs.items() if spec.partitions != 12} == {"policies": 1, "metrics": 1}
    assert {f for f, spec in specs.items() if spec.required} == {
        "listings", "orders", "events", "dead_letters", "journal", "exchange",
    }  # fmt: skip
    assert specs["orders"].config == {"cleanup.policy": "delete", "retention.ms": "86400000"}
    assert specs["events"].config == {"cleanup.policy": "delete", "retention.ms": "-1"}
    assert specs["merchant_standing"].config == {"cleanup.policy": "compact"}
    assert specs["dead_letters"].config["max.message.bytes"] == str(MAX_MESSAGE_BYTES)


def test_topics_as_wanted_have_no_problem() -> None:
    """What `create` makes, `check` accepts without a word."""
    assert list(_problems(states())) == []
    assert list(_warnings(states(), brokers=1)) == []


def test_missing_topics() -> None:
    """Without orders there is no worker; without feedback there is."""
    (problem,) = _problems(states(orders=0, dead_letters=0, feedback=0))
    assert problem.startswith("missing: orders, governance-dead-letters. Run `shopwarden topics create`")
    (warning,) = _warnings(states(feedback=0, policies=0), brokers=1)
    assert warning.startswith("missing, but optional: feedback, governance-policies.")


@pytest.mark.parametrize("field", ["listings", "orders", "merchants", "feedback"])
def test_each_input_counts_for_equality(field: str) -> None:
    """Any input with other partitions than the rest is a problem that names all counts and what to do."""
    (problem,) = _problems(states(**{field: 3}))
    assert f"{field} 3" in problem
    assert problem.count(" 8") == 5
    assert f"Delete {field} and run" in problem


def test_output_with_fewer_partitions_is_a_problem() -> None:
    """A shard writes to the partition of its own number, which must be there."""
    (problem,) = _problems(states(events=3, journal=7))
    assert problem.startswith("fewer partitions than the inputs' 8: governance-events, shopwarden-journal.")


def test_output_with_more_partitions_is_only_a_warning() -> None:
    """Outputs with more partitions work; who joins them with inputs should know."""
    assert list(_problems(states(events=9, policies=2))) == []
    other, policies = _warnings(states(events=9, policies=2), brokers=1)
    assert other.startswith("governance-events has 9 partitions, the inputs 8")
    assert policies.startswith("governance-policies has 2 partitions")


@pytest.mark.parametrize(
    ("field", "cleanup", "wrong"),
    [
        ("orders", "compact", True),
        ("orders", "compact,delete", True),
        ("orders", None, False),
        ("policies", "delete", True),
        ("policies", "compact, delete", False),
        ("policies", None, False),
    ],
)
def test_cleanup_policy(field: str, cleanup: str | None, wrong: bool) -> None:
    """Compacted inputs lose events, uncompacted standings lose merchants; a broker that does not tell is believed."""
    changed = tuple(replace(s, cleanup=cleanup) if s.spec.field == field else s for s in states())
    found = list(_problems(changed))
    assert bool(found) is wrong
    assert all(f"cleanup.policy={cleanup}" in problem for problem in found)


def test_single_replica_on_a_cluster_is_a_warning() -> None:
    """One copy is all that one broker can keep; with three brokers it is a choice to look at."""
    assert list(_warnings(states(), brokers=1)) == []
    (warning,) = _warnings(states(), brokers=3)
    assert "kept by one broker of 3 only" in warning


def test_no_broker() -> None:
    """The error says where it looked, why it failed and what to look at, within the time given."""
    with pytest.raises(TopicsError, match=r"127\.0\.0\.1:1 within 1 s \(.*Connection refused.*Is it running"):
        check_topics(load_settings(kafka__brokers="127.0.0.1:1"), timeout_s=1)


def test_create_then_check(settings: Settings) -> None:
    """All topics are made with equal partitions; doing it again changes nothing; the check agrees."""
    first = create_topics(settings)
    assert list(first) == [settings.topics.name(field) for field in settings.topics.NAMES]
    assert set(first.values()) == {"created, 4 partitions", "created, 1 partition"}
    again = create_topics(settings)
    assert set(again.values()) == {"exists, 4 partitions", "exists, 1 partition"}
    report = check_topics(settings)
    assert (report.problems, report.warnings) == ((), ())
    assert (report.shards, report.inputs) == (4, (*settings.topics.inputs, settings.topics.exchange))
    assert [topic.cleanup for topic in report.topics] == [spec.cleanup for spec in topic_specs(settings)]
    report.raise_problems()


def test_created_topics_take_the_partitions_of_existing_inputs(settings: Settings, create: Callable[..., None]) -> None:
    """Who has an orders topic with six partitions gets six of everything, whatever the settings say."""
    create("orders", 6)
    result = create_topics(settings)
    assert result[settings.topics.orders] == "exists, 6 partitions"
    assert result[settings.topics.listings] == "created, 6 partitions"
    assert check_topics(settings).shards == 6


def test_unequal_partitions_are_refused(settings: Settings, create: Callable[..., None]) -> None:
    """Neither `create` nor `check` lets unequal inputs pass; the report has no number of shards."""
    create("orders", 6)
    create("listings", 4)
    with pytest.raises(TopicsError, match="unequal partition counts"):
        create_topics(settings)
    report = check_topics(settings)
    assert report.shards == 0
    with pytest.raises(TopicsError, match=f"{settings.topics.listings} 4, {settings.topics.orders} 6"):
        report.raise_problems()


def test_wrong_cleanup_is_seen(settings: Settings, create: Callable[..., None]) -> None:
    """The broker's own answer is what counts."""
    create("orders", 4, cleanup_policy="compact")
    create_topics(settings)
    (problem,) = check_topics(settings).problems
    assert problem.startswith(f"{settings.topics.orders} has cleanup.policy=compact")


def test_checking_creates_nothing(settings: Settings) -> None:
    """Looking at topics that are not there must not bring them about."""
    check_topics(settings)
    report = check_topics(settings)
    assert [topic.spec.field for topic in report.topics if topic.exists] == []


def test_dead_letters_take_what_inputs_take(settings: Settings) -> None:
    """A record of Kafka's default maximum can be put aside with its headers."""
    create_topics(settings)
    results: list[Any] = []
    producer = Producer(producer_config(settings))
    producer.produce(
        settings.topics.dead_letters,
        key=b"k",
        value=bytes(1_048_576),
        headers={"dlq_detail": "d" * 10_000},
        on_delivery=lambda error, _: results.append(error),
    )
    assert producer.flush(10) == 0
    assert results == [None]


def test_commands(settings: Settings, create: Callable[..., None]) -> None:
    """The commands say what they did, and end with 1 when the topics are wrong."""
    environment = {
        "SHOPWARDEN_KAFKA__BROKERS": settings.kafka.brokers,
        "SHOPWARDEN_TOPICS__PREFIX": settings.topics.prefix,
    }
    run = CliRunner().invoke
    create("orders", 6)
    create("feedback", 2)
    wrong = run(main, ["topics", "check"], env=environment)
    assert wrong.exit_code == 1
    assert f"missing: {settings.topics.listings}" in wrong.output
    assert f"{settings.topics.orders} 6, {settings.topics.feedback} 2" in wrong.output
    refused = run(main, ["topics", "create"], env=environment)
    assert (refused.exit_code, "unequal" in refused.output) == (1, True)
    admin = AdminClient(kafka_config(settings))
    admin.delete_topics([settings.topics.feedback])[settings.topics.feedback].result(10)
    await_topic(admin, settings.topics.feedback, there=False)
    made = run(main, ["topics", "create"], env=environment)
    assert made.exit_code == 0, made.output
    assert f"{settings.topics.feedback}" in made.output
    assert made.output.count("created, 6 partitions") == 9
    right = run(main, ["topics", "check"], env=environment)
    assert right.exit_code == 0, right.output
    assert "The topics are as they should be: 6 shards." in right.output


def test_wrong_settings_end_with_2() -> None:
    """A mistake of the user is told apart from a failure."""
    result = CliRunner().invoke(main, ["topics", "check"], env={"SHOPWARDEN_KAFKA__BROKER": "x"})
    assert result.exit_code == 2
    assert "did you mean SHOPWARDEN_KAFKA__BROKERS?" in result.output
