"""What a merchant's counts and rates must be, worked out anew from all its events with plain dictionaries.

Nothing here is shared with features/ or detectors/: no running sums, no timers, no arrival order except where the
definitions name it. :func:`expected` first gathers the facts of every order, then looks at each order once per window.

Definitions. All times are ms of event time, a day is a UTC day, D is the day of the merchant's as-of time.

- Facts of an order: the earliest ``order.shipped``, ``order.cancelled``, delivery (``order.delivered`` or a delivered
  scan) and rating; all claims; whether the seller was at fault for a refund; whether it was disputed, unless the
  latest end of the dispute was for the seller. Of contradictions at the same time the one that is better for the seller
  counts, but of ratings the lower. The first ``order.created`` to arrive counts; without one the order does not. An
  event id counts once in an order. A promise before the order is one for its own time, one of more than 180 days is
  one of 180 days.
- An order whose claim is held against its buyer is *excused*: claims, refund and dispute do not count.
- An order is *called off* if it was cancelled before it was shipped.
- Defects: ``seller_cancel`` called off by the seller. ``late_ship`` shipped after ``ship_by``; or called off after it;
  or neither shipped, delivered nor cancelled when the watermark has passed it. ``late_delivery`` (never of an order
  called off) delivered after ``deliver_by``; or not delivered and cancelled after it; or neither when the watermark has
  passed it. The others follow from claims, refunds, disputes and ratings. ``bad`` is any of them.
- Counts over W days: orders created on the days D - W + 1 to D.
- Rates look at orders by the day on which they can be judged: the day after ``ship_by`` for cancel and late_ship, the
  day after ``deliver_by`` for late_delivery, 14 days after that for the rest; this day lies in D - W + 1 to D. Orders
  that buyer or platform called off by ``ship_by`` are in no rate; orders called off at all are not in late_delivery.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400_000
WINDOWS = (7, 30, 60, 90)
DEFAULT_SHIP_DAYS = 3
DEFAULT_DELIVER_DAYS = 10
OUTCOME_DAYS = 14
LONGEST_PROMISE_DAYS = 180

CLAIM_OF_RETURN = {
    "not_received": "not_received",
    "not_as_described": "not_as_described",
    "damaged": "not_as_described",
    "wrong_item": "not_as_described",
    "counterfeit": "counterfeit",
}
#: Defect -> name of its count.
COUNTS = {
    "seller_cancel": "seller_cancels",
    "late_ship": "late_shipments",
    "late_delivery": "late_deliveries",
    "refund": "refunds",
    "not_as_described": "not_as_described",
    "not_received": "not_received",
    "counterfeit": "counterfeit_claims",
    "dispute": "disputes",
    "low_rating": "low_ratings",
    "bad": "bad_orders",
}
#: Defect -> name of its rate, and when an order can be judged for it.
RATES = {
    "seller_cancel": ("cancel_rate", "ship"),
    "late_ship": ("late_ship_rate", "ship"),
    "late_delivery": ("late_delivery_rate", "delivery"),
    "refund": ("refund_rate", "outcome"),
    "not_as_described": ("not_as_described_rate", "outcome"),
    "not_received": ("not_received_rate", "outcome"),
    "counterfeit": ("counterfeit_rate", "outcome"),
    "dispute": ("dispute_rate", "outcome"),
    "low_rating": ("low_rating_rate", "outcome"),
    "bad": ("bad_order_rate", "outcome"),
}
DENOMINATORS = {"ship": "mature_ship_orders", "delivery": "mature_delivery_orders", "outcome": "mature_orders"}


@dataclass
class Expected:
    """What must hold for one merchant."""

    by_day: dict[int, Counter[str]]
    """Day of the order -> ``orders``, ``gmv`` and the names of :data:`COUNTS`, over the whole stream."""
    features: dict[str, float | None]
    """Name of a windowed feature -> its value at the as-of time."""


@dataclass
class Order:
    """The facts of one order."""

    created: dict[str, Any] | None = None
    shipped: int | None = None
    scanned: int | None = None
    delivered: int | None = None
    cancelled: int | None = None
    cancelled_by: str = ""
    claims: set[str] = field(default_factory=set)
    refunded: int = 0
    seller_refund: bool = False
    disputed: bool = False
    dispute_ended: tuple[int, str] | None = None
    rating: tuple[int, int] | None = None
    seen: set[str] = field(default_factory=set)
    claim_heard: bool = False
    excused: bool = False
    """Held against the buyer (see tests/oracle_claims.py): no claim, refund or dispute counts."""

    @property
    def ship_by(self) -> int:
        """When it had to be shipped."""
        return self.promise("ship_by", DEFAULT_SHIP_DAYS)

    @property
    def deliver_by(self) -> int:
        """When it had to be delivered."""
        return self.promise("deliver_by", DEFAULT_DELIVER_DAYS)

    def promise(self, name: str, default: int) -> int:
        """A promised time, or that of the default in days."""
        assert self.created
        created: int = self.created["occurred_at"]
        promised: int | None = self.created.get(name)
        if promised is None:
            return created + default * DAY
        return created if promised < created else min(promised, created + LONGEST_PROMISE_DAYS * DAY)

    @property
    def called_off(self) -> bool:
        """True when it was cancelled before it was shipped."""
        return self.cancelled is not None and (self.shipped is None or self.cancelled < self.shipped)


def expected(
    events: Iterable[Mapping[str, Any]],
    *,
    as_of: Mapping[str, int],
    watermark: int | Mapping[str, int],
    excused: Container[tuple[str, str]] = (),
) -> dict[str, Expected]:
    """Work out what must hold for every merchant of ``as_of``.

    Parameters
    ----------
    events
        All events in the order of arrival; those that are not about orders only say a merchant's currency.
    as_of
        Merchant -> the highest event time of it, timers that fired for it included.
    watermark
        Event time up to which timers have fired, for all or by merchant.
    excused
        Orders (merchant, id) whose claims are held against their buyers.
    """
    orders: defaultdict[str, dict[str, Order]] = defaultdict(dict)
    currencies: dict[str, str] = {}
    for event in events:
        merchant = event["merchant_id"]
        if event["type"] in ("order.created", "listing.created", "listing.updated"):
            currencies.setdefault(merchant, event["currency"])
        if event["type"].startswith("order."):
            order = orders[merchant].setdefault(event["order_id"], Order())
            order.excused = (merchant, event["order_id"]) in excused
            gather(order, event)
    return {
        merchant: figures(
            [order for order in orders[merchant].values() if order.created],
            currencies.get(merchant, ""),
            now // DAY,
            watermark if isinstance(watermark, int) else watermark[merchant],
        )
        for merchant, now in as_of.items()
    }


def gather(order: Order, event: Mapping[str, Any]) -> None:
    """Add what an event says to the facts of its order."""
    if event["event_id"] in order.seen:
        return
    order.seen.add(event["event_id"])
    kind, at = event["type"], event["occurred_at"]
    if kind == "order.tracked" and event["status"] != "exception":
        order.scanned = at if order.scanned is None else min(order.scanned, at)
    if kind == "order.created":
        order.created = order.created or dict(event)
    elif kind == "order.shipped":
        order.shipped = at if order.shipped is None else min(order.shipped, at)
    elif kind == "order.delivered" or (kind == "order.tracked" and event["status"] == "delivered"):
        order.delivered = at if order.delivered is None else min(order.delivered, at)
    elif kind == "order.cancelled":
        # Of two at the same time the one by the buyer counts, or else by the platform.
        if (
            order.cancelled is None
            or at < order.cancelled
            or (at == order.cancelled and event["by"] < order.cancelled_by)
        ):
            order.cancelled, order.cancelled_by = at, event["by"]
    elif kind == "order.return_requested":
        if event["reason"] in CLAIM_OF_RETURN:
            order.claims.add(CLAIM_OF_RETURN[event["reason"]])
    elif kind == "order.refunded":
        order.refunded += event["amount"]
        order.seller_refund = order.seller_refund or event["fault"] == "seller"
    elif kind == "order.disputed":
        order.disputed = True
    elif kind == "order.dispute_resolved":
        order.dispute_ended = max(order.dispute_ended or (0, ""), (at, event["in_favour_of"]))
    elif kind == "order.reviewed":
        order.rating = min(order.rating or (at, 5), (at, event["rating"]))


#: Defects that are the seller's doing, unlike a late delivery or a low rating.
SELLERS = {"seller_cancel", "late_ship", "refund", "not_as_described", "not_received", "counterfeit", "dispute"}


def defects(order: Order, watermark: int) -> set[str]:
    """What was wrong with an order, as far as it is known when the watermark has come so far."""
    found = set() if order.excused else set(order.claims)
    if order.called_off and order.cancelled_by == "seller":
        found.add("seller_cancel")
    if shipped_late(order, watermark):
        found.add("late_ship")
    if delivered_late(order, watermark):
        found.add("late_delivery")
    if order.seller_refund and not order.excused:
        found.add("refund")
    if order.disputed and not order.excused and not (order.dispute_ended and order.dispute_ended[1] == "seller"):
        found.add("dispute")
    if order.rating and order.rating[1] <= 2:
        found.add("low_rating")
    return found | {"bad"} if found else found


def shipped_late(order: Order, watermark: int) -> bool:
    """True when the order was shipped late, called off late, or is overdue."""
    if order.called_off:
        return order.cancelled is not None and order.cancelled > order.ship_by
    if order.shipped is not None:
        return order.shipped > order.ship_by
    return order.delivered is None and watermark > order.ship_by


def delivered_late(order: Order, watermark: int) -> bool:
    """True when the order was delivered late or is overdue."""
    if order.called_off:
        return False
    if order.delivered is not None:
        return order.delivered > order.deliver_by
    return (watermark if order.cancelled is None else order.cancelled) > order.deliver_by


def judged_on(order: Order, phase: str) -> int | None:
    """Day from which the order counts in the rates of a phase; ``None`` if it never does."""
    if order.called_off:
        if phase == "delivery":
            return None
        if order.cancelled_by != "seller" and order.cancelled is not None and order.cancelled <= order.ship_by:
            return None
    if phase == "ship":
        return order.ship_by // DAY + 1
    return order.deliver_by // DAY + 1 + (OUTCOME_DAYS if phase == "outcome" else 0)


def figures(orders: list[Order], currency: str, today: int, watermark: int) -> Expected:
    """Counts and rates over a merchant's orders."""
    wrong = [defects(order, watermark) for order in orders]
    days = [order.created["occurred_at"] // DAY for order in orders if order.created]
    money = [order.created["total"] * (order.created["currency"] == currency) for order in orders if order.created]
    by_day: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for day, total, found in zip(days, money, wrong, strict=True):
        by_day[day].update({"orders": 1, "gmv": total} | {COUNTS[defect]: 1 for defect in found})
    features: dict[str, float | None] = {}
    for window in WINDOWS:
        inside = [index for index, day in enumerate(days) if today - window < day <= today]
        features[f"orders_{window}d"] = len(inside)
        features[f"gmv_{window}d"] = sum(money[index] for index in inside)
        for defect, name in COUNTS.items():
            features[f"{name}_{window}d"] = sum(defect in wrong[index] for index in inside)
        for phase, name in DENOMINATORS.items():
            features[f"{name}_{window}d"] = len(judged(orders, phase, today, window))
        for defect, (name, phase) in RATES.items():
            indices = judged(orders, phase, today, window)
            failed = sum(defect in wrong[index] for index in indices)
            features[f"{name}_{window}d"] = failed / len(indices) if indices else None
    month = [index for index, day in enumerate(days) if today - 30 < day <= today]
    put_off = {index for index in month if cancelled_for_the_buyer(orders[index])}
    value = sum(money[index] for index in month)
    failed_value = sum(money[index] for index in month if index in put_off or wrong[index] & SELLERS)
    features["late_buyer_cancels_30d"] = len(put_off)
    features["failed_value_share_30d"] = failed_value / value if value else None
    return Expected(dict(by_day), features)


def cancelled_for_the_buyer(order: Order) -> bool:
    """True when it was called off in the buyer's name in the second half of the time to ship."""
    if not order.called_off or order.cancelled_by != "buyer" or order.cancelled is None or order.created is None:
        return False
    placed = order.created["occurred_at"]
    return order.cancelled <= order.ship_by and order.cancelled - placed > (order.ship_by - placed) / 2


def judged(orders: list[Order], phase: str, today: int, window: int) -> list[int]:
    """Indices of the orders that became judgeable in the window."""
    return [
        index
        for index, order in enumerate(orders)
        if (day := judged_on(order, phase)) is not None and today - window < day <= today
    ]
