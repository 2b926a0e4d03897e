"""The Olist data set (a Brazilian marketplace, 2016 to 2018) as events of the contract, in event-time order.

:mod:`streams.olist_events` says which row becomes which event. Here the rows are brought together and accounted for:
every row of the files read is either used or rejected, with its place and a reason.

- An order with a field that cannot be read is rejected whole: without its dates it would look like a late one.
- A row of items that cannot be read is left out of its order; an order without any usable item has no seller and is
  rejected.
- An order whose customer is not in the file of customers is rejected: its buyer is not known, and an invented one would
  count as a new buyer.
- Products and sellers without a row of their own do no harm: the category or the region is unknown then.
- Products, sellers, customers and translations that no order refers to are rejected as ``not_referenced``.

Of payments only what was paid for an order in all is read; geolocation is not read.

Times in the files have no zone. They are read as if they were UTC, all alike: intervals and order are those of the
files, and a day of the features is a calendar day of the marketplace. ``utc_offset`` makes true instants of them (-3 h
for Brasilia time); summer time is not undone, since nothing says whether Olist's clock followed it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from streams.archive import ArchiveRecord
from streams.olist_events import Event, Item, OrderPart, listing_event, order_events, review_events
from streams.olist_tables import FieldError, Reject, Row, Tables

CUSTOMERS: Final = "olist_customers_dataset"
ITEMS: Final = "olist_order_items_dataset"
ORDERS: Final = "olist_orders_dataset"
PAYMENTS: Final = "olist_order_payments_dataset"
PRODUCTS: Final = "olist_products_dataset"
REVIEWS: Final = "olist_order_reviews_dataset"
SELLERS: Final = "olist_sellers_dataset"
TRANSLATION: Final = "product_category_name_translation"
#: Characters of a seller's id in the ids of listings and of parts of orders.
_SUFFIX: Final = 8


class OlistHistory(Struct):
    """The events in event-time order and the account of the rows (``rows`` by table, ``events`` by type)."""

    records: list[ArchiveRecord]
    rejects: list[Reject]
    rows: dict[str, int]
    events: dict[str, int]


def read_olist(
    folder: Path, *, utc_offset: timedelta = timedelta(0), progress: Callable[[int], None] = lambda _rows: None
) -> OlistHistory:
    """Read the Olist files of a folder; all of it is in memory, about 0.6 GB for the full set of 100,000 orders.

    Parameters
    ----------
    folder
        Holds the files under their original names, plain or gzipped.
    utc_offset
        How far the clock of the files is ahead of UTC.
    progress
        Called with the number of rows read since the call before.

    Raises
    ------
    OlistError
        Files or columns are missing, or a file cannot be read.
    """
    return _Import(Tables(folder, utc_offset, progress)).run()


class _Import:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._translation = self._by_id(TRANSLATION, "product_category_name") if tables.has(TRANSLATION) else {}
        self._products = self._by_id(PRODUCTS, "product_id")
        self._sellers = self._by_id(SELLERS, "seller_id")
        self._customers = self._by_id(CUSTOMERS, "customer_id")
        self._items = self._read_items()
        self._payments = self._read_payments() if tables.has(PAYMENTS) else {}
        sellers = self._sellers.keys() | {item.seller_id for items in self._items.values() for item in items}
        self._suffix = _SUFFIX if len({seller[:_SUFFIX] for seller in sellers}) == len(sellers) else None
        self._used: set[tuple[str, int]] = set()
        self._events: list[Event] = []
        #: Orders that were used, by Olist's id.
        self._parts: dict[str, list[OrderPart]] = {}
        #: Listing -> time, order and item of its first sale.
        self._first_sales: dict[str, tuple[int, str, Item]] = {}

    def run(self) -> OlistHistory:
        known = self._read_orders()
        for order in self._items.keys() - self._parts.keys():
            for item in self._items[order]:
                self._reject_orphan(item.row, order, known)
        for order in self._payments.keys() - self._parts.keys():
            for row, _ in self._payments[order]:
                self._reject_orphan(row, order, known)
        self._make_listings()
        self._read_reviews(known)
        for rows in (self._translation, self._products, self._sellers, self._customers):
            for row in rows.values():
                if (row.table, row.line) not in self._used:
                    self._tables.reject(row, "not_referenced", "no order that was used refers to it")
        self._events.sort(key=lambda event: (event.occurred_at, event.rank, event.event_id))
        return OlistHistory(
            records=[event.record for event in self._events],
            rejects=sorted(self._tables.rejects, key=lambda reject: (reject.file, reject.line)),
            rows=dict(self._tables.rows),
            events=dict(Counter(event.kind for event in self._events)),
        )

    def _by_id(self, table: str, column: str) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        for row in self._tables.read(table):
            name = row.fields[column]
            if not name:
                self._tables.reject(row, "missing_value", f"{column} is empty")
            elif name in rows:
                self._tables.reject(row, "duplicate", f"{column} {name} stands in line {rows[name].line} already")
            else:
                rows[name] = row
        return rows

    def _read_items(self) -> dict[str, list[Item]]:
        items: defaultdict[str, list[Item]] = defaultdict(list)
        seen: set[tuple[str, str]] = set()
        for row in self._tables.read(ITEMS):
            try:
                order, number = row.text("order_id"), row.text("order_item_id")
                if (order, number) in seen:
                    raise FieldError("duplicate", f"item {number} of order {order} stands in the file already")
                item = Item(
                    row=row,
                    product_id=row.text("product_id"),
                    seller_id=row.text("seller_id"),
                    listing_id="",
                    price=row.cents("price"),
                    freight=row.cents("freight_value"),
                    ship_by=row.millis("shipping_limit_date"),
                )
            except FieldError as error:
                self._tables.reject(row, error.reason, str(error))
            else:
                seen.add((order, number))
                items[order].append(item)
        return items

    def _read_payments(self) -> dict[str, list[tuple[Row, int]]]:
        payments: defaultdict[str, list[tuple[Row, int]]] = defaultdict(list)
        for row in self._tables.read(PAYMENTS):
            try:
                payments[row.text("order_id")].append((row, row.cents("payment_value")))
            except FieldError as error:
                self._tables.reject(row, error.reason, str(error))
        return payments

    def _read_orders(self) -> set[str]:
        """Make the events of all orders; give the ids that stand in the file, used or not."""
        known: set[str] = set()
        for row in self._tables.read(ORDERS):
            try:
                order = row.text("order_id")
                if order in known:
                    raise FieldError("duplicate", f"order {order} stands in the file already")
                known.add(order)
                self._use_order(order, row)
            except FieldError as error:
                self._tables.reject(row, error.reason, str(error))
        return known

    def _use_order(self, order: str, row: Row) -> None:
        customer = self._customers.get(row.text("customer_id"))
        if customer is None:
            raise FieldError("unknown_customer", f"customer {row.text('customer_id')} is not in the file of customers")
        items = self._items.get(order)
        if not items:
            raise FieldError("no_items", "no usable row of the order items belongs to it, so it has no seller")
        by_seller: defaultdict[str, list[Item]] = defaultdict(list)
        for item in items:
            item.listing_id = f"{item.product_id}-{item.seller_id[: self._suffix]}"
            by_seller[item.seller_id].append(item)
        parts = {
            seller: OrderPart(order if len(by_seller) == 1 else f"{order}-{seller[: self._suffix]}", seller)
            for seller in by_seller
        }
        paid = sum(cents for _, cents in self._payments.get(order, ())) or None
        # All events are made before any is kept: an order is used as a whole or not at all.
        self._events += [
            event
            for seller in by_seller
            for event in order_events(row, customer, parts[seller], by_seller[seller], paid)
        ]
        self._parts[order] = list(parts.values())
        self._use(customer)
        created = row.millis("order_purchase_timestamp")
        for item in items:
            sale = (created, order, item)
            if sale[:2] < self._first_sales.get(item.listing_id, sale)[:2] or item.listing_id not in self._first_sales:
                self._first_sales[item.listing_id] = sale

    def _make_listings(self) -> None:
        for first_sale, _, item in self._first_sales.values():
            product = self._products.get(item.product_id)
            seller = self._sellers.get(item.seller_id)
            category = product.fields["product_category_name"] if product else ""
            translated = self._translation.get(category)
            name = (translated.fields["product_category_name_english"] if translated else "") or category
            state = seller.fields["seller_state"] if seller else None
            try:
                event = listing_event(item, first_sale, name, state)
            except FieldError as error:
                self._tables.reject(product or item.row, error.reason, str(error))
                continue
            self._events.append(event)
            self._use(product, seller, translated)

    def _read_reviews(self, known: set[str]) -> None:
        seen: set[tuple[str, str]] = set()
        for row in self._tables.read(REVIEWS):
            try:
                order, review = row.text("order_id"), row.text("review_id")
                if (order, review) in seen:
                    raise FieldError("duplicate", f"review {review} of order {order} stands in the file already")
                seen.add((order, review))
                if order in self._parts:
                    self._events += list(review_events(row, self._parts[order]))
                else:
                    self._reject_orphan(row, order, known)
            except FieldError as error:
                self._tables.reject(row, error.reason, str(error))

    def _reject_orphan(self, row: Row, order: str, known: set[str]) -> None:
        if order in known:
            self._tables.reject(row, "order_rejected", f"order {order} was rejected itself")
        else:
            self._tables.reject(row, "unknown_order", f"order {order} is not in the file of orders")

    def _use(self, *rows: Row | None) -> None:
        self._used.update((row.table, row.line) for row in rows if row is not None)
