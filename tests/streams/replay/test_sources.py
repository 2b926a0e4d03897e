"""The same history from Kafka, the embedded broker and a real one, and from a file."""

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.archive import read_archive
from streams.cli import main
from streams.replay.failures import ReplayError
from streams.replay.kafka_source import KafkaSource
from streams.replay.plan import KafkaInput, Plan
from streams.replay.run import replay
from streams.replay.task import Bounds, plan_job
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import feed
from tests.streams.mixed_input import MixedInput
from tests.streams.replay.replays import replayed

PARTITIONS = 3


@pytest.fixture
def deployment(any_broker: str, topic_prefix: str, history: MixedInput) -> Deployment:
    """Topics with the history in them; no worker has run."""
    found = Deployment(any_broker, "redis://127.0.0.1:1/0", topic_prefix, "sources", PARTITIONS)
    create_topics(found.settings)
    feed(found, history.records)
    return found


@pytest.mark.timeout(900)
def test_topics_and_their_recording(deployment: Deployment, tmp_path: Path) -> None:
    """From the topics, in one process and in two, and from their recording: the same bytes. What is written after the
    replay was planned is not read.
    """
    settings = deployment.settings
    job = plan_job(settings, None, Plan())
    alone = [record for published in replay(job) for record in published.records]
    assert len(alone) > 100
    path = tmp_path / "recorded.jsonl.zst"
    variables = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
    assert CliRunner(env=variables).invoke(main, ["record", "--out", str(path)]).exit_code == 0
    assert replayed(settings, path, shards=PARTITIONS) == alone
    late = list(read_archive(path))[-50:]
    feed(deployment, late)
    time.sleep(0.5)
    assert [record for published in replay(job, 2) for record in published.records] == alone


@pytest.mark.timeout(900)
def test_offsets(deployment: Deployment) -> None:
    """Of a partition with bounds nothing else is read, and a partition that is not there is told."""
    topics = deployment.settings.topics
    job = plan_job(
        deployment.settings, None, Plan(), [Bounds("orders", 1, 20, 30), Bounds(topics.listings, 0, None, 0)]
    )
    found: dict[tuple[str, int], list[int]] = {}
    assert isinstance(job.input, KafkaInput)
    source = KafkaSource(job.input, deployment.settings, job.plan, range(PARTITIONS))
    while source.peek() is not None:
        for entries in source.take().values():
            for *_, record in entries:
                found.setdefault((record.topic, record.partition), []).append(record.offset)
    source.close()
    assert found[topics.orders, 1] == list(range(20, 30))
    assert (topics.listings, 0) not in found
    assert found[topics.orders, 0][0] == 0
    with pytest.raises(ReplayError, match="no partition 9"):
        plan_job(deployment.settings, None, Plan(), [Bounds("orders", 9, None, None)])
