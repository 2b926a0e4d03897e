"""What a merchant's counters say of its conduct, for its credit."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

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
    UNDELIVERABLE,
    Merchant,
)
from features.order import OUTCOME_DAYS
from features.population import Population
from features.priors import DEFAULT_PRIORS
from features.shrinkage import BetaPrior, credible_lower
from features.way_rates import WayRate
from features.windows import DAY_MS, WINDOWS, DayCounters

_MONTH: Final = WINDOWS.index(30)
_ORDERS: Final = _MONTH * PLACED_WIDTH + ORDERS
_DAYS: Final = WINDOWS[-1]
#: Ways in which a merchant's orders go bad. ``claims`` are orders that the buyer complained of or was refunded for at
#: the seller's fault, an order once as far as the counters tell.
MERCHANT_COMPONENTS: Final = ("late_ship", "cancel", "claims", "late_delivery", "low_rating")
#: What tells of harm before any order can have gone bad. ``payout_change``: the bank or the owner was changed in the
#: last 30 days. ``backlog``: share of its orders that should have been shipped by now and were not, where there are
#: some. ``new``: 1 when its account begins, 0 from 90 days on.
MERCHANT_SIGNS: Final = ("payout_change", "backlog", "new")
_PAYOUT_MS: Final = 30 * DAY_MS
_NEW_MS: Final = 90 * DAY_MS
#: Orders from which on a backlog counts in full; fewer may be a parcel that nobody scanned.
_BACKLOG_ORDERS: Final = 5.0
#: What no merchant has counted yet.
_NO_RATE: Final = WayRate()


def merchant_conduct(
    merchant: Merchant,
    population: Population,
    now: int,
    established: int,
    rates: Iterable[str] = (),
    since_day: int = 0,
) -> Conduct:
    """How a merchant's orders turned out up to a time (ms), which may be later than its last event.

    Parameters
    ----------
    established
        A merchant that was first seen in so many ms since the shard's first order, and does not say when it registered,
        was there before.
    rates
        Rates of which the credible lower bound over 30 days is wanted.
    since_day
        Days before it are not wanted of the ways in which orders went bad.
    """
    record = merchant.record
    day = now // DAY_MS
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
        orders, defects = _orders_and_defects(merchant, rate, day)
        bounds[rate] = credible_lower(defects, orders, population.priors.get(rate, DEFAULT_PRIORS[rate]))
    return Conduct(
        day=day,
        outcomes=outcomes,
        components=lambda: _components(merchant, population, day, since_day),
        pending=pending,
        orders=_placed(merchant, day),
        buyers=merchant.buyers.distinct_at(day),
        since=since,
        rates=bounds,
        signs={
            "payout_change": 1.0 if record.payout_changed and now - record.payout_changed < _PAYOUT_MS else 0.0,
            "backlog": _backlog(merchant),
            "new": max(0.0, 1.0 - (now - since) / _NEW_MS) if since else 0.0,
        },
    )


def _placed(merchant: Merchant, day: int) -> int:
    """Orders of 30 days as of a day that the merchant's windows may not have come to."""
    if day <= merchant.day:
        return merchant.placed.sums[_ORDERS]
    buckets = merchant.placed.buckets
    month = WINDOWS[_MONTH]
    leaving = range(merchant.day - month + 1, min(merchant.day, day - month) + 1)
    return merchant.placed.sums[_ORDERS] - sum([buckets[each][ORDERS] for each in leaving if each in buckets])


def _orders_and_defects(merchant: Merchant, rate: str, day: int) -> tuple[int, int]:
    """Likewise what :meth:`~features.merchant.Merchant.orders_and_defects` says of 30 days."""
    if day <= merchant.day:
        return merchant.orders_and_defects(rate, _MONTH)
    moved = Merchant(merchant.id, msgspec.structs.replace(merchant.record))
    ship = {each: [*bucket] for each, bucket in merchant.ship.buckets.items()}
    outcome = {each: [*bucket] for each, bucket in merchant.outcome.buckets.items()}
    moved.ship = DayCounters(SHIP_WIDTH, day, ship)
    moved.outcome = DayCounters(OUTCOME_WIDTH, day, outcome, (0, OUTCOME_DAYS))
    return moved.orders_and_defects(rate, _MONTH)


