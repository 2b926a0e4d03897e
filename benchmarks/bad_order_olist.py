"""The bad-order model on Olist: late deliveries, test-then-train, labels only when known.

    python -m benchmarks.bad_order_olist [FOLDER] [--shards N] [--without INPUT]

Prints ROC-AUC and average precision on the last 20 % and the last 60 % of the orders, next to published and measured
references on the same rows, the reliability of the probabilities, and the weights. ``--shards`` splits the merchants
as partitions would, each with a model and counters of its own.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from benchmarks.olist_orders import Order, load_orders, steps
from benchmarks.ranking import average_precision, roc_auc
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from features.vectors import ORDER_INPUTS

#: Plain online logistic regression on 20 inputs (River, SGD 0.01) on these rows: AUC and AP on the last 20 % and 60 %.
REFERENCE = {0.2: (0.695, 0.163), 0.6: (0.612, 0.153)}
#: How much time a promise leaves (features.delivery_times); measured also while the worker does not use it.
PROMISE_MARGIN = ("promise_margin", -3.0, 3.0, False)
_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "olist"


def order_inputs(without: Sequence[str] = ()) -> list[Input]:
    """The worker's inputs of the bad-order model, less those left out."""
    ranges = (
        ORDER_INPUTS if PROMISE_MARGIN[0] in {item[0] for item in ORDER_INPUTS} else (*ORDER_INPUTS, PROMISE_MARGIN)
    )
    return [Input(*item) for item in ranges if item[0] not in without]


def evaluate(orders: Sequence[Order], shards: int, inputs: Sequence[Input]) -> tuple[list[float], list[BadOrderModel]]:
    """Probability of each order as scored when it was placed, and the models as they are at the end."""
    scores = [0.0] * len(orders)
    models = []
    for shard in range(shards):
        numbers = [at for at, order in enumerate(orders) if crc32(order.seller.encode()) % shards == shard]
        model = BadOrderModel(inputs)
        models.append(model)
        for step in steps([orders[at] for at in numbers]):
            values = [step.values[item.name] for item in inputs]
            at = numbers[step.number]
            if step.late is None:
                scores[at] = model.observe_and_predict(values)
            else:
                model.learn(values, step.late, scores[at])
    return scores, models


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The bad-order model on Olist.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="Olist's CSV files, gzipped or not")
    parser.add_argument("--shards", type=int, default=1, help="split the merchants into that many models")
    parser.add_argument("--without", action="append", default=[], metavar="INPUT", help="leave an input out")
    arguments = parser.parse_args()
    inputs = order_inputs(arguments.without)
    orders = load_orders(arguments.folder)
    scores, models = evaluate(orders, arguments.shards, inputs)
    labels = [order.late for order in orders]
    print(
        f"{len(orders)} orders, {sum(labels) / len(labels):.1%} late, {len(inputs)} inputs, {arguments.shards} shard(s)"
    )
    for share, (auc, precision) in REFERENCE.items():
        start = round(len(orders) * (1 - share))
        print(
            f"last {share:.0%}: AUC {roc_auc(labels[start:], scores[start:]):.3f} (reference {auc}), "
            f"AP {average_precision(labels[start:], scores[start:]):.3f} (reference {precision})"
        )
    print(models[0].metrics())
    print("probability range     labels  predicted  observed")
    for row in models[0].reliability():
        print(f"{row.low:8.3f} to {row.high:.3f} {row.labels:9.0f} {row.predicted:10.3f} {row.observed:9.3f}")
    for name, weight in sorted(models[0].weights().items(), key=lambda item: -abs(item[1])):
        print(f"{weight:+.3f}  {name}")


if __name__ == "__main__":
    main()
