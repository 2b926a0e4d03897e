"""Rows of Olist's files as orders, one for each seller of an order."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

#: The files that are read, without ``.csv`` or ``.csv.gz``.
OLIST_FILES: Final = (
    "olist_orders_dataset",
    "olist_order_items_dataset",
    "olist_order_reviews_dataset",
    "olist_customers_dataset",
    "olist_sellers_dataset",
    "olist_products_dataset",
)


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
    #: When a buyer rated it first, and how (1 to 5).
    reviewed: int | None = None
    rating: int | None = None
    #: What the buyer paid at the checkout, parts of other sellers included; 0 where unknown.
    checkout_total: int = 0

    @property
    def late(self) -> bool:
        """Delivered after the estimate, or not delivered when it passed."""
        return self.delivered is None or self.delivered > self.deliver_by

    @property
    def known(self) -> int:
        """When :attr:`late` is known: at delivery, at the estimate at the latest."""
        return self.deliver_by if self.delivered is None else min(self.delivered, self.deliver_by)


def load_orders(folder: Path) -> list[Order]:
    """Orders of an Olist folder (CSV, gzipped or not) by purchase time; cancelled ones have no delivery to judge."""
    customers = {row["customer_id"]: row for row in _rows(folder, "olist_customers_dataset")}
    sellers = {row["seller_id"]: row["seller_state"] for row in _rows(folder, "olist_sellers_dataset")}
    categories = {row["product_id"]: row["product_category_name"] for row in _rows(folder, "olist_products_dataset")}
    parts: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows(folder, "olist_order_items_dataset"):
        parts.setdefault((row["order_id"], row["seller_id"]), []).append(row)
    orders = {row["order_id"]: row for row in _rows(folder, "olist_orders_dataset")}
    reviews: dict[str, tuple[int, int]] = {}
    for row in _rows(folder, "olist_order_reviews_dataset"):
        review = (_time(row["review_creation_date"]) or 0, int(row["review_score"]))
        reviews[row["order_id"]] = min(review, reviews.get(row["order_id"], review))
    paid: dict[str, int] = {}
    for row in _rows(folder, "olist_order_payments_dataset", optional=True):
        paid[row["order_id"]] = paid.get(row["order_id"], 0) + _cents(row["payment_value"])
    found = []
    for (order_id, seller), items in parts.items():
        order = orders.get(order_id)
        if order is None or order["order_status"] in {"canceled", "unavailable"}:
            continue
        customer = customers.get(order["customer_id"], {})
        reviewed, rating = reviews.get(order_id, (None, None))
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
                reviewed=reviewed,
                rating=rating,
                checkout_total=paid.get(order_id, 0),
            )
        )
    found.sort(key=lambda order: (order.created, order.id, order.seller))
    return found


def _rows(folder: Path, name: str, *, optional: bool = False) -> Iterator[dict[str, str]]:
    plain = folder / f"{name}.csv"
    if optional and not plain.exists() and not (folder / f"{name}.csv.gz").exists():
        return
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
