"""``python -m tests.soak``: steady traffic against one worker for minutes, and whether memory is bounded.

The embedded broker keeps all topics in memory, so it grows; the worker and the store must not. Event time runs so fast
that the first two fifths of the run, the warm-up, take more than the longest retention of orders.
"""

import json
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from config.retention import RetentionSettings
from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.faults.crew import Member
from tests.faults.feeder import Feeder
from tests.soak.alive import Alive
from tests.soak.gauge import Gauge, Sample
from tests.soak.traffic import traffic
from tests.soak.verdict import complaints, growth

FILE = Path(__file__).parents[2] / "build" / "soak.json"
PARTITIONS = 4
WARM_UP = 0.4
#: The embedded broker takes the longer for a fetch the more batches it holds: after minutes, that is what is measured.
LINGER_MS = 250.0
#: Until merchants who left are laid to rest, which takes longest.
WARM_UP_DAYS = 400
#: Shorter than the defaults, so that all that can leave does.
RETENTION = RetentionSettings(removed_listing_days=30, idle_listing_days=60, idle_merchant_days=1)
EVERY_S = 30.0
#: So that the cache is full, and has to drop, when the warm-up is over.
CACHE_ENTRIES = 1_000
_HEADER = (
    "  time  event time   worker MiB  Redis MiB  shards' MiB  merchants   orders  listings      lag  events/s"
    "  checkpoints/s"
)


def line(sample: Sample) -> str:
    """One row of the table."""
    minutes, seconds = divmod(round(sample.at_s), 60)
    day = datetime.fromtimestamp(sample.watermark / 1000, UTC).date()
    keys = sample.keys
    return (
        f"{minutes:3d}:{seconds:02d}  {day}  {sample.rss / 2**20:11.1f}  {sample.store / 2**20:9.1f}  "
        f"{sample.shards / 2**20:11.1f}  "
        f"{keys['merchants']:9,}  {keys['orders']:7,}  {keys['listings']:8,}  {sample.lag:7,}  "
        f"{sample.events_per_s:8,.0f}  {sample.checkpoints_per_s:13.1f}"
    )


def soak(minutes: float, rate: float, seed: int) -> tuple[list[Sample], dict[str, int]]:
    """Run, and print a row every half minute; returns the samples after the warm-up, and what is alive at the end."""
    seconds = minutes * 60
    every = min(EVERY_S, seconds / 20)
    events_per_day = rate * WARM_UP * seconds / WARM_UP_DAYS
    samples: list[Sample] = []
    with EmbeddedServices() as services, tempfile.TemporaryDirectory(prefix="shopwarden-soak-") as folder:
        settings = {"cache_entries": CACHE_ENTRIES, "checkpoint_interval_s": 1.0}
        deployment = Deployment(services.brokers, services.redis_url, "soak-", "run", PARTITIONS, settings)
        create_topics(deployment.settings)
        alive = Alive(traffic(seed, events_per_day), RETENTION)
        member = Member("worker", Path(folder), deployment.environment() | _variables())
        try:
            with Feeder(deployment.settings, alive, rate, LINGER_MS) as feeder, Gauge(deployment, member.pid) as gauge:
                click.echo(_HEADER)
                started = time.monotonic()
                while (left := started + seconds - time.monotonic()) > 0:
                    time.sleep(min(every, left))
                    if not member.running:
                        raise click.ClickException(f"the worker ended with {member.wait(1)}:\n{member.log_tail()}")
                    samples.append(gauge.sample(sum(feeder.ends.values())))
                    click.echo(line(samples[-1]))
                feeder.stop()
                watermark = _settled(gauge, sum(feeder.ends.values()), samples)
        finally:
            member.end()
    return [sample for sample in samples if sample.at_s >= WARM_UP * seconds], {
        "orders": alive.orders(watermark),
        "listings": alive.listings(watermark),
    }


def _variables() -> dict[str, str]:
    return {f"SHOPWARDEN_RETENTION__{name}".upper(): str(days) for name, days in RETENTION.model_dump().items()}


def _settled(gauge: Gauge, fed: int, samples: list[Sample]) -> int:
    """Wait until all is applied; the watermark then."""
    for _ in range(60):
        time.sleep(1)
        samples.append(gauge.sample(fed))
        if not samples[-1].lag:
            return samples[-1].watermark
    raise click.ClickException(f"{samples[-1].lag:,} records were still not applied a minute after the last was fed")


@click.command()
@click.option("--minutes", type=click.FloatRange(0.5), default=10.0, help="How long.")
@click.option("--rate", type=click.FloatRange(10), default=500.0, help="Records a second.")
@click.option("--seed", type=int, default=1, help="Of the traffic.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=FILE, help="Where the result goes.")
def main(minutes: float, rate: float, seed: int, out: Path) -> None:
    """Exit code 1 if memory is not bounded."""
    samples, alive = soak(minutes, rate, seed)
    wrong = complaints(samples, alive)
    rss, store = (growth([getattr(sample, name) for sample in samples]) for name in ("rss", "store"))
    entities = growth([sample.entities for sample in samples])
    click.echo(
        f"After the warm-up: worker {rss:+.1%}, Redis {store:+.1%} with {entities:+.1%} merchants, orders and "
        f"listings. " + ", ".join(f"{samples[-1].keys[kind]:,} {kind} stored, {n:,} alive" for kind, n in alive.items())
    )
    for each in wrong:
        click.echo(f"Not bounded: {each}.")
    out.parent.mkdir(exist_ok=True)
    result = {
        "minutes": minutes,
        "rate": rate,
        "worker_growth": round(rss, 4),
        "store_growth": round(store, 4),
        "entities_growth": round(entities, 4),
        "alive": alive,
        "complaints": wrong,
        "samples": [asdict(sample) for sample in samples],
    }
    out.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(prog_name="make soak")
