"""The three times at which an order is scored, and how its outcome teaches the models.

At purchase: will it go wrong in any way? When it is shipped: will it come late, or go wrong afterwards? When it has
arrived, or its promise has passed: will the buyer complain, claim, return or dispute at the seller's fault, or rate it
1 or 2? Inputs stay with the order as scored; its outcome is learned when it is due, and once more where it changes
after that, as long as the order is kept.
"""

from typing import Final

from detectors.bad_order import BadOrderModel
from detectors.challenger import EVERY, Challenger
from detectors.examples import LabelledOrder
from detectors.judge import Models
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import (
    BAD,
    COUNTERFEIT,
    DEFECTS,
    DISPUTE,
    LATE_SHIP,
    LOW_RATING,
    NOT_AS_DESCRIBED,
    NOT_RECEIVED,
    NOT_SCORED,
    OUTCOME_DUE,
    REFUND,
    SELLER_CANCEL,
    OrderRecord,
    encode_scored,
    outcome_due,
    scored_values,
)
from features.population import Population
from features.rounding import nearest
from features.shard import ShardState
from features.stage_vectors import delivery_vector, dispatch_vector
from features.vectors import order_vector

#: What can still go wrong when an order has been shipped, and when it has arrived.
AFTER_DISPATCH: Final = DEFECTS & ~(LATE_SHIP | SELLER_CANCEL)
AFTER_DELIVERY: Final = REFUND | NOT_AS_DESCRIBED | NOT_RECEIVED | COUNTERFEIT | DISPUTE | LOW_RATING
#: What makes an order bad in the sense of each stage.
BAD_AT: Final = (BAD, AFTER_DISPATCH, AFTER_DELIVERY)


class OrderStages:
    """Scores the orders of one shard and teaches its models their outcomes."""

    __slots__ = ("_challenger", "_models", "_population", "_stages", "_state", "_statistics")

    def __init__(self, models: Models, state: ShardState) -> None:
        self._models = models
        self._challenger = models.challenger
        self._stages: tuple[BadOrderModel, ...] = models.stages
        self._state = state
        self._population: Population = state.population
        self._statistics = state.statistics

    def placed(self, order: OrderRecord, merchant: Merchant, listing: ListingRecord | None) -> float:
        """Score an order as it is placed."""
        values = order_vector(order, merchant, listing, self._population)
        order.scored = encode_scored(values)
        order.probability = probability = nearest(self._stages[0].observe_and_predict(values), 1e5)
        if self._challenger is None:
            return probability
        return self._challenge(order, values, probability, self._challenger)

    def _challenge(
        self, order: OrderRecord, values: list[float | None], champion: float, challenger: Challenger
    ) -> float:
        """Ask the challenger, of a sample of orders, or of all while its opinion is the one that is published."""
        order.sampled = self._statistics.orders % EVERY == 0
        if not (order.sampled or challenger.serving):
            return champion
        judged = challenger.predict(values, champion)
        if judged is None:
            return champion
        order.challenged = judged = nearest(judged, 1e5)
        if not challenger.serving:
            return champion
        order.linear = champion
        order.probability = judged
        return judged

    def shipped(self, order: OrderRecord) -> float | None:
        """Score an order as it is shipped, once; ``None`` where there is nothing left to be found out."""
        shipped = order.shipped
        if (
            order.probability_dispatch is not None
            or order.created is None
            or order.matured
            or shipped is None
            or order.delivered is not None
            or order.cancelled is not None
            or not order.created <= shipped <= order.deliver_by
        ):
            return None
        values = dispatch_vector(order, self._population)
        order.scored_dispatch = encode_scored(values)
        order.probability_dispatch = probability = nearest(self._stages[1].observe_and_predict(values), 1e5)
        return probability

    def arrived(self, order: OrderRecord, merchant: Merchant, now: int) -> float | None:
        """Score an order that has arrived, or has not by ``now`` (ms) although it should or its buyer speaks up.

        It may be scored again when it arrives after all; the last one counts. ``None`` where its outcome is known.
        """
        if order.created is None or order.matured or order.cancelled is not None:
            return None
        if order.rating or order.flags & AFTER_DELIVERY:
            return None
        values = delivery_vector(order, merchant, self._population, now)
        model = self._stages[2]
        first = order.probability_delivery is None
        order.scored_delivery = encode_scored(values)
        probability = model.observe_and_predict(values) if first else model.predict(values)
        order.probability_delivery = probability = nearest(probability, 1e5)
        return probability

    def mature(self, order: OrderRecord) -> None:
        """The order's outcome is due: learn it, at each stage from the inputs as they were scored."""
        flags = order.flags
        if not flags & OUTCOME_DUE:
            # Nobody's fault and never due: it says nothing.
            order.scored = order.scored_dispatch = order.scored_delivery = NOT_SCORED
            return
        time = outcome_due(order)
        examples = self._models.examples
        champion = order.probability if order.linear is None else order.linear
        judged = champion, order.probability_dispatch, order.probability_delivery
        for stage, (model, mask, predicted) in enumerate(zip(self._stages, BAD_AT, judged, strict=True)):
            values = scored_values(order, stage)
            if values is None:
                continue
            bad = flags & mask != 0
            model.learn(values, bad, predicted, time)
            examples.add_label(stage, LabelledOrder(values, bad, predicted, time))
            order.learned |= (3 if bad else 1) << 2 * stage
        if order.learned & 1:
            self._statistics.labels += 1
            values = scored_values(order) if order.sampled else None
            if self._challenger is not None and values is not None and champion is not None:
                bad = flags & BAD != 0
                self._challenger.learn(values, bad, champion, order.challenged)
                examples.add_challenge(LabelledOrder(values, bad, champion, time))

    def revise(self, order: OrderRecord) -> None:
        """An order whose outcome was learned has new facts: where they change it, learn that it was the opposite."""
        flags, learned = order.flags, order.learned
        for stage, (model, mask) in enumerate(zip(self._stages, BAD_AT, strict=True)):
            known = learned >> 2 * stage & 3
            bad = flags & mask != 0
            if not known & 1 or bad == (known > 1):
                continue
            values = scored_values(order, stage)
            if values is None:
                continue
            time = outcome_due(order)
            model.revise(values, bad, time)
            self._models.examples.add_label(stage, LabelledOrder(values, bad, None, time, revised=True))
            order.learned ^= 2 << 2 * stage
            self._statistics.revisions += 1
