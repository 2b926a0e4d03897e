"""The supervised and the anomaly model on purchases of new accounts (``Fraud_Data.csv``), test-then-train.

In January every purchase within seconds of the signup is fraud, and hardly any other; after January the data has no
such trace. So January and the rest are given apart. The data does not say when a fraud became known: it is taken as
known 14 days later, and for comparison with others, who know it at once, at once.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import cos, pi, sin
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.evaluation.prequential import Row, Step, measures, score_then_learn
from benchmarks.evaluation.yardstick import yardstick
from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.judge import ANOMALY_TREES
from features.order import OUTCOME_DAYS
from features.windows import DAY_MS

#: `fraudecom` of the Fraud Dataset Benchmark (arXiv 2208.14417): AUC of its models on the last 20 %.
PUBLISHED: Final = (0.515, 0.636)
INPUTS: Final = (
    Input("minutes_since_signup", 0.0, 200_000.0, True),
    Input("purchase_value", 0.0, 200.0, True),
    Input("age", 15.0, 80.0),
    Input("device_accounts", 0.0, 20.0, True),
    Input("ip_accounts", 0.0, 20.0, True),
    Input("hour_sin", -1.0, 1.0),
    Input("hour_cos", -1.0, 1.0),
    Input("from_ads", 0.0, 1.0),
    Input("from_direct", 0.0, 1.0),
    Input("male", 0.0, 1.0),
)


class Purchase(NamedTuple):
    """A purchase; times in ms."""

    user: str
    signup: int
    time: int
    value: float
    device: str
    ip: str
    source: str
    sex: str
    age: float
    fraud: bool


def load_purchases(file: Path) -> list[Purchase]:
    """Purchases by time, from a CSV file, gzipped or not."""
    with gzip.open(file, "rt", newline="") if file.suffix == ".gz" else file.open(newline="") as lines:
        found = [
            Purchase(
                row["user_id"],
                _time(row["signup_time"]),
                _time(row["purchase_time"]),
                float(row["purchase_value"]),
                row["device_id"],
                row["ip_address"],
                row["source"],
                row["sex"],
                float(row["age"]),
                row["class"] == "1",
            )
            for row in csv.DictReader(lines)
        ]
    return sorted(found, key=lambda purchase: (purchase.time, purchase.user))


def evaluate(purchases: list[Purchase], seed: int = 0) -> dict[str, Any]:
    """Figures of January, the rest and the last 20 %, of both models and of batch models."""
    rows, rows_at_once = (
        score_then_learn(purchase_steps(purchases, delay), BadOrderModel(INPUTS, prior=0.1, known={}))
        for delay in (OUTCOME_DAYS * DAY_MS, 0)
    )
    unusual = _percentiles(rows, seed)
    january = [datetime.fromtimestamp(row.time / 1000, UTC).month == 1 for row in rows]
    parts = {
        "january": [at for at, inside in enumerate(january) if inside],
        "rest": [at for at, inside in enumerate(january) if not inside],
        "last_20": list(range(round(len(rows) * 0.8), len(rows))),
    }
    found: dict[str, Any] = {}
    for name, part in parts.items():
        labels = [rows[at].label for at in part]
        found[name] = measures(labels, [rows[at].probability for at in part])
        found[name]["auc_known_at_once"] = measures(labels, [rows_at_once[at].probability for at in part])["auc"]
        found[name]["anomaly_auc"] = measures(labels, [unusual[at] for at in part])["auc"]
    batch = yardstick(rows, retrain=False)
    found["yardstick"] = {name: {"auc": each["auc"], "ap": each["ap"]} for name, each in batch.items()}
    found["published"] = {"auc": list(PUBLISHED)}
    return found


def _percentiles(rows: list[Row], seed: int) -> list[float]:
    model = BehaviourAnomaly(INPUTS, seed=seed, n_trees=ANOMALY_TREES)
    scores = [model.score_and_learn(row.values) for row in rows]
    return [0.5 if score is None else score for score in scores]


def purchase_steps(purchases: list[Purchase], delay: int) -> Iterator[Step]:
    """Purchases to score and labels in the order in which they happen and become known, ``delay`` ms later."""
    waiting: list[tuple[int, int]] = []
    devices: Counter[str] = Counter()
    addresses: Counter[str] = Counter()
    for number, purchase in enumerate(purchases):
        while waiting and waiting[0][0] <= purchase.time:
            yield _label(waiting, purchases)
        yield Step(number, purchase.time, None, _values(purchase, devices, addresses))
        # Every row is another account.
        devices[purchase.device] += 1
        addresses[purchase.ip] += 1
        heappush(waiting, (purchase.time + delay, number))
    while waiting:
        yield _label(waiting, purchases)


def _label(waiting: list[tuple[int, int]], purchases: list[Purchase]) -> Step:
    time, number = heappop(waiting)
    return Step(number, time, purchases[number].fraud, ())


def _values(purchase: Purchase, devices: Counter[str], addresses: Counter[str]) -> list[float | None]:
    hour = purchase.time % DAY_MS / DAY_MS * 2 * pi
    return [
        (purchase.time - purchase.signup) / 60_000,
        purchase.value,
        purchase.age,
        devices[purchase.device],
        addresses[purchase.ip],
        sin(hour),
        cos(hour),
        float(purchase.source == "Ads"),
        float(purchase.source == "Direct"),
        float(purchase.sex == "M"),
    ]


def _time(text: str) -> int:
    return int(datetime.strptime(text, "%m/%d/%Y %H:%M").replace(tzinfo=UTC).timestamp() * 1000)
