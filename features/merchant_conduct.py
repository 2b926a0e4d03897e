"""What a merchant's counters say of its conduct, for its credit."""

from collections.abc import Iterable, Mapping
from typing import Final

from features.credit import Component, Conduct, Day
from features.merchant import (
    DELIVERY_LATE,
    ORDERS,
    OUTCOME_BAD,
    OUTCOME_COUNTERFEIT,
    OUTCOME_DISPUTE,
    OUTCOME_DUE,
    OUTCOME_LOW_RATING,
    OUTCOME_NOT_AS_DESCRIBED,
    OUTCOME_NOT_RECEIVED,
    OUTCOME_REFUND,
    OUTCOME_WIDTH,
    PLACED_WIDTH,
    SHIP_CANCELLED,
    SHIP_DUE,
    SHIP_LATE,
    SHIP_WIDTH,
    Merchant,
)
from features.order import OUTCOME_DAYS
from features.population import Population
from features.priors import DEFAULT_PRIORS
from features.shrinkage import BetaPrior, credible_lower
from features.windows import WINDOWS

_MONTH: Final = WINDOWS.index(30)
_ORDERS: Final = _MONTH * PLACED_WIDTH + ORDERS
_DAYS: Final = WINDOWS[-1]
#: Ways in which a merchant's orders go bad. ``claims`` are orders that the buyer complained of or was refunded for at
#: the seller's fault, an order once as far as the counters tell.
MERCHANT_COMPONENTS: Final = ("late_ship", "cancel", "claims", "late_delivery", "low_rating")


def merchant_conduct(
    merchant: Merchant, population: Population, day: int, established: int, rates: Iterable[str] = ()
) -> Conduct:
    """How a merchant's orders turned out up to a day, which may be later than its last event.

    Parameters
    ----------
    established
        A merchant that was first seen in so many ms since the shard's first order, and does not say when it registered,
        was there before.
    rates
        Rates of which the credible lower bound over 30 days is wanted.
    """
    record = merchant.record
    outcomes: list[Day] = []
    pending = False
    for due_day, bucket in merchant.outcome.buckets.items():
        at = due_day + OUTCOME_DAYS
        if at > day:
            pending = True
        elif at > day - _DAYS:
            outcomes.append((at, bucket[OUTCOME_DUE], bucket[OUTCOME_BAD] if len(bucket) > OUTCOME_BAD else 0))
    since = record.registered
    if not since and record.first_seen > (population.deliveries.since or record.first_seen) + established:
        since = record.first_seen
    bounds = {}
    for rate in rates:
        orders, defects = merchant.orders_and_defects(rate, _MONTH)
        bounds[rate] = credible_lower(defects, orders, population.priors.get(rate, DEFAULT_PRIORS[rate]))
    return Conduct(
        day=day,
        outcomes=outcomes,
        components=lambda: _components(merchant, population.priors, day),
        pending=pending,
        orders=merchant.placed.sums[_ORDERS],
        buyers=merchant.buyers.distinct,
        since=since,
        rates=bounds,
    )


def _components(merchant: Merchant, priors: Mapping[str, BetaPrior], day: int) -> dict[str, Component]:
    """Ways in which a merchant's orders went bad, of the last 90 days."""
    claims: list[Day] = []
    late_deliveries: list[Day] = []
    low_ratings: list[Day] = []
    for due_day, bucket in merchant.outcome.buckets.items():
        at = due_day + OUTCOME_DAYS
        if day - _DAYS < at <= day:
            counts = bucket if len(bucket) == OUTCOME_WIDTH else [*bucket, *[0] * (OUTCOME_WIDTH - len(bucket))]
            due = counts[OUTCOME_DUE]
            claims.append((at, due, _claimed(counts)))
            late_deliveries.append((at, due, counts[DELIVERY_LATE]))
            low_ratings.append((at, due, counts[OUTCOME_LOW_RATING]))
    late: list[Day] = []
    cancelled: list[Day] = []
    for due_day, bucket in merchant.ship.buckets.items():
        if day - _DAYS < due_day <= day:
            counts = bucket if len(bucket) == SHIP_WIDTH else [*bucket, *[0] * (SHIP_WIDTH - len(bucket))]
            late.append((due_day, counts[SHIP_DUE], counts[SHIP_LATE]))
            cancelled.append((due_day, counts[SHIP_DUE], counts[SHIP_CANCELLED]))
    received = sum(_mean(priors, rate) for rate in ("not_as_described", "not_received", "counterfeit"))
    return {
        "late_ship": Component(late, _mean(priors, "late_ship")),
        "cancel": Component(cancelled, _mean(priors, "cancel")),
        "claims": Component(claims, max(_mean(priors, "refund"), _mean(priors, "dispute"), received)),
        "late_delivery": Component(late_deliveries, _mean(priors, "late_delivery")),
        "low_rating": Component(low_ratings, _mean(priors, "low_rating")),
    }


def _claimed(counts: list[int]) -> int:
    """Orders with a claim, refund or dispute: one that has several is in several counters, so the largest counts."""
    received = counts[OUTCOME_NOT_AS_DESCRIBED] + counts[OUTCOME_NOT_RECEIVED] + counts[OUTCOME_COUNTERFEIT]
    return max(counts[OUTCOME_REFUND], counts[OUTCOME_DISPUTE], received)


def _mean(priors: Mapping[str, BetaPrior], rate: str) -> float:
    prior = priors.get(rate, DEFAULT_PRIORS[rate])
    return prior.alpha / (prior.alpha + prior.beta)
