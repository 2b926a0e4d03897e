"""What telemetry costs a worker: ``python -m benchmarks.telemetry_cost``, which also writes build/telemetry.json.

Two measurements, both in processor time, so that other work on the machine counts as little as may be:

- in memory: the core applies a marketplace; then all that the meter was told is told to it again, the same flushes are
  traced, and the metrics of that state are scraped, each with a clock around it. So many nanoseconds an event, of so
  many microseconds; so many ms a scrape;
- as processes: workers do the same records by turns without metrics, with metrics that are scraped every second
  (fifteen times as often as Prometheus does), and with traces as well, of one flush in a hundred. The least of each
  kind counts, as other work on the machine only ever adds; the ratios of the pairs say how much it did.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client.exposition import generate_latest

from benchmarks.deployment import benchmark_deployment
from benchmarks.processes import ROOT, CompetitorError
from benchmarks.records import make_records, produce
from benchmarks.worker_run import run_worker
from config.telemetry import TelemetrySettings
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import fresh_models
from features.shard import Record, ShardState
from streams.embedded import EmbeddedServices, free_port
from streams.intake import Intake, ranges_of
from streams.policies.library import PolicyLibrary
from streams.protocol import ShardProtocol
from streams.shard import ShardOptions, ShardRunner
from streams.simulator import SimulatedRecord
from streams.store import Position
from streams.tails import PublishedBefore
from streams.telemetry.meter import WorkerMeter
from streams.telemetry.process_metrics import process_registry
from streams.telemetry.tracing import Tracing
from streams.telemetry.worker_metrics import WorkerMetrics, WorkerView
from streams.topics import create_topics
from streams.worker import make_judge

_SEED = 7
_SCRAPE_EVERY_S = 1.0
_SCRAPES = 20
_TELLINGS = 5


@dataclass(frozen=True)
class InMemory:
    """What the parts cost, in seconds of processor time."""

    events: int
    apply: float
    counting: float
    tracing: float
    scrape: float
    bytes: int

    def figures(self) -> dict[str, float]:
        """For the report."""
        return {
            "apply_us_per_event": round(self.apply / self.events * 1e6, 2),
            "counting_ns_per_event": round(self.counting / self.events * 1e9, 1),
            "counting_percent": round(self.counting / self.apply * 100, 3),
            "tracing_ns_per_event": round(self.tracing / self.events * 1e9, 1),
            "tracing_percent": round(self.tracing / self.apply * 100, 3),
            "scrape_ms": round(self.scrape * 1e3, 2),
            "scrape_bytes": self.bytes,
            "scrape_percent_at_15_s": round(self.scrape / 15 * 100, 3),
        }


def measure_in_memory(records: list[SimulatedRecord], flush_records: int = 4000) -> InMemory:
    """Apply records, count the same again with a clock, and scrape."""
    settings = benchmark_deployment("127.0.0.1:9092", "redis://127.0.0.1:6379/0", "memory", "", 1).settings
    judge = make_judge(settings)
    core = Core(ShardState(0), fresh_models(settings.worker.seed), judge)
    offsets: dict[str, int] = {}
    applied: list[Record] = []
    for record in records:
        offset = offsets.get(record.topic, 0)
        offsets[record.topic] = offset + 1
        kind: Any = record.topic
        applied.append(Record(kind, record.topic, 0, offset, record.timestamp, record.key, record.value))
    told: list[tuple[list[tuple[str, int, int]], list[Emit]]] = []
    flushes: list[Flush] = []
    began = time.process_time()
    for sequence, start in enumerate(range(0, len(applied), flush_records), 1):
        flush = applied[start : start + flush_records]
        flushes.append(Flush(sequence, flush))
        told.append((ranges_of(flush), core.apply(flushes[-1])))
    apply = time.process_time() - began
    counting = min(_tell(told) for _ in range(_TELLINGS))
    tracing = min(_trace(flushes) for _ in range(_TELLINGS))
    meter = WorkerMeter()
    _tell(told, meter)
    scrape, size = _scrape(core, meter, PolicyLibrary(judge))
    return InMemory(len(records), apply, counting, tracing, scrape, size)


def _tell(told: list[tuple[list[tuple[str, int, int]], list[Emit]]], meter: WorkerMeter | None = None) -> float:
    meter = meter or WorkerMeter()
    began = time.process_time()
    for ranges, emits in told:
        meter.applied(ranges, 0.1)
        meter.published(emits)
        meter.flushed(0.1, 0.01)
    meter.checkpointed(0.1)
    return time.process_time() - began


def _trace(flushes: list[Flush]) -> float:
    tracing = Tracing(TracerProvider(), TelemetrySettings().traces_ratio, TelemetrySettings().traces_events)
    began = time.process_time()
    for flush in flushes:
        with tracing.flush(0, flush):
            pass
    return time.process_time() - began


def _scrape(core: Core, meter: WorkerMeter, library: PolicyLibrary) -> tuple[float, int]:
    """Seconds of processor time of a scrape of one shard, and its bytes."""

    async def acknowledge(_: dict[str, int]) -> None:
        pass

    nothing: Any = None
    protocol = ShardProtocol(core, nothing, nothing, Position(), PublishedBefore(), "k1", acknowledge)
    options = ShardOptions(
        flush_interval=0,
        max_flush_records=1,
        checkpoint_interval=1,
        idle_tick=1,
        allowed_lateness_ms=0,
        cache_entries=1,
    )
    intake = Intake({"orders": "orders"}, 0, 1, lambda _: 0)
    runner = ShardRunner(protocol, intake, [], [], library, 0, options)
    meter.began(0, core.state.statistics)
    view = WorkerView(True, {0: runner}, 1, "v", None, [], 0, 0, 0, 0.0)
    registry = process_registry("worker")
    registry.register(WorkerMetrics(meter, lambda: view))
    body = generate_latest(registry)
    began = time.process_time()
    for _ in range(_SCRAPES):
        generate_latest(registry)
    return (time.process_time() - began) / _SCRAPES, len(body)


@contextmanager
def scraped(port: int) -> Iterator[list[int]]:
    """Ask for metrics every second while the block lasts; gives the sizes of the answers."""
    sizes: list[int] = []
    stopped = threading.Event()

    def scrape() -> None:
        while not stopped.wait(_SCRAPE_EVERY_S):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                sizes.append(len(answer.read()))

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield sizes
    finally:
        stopped.set()
        thread.join()


@contextmanager
def collector() -> Iterator[tuple[str, list[int]]]:
    """A collector of traces that takes everything; gives its address and the sizes of what it took."""
    sizes: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sizes.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its interface
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/traces", sizes
    finally:
        server.shutdown()
        server.server_close()


class Workers:
    """Runs of the worker on the same topics."""

    def __init__(self, services: EmbeddedServices, records: list[SimulatedRecord]) -> None:
        self._services = services
        self._records = records
        self._produced = 0
        self._runs = 0

    def run(self, **variables: str) -> float:
        """Microseconds of processor time an event of a worker with these settings of telemetry."""
        self._runs += 1
        name = f"telemetry{self._runs}"
        deployment = benchmark_deployment(self._services.brokers, self._services.redis_url, name, "in.", 1)
        create_topics(deployment.settings)
        if not self._produced:
            self._produced = produce(deployment.settings, self._records)
        settings = {f"SHOPWARDEN_TELEMETRY__{key.upper()}": value for key, value in variables.items()}
        result = run_worker(deployment, self._produced, variables=settings).result
        return result.cpu_seconds / result.records * 1e6

    def with_metrics(self) -> float:
        """The same with metrics, scraped."""
        port = free_port()
        with scraped(port) as sizes:
            cost = self.run(port=str(port))
        if not sizes:
            raise CompetitorError("the worker was never scraped")
        return cost

    def with_traces(self) -> float:
        """The same with metrics and traces."""
        port = free_port()
        with collector() as (endpoint, _), scraped(port):
            return self.run(port=str(port), traces_endpoint=endpoint)


@click.command()
@click.option("--events", default=100_000, show_default=True, help="Records of each run.")
@click.option("--pairs", default=5, show_default=True, help="Runs of each kind, by turns; 0 measures in memory alone.")
@click.option("--output", default=ROOT / "build" / "telemetry.json", type=click.Path(dir_okay=False, path_type=Path))
def main(events: int, pairs: int, output: Path) -> None:
    """Measure what metrics and traces cost a worker."""
    records = make_records(events, _SEED)
    figures: dict[str, Any] = {"events": events, "in_memory": measure_in_memory(records).figures()}
    for name, value in figures["in_memory"].items():
        click.echo(f"{name}: {value:,}")
    if pairs:
        with EmbeddedServices() as services:
            workers = Workers(services, records)
            kinds: dict[str, Callable[[], float]] = {
                "off": workers.run,
                "metrics": workers.with_metrics,
                "metrics_and_traces": workers.with_traces,
            }
            costs: dict[str, list[float]] = {kind: [] for kind in kinds}
            for number in range(pairs):
                # The other way round each time, so that a machine that gets busier spoils none of them.
                for kind in list(kinds)[:: -1 if number % 2 else 1]:
                    costs[kind].append(kinds[kind]())
                    click.echo(f"{kind}: {costs[kind][-1]:.2f} us an event")
        figures["us_per_event"] = {kind: round(min(each), 2) for kind, each in costs.items()}
        for kind in ("metrics", "metrics_and_traces"):
            ratios = sorted(on / off - 1 for on, off in zip(costs[kind], costs["off"], strict=True))
            least = min(costs[kind]) / min(costs["off"]) - 1
            figures[f"{kind}_percent"] = round(100 * least, 2)
            figures[f"{kind}_percent_by_pair"] = [round(100 * each, 2) for each in ratios]
            click.echo(f"{kind}: {least:+.2%} processor time an event (pairs: {ratios[0]:+.2%} to {ratios[-1]:+.2%})")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(figures, indent=2) + "\n")
    click.echo(f"{output} has all figures.")


if __name__ == "__main__":
    main()
