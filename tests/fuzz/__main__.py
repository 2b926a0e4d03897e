"""``python -m tests.fuzz`` (``make fuzz``): the whole campaign, with a table and build/fuzz.json."""

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from streams.embedded import EmbeddedServices
from tests.builders import make_judge
from tests.fuzz.coverage_guided import available, fuzz
from tests.fuzz.live_path import PROCESSED, run
from tests.fuzz.mutations import MUTATIONS, mutated_records
from tests.fuzz.worker_path import run_worker

BUILD = Path("build")
#: Characters of a line of the table, whatever the terminal.
_WIDTH = 125
REASONS = ("undecodable", "invalid", "unknown_type", "wrong_topic", "wrong_key", "future", "oversize", "empty")


@click.command()
@click.option("--seconds", default=60, show_default=True, help="Time of the coverage-guided fuzzer; 0 leaves it out.")
@click.option("--records", default=200_000, show_default=True, help="Mutated records through the live path in memory.")
@click.option("--worker-records", default=20_000, show_default=True, help="Through a worker; 0 leaves it out.")
@click.option("--seed", default=1, show_default=True, help="Of the mutations and of the fuzzer.")
def main(seconds: int, records: int, worker_records: int, seed: int) -> None:
    """Feed broken records to the live path and to a worker, and let Atheris look for bytes that raise.

    Exit code 1 when something raised or a record was lost.
    """
    console = Console(width=_WIDTH)
    report: dict[str, Any] = {"seed": seed}
    began = time.monotonic()
    outcome = run(mutated_records(seed, records), make_judge(publish_level=1, audit_rate=0.01, all_features=True))
    took = time.monotonic() - began
    console.print(_table(f"{records:,} mutated records through the live path", outcome.counts))
    console.print(
        f"fed {outcome.fed:,} = processed {outcome.processed:,} + dead letters {outcome.dead_letters:,}, "
        f"in {took:.1f} s, {outcome.outputs:,} outputs, all finite\n"
        f"slowest record: {outcome.slowest.seconds * 1000:.1f} ms ({outcome.slowest.mutation}, "
        f"{outcome.slowest.bytes:,} bytes)\n"
    )
    report["live_path"] = _figures(outcome.fed, outcome.processed, outcome.dead_letters, outcome.counts) | {
        "outputs": outcome.outputs,
        "seconds": round(took, 1),
        "slowest_ms": round(outcome.slowest.seconds * 1000, 1),
        "slowest_mutation": outcome.slowest.mutation,
    }
    if worker_records:
        report["worker"] = _worker(console, worker_records, seed)
    found: list[str] = []
    if seconds and available():
        report["coverage_guided"] = _coverage_guided(console, seconds, seed)
        found = report["coverage_guided"]["crashes"]
    elif seconds:
        console.print("Atheris has no wheel for this platform: the coverage-guided fuzzer was left out")
    BUILD.mkdir(exist_ok=True)
    (BUILD / "fuzz.json").write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(1 if found else 0)


def _worker(console: Console, records: int, seed: int) -> dict[str, Any]:
    with EmbeddedServices() as services, TemporaryDirectory() as folder:
        outcome = run_worker(mutated_records(seed, records), services, Path(folder))
    console.print(_table(f"{records:,} mutated records through a worker on the embedded broker", outcome.counts))
    console.print(
        f"fed {outcome.fed:,} = processed {outcome.processed:,} + dead letters {outcome.dead_letters:,}, "
        f"in {outcome.seconds:.1f} s, exit code {outcome.exit_code}\n"
    )
    return _figures(outcome.fed, outcome.processed, outcome.dead_letters, outcome.counts) | {
        "seconds": round(outcome.seconds, 1),
        "exit_code": outcome.exit_code,
    }


def _coverage_guided(console: Console, seconds: int, seed: int) -> dict[str, Any]:
    folder = BUILD / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    found = fuzz(folder, seconds, seed)
    (folder / "log.txt").write_text(found.log)
    console.print(
        f"coverage-guided: {found.inputs:,} inputs in {seconds} s, {found.coverage:,} places reached, "
        f"{found.kept:,} inputs kept, {len(found.crashes)} that raise"
    )
    for crash in found.crashes:
        console.print(f"  {crash}: feed it again with python -m tests.fuzz.target {crash}")
    return {
        "seconds": seconds,
        "inputs": found.inputs,
        "places": found.coverage,
        "kept": found.kept,
        "crashes": found.crashes,
    }


def _figures(fed: int, processed: int, dead: int, counts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    return {
        "fed": fed,
        "processed": processed,
        "dead_letters": dead,
        "lost": fed - processed - dead,
        "by_mutation": {name: dict(counts.get(name, {})) for name in MUTATIONS},
    }


def _table(title: str, counts: Mapping[str, Counter[str]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column("mutation", no_wrap=True)
    for name in ("fed", PROCESSED, *REASONS):
        table.add_column(name.replace("_", " "), justify="right")
    total: Counter[str] = Counter()
    for name in MUTATIONS:
        counter = counts.get(name, Counter())
        total += counter
        table.add_row(name, *_row(counter))
    table.add_section()
    table.add_row("all", *_row(total))
    return table


def _row(counter: Counter[str]) -> list[str]:
    return [f"{counter.total():,}", *(f"{counter[name]:,}" if counter[name] else "" for name in (PROCESSED, *REASONS))]


if __name__ == "__main__":
    main()
