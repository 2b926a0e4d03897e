"""Olist's orders as the bad-order model would meet them: inputs as known at purchase, labels when they become known.

Simple on purpose and apart from the product's own import and features, but with their names, so that it measures the
model and the choice of inputs. Nothing is used before it was known: rates learn at delivery or when the promise has
passed, durations at delivery, prices and ages from earlier orders.
"""

import csv
import gzip
from bisect import insort
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush
from math import cos, pi, sin
from pathlib import Path
from typing import NamedTuple

from features.delivery_times import DeliveryTimes
from features.population import Population
from features.windows import DAY_MS

_MONTH_MS = 30 * DAY_MS
#: Pseudo-orders and their share of late ones with which a merchant starts.
_PRIOR = (50.0, 0.08)


class Order(NamedTuple):
    """One seller's part of an order; times in ms, money in cents."""

    id: str
    seller: str
    buyer: str
    product: str
    category: str
    ship_from: str
    ship_to: str
    created: int
    ship_by: int
    deliver_by: int
    shipped: int | None
    delivered: int | None
    total: int
    unit_price: int
    items: int

    @property
    def late(self) -> bool:
        """Delivered after the estimate, or not delivered when it passed."""
        return self.delivered is None or self.delivered > self.deliver_by

    @property
    def known(self) -> int:
        """When :attr:`late` is known: at delivery, at the estimate at the latest."""
        return self.deliver_by if self.delivered is None else min(self.delivered, self.deliver_by)


class Step(NamedTuple):
    """What the model sees next: an order placed (``late`` is ``None``) or its label."""

    number: int
    late: bool | None
    values: dict[str, float | None]


def load_orders(folder: Path) -> list[Order]:
    """Orders of an Olist folder (CSV, gzipped or not) by purchase time; cancelled ones have no delivery to judge."""
    customers = {row["customer_id"]: row for row in _rows(folder, "olist_customers_dataset")}
    sellers = {row["seller_id"]: row["seller_state"] for row in _rows(folder, "olist_sellers_dataset")}
    categories = {row["product_id"]: row["product_category_name"] for row in _rows(folder, "olist_products_dataset")}
    parts: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows(folder, "olist_order_items_dataset"):
        parts.setdefault((row["order_id"], row["seller_id"]), []).append(row)
    orders = {row["order_id"]: row for row in _rows(folder, "olist_orders_dataset")}
    found = []
    for (order_id, seller), items in parts.items():
        order = orders.get(order_id)
        if order is None or order["order_status"] in {"canceled", "unavailable"}:
            continue
        customer = customers.get(order["customer_id"], {})
        prices = [_cents(item["price"]) for item in items]
        found.append(
            Order(
                id=order_id,
                seller=seller,
                buyer=customer.get("customer_unique_id", order["customer_id"]),
                product=items[0]["product_id"],
                category=categories.get(items[0]["product_id"], ""),
                ship_from=sellers.get(seller, ""),
                ship_to=customer.get("customer_state", ""),
                created=_time(order["order_purchase_timestamp"]) or 0,
                ship_by=min(_time(item["shipping_limit_date"]) or 0 for item in items),
                deliver_by=_time(order["order_estimated_delivery_date"]) or 0,
                shipped=_time(order["order_delivered_carrier_date"]),
                delivered=_time(order["order_delivered_customer_date"]),
                total=sum(prices) + sum(_cents(item["freight_value"]) for item in items),
                unit_price=max(prices),
                items=len(items),
            )
        )
    found.sort(key=lambda order: (order.created, order.id, order.seller))
    return found


def steps(orders: list[Order]) -> Iterator[Step]:
    """Placed orders and labels in the order in which they happen and become known."""
    knowledge = _Knowledge()
    waiting: list[tuple[int, int, str]] = []
    scored: dict[int, dict[str, float | None]] = {}
    for number, order in enumerate(orders):
        while waiting and waiting[0][0] <= order.created:
            yield from _happen(waiting, orders, knowledge, scored)
        scored[number] = values = knowledge.inputs(order)
        knowledge.place(order)
        yield Step(number, None, values)
        heappush(waiting, (order.known, number, "label"))
        heappush(waiting, (min(order.shipped or order.ship_by + 1, order.ship_by + 1), number, "ship"))
    while waiting:
        yield from _happen(waiting, orders, knowledge, scored)


def _happen(
    waiting: list[tuple[int, int, str]],
    orders: list[Order],
    knowledge: "_Knowledge",
    scored: dict[int, dict[str, float | None]],
) -> Iterator[Step]:
    time, number, what = heappop(waiting)
    order = orders[number]
    if what == "ship":
        knowledge.ship_known(order)
        return
    knowledge.outcome_known(order, time)
    yield Step(number, order.late, scored.pop(number))


class _Seller:
    """What is known of a seller: its orders, and outcomes of those old enough."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.placed: list[int] = []
        self.ship: list[tuple[int, bool]] = []
        self.delivery: list[tuple[int, bool]] = []
        self.overdue: set[str] = set()


def _shrunk(outcomes: list[tuple[int, bool]], since: int) -> float:
    strength, mean = _PRIOR
    recent = [bad for placed, bad in outcomes if placed >= since]
    return (sum(recent) + strength * mean) / (len(recent) + strength)


class _Knowledge:
    """Everything known at a moment, by the product's own counters where they are pure."""

    def __init__(self) -> None:
        self.population = Population()
        self.deliveries = DeliveryTimes()
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
        for segment in ("all", f"region/{order.ship_to}", f"route/{route}", f"category/{order.category}"):
            self.population.learn_segment(segment, time, order.late)


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    plain = folder / f"{name}.csv"
    if plain.exists():
        with plain.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
        return
    with gzip.open(folder / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _time(text: str) -> int | None:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) if text else None


def _cents(text: str) -> int:
    return round(float(text) * 100)
