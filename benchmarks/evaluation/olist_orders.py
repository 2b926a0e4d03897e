"""Olist's orders as the bad-order model would meet them: inputs as known when it scores, labels when they become known.

Simple on purpose and apart from the product's own import and features, but with their names, so that it measures the
model and the choice of inputs. Nothing is used before it was known: rates learn at delivery or when the promise has
passed, durations at delivery, ratings when they come, prices and ages from earlier orders.
"""

from bisect import insort
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import cos, pi, sin
from typing import Literal, NamedTuple, TypeAlias

from benchmarks.evaluation.olist_rows import Order
from features.delivery_times import DeliveryTimes
from features.population import Population
from features.windows import DAY_MS

#: When an order is scored, and for what: at purchase and when it is handed to the carrier for a late delivery, when its
#: delivery is known for a rating of 1 or 2.
Stage: TypeAlias = Literal["purchase", "dispatch", "delivery"]

_MONTH_MS = 30 * DAY_MS
#: Pseudo-orders and their share of late ones with which a merchant starts; the share of low ratings.
_PRIOR = (50.0, 0.08)
_LOW_RATINGS = 0.15
#: What happens to an order, in this order where it happens at once.
_SCORE, _OUTCOME, _REVIEW, _SHIP = range(4)


class Step(NamedTuple):
    """What the model sees next at a time (ms): an order to score (``label`` is ``None``) or its label."""

    number: int
    time: int
    label: bool | None
    values: dict[str, float | None]


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


def steps(orders: list[Order], stage: Stage = "purchase") -> Iterator[Step]:
    """Orders to score and labels in the order in which they happen and become known."""
    knowledge = _Knowledge()
    waiting: list[tuple[int, int, int]] = []
    scored: dict[int, dict[str, float | None]] = {}
    for number, order in enumerate(orders):
        while waiting and waiting[0][0] <= order.created:
            yield from _happen(waiting, orders, knowledge, scored, stage)
        values = knowledge.inputs(order)
        knowledge.place(order)
        score = scored_at(order, stage)
        if score is not None:
            scored[number] = values
        if stage == "purchase":
            yield Step(number, order.created, None, values)
        elif score is not None:
            heappush(waiting, (score, number, _SCORE))
        heappush(waiting, (order.known, number, _OUTCOME))
        heappush(waiting, (min(order.shipped or order.ship_by + 1, order.ship_by + 1), number, _SHIP))
        if order.reviewed is not None:
            heappush(waiting, (max(order.created, order.reviewed), number, _REVIEW))
    while waiting:
        yield from _happen(waiting, orders, knowledge, scored, stage)


def _happen(
    waiting: list[tuple[int, int, int]],
    orders: list[Order],
    knowledge: "_Knowledge",
    scored: dict[int, dict[str, float | None]],
    stage: Stage,
) -> Iterator[Step]:
    time, number, what = heappop(waiting)
    order = orders[number]
    if what == _SHIP:
        knowledge.ship_known(order)
    elif what == _SCORE:
        more = knowledge.dispatched(order, time) if stage == "dispatch" else knowledge.delivered(order, time)
        scored[number] = scored[number] | more
        yield Step(number, time, None, scored[number])
    elif what == _OUTCOME:
        knowledge.outcome_known(order, time)
        if stage != "delivery" and number in scored:
            yield Step(number, time, order.late, scored.pop(number))
    else:
        knowledge.rated(order, time)
        if stage == "delivery":
            yield Step(number, time, label_of(order, stage), scored.pop(number))


