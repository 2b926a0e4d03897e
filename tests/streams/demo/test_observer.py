"""The observer reads real topics as any consumer would."""

import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from confluent_kafka import Producer

from config.settings import Settings
from features.outputs import RiskAssessed
from streams.clients import producer_config
from streams.demo.observer import Observer
from streams.demo.options import demo_settings
from streams.demo.sent import Sent
from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.streams.demo.test_tally import RULES, assessed, decided, standing

HEADERS = [("ce_specversion", b"1.0"), ("ce_time", b"1970-01-01T00:00:07.000Z")]


@pytest.fixture
def settings(services: EmbeddedServices, topic_prefix: str) -> Settings:
    """Settings with topics of this test's own, which exist."""
    made = demo_settings({"kafka": {"brokers": services.brokers}, "topics": {"prefix": topic_prefix, "partitions": 2}})
    create_topics(made)
    return made


@pytest.fixture
def sent() -> Sent:
    """One record was sent."""
    found = Sent()
    found.add("orders", 0, 1, time.monotonic())
    return found


@pytest.fixture
def observer(settings: Settings, sent: Sent) -> Iterator[Observer]:
    """An observer that reads."""
    watching = Observer(settings, RULES, sent)
    watching.start()
    yield watching
    watching.stop()


@pytest.fixture
def publish(settings: Settings) -> Iterator[Callable[..., None]]:
    """Publish values as a worker does."""
    producer = Producer(producer_config(settings))

    def send(topic: str, value: bytes, headers: list[tuple[str, str | bytes | None]]) -> None:
        producer.produce(topic, value, b"m1", headers=headers)
        producer.flush(10)

    yield send
    producer.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def total(observer: Observer) -> int:
    """Outputs seen so far."""
    with observer.tally() as tally:
        return tally.total


def encoded(output: object) -> bytes:
    """As JSON."""
    return msgspec.json.encode(output)


def test_reads_every_kind(settings: Settings, observer: Observer, publish: Callable[..., None]) -> None:
    """Events, standings and dead letters are told apart by topic and header, at their event time."""
    topics = settings.topics
    publish(topics.events, encoded(decided()), [*HEADERS, ("ce_type", b"shopwarden.enforcement.decided.v1")])
    publish(topics.merchant_standing, encoded(standing(3, "high", "hold_payout")), [])
    publish(topics.dead_letters, b"\xff", [("dlq_reason", b"json"), ("dlq_detail", b"not JSON")])
    until(lambda: total(observer) == 3)
    with observer.tally() as tally:
        assert tally.outputs == {
            "shopwarden.enforcement.decided.v1": 1,
            topics.merchant_standing: 1,
            topics.dead_letters: 1,
        }
        assert tally.flagged == {"m1": 7000}
        assert tally.merchants["m1"].actions == ["hold_payout"]
        assert tally.last_dead_letter == "json: not JSON"
    assert observer.error is None


def test_latency_is_from_hand_over_to_arrival(
    settings: Settings, observer: Observer, publish: Callable[..., None], sent: Sent
) -> None:
    """An assessment's latency counts from its source's hand-over, even if that is confirmed only after it."""
    headers = [*HEADERS, ("ce_type", b"shopwarden.risk.assessed.v1")]
    began = time.monotonic()
    publish(settings.topics.events, encoded(assessed()), headers)
    until(lambda: total(observer) == 1)
    early = msgspec.structs.replace(assessed(2), source=msgspec.structs.replace(assessed().source, offset=2))
    publish(settings.topics.events, encoded(early), headers)
    until(lambda: total(observer) == 2)
    with observer.tally() as tally:
        assert len(tally._latencies) == 1
    sent.add("orders", 0, 2, began - 100)
    until(lambda: len(observer._tally._latencies) == 2)
    elapsed = (time.monotonic() - began) * 1000
    first, second = observer._tally._latencies
    assert 0 <= first <= elapsed + 1000
    assert 100_000 <= second <= 100_000 + elapsed


def test_unknown_output_is_an_error(settings: Settings, observer: Observer, publish: Callable[..., None]) -> None:
    """An output that is not as the contract says ends the demo, with its coordinates."""
    publish(settings.topics.events, b'{"type": "something"}', [*HEADERS, ("ce_type", b"something")])
    until(lambda: observer.error is not None)
    assert f"{settings.topics.events}:" in str(observer.error)
    assert "is not as the contract says" in str(observer.error)


def test_assessments_are_of_the_contract() -> None:
    """What these tests publish is what the worker publishes."""
    assert msgspec.json.decode(encoded(assessed()), type=RiskAssessed) == assessed()
