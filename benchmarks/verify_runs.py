"""``python -m benchmarks.verify_runs``: live runs whose every output is compared with a replay as recorded.

Two runs on the embedded broker: a simulated marketplace, by two workers of which one is killed in the midst of it (its
successor takes its shards over), and the Olist data set, by one worker. What ``shopwarden verify`` says of both goes to
build/verify.json.
"""

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.deployment import Deployment
from benchmarks.processes import ROOT
from benchmarks.records import make_records
from benchmarks.replay_run import OLIST
from streams.archive import ArchiveRecord
from streams.embedded import EmbeddedServices
from streams.olist import read_olist
from streams.progress import Progress
from streams.replay.verification import Verification, as_json
from streams.replay.verify import verify
from streams.topics import create_topics
from tests.deployment import EAGER
from tests.fed import Fed, ends_of, feed
from tests.worker_process import Worker

_PARTITIONS = 4
_SEED = 7


@click.command()
@click.option("--events", default=30_000, show_default=True, help="Of the simulated marketplace.")
@click.option("--olist", default=OLIST, type=click.Path(path_type=Path), help="Folder of the Olist data set.")
@click.option("--output", default=ROOT / "build" / "verify.json", type=click.Path(dir_okay=False, path_type=Path))
def main(events: int, olist: Path, output: Path) -> None:
    """Exit code 1 if anything differs."""
    started = time.monotonic()
    found: dict[str, Verification] = {}
    with EmbeddedServices() as services, tempfile.TemporaryDirectory(prefix="shopwarden-verify-") as folder:
        simulated = [ArchiveRecord(one.topic, one.key, one.value, one.timestamp) for one in make_records(events, _SEED)]
        killed = _deployment(services, "killed")
        _run_killed(killed, feed(killed, simulated), Path(folder))
        found["two_workers_one_killed"] = _verified(killed)
        if olist.is_dir():
            calm = _deployment(services, "olist")
            _run_calm(calm, feed(calm, read_olist(olist).records), Path(folder))
            found["olist"] = _verified(calm)
        else:
            click.echo(f"{olist} is not there, so only the simulated marketplace was verified.", err=True)
    document: dict[str, Any] = {
        "decisions": sum(each.decisions for each in found.values()),
        "equal": sum(each.equal for each in found.values()),
        "runs": {name: json.loads(as_json(each)) for name, each in found.items()},
        "seconds": round(time.monotonic() - started, 1),
    }
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for line in _lines(found):
        click.echo(line)
    click.echo(f"{output} has all figures; the runs took {document['seconds']:.0f} s.")
    sys.exit(0 if all(each.sound for each in found.values()) else 1)


def _deployment(services: EmbeddedServices, name: str) -> Deployment:
    deployment = Deployment(services.brokers, services.redis_url, f"{name}.", name, _PARTITIONS, defaults=EAGER)
    create_topics(deployment.settings)
    return deployment


def _run_killed(deployment: Deployment, fed: Sequence[Fed], folder: Path) -> None:
    """Two workers; one is killed when about half has been applied."""
    half = len(fed) // 2
    with Worker(deployment, folder, "one") as one, Worker(deployment, folder, "two") as two:
        one.until(lambda: sum(deployment.positions().values()) > half, "half of the records", 300, pause=0.05)
        one.kill()
        two.until(lambda: deployment.positions() == ends_of(list(fed)), "the rest", 300, pause=0.2)
        two.until_checkpointed(ends_of(list(fed)))
        two.stop()


def _run_calm(deployment: Deployment, fed: Sequence[Fed], folder: Path) -> None:
    with Worker(deployment, folder) as worker:
        worker.until(lambda: deployment.positions() == ends_of(list(fed)), "all of it", 600, pause=0.5)
        worker.until_checkpointed(ends_of(list(fed)))
        worker.stop()


def _verified(deployment: Deployment) -> Verification:
    with Progress("replayed") as progress:
        return verify(deployment.settings, 1, progress)


def _lines(found: dict[str, Verification]) -> list[str]:
    return [
        f"{name}: {each.records:,} records, {each.equal:,} of {each.decisions:,} decisions and other events equal, "
        f"{each.outputs_equal:,} of {each.outputs:,} outputs" + ("" if each.first is None else f"; {each.first}")
        for name, each in found.items()
    ]


if __name__ == "__main__":
    main()