def _backlog(merchant: Merchant) -> float:
    """Share of the orders to be shipped by now that were not, 0 to 1; less where they are few."""
    record = merchant.record
    if not record.backlog and not record.overdue:
        return 0.0
    due = merchant.backlog()
    shipped = record.activity.shipped_in_day(record.as_of)
    return due / (due + shipped) * min(1.0, due / _BACKLOG_ORDERS) if due else 0.0


def _components(merchant: Merchant, population: Population, day: int, since_day: int) -> dict[str, Component]:
    """Ways in which a merchant's orders went bad, of the last 90 days, each from the day on which it can be said.

    Claims and ratings come in the days after the delivery was due as well; all merchants miss the same share of the
    last days', so that ranks stand.
    """
    first = max(since_day, day - _DAYS + 1)
    claims: list[Day] = []
    late_deliveries: list[Day] = []
    low_ratings: list[Day] = []
    buckets = merchant.outcome.buckets
    for due_day in sorted(buckets):
        if first <= due_day <= day:
            bucket = buckets[due_day]
            counts = bucket if len(bucket) == OUTCOME_WIDTH else [*bucket, *[0] * (OUTCOME_WIDTH - len(bucket))]
            due = counts[OUTCOME_DUE]
            claims.append((due_day, due, _claimed(counts)))
            late_deliveries.append((due_day, due - counts[UNDELIVERABLE], counts[DELIVERY_LATE]))
            low_ratings.append((due_day, due, counts[OUTCOME_LOW_RATING]))
    late: list[Day] = []
    cancelled: list[Day] = []
    buckets = merchant.ship.buckets
    for due_day in sorted(buckets):
        if first <= due_day <= day:
            bucket = buckets[due_day]
            counts = bucket if len(bucket) == SHIP_WIDTH else [*bucket, *[0] * (SHIP_WIDTH - len(bucket))]
            late.append((due_day, counts[SHIP_DUE], counts[SHIP_LATE]))
            cancelled.append((due_day, counts[SHIP_DUE], counts[SHIP_CANCELLED]))
    found = (late, cancelled, claims, late_deliveries, low_ratings)
    return {
        way: Component(each, population.ways.get(way, _NO_RATE).expected(_known(population.priors, way)))
        for way, each in zip(MERCHANT_COMPONENTS, found, strict=True)
    }


def pool(merchant_days: Mapping[str, Component], population: Population, first: int, after: int) -> None:
    """Add a merchant's days from ``first`` to before ``after`` to the rates of all."""
    for way, component in merchant_days.items():
        days = [each for each in component.days if first <= each[0] < after]
        if days:
            population.ways.setdefault(way, WayRate()).add(days)


def _claimed(counts: list[int]) -> int:
    """Orders with a claim, refund or dispute: one that has several is in several counters, so the largest counts."""
    received = counts[OUTCOME_NOT_AS_DESCRIBED] + counts[OUTCOME_NOT_RECEIVED] + counts[OUTCOME_COUNTERFEIT]
    return max(counts[OUTCOME_REFUND], counts[OUTCOME_DISPUTE], received)


def _known(priors: Mapping[str, BetaPrior], way: str) -> float:
    """Rate of a way as far as the priors of features tell it, 0 to 1."""
    if way != "claims":
        return _mean(priors, way)
    received = sum(_mean(priors, rate) for rate in ("not_as_described", "not_received", "counterfeit"))
    return max(_mean(priors, "refund"), _mean(priors, "dispute"), received)


def _mean(priors: Mapping[str, BetaPrior], rate: str) -> float:
    prior = priors.get(rate, DEFAULT_PRIORS[rate])
    return prior.alpha / (prior.alpha + prior.beta)
