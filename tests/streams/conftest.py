"""Fixtures of the streams' tests."""

import pytest

from streams.embedded import EmbeddedServices


@pytest.fixture(
    scope="module",
    params=[pytest.param("embedded", marks=pytest.mark.broker), pytest.param("kafka", marks=pytest.mark.kafka)],
)
def brokers(request: pytest.FixtureRequest, services: EmbeddedServices) -> str:
    """Like ``any_broker``, for what several tests of a module share."""
    return str(request.getfixturevalue("kafka")) if request.param == "kafka" else services.brokers
