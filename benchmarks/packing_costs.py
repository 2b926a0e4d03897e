"""What writing the day buckets of a merchant costs: all of them, and those alone that a few events changed.

    python -m benchmarks.packing_costs          # EVENTS=60000 for more of them

Merchants are those of ``make bench``; between two writings, each has an order today, one of three weeks ago that went
wrong, and the days of the outcomes that follow from these. The least of several rounds counts.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from time import process_time
from typing import Any, Final

import msgspec

from benchmarks.deployment import benchmark_deployment
from benchmarks.records import make_records
from detectors.apply import Core
from detectors.flush import Flush
from detectors.judge import fresh_models
from features import merchant as m
from features.bucket_text import pack_buckets
from features.merchant import Merchant
from features.shard import Record, ShardState
from streams.worker import make_judge

_SEED: Final = 7
_ROUNDS: Final = 15


def measure(events: int) -> tuple[int, float, float, float]:
    """Merchants, and microseconds for each of them: to write all buckets, the changed ones, and the whole record."""
    merchants = _merchants(events)
    encode = msgspec.json.Encoder().encode
    for merchant in merchants:
        merchant.packed()
    whole = min(_seconds(merchants, _write_all) for _ in range(_ROUNDS))
    edited = float("inf")
    for _ in range(_ROUNDS):
        for merchant in merchants:
            _trade(merchant)
        edited = min(edited, _seconds(merchants, Merchant.packed))
    encoded = min(_seconds(merchants, lambda merchant: encode(merchant.record)) for _ in range(_ROUNDS))
    each = 1e6 / len(merchants)
    return len(merchants), whole * each, edited * each, encoded * each


def _merchants(events: int) -> list[Merchant]:
    """Merchants as a core leaves them that has applied so many events."""
    settings = benchmark_deployment("none:1", "redis://none:1/0", "packing", "", 1).settings
    core = Core(ShardState(0), fresh_models(settings.worker.seed), make_judge(settings))
    offsets: Counter[str] = Counter()
    records = []
    for each in make_records(events, _SEED):
        topic: Any = each.topic
        records.append(Record(topic, topic, 0, offsets[topic], each.timestamp, each.key, each.value))
        offsets[topic] += 1
    core.apply(Flush(1, records))
    return list(core.state.merchants.values())


def _trade(merchant: Merchant) -> None:
    day = merchant.day
    merchant.placed.add(day, m.ORDERS, 1)
    merchant.placed.add(day - 21, m.REFUNDS, 1)
    merchant.ship.add(day + 3, m.SHIP_DUE, 1)
    merchant.outcome.add(day + 20, m.OUTCOME_DUE, 1)
    merchant.outcome.add(day - 5, m.OUTCOME_REFUND, 1)
    merchant.buyers.add(day, 123_456)


def _write_all(merchant: Merchant) -> None:
    for counters in (merchant.placed, merchant.ship, merchant.outcome, merchant.churn):
        pack_buckets(counters.buckets)
    pack_buckets(merchant.buyers.buckets(), lists=True)


def _seconds(merchants: Iterable[Merchant], work: Callable[[Merchant], object]) -> float:
    start = process_time()
    for merchant in merchants:
        work(merchant)
    return process_time() - start


if __name__ == "__main__":
    count, whole, edited, encoded = measure(int(os.environ.get("EVENTS", "30000")))
    print(f"{count} merchants; microseconds a merchant: all buckets {whole:.1f}, those that changed {edited:.1f}")
    print(f"                the record around them, as JSON {encoded:.1f}")
