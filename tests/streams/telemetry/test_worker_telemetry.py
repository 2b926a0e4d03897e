"""A worker's telemetry before and after its app, and when it can't have its port."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from config.settings import Settings
from config.telemetry import TelemetrySettings
from streams.cli import main
from streams.telemetry.server import TelemetryError
from streams.telemetry.worker_telemetry import WorkerTelemetry


def settings(port: int | None) -> Settings:
    """Settings with this port, and services that nobody answers for."""
    return Settings(telemetry=TelemetrySettings(port=port, reach_every_s=3600))


async def test_without_a_port_nothing_is_started() -> None:
    """The default: no thread, no task, no port."""
    before = set(threading.enumerate())
    with WorkerTelemetry(settings(None)).served():
        assert set(threading.enumerate()) == before


async def test_a_worker_that_has_not_begun_is_alive_and_not_ready() -> None:
    """Probes are answered while it still waits for Kafka and Redis."""
    telemetry = WorkerTelemetry(settings(None))
    alive, _ = telemetry._health()
    ready, told = telemetry._ready()
    assert alive
    assert not ready
    assert told["waiting_for"] == ["Kafka, Redis and the topics, to begin"]


async def test_an_event_loop_that_stands_still_is_not_alive() -> None:
    """After the time that is allowed for."""
    telemetry = WorkerTelemetry(settings(None))
    telemetry.pulse.at -= 31
    alive, told = telemetry._health()
    assert not alive
    assert told["event_loop_turned_seconds_ago"] >= 31


async def test_a_taken_port_is_an_error() -> None:
    """It names the port, and what to set."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(TelemetryError, match=rf"127\.0\.0\.1:{port}.*telemetry\.port"),
            WorkerTelemetry(settings(port)).served(),
        ):
            pass


def test_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """`shopwarden worker` ends with code 1 and the message, without a traceback."""

    def fails(_: Settings) -> int:
        raise TelemetryError("metrics can't be served on 127.0.0.1:9464")

    monkeypatch.setattr("streams.worker.run_worker", fails)
    ignore: Callable[..., Any] = lambda *_: None  # noqa: E731
    monkeypatch.setattr("streams.commands.worker.configure_logging", ignore)
    result = CliRunner().invoke(main, ["worker"])
    assert result.exit_code == 1
    assert result.output == "Error: metrics can't be served on 127.0.0.1:9464\n"
