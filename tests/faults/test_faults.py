"""A few faults in every test run; ``make faults`` does all of them, more often."""

import pytest

from tests.faults.campaign import Load, run_campaign
from tests.faults.catalogue import FAULTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

EMBEDDED = [("kill9", 2), ("redis-restart", 2), ("connection-cut-after", 2)]
KAFKA = [("kill9", 3), ("zombie", 1), ("redis-older-snapshot", 1), ("expired-offset", 1)]


def survives(name: str, broker: str, tries: int) -> None:
    """Nothing lost, doubled, missing, invented or changed; and published once, where that is promised."""
    campaign = run_campaign(FAULTS[name](), broker, tries, Load(seed=3, rate=200, olist=False, partitions=4))
    assert campaign.survived, f"{campaign.failure}\n{campaign.verdict}\n{campaign.complaints}"
    assert campaign.tries == tries
    assert len(campaign.recoveries) >= tries
    assert campaign.verdict.records > 1000
    assert campaign.verdict.counts_compared > 1000
    if name != "zombie":
        # One that wakes may send what its producer still held.
        assert campaign.verdict.repeated_outputs == 0


@pytest.mark.broker
@pytest.mark.parametrize(("name", "tries"), EMBEDDED)
def test_nothing_is_lost_on_the_embedded_broker(name: str, tries: int) -> None:
    """State, counts and outputs are the undisturbed run's."""
    survives(name, "embedded", tries)


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka")
@pytest.mark.parametrize(("name", "tries"), KAFKA)
def test_nothing_is_lost_on_apache_kafka(name: str, tries: int) -> None:
    """State, counts and outputs are the undisturbed run's."""
    survives(name, "kafka", tries)


def test_every_fault_of_the_issue_is_in_the_catalogue() -> None:
    """The names that `make faults FAULTS=` knows."""
    assert FAULTS.keys() >= {
        "kill9", "sigterm", "scale", "zombie", "redis-restart", "redis-away", "redis-older-snapshot", "kafka-restart",
        "connection-cut", "poison-and-oversize", "expired-offset",
    }  # fmt: skip
