"""A worker as a process, scraped as Prometheus would, and probed as Kubernetes would."""

import http.client
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.promtool import promtool
from tests.streams.mixed_input import mixed_input
from tests.worker_process import Worker

PARTITIONS = 2

Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


def get(worker: Worker, path: str) -> tuple[int, bytes]:
    """A worker's answer; the log says on which port it listens."""
    port = next((entry["port"] for entry in worker.entries() if "metrics are served" in entry["message"]), None)
    if port is None:
        return 0, b""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def samples_of(text: str) -> Samples:
    """Values by name and labels."""
    found: Samples = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name][tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_a_worker_is_scraped_and_probed(services: EmbeddedServices, topic_prefix: str, tmp_path: Path) -> None:
    """Its metrics are well formed, name nobody, and agree with what lies in Redis and Kafka; readiness comes when its
    shards are its own.
    """
    deployment = Deployment(services.brokers, services.redis_url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    given = mixed_input()
    fed = feed(deployment, given.records)
    variables = {"SHOPWARDEN_TELEMETRY__PORT": "0", "SHOPWARDEN_TELEMETRY__REACH_EVERY_S": "0.5"}
    with Worker(deployment, tmp_path, variables=variables) as worker:
        worker.until(lambda: get(worker, "/health")[0] == 200, "health")
        worker.until_checkpointed(ends_of(fed))
        worker.until(lambda: get(worker, "/ready")[0] == 200, "readiness")
        ready: dict[str, Any] = json.loads(get(worker, "/ready")[1])
        assert ready == {"ready": True, "waiting_for": [], "shards": [0, 1]}

        def all_seen() -> bool:
            # What is told of lag is a second old.
            lags = samples_of(get(worker, "/metrics")[1].decode())["shopwarden_consumer_lag_records"]
            return len(lags) >= PARTITIONS * len(deployment.settings.topics.inputs) and not any(lags.values())

        worker.until(all_seen, "a lag of nothing everywhere", pause=0.2)
        text = get(worker, "/metrics")[1].decode()
        assert worker.stop() == 0
    samples = samples_of(text)
    assert_figures(samples, deployment, {record.topic for record in fed}, len(fed))
    merchants = {record.key.decode() for record in fed if record.key and len(record.key) > 3}
    assert not [name for name in merchants if name.isascii() and name in text]
    promtool("check", "metrics", given=text.encode())


def assert_figures(samples: Samples, deployment: Deployment, topics: set[str], records: int) -> None:
    """The scrape agrees with the store and the topics."""
    statistics = deployment.statistics()
    by_topic = {dict(labels)["topic"]: value for labels, value in samples["shopwarden_records_total"].items()}
    assert topics <= by_topic.keys()
    inputs = {topic: count for topic, count in by_topic.items() if topic in topics}
    assert sum(inputs.values()) == statistics.records == records
    assert samples["shopwarden_events_total"][()] == statistics.events
    assert samples["shopwarden_assessments_total"][()] == statistics.assessments
    letters = deployment.read(deployment.settings.topics.dead_letters)
    assert sum(samples["shopwarden_dead_letters_total"].values()) == len(letters) == statistics.rejected
    events = deployment.read(deployment.settings.topics.events)
    published = samples["shopwarden_outputs_total"]
    assert sum(n for labels, n in published.items() if dict(labels)["type"].startswith("shopwarden.")) == len(events)
    assert sum(samples["shopwarden_decisions_total"].values()) > 0
    # Told before the first one, so that a rise from 0 is seen.
    assert samples["shopwarden_dead_letters_total"][(("reason", "unprocessable"),)] == 0
    assert {dict(labels)["figure"] for labels in samples["shopwarden_drift_alarms_total"]} >= {"bad-order:brier"}
    assert samples["shopwarden_ready"][()] == 1
    assert samples["shopwarden_shards"][()] == samples["shopwarden_shards_assigned"][()] == PARTITIONS
    assert samples["shopwarden_shards_recovering"][()] == 0
    assert not any(samples["shopwarden_service_away"].values())
    assert samples["shopwarden_flush_duration_seconds_count"][()] > 0
    assert samples["shopwarden_checkpoint_duration_seconds_count"][()] > 0
    assert not any(samples["shopwarden_uncheckpointed_seconds"].values())
    assert samples["process_resident_memory_bytes"][()] > 50e6


@pytest.mark.parametrize("port", ["70000", "metrics"])
def test_a_wrong_port_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is none is a mistake in the settings, named as such."""
    from config.settings import SettingsError, load_settings

    monkeypatch.setenv("SHOPWARDEN_TELEMETRY__PORT", port)
    with pytest.raises(SettingsError, match=r"SHOPWARDEN_TELEMETRY__PORT|telemetry\.port"):
        load_settings()
