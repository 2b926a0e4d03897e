"""``python -m benchmarks.console``: how fast the console's pages are with much behind them, and what a worker loses.

1. A simulated marketplace of 10,000 merchants and a million events is judged in memory, and all of it, outputs
   included, is put into the topics of an embedded broker. ``shopwarden console`` follows them; then Chromium opens
   pages, each time with an empty cache. The first page is timed until its load event, style and script included.
2. A worker is timed on a topic that is full, by turns alone, and with its metrics scraped every second and a console
   that follows and streams its live page to a browser.

Writes build/console.json: {first_page_ms, errors, merchants, events, …}.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import click
from confluent_kafka import Producer
from playwright.sync_api import Browser, sync_playwright

from benchmarks.deployment import Deployment, benchmark_deployment
from benchmarks.machine import describe_machine
from benchmarks.processes import Result
from benchmarks.records import make_records, produce
from benchmarks.telemetry_cost import scraped
from benchmarks.worker_run import run_worker
from detectors.flush import Emit
from features.events import InputEvent
from streams.archive import ArchiveRecord
from streams.clients import producer_config
from streams.console.index.reading import IndexReader
from streams.console.users import add_user
from streams.embedded import EmbeddedServices, free_port
from streams.evaluation.archive_run import ArchiveRun, evaluation_judge
from streams.simulator import SimulatorConfig, simulate
from streams.topics import create_topics
from tests.streams.console.running import ConsoleProcess

_SEED: Final = 7
_PARTITIONS: Final = 4
_INDEX_SECONDS: Final = 1_800.0
_LOADS: Final = 7
#: The rest are events of merchants themselves, and of their listings.
_ORDERS_SHARE: Final = 0.8
_CHROMIUM: Final = "/usr/bin/chromium"
#: Pages beside the first; the ids are filled in from the index.
_PAGES: Final = ("/queue", "/merchants", "/creators", "/policies", "/models", "/dead-letters")


class _Judged:
    """Puts what a run takes and publishes into the topics."""

    def __init__(self, deployment: Deployment) -> None:
        settings = deployment.settings
        self.producer: Any = Producer(producer_config(settings, linger_ms=50))
        names = {"events": "events", "standing": "merchant_standing", "creator_standing": "creator_standing"}
        self._topics = {stream: settings.topics.name(name) for stream, name in names.items()}
        self.published = 0

    def event(self, event: InputEvent, time: int) -> None:
        """Inputs are put there as they are."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """Outputs, with their headers."""
        for emit in emits:
            topic = self._topics.get(emit.stream)
            if topic is not None:
                self.send(topic, emit.key, emit.value, list(emit.headers))
                self.published += 1

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, Any]]) -> None:
        """Queue a record."""
        while True:
            try:
                self.producer.produce(topic, value, key, headers=headers)
                return
            except BufferError:
                self.producer.poll(0.05)


def _marketplace(events: int) -> SimulatorConfig:
    """A marketplace of so many events, with a merchant for every hundred of them: most are small, as in real ones."""
    config = SimulatorConfig.for_events(round(events * _ORDERS_SHARE), _SEED)
    return replace(config, merchants=max(config.merchants, events // 100))


def fill(deployment: Deployment, events: int) -> tuple[int, int]:
    """Judge so many events in memory and put everything into the topics; returns how many events and outputs."""
    settings = deployment.settings
    judged = _Judged(deployment)
    run = ArchiveRun(evaluation_judge(settings), judged, shards=deployment.partitions)
    for number, record in enumerate(simulate(_marketplace(events)), 1):
        run.take(ArchiveRecord(record.topic, record.key, record.value, record.timestamp))
        judged.send(settings.topics.name(record.topic), record.key, record.value, [])
        if not number % 500:
            judged.producer.poll(0)
        if not number % 100_000:
            click.echo(f"  {number:,} events judged", err=True)
    if judged.producer.flush(120):
        raise click.ClickException("the broker did not take everything")
    judged.producer.close()
    return run.count, judged.published


@contextmanager
def console(deployment: Deployment, folder: Path) -> Iterator[tuple[ConsoleProcess, str]]:
    """A console on a deployment, and the token of its viewer."""
    users = folder / "users.toml"
    token = add_user(users, "vera", "viewer")
    variables = deployment.environment() | {
        "SHOPWARDEN_CONSOLE__FOLDER": str(folder / "files"),
        "SHOPWARDEN_CONSOLE__USERS_FILE": str(users),
    }
    with ConsoleProcess(folder, variables) as running:
        yield running, token


def pages(deployment: Deployment, browser: Browser, events: int) -> dict[str, Any]:
    """How long pages take once the index holds everything."""
    with tempfile.TemporaryDirectory(prefix="shopwarden-bench-") as name:
        folder = Path(name)
        with console(deployment, folder) as (running, token):
            began = time.monotonic()
            file = folder / "files" / "index.db"
            reader = IndexReader(file)
            while (seen := sum(reader.counts("events").values())) < events:
                if time.monotonic() - began > _INDEX_SECONDS:
                    raise click.ClickException(f"the index holds {seen:,} of {events:,} events")
                time.sleep(0.5)
            indexed = time.monotonic() - began
            merchants = reader.row("SELECT count(*) AS n FROM party WHERE kind = 'merchant'")
            busiest = reader.row("SELECT name FROM party WHERE kind = 'merchant' ORDER BY events DESC LIMIT 1")
            assert merchants is not None and busiest is not None
            size = sum(each.stat().st_size for each in file.parent.glob("index.db*"))
            reader.close()
            errors: list[str] = []
            paths = ("/", *_PAGES, f"/merchant?id={busiest['name']}")
            timed = {path: _loads(browser, running.address, token, path, errors) for path in paths}
    return {
        "first_page_ms": round(median(timed["/"]), 1),
        "first_page_worst_ms": round(max(timed["/"]), 1),
        "errors": len(errors),
        "merchants": merchants["n"],
        "pages_ms": {path.partition("?")[0]: round(median(times), 1) for path, times in timed.items()},
        "index_seconds": round(indexed, 1),
        "index_bytes_per_event": round(size / events),
    }


def _loads(browser: Browser, address: str, token: str, path: str, errors: list[str]) -> list[float]:
    """Milliseconds until a page's load event, in browsers that have nothing cached."""
    first = browser.new_context()
    page = first.new_page()
    page.goto(f"{address}/sign-in#token={token}")
    page.wait_for_url(f"{address}/")
    session = first.storage_state()
    first.close()
    found = []
    for _ in range(_LOADS):
        context = browser.new_context(storage_state=session)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        response = page.goto(address + path, wait_until="load")
        if response is None or response.status != 200:
            errors.append(f"{path}: {response and response.status}")
        page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        found.append(float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")))
        context.close()
    return found


def throughput(services: EmbeddedServices, browser: Browser, events: int, rounds: int) -> dict[str, Any]:
    """The worker's records a second, and its processor time for each, with a console and without."""
    records = make_records(events, _SEED)
    counted = 0
    found: dict[str, list[tuple[float, float]]] = {"without": [], "with": []}
    for number in range(2 * rounds):
        # By turns, and the other way round each time, so that a machine that gets busier spoils neither.
        side = ("without", "with")[(number + number // 2) % 2]
        deployment = benchmark_deployment(services.brokers, services.redis_url, f"run{number}", "load.", 1)
        create_topics(deployment.settings)
        counted = counted or produce(deployment.settings, records)
        with (
            tempfile.TemporaryDirectory(prefix="shopwarden-bench-") as name,
            _looked_at(deployment, browser, name, side),
        ):
            result = _run(deployment, counted, side)
        found[side].append((result.rate, 1e6 * result.cpu_seconds / result.records))
        click.echo(f"  {side} console: {result.rate:,.0f}/s, {found[side][-1][1]:.1f} us an event", err=True)
    rates = {side: median(rate for rate, _ in runs) for side, runs in found.items()}
    costs = {side: median(cost for _, cost in runs) for side, runs in found.items()}
    return {
        "rounds": rounds,
        "records": counted,
        "per_second": {side: round(rate) for side, rate in rates.items()},
        "microseconds_an_event": {side: round(cost, 2) for side, cost in costs.items()},
        "rate_falls_by": round(1 - rates["with"] / rates["without"], 4),
        "processor_time_rises_by": round(costs["with"] / costs["without"] - 1, 4),
        "runs": {side: [[round(rate), round(cost, 2)] for rate, cost in runs] for side, runs in found.items()},
    }


def _run(deployment: Deployment, records: int, side: str) -> Result:
    """A run of the worker; with a console, its metrics are scraped too."""
    if side == "without":
        return run_worker(deployment, records).result
    port = free_port()
    with scraped(port):
        return run_worker(deployment, records, variables={"SHOPWARDEN_TELEMETRY__PORT": str(port)}).result


@contextmanager
def _looked_at(deployment: Deployment, browser: Browser, folder: str, side: str) -> Iterator[None]:
    """With a console, whose live page is open in a browser; or without."""
    if side == "without":
        yield
        return
    with console(deployment, Path(folder)) as (running, token):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{running.address}/sign-in#token={token}")
        page.wait_for_function("document.getElementById('pulse')?.textContent === 'live'", timeout=60_000)
        yield
        context.close()


@click.command()
@click.option(
    "--events", type=click.IntRange(min=5_000), default=1_150_000, show_default=True, help="Behind the pages."
)
@click.option("--load", type=click.IntRange(min=5_000), default=150_000, show_default=True, help="For the worker.")
@click.option("--rounds", type=click.IntRange(min=0), default=4, show_default=True, help="Of the worker, each way.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/console.json"), show_default=True)
def main(events: int, load: int, rounds: int, out: Path) -> None:
    """Measure the console."""
    report: dict[str, Any] = {}
    with sync_playwright() as playwright, EmbeddedServices() as services:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        deployment = benchmark_deployment(services.brokers, services.redis_url, "pages", "pages.", _PARTITIONS)
        create_topics(deployment.settings)
        click.echo(f"Judging about {events:,} events …", err=True)
        counted, published = fill(deployment, events)
        click.echo(f"{counted:,} events and {published:,} outputs are in the topics; indexing …", err=True)
        report |= pages(deployment, browser, counted) | {"events": counted, "outputs": published}
        click.echo(f"The first page takes {report['first_page_ms']} ms.", err=True)
        if rounds:
            report["worker"] = throughput(services, browser, load, rounds)
        browser.close()
    report["machine"] = describe_machine(None)
    _write(out, report)
    click.echo(
        f"{out}: {json.dumps({name: report[name] for name in ('first_page_ms', 'errors', 'merchants', 'events')})}"
    )


def _write(out: Path, report: Mapping[str, Any]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