class _Seller:
    """What is known of a seller: its orders, and outcomes of those old enough."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.placed: list[int] = []
        self.ship: list[tuple[int, bool]] = []
        self.delivery: list[tuple[int, bool]] = []
        self.rated: list[tuple[int, bool]] = []
        self.overdue: set[str] = set()


def _shrunk(outcomes: list[tuple[int, bool]], since: int, mean: float = _PRIOR[1]) -> float:
    strength = _PRIOR[0]
    recent = [bad for placed, bad in outcomes if placed >= since]
    return (sum(recent) + strength * mean) / (len(recent) + strength)


class _Knowledge:
    """Everything known at a moment, by the product's own counters where they are pure."""

    def __init__(self) -> None:
        self.population = Population()
        self.deliveries = DeliveryTimes()
        #: From the hand-over to the carrier on.
        self.transits = DeliveryTimes()
        #: Low ratings, of all and by category.
        self.ratings = Population()
        self.sellers: dict[str, _Seller] = {}
        self.prices: dict[str, list[int]] = {}
        self.listed: dict[str, int] = {}
        self.buyers: dict[tuple[str, str], list[int]] = {}

    def inputs(self, order: Order) -> dict[str, float | None]:
        """Inputs of the bad-order model, by name."""
        now = order.created
        seller = self.sellers.get(order.seller) or _Seller(now)
        month = [at for at in seller.placed if at >= now - _MONTH_MS]
        day = sum(at >= now - DAY_MS for at in month)
        prices = self.prices.get(order.category, [])
        route = f"{order.ship_from}>{order.ship_to}"
        weekday = datetime.fromtimestamp(now / 1000, UTC).weekday()
        overall, region, place, category = self.population.segment_rates(order.ship_to, route, order.category)
        return {
            "promise_margin": self.deliveries.promise_margin(now, order.deliver_by, order.ship_to, route),
            "order_total": order.total,
            "order_quantity": order.items,
            "promised_days": (order.deliver_by - now) / DAY_MS,
            "handling_days": (order.ship_by - now) / DAY_MS,
            "slack_days": (order.deliver_by - order.ship_by) / DAY_MS,
            "weekday_sin": sin(2 * pi * weekday / 7),
            "weekday_cos": cos(2 * pi * weekday / 7),
            "overall_late_rate": overall,
            "region_late_rate": region,
            "route_late_rate": place,
            "category_late_rate": category,
            "late_ship_rate_30d_shrunk": _shrunk(seller.ship, now - _MONTH_MS),
            "late_delivery_rate_30d_shrunk": _shrunk(seller.delivery, now - _MONTH_MS),
            "bad_order_rate_90d_shrunk": _shrunk(seller.delivery, now - 3 * _MONTH_MS),
            "overdue_per_order_30d": min(1.0, len(seller.overdue) / len(month)) if month else 0.0,
            "orders_30d": len(month),
            "orders_burst_1d": (day + 1) / (len(month) / 30 + 1),
            "account_age_days": (now - seller.first) / DAY_MS,
            "unit_price_to_category": order.unit_price / max(1, prices[len(prices) // 2])
            if len(prices) >= 10
            else None,
            "buyer_orders_at_merchant_30d": sum(
                at >= now - _MONTH_MS for at in self.buyers.get((order.seller, order.buyer), ())
            ),
            "listing_age_days": (now - self.listed.get(order.product, now)) / DAY_MS,
        }

    def dispatched(self, order: Order, now: int) -> dict[str, float | None]:
        """What is known in addition when the carrier has the order."""
        self.transits.placed(now)
        route = f"{order.ship_from}>{order.ship_to}"
        return {
            "dispatch_days": (now - order.created) / DAY_MS,
            "ship_slack_days": (order.ship_by - now) / DAY_MS,
            "days_left": (order.deliver_by - now) / DAY_MS,
            "transit_margin": self.transits.promise_margin(now, order.deliver_by, order.ship_to, route),
        }

    def delivered(self, order: Order, now: int) -> dict[str, float | None]:
        """What is known in addition when the order has arrived, or is rated before."""
        arrived = order.delivered is not None and order.delivered <= now
        shipped = order.shipped if order.shipped is not None and order.shipped <= now else now
        late_by = (now - order.deliver_by) / DAY_MS
        overall, _, _, category = self.ratings.segment_rates("", "", order.category)
        seller = self.sellers[order.seller]
        return {
            "lateness_days": late_by,
            "late_days": max(0.0, late_by),
            "late": float(late_by > 0),
            "undelivered": float(not arrived),
            "delivery_days": (now - order.created) / DAY_MS,
            "ship_late_days": max(0.0, (shipped - order.ship_by) / DAY_MS),
            "low_rating_rate": overall,
            "category_low_rating_rate": category,
            "merchant_low_rating_rate": _shrunk(seller.rated, now - 6 * _MONTH_MS, _LOW_RATINGS),
        }

    def rated(self, order: Order, time: int) -> None:
        """A rating came."""
        low = order.rating is not None and order.rating <= 2
        self.sellers[order.seller].rated.append((time, low))
        for segment in ("all", f"category/{order.category}"):
            self.ratings.learn_segment(segment, time, low)

    def place(self, order: Order) -> None:
        """An order was placed."""
        self.deliveries.placed(order.created)
        self.sellers.setdefault(order.seller, _Seller(order.created)).placed.append(order.created)
        insort(self.prices.setdefault(order.category, []), order.unit_price)
        self.listed.setdefault(order.product, order.created)
        self.buyers.setdefault((order.seller, order.buyer), []).append(order.created)

    def ship_known(self, order: Order) -> None:
        """Whether it shipped in time is known."""
        seller = self.sellers[order.seller]
        late = order.shipped is None or order.shipped > order.ship_by
        seller.ship.append((order.created, late))
        if late:
            seller.overdue.add(order.id)

    def outcome_known(self, order: Order, time: int) -> None:
        """Whether it was delivered in time is known."""
        seller = self.sellers[order.seller]
        seller.overdue.discard(order.id)
        seller.delivery.append((order.created, order.late))
        route = f"{order.ship_from}>{order.ship_to}"
        self.deliveries.finished(time, order.ship_to, route, time - order.created)
        if order.shipped is not None and order.created <= order.shipped < order.known:
            self.transits.finished(time, order.ship_to, route, time - order.shipped)
        for segment in ("all", f"region/{order.ship_to}", f"route/{route}", f"category/{order.category}"):
            self.population.learn_segment(segment, time, order.late)
