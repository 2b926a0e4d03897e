"""Kafka goes away and comes back under a worker: nothing is lost, nothing is counted twice, and few words are made."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.embedded import EmbeddedServices
from streams.recording import headers_of
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.kafka_broker import KafkaNode, KafkaUnavailableError
from tests.streams.mixed_input import mixed_input
from tests.worker_process import Worker

PARTITIONS = 2


@pytest.fixture
def node() -> Iterator[KafkaNode]:
    """Apache Kafka of this test's own, which may be stopped and started."""
    try:
        node = KafkaNode()
    except KafkaUnavailableError as error:
        if os.environ.get("SHOPWARDEN_REQUIRE_KAFKA") == "1":
            pytest.fail(f"SHOPWARDEN_REQUIRE_KAFKA=1, but {error}", pytrace=False)
        pytest.skip(str(error))
    with node:
        yield node


def ids(deployment: Deployment) -> list[bytes | None]:
    """Ids of all published events, in the order of partitions and offsets."""
    return [dict(headers_of(message))["ce_id"] for message in deployment.read(deployment.settings.topics.events)]


@pytest.mark.kafka
@pytest.mark.parametrize("away", [5.0, 20.0])
def test_a_broker_that_is_killed_is_waited_for(
    node: KafkaNode, services: EmbeddedServices, topic_prefix: str, tmp_path: Path, away: float
) -> None:
    """The broker dies under load, for less and for more than a session lasts, and comes back on its data: the worker
    goes on by itself; each record is counted once, each output is there once; the log has a handful of lines.
    """
    deployment = Deployment(node.address, services.redis_url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    records = mixed_input().records
    with Worker(deployment, tmp_path) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        feed(deployment, records[:200])
        worker.until(lambda: deployment.statistics().records > 20, "some records")
        node.kill()
        time.sleep(away)
        node.start()
        began = time.monotonic()
        fed = feed(deployment, records[200:])
        worker.until_checkpointed(ends_of(fed))
        recovered = time.monotonic() - began
        lines = len(worker.entries())
        assert worker.stop() == 0
        log = worker.log()
    assert "Traceback" not in log
    assert lines < 80 + away, log
    assert recovered < 45
    assert deployment.statistics().records == len(fed)
    published = ids(deployment)
    assert published
    assert len(set(published)) == len(published)


@pytest.mark.kafka
def test_a_stop_while_the_broker_is_away_loses_nothing(
    node: KafkaNode, services: EmbeddedServices, topic_prefix: str, tmp_path: Path
) -> None:
    """SIGTERM with the broker dead ends the worker well before its deadline; its successor, started before the broker
    is back, counts each record once.
    """
    deployment = Deployment(node.address, services.redis_url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    records = mixed_input().records
    with Worker(deployment, tmp_path) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        feed(deployment, records[:200])
        worker.until(lambda: deployment.statistics().records > 20, "some records")
        node.kill()
        time.sleep(2)
        started = time.monotonic()
        assert worker.stop() in (0, 70)
        assert time.monotonic() - started < 20
        assert "Traceback" not in worker.log()
    with Worker(deployment, tmp_path, "successor") as worker:
        worker.until(lambda: "Kafka is away" in worker.log(), "the outage")
        node.start()
        fed = feed(deployment, records[200:])
        worker.until_checkpointed(ends_of(fed))
        assert worker.stop() == 0
    assert deployment.statistics().records == len(fed)


def test_a_broker_that_hangs_is_waited_for(
    own_services: Callable[..., EmbeddedServices], services: EmbeddedServices, topic_prefix: str, tmp_path: Path
) -> None:
    """The broker stops answering for longer than requests and sessions last, and goes on: so does the worker."""
    broker = own_services(redis_url=services.redis_url)
    assert broker.broker is not None
    deployment = Deployment(broker.brokers, services.redis_url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    records = mixed_input().records
    with Worker(deployment, tmp_path) as worker:
        worker.until(lambda: worker.holds() == set(range(PARTITIONS)), "the assignment")
        feed(deployment, records[:200])
        worker.until(lambda: deployment.statistics().records > 20, "some records")
        os.kill(broker.broker.pid, signal.SIGSTOP)
        time.sleep(12)
        os.kill(broker.broker.pid, signal.SIGCONT)
        fed = feed(deployment, records[200:])
        worker.until_checkpointed(ends_of(fed))
        assert worker.stop() == 0
        assert "Traceback" not in worker.log()
    assert deployment.statistics().records == len(fed)
    published = ids(deployment)
    assert published
    assert len(set(published)) == len(published)
