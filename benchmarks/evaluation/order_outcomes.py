"""How orders turned out, from the events alone: what a score is held against must not come from the core it scores.

An order is bad if any of :data:`features.order.DEFECTS` is known of it. Claims of abusive buyers count, as nobody but
the core says whose they are.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from detectors.order_facts import FACTS
from features.events import InputEvent, OrderCreated, OrderEvent
from features.order import (
    BAD,
    BUYER_CLAIMS,
    DEFAULT_DELIVER_MS,
    DEFAULT_SHIP_MS,
    LATE_DELIVERY,
    LATE_SHIP,
    LOW_RATING,
    SELLER_CANCEL,
    OrderRecord,
    delivery_due_day,
    flags_of,
    outcome_due,
    ship_due_day,
)
from features.windows import DAY_MS


class Way(NamedTuple):
    """A way in which orders go bad: its flags, and whether it is known from the ship-due day (0), the delivery-due day
    (1) or when the outcome is due (2).
    """

    flags: int
    known: int


#: The ways that a merchant's history is told in.
WAYS: Final = {
    "bad": Way(BAD, 2),
    "late_ship": Way(LATE_SHIP, 0),
    "cancel": Way(SELLER_CANCEL, 0),
    "late_delivery": Way(LATE_DELIVERY, 1),
    "claims": Way(BUYER_CLAIMS, 2),
    "low_rating": Way(LOW_RATING, 2),
}


class OrderOutcomes:
    """Collects the facts of all orders, by merchant, as the events come."""

    def __init__(self) -> None:
        self._orders: dict[tuple[str, str], OrderRecord] = {}
        self._seen: set[str] = set()
        self._merchants: dict[str, list[OrderRecord]] = {}

    def event(self, event: InputEvent) -> None:
        """Take in an event; one that comes again counts once."""
        if not isinstance(event, OrderEvent) or event.event_id in self._seen:
            return
        self._seen.add(event.event_id)
        key = event.merchant_id, event.order_id
        order = self._orders.get(key)
        if order is None:
            order = self._orders[key] = OrderRecord()
        if not isinstance(event, OrderCreated):
            FACTS[type(event)](order, event)
        elif order.created is None:
            at = event.occurred_at
            order.created = at
            order.total = event.total
            order.ship_by = at + DEFAULT_SHIP_MS if event.ship_by is None else event.ship_by
            order.deliver_by = at + DEFAULT_DELIVER_MS if event.deliver_by is None else event.deliver_by
            self._merchants.setdefault(event.merchant_id, []).append(order)

    @property
    def merchants(self) -> Iterator[str]:
        """All who have orders."""
        return iter(self._merchants)

    def known(self, merchant: str, way: str, now: int) -> Iterator[tuple[int, bool]]:
        """Of each order placed before ``now`` (ms) of which it can be said by then: since when, and whether it went
        bad in that way.
        """
        flags, stage = WAYS[way]
        for order in self._merchants.get(merchant, ()):
            if order.created is None or order.created >= now:
                continue
            if not stage:
                since = ship_due_day(order) * DAY_MS
            else:
                since = delivery_due_day(order) * DAY_MS if stage == 1 else outcome_due(order)
            if since <= now:
                yield since, _flags(order, now) & flags != 0

    def between(self, merchant: str, start: int, end: int, now: int) -> tuple[int, int]:
        """Orders placed from ``start`` to before ``end`` whose outcome is due by ``now`` (all ms), and the bad ones."""
        orders = bad = 0
        for order in self._merchants.get(merchant, ()):
            if order.created is not None and start <= order.created < end and outcome_due(order) <= now:
                orders += 1
                bad += _flags(order, now) & BAD != 0
        return orders, bad


def _flags(order: OrderRecord, now: int) -> int:
    """Flags of an order by what is known and by what should have happened before ``now``."""
    if order.cancelled is None and order.delivered is None:
        order.ship_overdue = order.shipped is None and now > order.ship_by
        order.delivery_overdue = now > order.deliver_by
    return flags_of(order)
