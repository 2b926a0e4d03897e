"""The bad-order model on Olist's orders: late delivery at purchase and at dispatch, low rating when it has arrived.

    python -m benchmarks.evaluation.bad_order_olist [FOLDER] [--stage purchase] [--shards N] [--without INPUT]

Test-then-train with labels only when they are known. Merchants are spread over shards by Kafka's partitioner; each
shard has a model and rates of its own, as in the worker.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.evaluation.olist_orders import Stage, steps
from benchmarks.evaluation.olist_rows import Order, load_orders
from benchmarks.evaluation.prequential import SHARES, Row, Step, figures, score_then_learn
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from features.vectors import ORDER_INPUTS, InputRange
from streams.evaluation.partitioner import shard_of

#: Plain online logistic regression on 20 inputs (River, SGD 0.01) on these rows: AUC and AP on the last 20 % and 60 %.
REFERENCE: Final = {0.2: (0.695, 0.163), 0.6: (0.612, 0.153)}
STAGES: Final[tuple[Stage, ...]] = ("purchase", "dispatch", "delivery")
#: What later stages know beside the inputs of the purchase. The worker scores at purchase alone; these show what the
#: same model could do.
MORE_INPUTS: Final[dict[Stage, tuple[InputRange, ...]]] = {
    "purchase": (),
    "dispatch": (
        ("dispatch_days", 0.0, 30.0, True),
        ("ship_slack_days", -20.0, 20.0, False),
        ("days_left", -10.0, 60.0, False),
        ("transit_margin", -3.0, 3.0, False),
    ),
    "delivery": (
        ("lateness_days", -40.0, 60.0, False),
        ("late_days", 0.0, 60.0, True),
        ("late", 0.0, 1.0, False),
        ("undelivered", 0.0, 1.0, False),
        ("delivery_days", 0.0, 90.0, True),
        ("ship_late_days", 0.0, 60.0, True),
        ("low_rating_rate", 0.0, 1.0, False),
        ("category_low_rating_rate", 0.0, 1.0, False),
        ("merchant_low_rating_rate", 0.0, 1.0, False),
    ),
}
_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "olist"


def order_inputs(without: Sequence[str] = (), stage: Stage = "purchase") -> list[Input]:
    """The worker's inputs of the bad-order model and those of a later stage, less those left out."""
    return [Input(*item) for item in (*ORDER_INPUTS, *MORE_INPUTS[stage]) if item[0] not in without]


def new_model(inputs: Sequence[Input], stage: Stage) -> BadOrderModel:
    """An untrained model; what is known of late deliveries in advance says nothing about ratings."""
    return BadOrderModel(inputs, prior=0.15, known={}) if stage == "delivery" else BadOrderModel(inputs)


def evaluate(
    orders: Sequence[Order], shards: int, inputs: Sequence[Input], stage: Stage = "purchase"
) -> tuple[list[Row], list[BadOrderModel]]:
    """Rows as scored, by the time of scoring, and the models as they are at the end."""
    rows: list[Row] = []
    models = []
    for shard in range(shards):
        own = [order for order in orders if shard_of(order.seller.encode(), shards) == shard]
        models.append(new_model(inputs, stage))
        rows += score_then_learn(_steps(own, stage, inputs), models[-1])
    # The sort is stable, and orders come by time.
    return sorted(rows, key=lambda row: row.time), models


def _steps(orders: list[Order], stage: Stage, inputs: Sequence[Input]) -> Iterator[Step]:
    for step in steps(orders, stage):
        yield Step(step.number, step.time, step.label, [step.values[item.name] for item in inputs])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The bad-order model on Olist.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="Olist's CSV files, gzipped or not")
    parser.add_argument("--stage", choices=STAGES, default="purchase", help="when an order is scored")
    parser.add_argument("--shards", type=int, default=1, help="split the merchants into that many models")
    parser.add_argument("--without", action="append", default=[], metavar="INPUT", help="leave an input out")
    arguments = parser.parse_args()
    inputs = order_inputs(arguments.without, arguments.stage)
    rows, models = evaluate(load_orders(arguments.folder), arguments.shards, inputs, arguments.stage)
    share = sum(row.label for row in rows) / len(rows)
    print(f"{len(rows)} orders, {share:.1%} positive, {len(inputs)} inputs, {arguments.shards} shard(s)")
    found = figures(rows)
    for part, suffix in SHARES.items():
        auc, precision, error = (found[f"{name}{suffix}"] for name in ("auc", "ap", "ece"))
        reference = " (reference {:.3f}, {:.3f})".format(*REFERENCE[part]) if arguments.stage == "purchase" else ""
        print(f"last {part:.0%}: AUC {auc:.3f}, AP {precision:.3f}{reference}, ECE {error:.3f}")
    print("rows   predicted  observed")
    for each in found["reliability"]:
        print(f"{each['rows']:5} {each['predicted']:10.3f} {each['observed']:9.3f}")
    for name, weight in sorted(models[0].weights().items(), key=lambda item: -abs(item[1])):
        print(f"{weight:+.3f}  {name}")


if __name__ == "__main__":
    main()
