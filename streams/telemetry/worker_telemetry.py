"""A worker's telemetry as a whole: its meter, its pulse, what it shows, and the server of all that."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from config.settings import Settings
from streams.app import WorkerApp, beat_of
from streams.policies.feed import PolicyFeed
from streams.telemetry.instruments import Instruments
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.pulse import Pulse
from streams.telemetry.reachability import Reachability, looks_of
from streams.telemetry.readiness import Readiness
from streams.telemetry.server import TelemetryServer
from streams.telemetry.tracing import open_tracing
from streams.telemetry.worker_metrics import WorkerMetrics, WorkerView
from streams.watchdog import Beat


class WorkerTelemetry:
    """Made before anything else of a worker, so that a probe is answered while it waits for Kafka and Redis.

    Without ``telemetry.port`` the worker counts all the same (that is cheap), but nothing is shown, and nobody asks
    whether the services can be reached.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.instruments = Instruments(tracing=open_tracing(settings))
        self.pulse = Pulse()
        self.readiness = Readiness(self._waiting_for, settings.telemetry.ready_grace_s)
        self._reachability = Reachability(looks_of(settings), settings.telemetry.reach_every_s)
        self._app: WorkerApp | None = None
        self._policies: PolicyFeed | None = None
        self._shards = 0

    @contextlib.contextmanager
    def served(self) -> Iterator[None]:
        """Beat, and serve if there is a port, while the block lasts.

        Raises
        ------
        streams.telemetry.server.TelemetryError
            The port can't be had.
        """
        try:
            with self._port_served():
                yield
        finally:
            if self.instruments.tracing is not None:
                self.instruments.tracing.close()

    @contextlib.contextmanager
    def _port_served(self) -> Iterator[None]:
        if self._settings.telemetry.port is None:
            yield
            return
        registry = process_registry("worker")
        registry.register(WorkerMetrics(self.instruments.meter, self._view))
        server = TelemetryServer(self._settings.telemetry, registry, self._health, self._ready)
        server.start()
        beating = asyncio.create_task(self.pulse.run(self._look), name="pulse")
        self._reachability.start()
        try:
            yield
        finally:
            self._reachability.stop()
            beating.cancel()
            server.stop()

    def attach(self, app: WorkerApp, policies: PolicyFeed, shards: int) -> None:
        """The worker has begun: this is what to look at."""
        self._policies, self._shards = policies, shards
        self._app = app

    # -- from the event loop ------------------------------------------------------------------------------------------

    def _look(self) -> Beat | None:
        return None if self._app is None else beat_of(self._app)

    # -- from the server's threads ------------------------------------------------------------------------------------

    def _away(self) -> list[str]:
        away = set(self._reachability.away())
        if self._app is not None:
            shards = self._app.shopwarden_reader
            if shards.patience.waiting:
                away.add("Redis")
            if shards.waiting_to_publish:
                away.add("Kafka")
        return sorted(away)

    def _waiting_for(self) -> list[str]:
        found = [f"{service} to answer" for service in self._away()]
        beat = self.pulse.beat
        if self._app is None:
            return [*found, "Kafka, Redis and the topics, to begin"]
        if beat is None or not beat.joined:
            found.append("the consumer group to give it its shards")
        recovering = [number for number, runner in self._running().items() if runner.recovering]
        if recovering:
            found.append(f"the journal of shards {', '.join(map(str, recovering))} to be applied again")
        return found

    def _running(self) -> dict[int, Any]:
        return {} if self._app is None else self._app.shopwarden_reader.running()

    def _health(self) -> tuple[bool, dict[str, Any]]:
        age = self.pulse.age
        alive = age <= self._settings.telemetry.alive_within_s
        return alive, {"alive": alive, "event_loop_turned_seconds_ago": round(age, 1)}

    def _ready(self) -> tuple[bool, dict[str, Any]]:
        verdict = self.readiness.verdict()
        shards = sorted(self._running())
        return verdict.ready, {"ready": verdict.ready, "waiting_for": verdict.waiting_for, "shards": shards}

    def _view(self) -> WorkerView:
        app = self._app
        reader = None if app is None else app.shopwarden_reader
        consumer = None if reader is None else reader.consumer
        return WorkerView(
            ready=self.readiness.verdict().ready,
            runners=self._running(),
            shards=self._shards,
            policies="" if self._policies is None else self._policies.library.judge.policies.version,
            beat=self.pulse.beat,
            away=self._away(),
            redis_errors=0 if reader is None else reader.patience.failures,
            producer_errors=0 if reader is None else reader.publish_errors,
            consumer_errors=0 if consumer is None else consumer.errors,
            late=self.pulse.late,
        )
