"""The bad-order models on Olist's orders: late delivery at purchase and at dispatch, low rating when it has arrived.

    python -m benchmarks.evaluation.bad_order_olist [FOLDER] [--stage purchase] [--shards N] [--without INPUT]

Test-then-train with labels only when they are known. Merchants are spread over shards by Kafka's partitioner; each
shard has models of its own, and shards tell each other what they counted, as the worker's do.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.evaluation.olist_orders import Replay, Shard, Stage, replay
from benchmarks.evaluation.olist_rows import Order, load_orders
from benchmarks.evaluation.prequential import SHARES, figures
from benchmarks.evaluation.yardstick import yardstick
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.judge import bad_order_models

#: Plain online logistic regression on 20 inputs (River, SGD 0.01) on these rows: AUC and AP on the last 20 % and 60 %.
REFERENCE: Final = {0.2: (0.695, 0.163), 0.6: (0.612, 0.153)}
STAGES: Final[tuple[Stage, ...]] = ("purchase", "dispatch", "delivery")
_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "olist"


def order_inputs(without: Sequence[str] = (), stage: Stage = "purchase") -> list[Input]:
    """The worker's inputs of a stage's model, less those left out."""
    return [each for each in _worker_models()[stage].inputs if each.name not in without]


def evaluate(orders: Sequence[Order], shards: int, without: Sequence[str] = ()) -> Replay:
    """All stages' rows as scored by the worker's models, in the order of scoring, and the shards at the end."""
    return replay(orders, [Shard(_models(without), shared=shards > 1) for _ in range(shards)])


def _worker_models() -> dict[Stage, BadOrderModel]:
    return dict(zip(STAGES, bad_order_models(), strict=True))


def _models(without: Sequence[str]) -> Mapping[Stage, BadOrderModel]:
    """The worker's own models, unless inputs are left out."""
    models = _worker_models()
    for stage, model in models.items():
        inputs = order_inputs(without, stage)
        if len(inputs) < len(model.inputs):
            models[stage] = BadOrderModel(inputs, name=model.name, prior=0.1)
    return models


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The bad-order models on Olist.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="Olist's CSV files, gzipped or not")
    parser.add_argument("--stage", choices=STAGES, default="purchase", help="when an order is scored")
    parser.add_argument("--shards", type=int, default=1, help="split the merchants into that many shards")
    parser.add_argument("--without", action="append", default=[], metavar="INPUT", help="leave an input out")
    parser.add_argument("--yardstick", action="store_true", help="also train batch models on the same rows")
    arguments = parser.parse_args()
    stage: Stage = arguments.stage
    run = evaluate(load_orders(arguments.folder), arguments.shards, arguments.without)
    rows = run.rows[stage]
    share = sum(row.label for row in rows) / len(rows)
    inputs = run.shards[0].models[stage].inputs
    print(f"{len(rows)} orders, {share:.1%} positive, {len(inputs)} inputs, {arguments.shards} shard(s)")
    found = figures(rows)
    for part, suffix in SHARES.items():
        auc, precision, error = (found[f"{name}{suffix}"] for name in ("auc", "ap", "ece"))
        reference = " (reference {:.3f}, {:.3f})".format(*REFERENCE[part]) if stage == "purchase" else ""
        print(f"last {part:.0%}: AUC {auc:.3f}, AP {precision:.3f}{reference}, ECE {error:.3f}")
    if arguments.yardstick:
        for name, each in yardstick(rows).items():
            print(f"batch {name}: AUC {each['auc']:.3f} on the last 20 %, {each['auc_60']:.3f} on the last 60 %")
    print("rows   predicted  observed")
    for group in found["reliability"]:
        print(f"{group['rows']:5} {group['predicted']:10.3f} {group['observed']:9.3f}")
    for name, weight in sorted(run.shards[0].models[stage].weights().items(), key=lambda item: -abs(item[1])):
        print(f"{weight:+.3f}  {name}")


if __name__ == "__main__":
    main()
