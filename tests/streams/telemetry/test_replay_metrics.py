"""What a replay shows while it runs."""

import urllib.request
from urllib.error import URLError

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from config.settings import Settings
from config.telemetry import TelemetrySettings
from streams.replay.progress import Reached
from streams.telemetry.replay_metrics import ReplayMetrics, replay_metrics
from tests.promtool import promtool


def test_progress_is_shown() -> None:
    """Records, share, event time and seconds; promtool finds no fault."""
    now = [100.0]
    metrics = ReplayMetrics(lambda: now[0])
    now[0] = 160.0
    metrics.reached = Reached(5000, 1_700_000_000_500, 2, 0.25)
    registry = CollectorRegistry()
    registry.register(metrics)
    text = generate_latest(registry).decode()
    for line in (
        "shopwarden_replay_records_total 5000.0",
        "shopwarden_replay_late_records_total 2.0",
        "shopwarden_replay_progress_ratio 0.25",
        "shopwarden_replay_event_time_seconds 1.7000000005e+09",
        "shopwarden_replay_running_seconds 60.0",
    ):
        assert line in text
    promtool("check", "metrics", given=text.encode())


def test_it_is_served_while_the_replay_lasts() -> None:
    """On the port of the settings; not before, not after."""
    with replay_metrics(settings(0)) as metrics:
        metrics.reached = Reached(7)
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=30) as answer:
            assert b"shopwarden_replay_records_total 7.0" in answer.read()
    with pytest.raises(URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics", timeout=30)


def test_a_taken_port_is_no_reason_to_end(caplog: pytest.LogCaptureFixture) -> None:
    """Beside a worker with the same settings the replay goes on without, and says so."""
    with replay_metrics(settings(0)) as first, replay_metrics(settings(first.port)) as second:
        assert first.port
        assert not second.port
    assert "goes on without metrics" in caplog.text


def test_without_a_port_there_is_no_server() -> None:
    """The default."""
    with replay_metrics(Settings()) as metrics:
        assert not metrics.port


def settings(port: int) -> Settings:
    """Settings with this port."""
    return Settings(telemetry=TelemetrySettings(port=port))
