"""Fixtures for tests that need a broker or a store: embedded ones, and one real Apache Kafka."""

import itertools
import os
import shutil
import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from streams.embedded import EmbeddedServices
from tests.kafka_broker import KafkaUnavailableError, running_kafka

#: Fetching the jars and starting a JVM on a busy machine counts into the first test that needs Kafka.
KAFKA_TIMEOUT_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs services by the fixtures it uses, and give the first use of Kafka time to fetch it."""
    for item in items:
        if "services" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.broker)
        if item.get_closest_marker("kafka") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(KAFKA_TIMEOUT_S))


@pytest.fixture(scope="session")
def services() -> Iterator[EmbeddedServices]:
    """The embedded broker and store, started once for all tests; ``topic_prefix`` and ``redis_db`` keep these apart."""
    with EmbeddedServices() as running:
        yield running


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Address of a real Apache Kafka broker, started once. Tests that use it are marked ``kafka``.

    Without Java or Maven they are skipped, but fail where SHOPWARDEN_REQUIRE_KAFKA=1 says that they must run.
    """
    try:
        with running_kafka() as address:
            yield address
    except KafkaUnavailableError as error:
        if os.environ.get("SHOPWARDEN_REQUIRE_KAFKA") == "1":
            pytest.fail(f"SHOPWARDEN_REQUIRE_KAFKA=1, but {error}", pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(
    params=[pytest.param("embedded", marks=pytest.mark.broker), pytest.param("kafka", marks=pytest.mark.kafka)]
)
def any_broker(request: pytest.FixtureRequest) -> str:
    """Address of the embedded broker, then of real Apache Kafka: what holds for one must hold for the other."""
    if request.param == "kafka":
        address: str = request.getfixturevalue("kafka")
        return address
    services: EmbeddedServices = request.getfixturevalue("services")
    return services.brokers


@pytest.fixture
def topic_prefix() -> str:
    """Put in front of topic and group names, it keeps this test's apart from all others'."""
    return f"t{uuid.uuid4().hex[:10]}-"


_databases = itertools.cycle(range(1, 16))


@pytest.fixture
def redis_db(services: EmbeddedServices) -> Iterator[str]:
    """URL of an empty database of the embedded store."""
    url = f"{services.redis_url.rpartition('/')[0]}/{next(_databases)}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def own_services() -> Iterator[Callable[..., EmbeddedServices]]:
    """Start services of this test's own, with the arguments of EmbeddedServices; they are stopped at its end."""
    started: list[EmbeddedServices] = []

    def start(**options: object) -> EmbeddedServices:
        services = EmbeddedServices(**options)  # type: ignore[arg-type]
        services.start()
        started.append(services)
        return services

    yield start
    for services in started:
        services.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser; without one the test is skipped, unless it is required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("SHOPWARDEN_REQUIRE_CHROMIUM"):
            pytest.fail("chromium is required and not installed")
        pytest.skip("no chromium is installed")
    return found
