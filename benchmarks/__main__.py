"""``python -m benchmarks``: all competitors on one embedded broker, and the worker's latency and state."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from benchmarks import latency, report
from benchmarks.competitor import Job
from benchmarks.deployment import Deployment, benchmark_deployment
from benchmarks.machine import describe_machine
from benchmarks.processes import QUIX_PYTHON, ROOT, CompetitorError, Result, compete
from benchmarks.records import make_records, produce
from benchmarks.replay_run import PARTITIONS, olist_seconds, run_replay
from benchmarks.state_size import StateSize, state_size
from benchmarks.worker_run import WorkerRun, run_worker
from streams.embedded import EmbeddedServices
from streams.simulator import SimulatedRecord
from streams.topics import create_topics

#: Key in the report -> module of the competitor; the worker is run otherwise.
MODULES = {
    "plain_consume_decode": "plain_consumer",
    "stock_faust": "faust_decode",
    "apply": "pure_apply",
    "stock_faust_redis": "faust_redis",
    "quix": "quix",
}
#: These would need minutes for all records; their rate is that of the first seconds.
_SLOW = ("stock_faust", "stock_faust_redis")
_LONGEST_S = 60.0
_SEED = 7
#: As a deployment that may grow has them; the throughput is compared on one, where no competitor can gain by more.
_LATENCY_PARTITIONS = 4


class Benchmark:
    """One run: a broker, records on topics with one and with four partitions, and what was measured so far."""

    def __init__(
        self, services: EmbeddedServices, records: list[SimulatedRecord], live: int, slow_seconds: float
    ) -> None:
        self._services = services
        self._records = records
        self._history = records[: len(records) - live]
        self._live = records[len(records) - live :]
        self._slow_seconds = slow_seconds
        self._preloaded: dict[int, int] = {}
        self._runs = 0
        self.rounds: dict[str, list[Result]] = {}
        self.report: dict[str, Any] = {}

    def deployment(self, partitions: int) -> Deployment:
        """A deployment of its own on the topics with so many partitions, which are filled when first wanted."""
        self._runs += 1
        deployment = benchmark_deployment(
            self._services.brokers, self._services.redis_url, f"run{self._runs}", f"in{partitions}.", partitions
        )
        create_topics(deployment.settings)
        if partitions not in self._preloaded:
            self._preloaded[partitions] = produce(deployment.settings, self._history)
        return deployment

    def competitor(self, name: str) -> None:
        """One round of a competitor other than the worker."""
        deployment = self.deployment(1)
        # Only the simulation's own records are applied in memory: markers are for what reads topics.
        records = len(self._history) if name == "apply" else self._preloaded[1]
        python = QUIX_PYTHON if name == "quix" else Path(sys.executable)
        with tempfile.TemporaryDirectory(prefix="shopwarden-bench-") as folder:
            job = Job(
                brokers=deployment.brokers,
                topics=deployment.settings.topics.inputs,
                output_topic=deployment.settings.topics.events,
                group=deployment.run,
                records=records,
                seconds=self._slow_seconds if name in _SLOW else _LONGEST_S,
                redis_url=deployment.redis_url,
                folder=folder,
                simulated=len(self._records),
                seed=_SEED,
                flush_records=deployment.settings.worker.max_flush_records,
            )
            self._note(name, compete(MODULES[name], job, python))

    def worker(self, name: str, partitions: int) -> None:
        """One round of the worker."""
        deployment = self.deployment(partitions)
        self._note(name, run_worker(deployment, self._preloaded[partitions]).result)

    def worker_latency(self, rate: float) -> None:
        """A round of the worker that goes on with live traffic, and its state at the end."""
        deployment = self.deployment(_LATENCY_PARTITIONS)

        def afterwards() -> tuple[StateSize, latency.Latency]:
            # First the state: live records carry today's time, and a quiet shard then forgets what is old by today.
            size = state_size(deployment.redis_url, deployment.settings.worker.namespace)
            return size, latency.measure(deployment, self._live, rate)

        run: WorkerRun = run_worker(deployment, self._preloaded[_LATENCY_PARTITIONS], afterwards)
        self._note("worker_4_partitions", run.result)
        size, measured = run.extra
        self.report["latency_ms_p99_at_2000"] = round(measured.percentile(0.99), 2)
        self.report["latency_ms"] = {
            "offered_per_second": rate,
            "achieved_per_second": round(measured.achieved_per_second),
            "partitions": _LATENCY_PARTITIONS,
            "samples": len(measured.assessments) + len(measured.probes),
            "p50": round(measured.percentile(0.5), 2),
            "p95": round(measured.percentile(0.95), 2),
            "p99": round(measured.percentile(0.99), 2),
            "worst": round(measured.percentile(1.0), 2),
            "assessments": len(measured.assessments),
            "p99_of_assessments": round(latency.percentile(sorted(measured.assessments), 0.99), 2),
            "probes_without_answer": measured.missing,
        }
        if measured.missing:
            raise CompetitorError(f"{measured.missing} probes never came to the dead letters")
        self.report["state_bytes_per_merchant_median"] = round(size.record)
        self.report["state"] = asdict(size)

    def replay(self) -> None:
        """A round of the replay, in one process and in two, on the same topics."""
        deployment = self.deployment(PARTITIONS)
        for name, processes in (("replay_1_process", "1"), ("replay_2_processes", "2")):
            records = self._preloaded[PARTITIONS]
            self._note(name, run_replay(deployment.environment(), "--processes", processes, records=records))

    def replay_olist(self) -> None:
        """A replay of the Olist data set."""
        seconds = olist_seconds(self.deployment(1).environment())
        if seconds is not None:
            self.report.setdefault("replay", {})["olist_seconds"] = round(seconds, 1)

    def _note(self, name: str, result: Result) -> None:
        self.rounds.setdefault(name, []).append(result)
        words = report.ROWS[name]
        _say(f"{words}: {result.rate:,.0f} events/s ({result.records:,} in {result.seconds:.1f} s)")


@click.command()
@click.option("--events", default=300_000, show_default=True, help="Records of the throughput measurements.")
@click.option("--rounds", default=3, show_default=True, help="Rounds of which the median is taken.")
@click.option(
    "--slow-seconds", default=8.0, show_default=True, help="Seconds a round for those that would need minutes."
)
@click.option("--rate", default=2_000.0, show_default=True, help="Records a second of the latency measurement.")
@click.option("--latency-seconds", default=20.0, show_default=True, help="Length of the latency measurement.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([*report.COMPETITORS, "latency", "replay"]),
    help="Measure only this; may be repeated.",
)
@click.option("--output", default=ROOT / "build" / "bench.json", type=click.Path(dir_okay=False, path_type=Path))
def main(
    events: int,
    rounds: int,
    slow_seconds: float,
    rate: float,
    latency_seconds: float,
    only: tuple[str, ...],
    output: Path,
) -> None:
    """Measure the worker against plain consumers, Faust and Quix Streams on one embedded broker."""
    started = time.monotonic()
    chosen = set(only) or {*report.COMPETITORS, "latency", "replay"}
    quix = _quix_version()
    if "quix" in chosen and quix is None:
        raise click.ClickException(
            "Quix Streams has an environment of its own, which is missing: run `make setup-bench`."
        )
    machine = describe_machine(quix)
    if machine["load_before"] > machine["cores"] / 4:
        _say(f"The machine is busy with other things (load {machine['load_before']}): figures will be too low.")
    live = round(rate * latency_seconds)
    with EmbeddedServices() as services:
        benchmark = Benchmark(services, make_records(events + live, _SEED), live, slow_seconds)
        try:
            for _ in range(rounds):
                for name in (name for name in report.COMPETITORS if name in chosen):
                    if name == "worker":
                        benchmark.worker(name, 1)
                    else:
                        benchmark.competitor(name)
                if "replay" in chosen:
                    benchmark.replay()
            if "replay" in chosen:
                benchmark.replay_olist()
            if "latency" in chosen:
                benchmark.worker_latency(rate)
        except CompetitorError as error:
            raise click.ClickException(str(error)) from None
    figures = report.rates(benchmark.rounds)
    document = {
        **figures,
        **benchmark.report,
        **report.replay(figures, benchmark.report),
        "ratios": report.ratios(figures),
        "rounds": report.rounds_in_detail(benchmark.rounds),
        "records": events,
        "seconds": round(time.monotonic() - started, 1),
        "machine": machine,
    }
    report.write(document, output)
    _say_all(["", *report.table(document), "", f"{output} has all figures; the run took {document['seconds']:.0f} s."])


def _quix_version() -> str | None:
    """The version of Quix Streams in its environment, None if there is none."""
    if not QUIX_PYTHON.is_file():
        return None
    command = "from importlib.metadata import version; print(version('quixstreams'))"
    found = subprocess.run([str(QUIX_PYTHON), "-c", command], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _say(line: str) -> None:
    _say_all([line])


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


if __name__ == "__main__":
    main()
