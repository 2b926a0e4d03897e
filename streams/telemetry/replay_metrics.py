"""A replay's metrics: how far it is and how fast."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from config.settings import Settings
from streams.replay.progress import Reached
from streams.telemetry.families import counter, gauge
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.server import TelemetryError, TelemetryServer

logger = logging.getLogger("shopwarden.telemetry")


class ReplayMetrics(Collector):
    """Gives a replay's metrics; :attr:`reached` is set as it goes on; ``port`` is where, 0 if nowhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self.reached = Reached()
        self.port = 0

    def collect(self) -> Iterable[Metric]:
        """All families."""
        reached = self.reached
        yield counter("shopwarden_replay_records", "Records applied.", reached.records)
        yield counter("shopwarden_replay_late_records", "Records that came too late for their round.", reached.late)
        yield gauge("shopwarden_replay_progress_ratio", "Share of the input that was read, 0 to 1.", reached.part)
        yield gauge(
            "shopwarden_replay_event_time_seconds",
            "How far event time has come (Unix time).",
            reached.moment / 1000,
        )
        yield gauge(
            "shopwarden_replay_running_seconds",
            "For how long it has been running.",
            self._clock() - self._began,
        )


@contextlib.contextmanager
def replay_metrics(settings: Settings) -> Iterator[ReplayMetrics]:
    """A replay's metrics, served for as long as the block lasts if there is a port.

    A port that can't be had is told and does not end the replay: beside a worker, in its container, it has the worker's
    settings, and the port is the worker's.
    """
    metrics = ReplayMetrics()
    if settings.telemetry.port is None:
        yield metrics
        return
    registry = process_registry("replay")
    registry.register(metrics)
    server = TelemetryServer(
        settings.telemetry, registry, lambda: (True, {"alive": True}), lambda: (True, {"ready": True})
    )
    try:
        server.start()
        metrics.port = server.port
    except TelemetryError as error:
        logger.warning("the replay goes on without metrics: %s", error)
    try:
        yield metrics
    finally:
        server.stop()
