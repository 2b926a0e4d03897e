"""Which Olist row becomes which event. :mod:`streams.olist` reads the files and keeps account of the rows.

``listing.created``
    The first sale of a product by a seller, at the time of that order and with its price. Title empty (Olist has no
    texts), category in English where a translation is given, ``unknown`` where the product has none; ``ship_from`` is
    the seller's state as ISO 3166-2 (``BR-SP``). The listing's id is ``PRODUCT-SELLER``.
``order.created``
    One for each seller of an order. Rows of the same product and price are one item with their number as quantity.
    ``unit_price`` is the price alone; ``total`` is what the buyer paid this seller, prices and freight.
    ``ship_by`` is the latest shipping limit of the seller's items, ``deliver_by`` the estimate (the first moment of its
    day, as in the original data), ``ship_to`` the customer's state, the buyer ``customer_unique_id``.
``order.shipped``, ``order.delivered``
    The dates of the hand-over to the carrier and to the customer, for every seller's part of the order (Olist has one
    date an order). Carrier ``unknown``, tracking number ``olist-ORDER``: there are none in the data.
``order.cancelled``
    Status canceled or unavailable: by the platform, at the latest of the order's own times.
``order.reviewed``
    Score and text at ``review_creation_date``, for every seller's part of the order.

The order's id is Olist's own where one seller served it, else ``ORDER-SELLER`` for each part. SELLER in ids is the
first eight characters of the seller's id, or all of it where eight do not tell the sellers of the data set apart.
Event ids are the order's or listing's id with the type, ``ORDER.shipped``, so every import gives the same ids.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import orjson
from msgspec import Struct

from features.decode import InputLimits, Rejection, TopicKind, decode
from streams.archive import ArchiveRecord
from streams.olist_tables import FieldError, Row

#: All that Olist documents; another spelling could hide a cancellation.
STATUSES: Final = frozenset(
    {"approved", "canceled", "created", "delivered", "invoiced", "processing", "shipped", "unavailable"}
)
CANCELLED: Final = frozenset({"canceled", "unavailable"})
CURRENCY: Final = "BRL"
UNKNOWN: Final = "unknown"
#: Types of event in the order that they have at the same moment.
KINDS: Final = (
    "listing.created",
    "order.created",
    "order.shipped",
    "order.delivered",
    "order.cancelled",
    "order.reviewed",
)
_LIMITS: Final = InputLimits()


class Item(Struct):
    """A row of the order items; money in hundredths, time in ms. ``listing_id`` is set when the suffixes are known."""

    row: Row
    product_id: str
    seller_id: str
    listing_id: str
    price: int
    freight: int
    ship_by: int


class OrderPart(Struct, frozen=True):
    """What one seller has of an order."""

    order_id: str
    merchant_id: str


class Event(Struct, frozen=True, order=True):
    """An event in its place: sorts by time, then by its place in an order's life, then by id."""

    occurred_at: int
    rank: int
    event_id: str
    record: ArchiveRecord

    @property
    def kind(self) -> str:
        """The event's type."""
        return KINDS[self.rank]


def order_events(row: Row, customer: Row, part: OrderPart, items: list[Item], paid: int | None) -> Iterator[Event]:
    """The life of one seller's part of an order, without its reviews; ``paid`` is for all parts together.

    Raises
    ------
    FieldError
        A field of the order or of its customer cannot be used.
    """
    status = row.text("order_status")
    if status not in STATUSES:
        raise FieldError("unknown_status", f"order_status is {status!r}, none of {', '.join(sorted(STATUSES))}")
    created = row.millis("order_purchase_timestamp")
    approved = row.optional_millis("order_approved_at")
    shipped = row.optional_millis("order_delivered_carrier_date")
    delivered = row.optional_millis("order_delivered_customer_date")
    quantities = Counter((item.listing_id, item.price) for item in items)
    yield _order_event(
        part,
        "order.created",
        created,
        buyer_id=customer.text("customer_unique_id"),
        items=[
            {"listing_id": listing_id, "quantity": quantity, "unit_price": price}
            for (listing_id, price), quantity in quantities.items()
        ],
        total=sum(item.price + item.freight for item in items),
        currency=CURRENCY,
        ship_by=max(item.ship_by for item in items),
        deliver_by=row.optional_millis("order_estimated_delivery_date"),
        ship_to=_region(customer.fields["customer_state"]),
        checkout_total=paid,
    )
    if shipped is not None:
        tracking_number = f"olist-{part.order_id}"
        yield _order_event(part, "order.shipped", shipped, carrier=UNKNOWN, tracking_number=tracking_number)
    if delivered is not None:
        yield _order_event(part, "order.delivered", delivered)
    if status in CANCELLED:
        last = max(time for time in (created, approved, shipped, delivered) if time is not None)
        yield _order_event(part, "order.cancelled", last, by="platform", reason=status)


def review_events(row: Row, parts: list[OrderPart]) -> Iterator[Event]:
    """The review of an order, once for each seller's part of it.

    Raises
    ------
    FieldError
        A field cannot be used.
    """
    score = row.text("review_score")
    if score not in {"1", "2", "3", "4", "5"}:
        raise FieldError("bad_score", f"review_score is {score!r}, not 1 to 5")
    at = row.millis("review_creation_date")
    text = row.fields["review_comment_message"] or None
    for part in parts:
        # An order may have several reviews.
        yield _order_event(part, "order.reviewed", at, suffix=f".{row.text('review_id')}", rating=int(score), text=text)


def listing_event(item: Item, first_sale: int, category: str | None, seller_state: str | None) -> Event:
    """The listing behind a first sale.

    Raises
    ------
    FieldError
        The contract refuses the event.
    """
    return _event(
        "listings",
        "listing.created",
        first_sale,
        f"{item.listing_id}.created",
        item.seller_id,
        listing_id=item.listing_id,
        title="",
        category=category or UNKNOWN,
        price=item.price,
        currency=CURRENCY,
        ship_from=_region(seller_state),
    )


def _region(state: str | None) -> str | None:
    return f"BR-{state}" if state else None


def _order_event(part: OrderPart, kind: str, at: int, *, suffix: str = "", **fields: Any) -> Event:
    event_id = f"{part.order_id}.{kind.removeprefix('order.')}{suffix}"
    return _event("orders", kind, at, event_id, part.merchant_id, order_id=part.order_id, **fields)


def _event(topic: TopicKind, kind: str, at: int, event_id: str, merchant_id: str, **fields: Any) -> Event:
    given = {name: value for name, value in fields.items() if value is not None}
    head = {"event_id": event_id, "type": kind, "occurred_at": at, "merchant_id": merchant_id}
    # The copy saves memory: what orjson gives occupies 4 KiB however short it is, and all events are held for sorting.
    key, value = merchant_id.encode(), bytes(memoryview(orjson.dumps(head | given)))
    # What the worker would refuse must not leave the importer.
    if isinstance(refused := decode(topic, key, value, at, _LIMITS), Rejection):
        raise FieldError("refused", f"the event made of it breaks the contract: {refused.detail}")
    return Event(at, KINDS.index(kind), event_id, ArchiveRecord(topic, key, value, at))
