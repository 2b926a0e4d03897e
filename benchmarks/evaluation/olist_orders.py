"""Olist's orders as the worker's models would meet them: scored at purchase, at dispatch and at delivery, and learned
when their label becomes known.

Nothing is used before it was known: rates learn at delivery or when the promise has passed, durations at delivery,
ratings when they come, prices and ages from earlier orders. Shards tell each other what they counted every hour.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from benchmarks.evaluation.olist_knowledge import Knowledge, tell
from benchmarks.evaluation.olist_rows import Order
from benchmarks.evaluation.prequential import Row
from detectors.bad_order import BadOrderModel
from streams.evaluation.partitioner import shard_of

#: When an order is scored, and for what: at purchase and when it is handed to the carrier for a late delivery, when its
#: delivery is known for a rating of 1 or 2.
Stage: TypeAlias = Literal["purchase", "dispatch", "delivery"]

_HOUR_MS: Final = 3_600_000
#: What happens to an order, in this order where it happens at once.
_SCORE_DISPATCH, _SCORE_DELIVERY, _OUTCOME, _REVIEW, _SHIP, _PLACE = range(6)


class Step(NamedTuple):
    """A row was scored (``label`` is ``None``) or its label learned, at a time (ms)."""

    number: int
    time: int
    stage: Stage
    label: bool | None


class Shard:
    """What one shard knows, and its models."""

    def __init__(self, models: Mapping[Stage, BadOrderModel], *, shared: bool) -> None:
        self.knowledge = Knowledge(shared=shared)
        self.models = models


class Replay(NamedTuple):
    """Rows as scored, by the time of scoring; what happened, in order; and the shards as they are at the end."""

    rows: dict[Stage, list[Row]]
    steps: list[Step]
    shards: list[Shard]


def scored_at(order: Order, stage: Stage) -> int | None:
    """When a stage scores an order, ms; ``None`` if never.

    At dispatch an order is scored if its outcome is not known yet. Reviews may be written before the delivery, then
    the order is scored as it is just before.
    """
    if stage == "purchase":
        return order.created
    if stage == "dispatch":
        return order.shipped if order.shipped is not None and order.created <= order.shipped < order.known else None
    if order.reviewed is None:
        return None
    return max(order.created, min(order.reviewed, order.delivered or order.reviewed))


def label_of(order: Order, stage: Stage) -> bool:
    """What a stage predicts."""
    return order.late if stage != "delivery" else order.rating is not None and order.rating <= 2


def replay(orders: Sequence[Order], shards: Sequence[Shard]) -> Replay:
    """Let shards meet the orders of their merchants, all in order of time."""
    run = _Run(orders, shards)
    told = 0
    for time, _, number, what in sorted(_happenings(orders)):
        if len(shards) > 1 and time // _HOUR_MS > told:
            told = time // _HOUR_MS
            tell([shard.knowledge for shard in shards], time)
        run.happen(number, time, what)
    return run.result()


def _happenings(orders: Sequence[Order]) -> list[tuple[int, int, int, int]]:
    """What happens: time, rank at that time, order, what. At one time earlier orders come before those placed then."""
    found = []
    for number, order in enumerate(orders):
        created = order.created
        found.append((created, 1, number, _PLACE))
        times = {
            _SCORE_DISPATCH: scored_at(order, "dispatch"),
            _SCORE_DELIVERY: scored_at(order, "delivery"),
            _OUTCOME: order.known,
            _REVIEW: order.reviewed,
            _SHIP: min(order.shipped or order.ship_by + 1, order.ship_by + 1),
        }
        for what, at in times.items():
            if at is not None:
                time = max(created, at)
                found.append((time, 0 if created < time else 2, number, what))
    return found


class _Run:
    """A replay under way."""

    def __init__(self, orders: Sequence[Order], shards: Sequence[Shard]) -> None:
        self._orders = orders
        self._shards = shards
        self._owners = [shards[shard_of(order.seller.encode(), len(shards))] for order in orders]
        self._scored: dict[Stage, dict[int, tuple[int, list[float | None], float]]] = {
            "purchase": {},
            "dispatch": {},
            "delivery": {},
        }
        self._rows: dict[Stage, dict[int, Row]] = {"purchase": {}, "dispatch": {}, "delivery": {}}
        self._steps: list[Step] = []

    def happen(self, number: int, time: int, what: int) -> None:
        """Something happens to an order."""
        order = self._orders[number]
        knowledge = self._owners[number].knowledge
        if what == _PLACE:
            self._score(number, time, "purchase", knowledge.placing(order))
            knowledge.place(order)
        elif what == _SHIP:
            knowledge.ship_known(order)
        elif what == _OUTCOME:
            knowledge.outcome_known(order, time)
            self._learn(number, time, "purchase")
            self._learn(number, time, "dispatch")
        elif what == _REVIEW:
            knowledge.rated(order, time)
            self._learn(number, time, "delivery")
        else:
            probability = self._scored["purchase"][number][2]
            if what == _SCORE_DISPATCH:
                self._score(number, time, "dispatch", knowledge.dispatched(order, time, probability))
            else:
                self._score(number, time, "delivery", knowledge.delivered(order, time, probability))

    def _score(self, number: int, time: int, stage: Stage, inputs: Mapping[str, float | None]) -> None:
        model = self._owners[number].models[stage]
        values = [inputs[each.name] for each in model.inputs]
        self._scored[stage][number] = time, values, model.observe_and_predict(values)
        self._steps.append(Step(number, time, stage, None))

    def _learn(self, number: int, time: int, stage: Stage) -> None:
        if number not in self._scored[stage]:
            return
        placed, values, probability = self._scored[stage][number]
        label = label_of(self._orders[number], stage)
        self._owners[number].models[stage].learn(values, label, probability, time)
        self._rows[stage][number] = Row(placed, time, values, label, probability)
        self._steps.append(Step(number, time, stage, label))

    def result(self) -> Replay:
        """Rows in the order of scoring."""
        rows = {
            stage: [found[key] for key in self._scored[stage] if key in found] for stage, found in self._rows.items()
        }
        return Replay(rows, self._steps, list(self._shards))
