"""The server of metrics, health and readiness."""

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.telemetry import TelemetrySettings
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.server import TelemetryError, TelemetryServer


class Checks:
    """What health and readiness say, set by hand."""

    def __init__(self) -> None:
        self.well = True

    def __call__(self) -> tuple[bool, dict[str, Any]]:
        """All is well, or not."""
        return self.well, {"well": self.well}


@pytest.fixture
def checks() -> Checks:
    """Both checks."""
    return Checks()


@pytest.fixture
def server(checks: Checks) -> Iterator[TelemetryServer]:
    """A server on a free port."""
    running = TelemetryServer(TelemetrySettings(port=0), process_registry("worker"), checks, checks)
    running.start()
    yield running
    running.stop()


def get(server: TelemetryServer, path: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
    """Status, content type and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"] or "", answer.read()
    connection.close()
    return found


def test_metrics_are_in_prometheus_format(server: TelemetryServer) -> None:
    """The text format by default, with the process's own figures and ours."""
    status, kind, body = get(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(body.decode())}
    assert {"shopwarden_build_info", "shopwarden_memory_limit_bytes", "python_gc_collections"} <= names


def test_openmetrics_on_request(server: TelemetryServer) -> None:
    """Prometheus asks for OpenMetrics, and gets it."""
    _, kind, body = get(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_checks_are_200_or_503(server: TelemetryServer, checks: Checks, path: str) -> None:
    """The status says it to probes, the body to people."""
    assert get(server, path)[0] == 200
    checks.well = False
    status, kind, body = get(server, path)
    assert (status, kind) == (503, "application/json")
    assert json.loads(body) == {"well": False}


def test_other_requests_are_refused(server: TelemetryServer) -> None:
    """Unknown paths are 404 and name the known ones; other methods are refused; queries don't matter."""
    status, _, body = get(server, "/admin")
    assert status == 404
    assert b"/metrics" in body
    assert get(server, "/metrics", "POST")[0] == 501
    assert get(server, "/health?verbose")[0] == 200
    assert get(server, "/health", "HEAD")[::2] == (200, b"")


def test_it_does_not_tell_its_software(server: TelemetryServer) -> None:
    """No version of Python in the headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/health")
    assert (connection.getresponse().headers["Server"] or "").strip() == "shopwarden"
    connection.close()


def test_a_failing_check_is_an_error(checks: Checks) -> None:
    """What breaks while answering is a 500 and not an empty success."""

    def broken() -> tuple[bool, dict[str, Any]]:
        raise ZeroDivisionError

    running = TelemetryServer(TelemetrySettings(port=0), process_registry("worker"), checks, broken)
    running.start()
    try:
        assert get(running, "/ready")[0] == 500
        assert get(running, "/health")[0] == 200
    finally:
        running.stop()


def test_a_taken_port_is_told(server: TelemetryServer, checks: Checks) -> None:
    """The message names address and port, and what to set."""
    second = TelemetryServer(TelemetrySettings(port=server.port), process_registry("worker"), checks, checks)
    with pytest.raises(TelemetryError, match=rf"127\.0\.0\.1:{server.port}.*telemetry\.port"):
        second.start()


def test_ipv6(checks: Checks) -> None:
    """It listens on IPv6 where the machine has it."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    running = TelemetryServer(TelemetrySettings(port=0, address="::1"), process_registry("worker"), checks, checks)
    running.start()
    try:
        connection = http.client.HTTPConnection("::1", running.port, timeout=30)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        running.stop()
