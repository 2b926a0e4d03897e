"""What the models cost, microseconds a call and bytes a snapshot; and what every detector costs per event.

    python -m benchmarks.model_costs            # EVENTS=60000 for more of them

Models: best of several rounds, on the worker's inputs with made-up values. Detectors: in the mix of events that
``make bench`` has (benchmarks/event_costs.py); docs/performance.md keeps that table.
"""

import os
from collections.abc import Callable, Sequence
from random import Random
from time import perf_counter
from typing import TypeVar

from benchmarks.evaluation.bad_order_olist import order_inputs
from benchmarks.event_costs import measure, table
from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from features.vectors import BEHAVIOUR_INPUTS

T = TypeVar("T")
_ROWS = 2_000
_ROUNDS = 7


def _rows(inputs: Sequence[Input]) -> list[list[float]]:
    random = Random(1)
    return [[item.low + (item.high - item.low) * random.betavariate(2, 6) for item in inputs] for _ in range(_ROWS)]


def _microseconds(call: Callable[[T], object], arguments: Sequence[T]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = perf_counter()
        for argument in arguments:
            call(argument)
        best = min(best, perf_counter() - start)
    return best / len(arguments) * 1e6


def main() -> None:
    """Measure and print."""
    anomaly = BehaviourAnomaly([Input(*item) for item in BEHAVIOUR_INPUTS], seed=1)
    behaviours = _rows(anomaly.inputs)
    for row in behaviours:
        anomaly.learn(row)
    print(f"behaviour anomaly, {len(anomaly.inputs)} inputs")
    print(f"  score             {_microseconds(anomaly.score, behaviours):8.1f} us")
    print(f"  learn             {_microseconds(anomaly.learn, behaviours):8.1f} us")
    print(f"  score and learn   {_microseconds(anomaly.score_and_learn, behaviours):8.1f} us")
    print(f"  contributions     {_microseconds(anomaly.contributions, behaviours[:200]):8.1f} us")
    print(f"  snapshot          {_microseconds(lambda _: anomaly.snapshot(), range(100)):8.1f} us")
    print(f"  restore           {_microseconds(anomaly.restore, [anomaly.snapshot()] * 20):8.1f} us")
    print(f"  size              {len(anomaly.snapshot()):8} bytes")
    orders = BadOrderModel(order_inputs())
    rows = _rows(orders.inputs)
    for row in rows:
        orders.observe(row)
    print(f"bad orders, {len(orders.inputs)} inputs")
    print(f"  observe           {_microseconds(orders.observe, rows):8.1f} us")
    print(f"  predict           {_microseconds(orders.predict, rows):8.1f} us")
    print(f"  observe, predict  {_microseconds(orders.observe_and_predict, rows):8.1f} us")
    print(f"  learn             {_microseconds(lambda row: orders.learn(row, row[0] > 0.3), rows):8.1f} us")
    print(f"  contributions     {_microseconds(orders.contributions, rows[:200]):8.1f} us")
    print(f"  snapshot          {_microseconds(lambda _: orders.snapshot(), range(100)):8.1f} us")
    print(f"  restore           {_microseconds(orders.restore, [orders.snapshot()] * 100):8.1f} us")
    print(f"  size              {len(orders.snapshot()):8} bytes")
    print()
    print("\n".join(table(*measure(int(os.environ.get("EVENTS", "30000"))))))


if __name__ == "__main__":
    main()
