"""``shopwarden probe``, as container platforms run it."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from config.telemetry import TelemetrySettings
from streams.cli import main
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.server import TelemetryServer


class Readiness:
    """What a process says."""

    def __init__(self) -> None:
        self.waiting_for: list[str] = []

    def __call__(self) -> tuple[bool, dict[str, Any]]:
        """Ready if it waits for nothing."""
        return not self.waiting_for, {"ready": not self.waiting_for, "waiting_for": self.waiting_for}


@pytest.fixture
def readiness() -> Readiness:
    """Set by hand."""
    return Readiness()


@pytest.fixture
def port(readiness: Readiness) -> Iterator[int]:
    """Of a process that is alive."""
    server = TelemetryServer(
        TelemetrySettings(port=0), process_registry("worker"), lambda: (False, {"alive": False}), readiness
    )
    server.start()
    yield server.port
    server.stop()


def run(port: int | str, *arguments: str) -> Result:
    """The command with a port in the environment."""
    return CliRunner(env={"SHOPWARDEN_TELEMETRY__PORT": str(port)}).invoke(main, ["probe", *arguments])


def test_ready(port: int) -> None:
    """Exit code 0 and not a word."""
    result = run(port)
    assert (result.exit_code, result.output) == (0, "")


def test_not_ready(port: int, readiness: Readiness) -> None:
    """Exit code 1, and what it waits for."""
    readiness.waiting_for = ["Redis to answer"]
    result = run(port, "ready")
    assert result.exit_code == 1
    assert "not ready: it waits for Redis to answer" in result.output


def test_not_alive(port: int) -> None:
    """`health` asks the other question."""
    result = run(port, "health")
    assert result.exit_code == 1
    assert 'not alive: {"alive": false}' in result.output


@pytest.mark.parametrize("port", [""])
def test_without_a_port(port: str) -> None:
    """Nobody could be asked: that is said."""
    result = run(port)
    assert result.exit_code == 1
    assert "telemetry.port" in result.output


def test_nobody_there(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 and where nobody answered."""
    monkeypatch.setenv("SHOPWARDEN_TELEMETRY__ADDRESS", "127.0.0.2")
    result = run(port)
    assert result.exit_code == 1
    assert f"no answer from 127.0.0.2:{port}" in result.output
