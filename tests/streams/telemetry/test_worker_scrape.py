"""A worker as a process, scraped as Prometheus would, and probed as Kubernetes would."""

import http.client
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deploy.asked import metrics_asked_for
from tests.deploy.exposed import labels_by_name, worker_exposition
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.promtool import promtool
from tests.streams.mixed_input import mixed_input
from tests.worker_process import Worker

PARTITIONS = 2

#: Troubles count at once.
TELEMETRY = {"PORT": "0", "REACH_EVERY_S": "0.3", "READY_GRACE_S": "0"}

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


def test_a_worker_is_scraped_and_probed(
    services: EmbeddedServices, own_services: Callable[..., EmbeddedServices], topic_prefix: str, tmp_path: Path
) -> None:
    """Its metrics are well formed, name nobody, and agree with what lies in Redis and Kafka; it is ready when its
    shards are its own, and while its store is there.
    """
    store = own_services(brokers=services.brokers, append_only=True)
    deployment = Deployment(services.brokers, store.redis_url, topic_prefix, "run", PARTITIONS)
    create_topics(deployment.settings)
    given = mixed_input()
    fed = feed(deployment, given.records)
    variables = {f"SHOPWARDEN_TELEMETRY__{name}": value for name, value in TELEMETRY.items()}
    with Worker(deployment, tmp_path, variables=variables) as worker:
        worker.until(lambda: get(worker, "/health")[0] == 200, "health")
        worker.until_checkpointed(ends_of(fed))
        ready = {"ready": True, "waiting_for": [], "shards": [0, 1]}
        worker.until(lambda: json.loads(get(worker, "/ready")[1] or b"0") == ready, "readiness", pause=0.1)
        text = ""

        def all_is_well() -> bool:
            # What is told of lag is a second old; on a busy machine a look at a service may have timed out.
            nonlocal text
            text = get(worker, "/metrics")[1].decode()
            samples = samples_of(text)
            lags = samples["shopwarden_consumer_lag_records"]
            return (
                len(lags) >= PARTITIONS * len(deployment.settings.topics.inputs)
                and not any(lags.values())
                and not any(samples["shopwarden_service_away"].values())
                and samples["shopwarden_ready"] == {(): 1}
            )

        worker.until(all_is_well, "a lag of nothing everywhere", pause=0.2)
        # Empty panels and silent alerts would be the price of a name that no worker tells.
        told_by_workers = {name for name in metrics_asked_for() if name in labels_by_name(worker_exposition())}
        assert len(told_by_workers) > 30
        assert told_by_workers <= labels_by_name(text).keys()
        assert_figures(samples_of(text), deployment, {record.topic for record in fed}, len(fed))
        assert_the_store_is_watched(worker, store)
        assert worker.stop() == 0
    merchants = {record.key.decode() for record in fed if record.key and len(record.key) > 3}
    assert not [name for name in merchants if name.isascii() and name in text]
    promtool("check", "metrics", given=text.encode())


def assert_the_store_is_watched(worker: Worker, store: EmbeddedServices) -> None:
    """A store that goes away makes the worker not ready, though it has nothing to do and stays alive; and back."""
    store.kill_store()

    def redis_is_missed() -> bool:
        status, body = get(worker, "/ready")
        return status == 503 and "Redis to answer" in json.loads(body)["waiting_for"]

    worker.until(redis_is_missed, "that it is not ready", pause=0.1)
    assert get(worker, "/health")[0] == 200
    samples = samples_of(get(worker, "/metrics")[1].decode())
    assert samples["shopwarden_service_away"][(("service", "redis"),)] == 1
    assert samples["shopwarden_ready"][()] == 0
    store.restart_store()
    worker.until(lambda: get(worker, "/ready")[0] == 200, "that it is ready again", pause=0.1)


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
