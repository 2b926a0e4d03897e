"""The console's metrics on a port of their own: the pages' port is for people who signed in."""

import contextlib
from collections.abc import Iterator
from typing import Any

from streams.console.service import Service
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.server import TelemetryServer


@contextlib.contextmanager
def metrics_served(service: Service) -> Iterator[int]:
    """Serve metrics for as long as the block lasts, if there is a port (``telemetry.port``); gives it, or 0.

    Raises
    ------
    streams.telemetry.server.TelemetryError
        The port can't be had.
    """
    telemetry = service.settings.telemetry
    if telemetry.port is None:
        yield 0
        return
    registry = process_registry("console")
    registry.register(service.metrics)
    follower = service.follower

    def health() -> tuple[bool, dict[str, Any]]:
        return follower.running, {"alive": follower.running}

    def ready() -> tuple[bool, dict[str, Any]]:
        progress = follower.progress
        well = not progress.trouble.startswith("the index")
        return well, {"ready": well, "waiting_for": [progress.trouble] if progress.trouble else []}

    server = TelemetryServer(telemetry, registry, health, ready)
    server.start()
    try:
        yield server.port
    finally:
        server.stop()
