"""What each event says of an order: its facts, and nothing that follows from them."""

from collections.abc import Callable
from typing import Any, Final

from features import events
from features.events import OrderEvent
from features.order import RETURN_FLAGS, OrderRecord


def facts_of(order: OrderRecord) -> list[type[OrderEvent]]:
    """Types of the events that an order's facts came from."""
    facts: tuple[tuple[object, type[OrderEvent]], ...] = (
        (order.shipped, events.OrderShipped),
        (order.first_scan, events.OrderTracked),
        (order.delivered, events.OrderDelivered),
        (order.cancelled, events.OrderCancelled),
        (order.claims, events.OrderReturnRequested),
        (order.refunded, events.OrderRefunded),
        (order.disputed, events.OrderDisputed),
        (order.rating, events.OrderReviewed),
    )
    return [kind for fact, kind in facts if fact]


# Where two events of one order contradict each other at the same time, the outcome must not depend on which arrives
# first: the one that is better for the seller counts, or for a rating the worse.


def _shipped(order: OrderRecord, event: events.OrderShipped) -> bool:
    if order.shipped is None or event.occurred_at < order.shipped:
        order.shipped = event.occurred_at
    # The tracking number may be another, and is looked at in any case.
    return True


def _tracked(order: OrderRecord, event: events.OrderTracked) -> bool:
    at = event.occurred_at
    changed = False
    if (order.first_scan is None or at < order.first_scan) and event.status != "exception":
        order.first_scan = at
        changed = True
    if event.status == "delivered" and (order.delivered is None or at < order.delivered):
        order.delivered = at
        changed = True
    return changed


def _delivered(order: OrderRecord, event: events.OrderDelivered) -> bool:
    if order.delivered is not None and event.occurred_at >= order.delivered:
        return False
    order.delivered = event.occurred_at
    return True


def _cancelled(order: OrderRecord, event: events.OrderCancelled) -> bool:
    if order.cancelled is not None and (event.occurred_at, event.by) >= (order.cancelled, order.cancelled_by):
        return False
    order.cancelled = event.occurred_at
    order.cancelled_by = event.by
    return True


def _return_requested(order: OrderRecord, event: events.OrderReturnRequested) -> bool:
    order.claims |= RETURN_FLAGS[event.reason]
    return True


def _refunded(order: OrderRecord, event: events.OrderRefunded) -> bool:
    order.refunded += event.amount
    if event.fault == "seller":
        order.seller_refund = True
    return True


def _disputed(order: OrderRecord, _: events.OrderDisputed) -> bool:
    order.disputed = True
    return True


def _dispute_resolved(order: OrderRecord, event: events.OrderDisputeResolved) -> bool:
    won = order.dispute_lost is False
    if event.occurred_at < order.dispute_resolved or (won and event.occurred_at == order.dispute_resolved):
        return False
    order.dispute_resolved = event.occurred_at
    order.dispute_lost = event.in_favour_of == "buyer"
    return True


def _reviewed(order: OrderRecord, event: events.OrderReviewed) -> bool:
    if order.rating and (event.occurred_at, event.rating) >= (order.rated_at, order.rating):
        return False
    order.rating = event.rating
    order.rated_at = event.occurred_at
    return True


#: What each event changes of an order's facts; true if it changed any.
FACTS: Final[dict[type[OrderEvent], Callable[[OrderRecord, Any], bool]]] = {
    events.OrderShipped: _shipped,
    events.OrderTracked: _tracked,
    events.OrderDelivered: _delivered,
    events.OrderCancelled: _cancelled,
    events.OrderReturnRequested: _return_requested,
    events.OrderRefunded: _refunded,
    events.OrderDisputed: _disputed,
    events.OrderDisputeResolved: _dispute_resolved,
    events.OrderReviewed: _reviewed,
}
