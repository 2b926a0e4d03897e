"""The doctor's look at Kafka, and the command as a whole."""

import socket
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from config.settings import Settings, load_settings
from streams.cli import main
from streams.clients import producer_config
from streams.doctor import Finding
from streams.doctor.kafka import _security, _split, check_kafka, newest_timestamp
from streams.embedded import EmbeddedServices
from streams.topics import check_topics, create_topics


@pytest.fixture
def settings(any_broker: str, topic_prefix: str) -> Settings:
    """Settings of topics that no other test uses."""
    return load_settings(
        kafka={"brokers": any_broker},
        topics={"partitions": 3, "prefix": topic_prefix},
        pseudonym_key="0f3b6a1c9d8e7f25",
    )


def produce(settings: Settings, topic: str, count: int, newest: int) -> None:
    """Records over all partitions in large batches, a second apart, the last at ``newest`` (ms)."""
    producer = Producer(producer_config(settings, linger_ms=100))
    for number in range(count):
        producer.produce(topic, key=str(number), value=b"{}", timestamp=newest - (count - 1 - number) * 1000)
    assert producer.flush(10) == 0


def texts(found: Iterator[Finding], area: str) -> list[tuple[str, str]]:
    """Status and text of the findings of one area."""
    return [(finding.status, finding.text) for finding in found if finding.area == area]


def test_topics_in_order(settings: Settings) -> None:
    """A broker with all topics and no records: nothing to say but ok."""
    create_topics(settings)
    found = list(check_kafka(settings, 5))
    assert {finding.status for finding in found} == {"ok"}, found
    shard = (*settings.topics.inputs, settings.topics.exchange)
    assert texts(iter(found), "topics") == [("ok", f"3 shards of {', '.join(shard)}")]
    assert texts(iter(found), "clock") == [("ok", "no input record to compare the clock with")]


def test_missing_topics_are_a_problem_with_its_advice(settings: Settings) -> None:
    """The report's text is split into what is and what to do."""
    problem = next(finding for finding in check_kafka(settings, 5) if finding.status == "problem")
    assert problem.text.startswith(f"missing: {settings.topics.listings}, ")
    assert problem.advice.startswith("Run `shopwarden topics create`")


def test_newest_record(settings: Settings) -> None:
    """The newest timestamp is found behind any batches, in whichever topic and partition it is."""
    create_topics(settings)
    now = time.time_ns() // 1_000_000
    produce(settings, settings.topics.listings, 500, now - 60_000)
    produce(settings, settings.topics.orders, 50, now - 7_000)
    assert newest_timestamp(settings, check_topics(settings), 5) == now - 7_000
    ((status, text),) = texts(check_kafka(settings, 5), "clock")
    assert status == "ok"
    assert text.startswith("the newest input record is ")


def test_records_from_the_future_are_a_warning(settings: Settings) -> None:
    """A producer whose clock is ahead by an hour."""
    create_topics(settings)
    produce(settings, settings.topics.orders, 5, time.time_ns() // 1_000_000 + 3_600_000)
    ((status, text),) = texts(check_kafka(settings, 5), "clock")
    assert (status, text.endswith("s in the future")) == ("warning", True)


def test_encryption_beyond_this_machine() -> None:
    """Unencrypted is fine on loopback and worth a warning elsewhere."""
    assert [len(list(_security(load_settings(kafka__brokers=b)))) for b in ("localhost:1,127.0.0.1:2", "k:1")] == [0, 1]
    assert not list(_security(load_settings(kafka={"brokers": "k:1", "security_protocol": "SSL"})))


def test_fact_and_advice() -> None:
    """Both ways in which the topics' report writes."""
    assert _split("missing: a.b. Do this. Or that.") == ("missing: a.b", "Do this. Or that.")
    assert _split("x is small; enlarge it.") == ("x is small", "enlarge it.")
    assert _split("bare") == ("bare", "")


def test_command_in_order(services: EmbeddedServices, settings: Settings) -> None:
    """Everything there: exit code 0, each setting with its origin, no secret."""
    create_topics(settings)
    environment = {
        **services.environment(),
        "SHOPWARDEN_KAFKA__BROKERS": settings.kafka.brokers,
        "SHOPWARDEN_TOPICS__PREFIX": settings.topics.prefix,
        "SHOPWARDEN_PSEUDONYM_KEY": "0f3b6a1c9d8e7f25",
    }
    result = CliRunner().invoke(main, ["doctor"], env=environment)
    assert result.exit_code == 0, result.output
    assert "Ready: nothing to solve" in result.output
    assert f"kafka.brokers = {settings.kafka.brokers} (environment SHOPWARDEN_KAFKA__BROKERS)" in result.output
    assert "0f3b6a1c9d8e7f25" not in result.output


def test_command_with_silent_servers() -> None:
    """Servers that take connections and say nothing: exit code 1 in time, and all other findings."""
    with socket.create_server(("127.0.0.1", 0)) as kafka, socket.create_server(("127.0.0.1", 0)) as redis:
        environment = {
            "SHOPWARDEN_KAFKA__BROKERS": f"127.0.0.1:{kafka.getsockname()[1]}",
            "SHOPWARDEN_REDIS__URL": f"redis://127.0.0.1:{redis.getsockname()[1]}/0",
        }
        started = time.monotonic()
        result = CliRunner().invoke(main, ["doctor", "--timeout", "0.5"], env=environment)
        assert time.monotonic() - started < 6
    assert result.exit_code == 1
    assert "pseudonym_key is missing" in result.output
    assert "no Kafka broker answered" in result.output
    assert "does not answer" in result.output
    assert "3 to solve" in result.output


def test_command_with_wrong_settings() -> None:
    """Mistakes in the settings are the doctor's findings too, all of them."""
    result = CliRunner().invoke(main, ["doctor"], env={"SHOPWARDEN_KAFKA__BROKER": "x", "SHOPWARDEN_WORKER__SEED": "x"})
    assert result.exit_code == 1
    assert "did you mean SHOPWARDEN_KAFKA__BROKERS?" in result.output
    assert "worker.seed = 'x'" in result.output
