"""A real marketplace (Olist, 2016 to 2018) through the import, a broker, one worker and Redis, against the oracle."""

import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from click.testing import CliRunner

from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.outputs import Output, RiskAssessed
from features.population import Population
from features.registry import FEATURES, Context
from features.shard import ShardClock
from streams.cli import main
from streams.embedded import EmbeddedServices
from streams.topics import create_topics
from tests.deployment import Deployment, Shard
from tests.fed import Fed, ends_of, fed
from tests.oracle import expected
from tests.worker_process import Worker

DATA = Path(__file__).parents[3] / "shared" / "data" / "olist"
PARTITIONS = 4

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not DATA.is_dir(), reason="the Olist data set is not in ../shared/data/olist"),
]


@dataclass(frozen=True)
class OlistRun:
    """What went in and what came out; times in seconds."""

    deployment: Deployment
    broker: str
    records: list[Fed]
    import_s: float
    worker_s: float

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """All events in the order of their times, as they were imported."""
        return [orjson.loads(record.value or b"") for record in sorted(self.records, key=lambda each: each.timestamp)]

    @cached_property
    def shards(self) -> list[Shard]:
        """What is stored."""
        return self.deployment.shards()


@pytest.fixture(scope="module")
def run(brokers: str, services: EmbeddedServices, tmp_path_factory: pytest.TempPathFactory) -> OlistRun:
    """Import everything, then let one worker process do it all."""
    # Every judgement is published, so that they can be counted.
    worker = {"publish_level": "low", "audit_rate": 1.0, "checkpoint_interval_s": 1.0}
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    deployment = Deployment(brokers, services.redis_url, prefix, "olist", PARTITIONS, worker)
    create_topics(deployment.settings)
    folder = tmp_path_factory.mktemp("olist")
    variables = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
    started = time.monotonic()
    words = ["import", "olist", str(DATA), "--to", "kafka", "--rejects", str(folder / "rejects.jsonl")]
    result = CliRunner(env=variables).invoke(main, words)
    assert result.exit_code == 0, result.output
    import_s = time.monotonic() - started
    records = [fed(message) for message in deployment.read(*deployment.settings.topics.inputs)]
    ends = ends_of(records)
    with Worker(deployment, folder) as process:
        process.until(
            lambda: bool(deployment.positions()) or deployment.journalled() > 0, "the first flush", pause=0.005
        )
        started = time.monotonic()
        process.until_checkpointed(ends)
        worker_s = time.monotonic() - started
        assert process.stop() == 0
    broker = "the embedded broker" if brokers == services.brokers else "Apache Kafka"
    return OlistRun(deployment, broker, records, import_s, worker_s)


def test_every_count_is_the_oracles(run: OlistRun, capfd: pytest.CaptureFixture[str]) -> None:
    """Each windowed count and rate of each merchant, read from what Redis holds, is what plain dictionaries say."""
    merchants: dict[str, Merchant] = {}
    watermarks: dict[str, int] = {}
    for shard in run.shards:
        watermark = msgspec.json.decode(shard["clock"], type=ShardClock).watermark
        for key, value in shard.items():
            if key.startswith("m:"):
                record = msgspec.json.decode(value, type=MerchantRecord)
                merchants[key[2:]] = Merchant(key[2:], record)
                watermarks[key[2:]] = watermark
    latest: dict[str, int] = {}
    for event in run.events:
        latest[event["merchant_id"]] = max(event["occurred_at"], latest.get(event["merchant_id"], 0))
    assert merchants.keys() == latest.keys()
    as_of = {name: merchant.record.as_of for name, merchant in merchants.items()}
    for name, at in as_of.items():
        assert latest[name] <= at <= max(latest[name], watermarks[name]), name
    wanted = expected(run.events, as_of=as_of, watermark=watermarks)
    compared = 0
    for name, one in wanted.items():
        context = Context(merchants[name], Population())
        found = {feature: FEATURES[feature].get(context) for feature in one.features}
        assert found == one.features, name
        compared += len(found)
    assert sum(one.features["orders_90d"] or 0 for one in wanted.values()) > 1000
    assert sum(one.features["late_deliveries_90d"] or 0 for one in wanted.values()) > 100
    with capfd.disabled():
        sys.stdout.write(
            f"\nOlist on {run.broker}: {len(run.records):,} events imported in {run.import_s:.1f} s, processed by one "
            f"worker in {run.worker_s:.1f} s ({len(run.records) / run.worker_s:,.0f}/s, every judgement published); "
            f"{compared:,} counts and rates of {len(merchants):,} merchants equal the oracle's\n"
        )


def test_every_order_has_one_assessment(run: OlistRun) -> None:
    """Each order.created led to exactly one judgement of that order, which is the one that its record holds."""
    created = {
        (record.topic, record.partition, record.offset): event
        for record in run.records
        if (event := orjson.loads(record.value or b""))["type"] == "order.created"
    }
    orders = {(event["merchant_id"], event["order_id"]) for event in created.values()}
    assert len(orders) == len(created) > 16_000
    decode = msgspec.json.Decoder(Output).decode
    judged: Counter[tuple[str, str]] = Counter()
    ids: dict[tuple[str, str], tuple[str, float]] = {}
    for message in run.deployment.read(run.deployment.settings.topics.events):
        output = decode(message.value() or b"")
        if isinstance(output, RiskAssessed) and output.subject.kind == "order":
            source = output.source
            cause = created.get((source.topic, source.partition, source.offset))
            if cause is not None:
                assert (cause["merchant_id"], cause["order_id"]) == (output.merchant_id, output.subject.id)
                judged[output.merchant_id, output.subject.id] += 1
                ids[output.merchant_id, output.subject.id] = (output.assessment_id, output.probability)
    assert judged == Counter(orders)
    kept = 0
    for shard in run.shards:
        for key, value in shard.items():
            if key.startswith("o:"):
                order = msgspec.json.decode(value, type=OrderRecord)
                merchant, _, name = key[2:].partition(":")
                if order.created is None:
                    # An event that came when the order itself had left the state, after its retention.
                    assert (merchant, name) in orders and not order.assessment
                    continue
                assert (order.assessment, order.probability) == ids[merchant, name]
                kept += 1
    assert kept > 500


def test_everything_is_used(run: OlistRun) -> None:
    """No record of the import is refused or taken for a repeat, and the models have learned from matured orders."""
    statistics = run.deployment.statistics()
    assert statistics.records == statistics.events == len(run.records) == len(run.events)
    assert (statistics.rejected, statistics.duplicates) == (0, 0)
    assert statistics.orders > 16_000
    assert statistics.labels > 10_000
    assert run.deployment.read(run.deployment.settings.topics.dead_letters) == []
