"""Hypothesis strategies of event streams as marketplaces send them: late, repeated, out of order, with gaps."""

from typing import Any, TypeAlias

import orjson
from hypothesis import strategies as st

from features.decode import EVENT_TYPES, TopicKind
from streams.archive import ArchiveRecord

Event: TypeAlias = dict[str, Any]

HOUR = 3_600_000
DAY = 24 * HOUR
#: 2024-01-01, a Monday.
START = 1_704_067_200_000

#: Times that meet each other and midnight more often than chance would have it.
_moments = st.integers(0, 60 * 24).map(lambda hours: hours * HOUR) | st.integers(0, 60 * DAY)
_delays = st.sampled_from([0, 1, HOUR, DAY, 2 * DAY]) | st.integers(0, 30 * DAY)
#: How much later than it happened an event arrives: mostly at once.
_lateness = st.sampled_from([0, 0, 0, 0, 1, HOUR, 3 * DAY, 40 * DAY])


def topic_of(event: Event) -> TopicKind:
    """The topic that an event belongs to."""
    kind: str = event["type"]
    return next(topic for topic, kinds in EVENT_TYPES.items() if kind in kinds)


def as_record(event: Event, timestamp: int | None = None) -> ArchiveRecord:
    """An event as a record of its topic, with the event time as timestamp unless told otherwise."""
    at = event["occurred_at"] if timestamp is None else timestamp
    return ArchiveRecord(topic_of(event), event["merchant_id"].encode(), orjson.dumps(event), at)


@st.composite
def order_lives(draw: st.DrawFn, merchant: str, number: int) -> list[Event]:
    """The events of one order, in no particular order; some that belong to it may be missing."""
    order = f"o{number}"
    created = START + draw(_moments)
    ids = iter(range(100))

    def event(kind: str, at: int, **fields: Any) -> Event:
        head = {"event_id": f"{merchant}-{order}-{next(ids)}", "type": kind, "occurred_at": at, "merchant_id": merchant}
        return head | {"order_id": order} | fields

    quantity = draw(st.integers(1, 3))
    price = draw(st.integers(0, 50_000))
    promises = {name: created + draw(_delays) for name in ("ship_by", "deliver_by") if draw(st.booleans())}
    events = [
        event(
            "order.created",
            created,
            buyer_id=f"b{draw(st.integers(0, 4))}",
            items=[{"listing_id": f"l{draw(st.integers(0, 2))}", "quantity": quantity, "unit_price": price}],
            total=quantity * price,
            currency="EUR",
            **promises,
        )
    ]

    def at() -> int:
        # Often exactly at a promise, where "late" begins.
        return draw(st.sampled_from([*promises.values(), created + draw(_delays)]))

    if draw(st.booleans()):
        events.append(event("order.shipped", at(), carrier="c", tracking_number=f"t{merchant}{number}"))
    if draw(st.booleans()):
        events.append(event("order.delivered", at()))
    if draw(st.integers(0, 3)) == 0:
        status = draw(st.sampled_from(["accepted", "in_transit", "delivered", "exception"]))
        events.append(event("order.tracked", at(), status=status, tracking_number=f"t{merchant}{number}"))
    if draw(st.integers(0, 3)) == 0:
        events.append(event("order.cancelled", at(), by=draw(st.sampled_from(["buyer", "seller", "platform"]))))
    reasons = ["not_received", "not_as_described", "counterfeit", "damaged", "wrong_item", "no_longer_needed", "other"]
    claimed = draw(st.lists(st.sampled_from(reasons), max_size=2))
    events += [event("order.return_requested", at(), reason=reason) for reason in claimed]
    if draw(st.integers(0, 3)) == 0:
        fault = draw(st.sampled_from(["seller", "buyer", "carrier", "platform", "unknown"]))
        events.append(event("order.refunded", at(), amount=price, fault=fault))
    if draw(st.integers(0, 3)) == 0:
        disputed = at()
        events.append(event("order.disputed", disputed, reason="item never came"))
        if draw(st.booleans()):
            winner = draw(st.sampled_from(["buyer", "seller"]))
            events.append(event("order.dispute_resolved", disputed + draw(_delays), in_favour_of=winner))
    # Different times: which of two ratings was first must not be open.
    rated = at()
    for index, rating in enumerate(draw(st.lists(st.integers(1, 5), max_size=2))):
        events.append(event("order.reviewed", rated + index, rating=rating))
    missing = draw(st.sets(st.integers(0, len(events) - 1), max_size=1)) if draw(st.integers(0, 3)) == 0 else set()
    return [one for index, one in enumerate(events) if index not in missing]


@st.composite
def listing_lives(draw: st.DrawFn, merchant: str) -> list[Event]:
    """Listings that are created, edited and removed."""
    events: list[Event] = []
    for number in range(draw(st.integers(0, 2))):
        listing = f"l{number}"
        at = START + draw(_moments)
        for index, kind in enumerate(draw(st.lists(st.sampled_from(["created", "updated", "removed"]), max_size=3))):
            event: Event = {
                "event_id": f"{merchant}-{listing}-{index}",
                "type": f"listing.{kind}",
                "occurred_at": at,
                "merchant_id": merchant,
                "listing_id": listing,
            }
            if kind != "removed":
                price = draw(st.integers(1, 100_000))
                event |= {"title": "Mug", "category": "home/kitchen", "price": price, "currency": "EUR"}
            events.append(event)
            at += draw(_delays)
    return events


@st.composite
def event_streams(
    draw: st.DrawFn, max_merchants: int = 3, max_orders: int = 6, *, listings: bool = False
) -> list[Event]:
    """Events of several merchants in the order of their arrival.

    Most arrive in event-time order; some days late, some twice, some not at all (an order's creation among them).
    Merchants' events are interleaved. All amounts are in one currency.
    """
    events: list[Event] = []
    for number in range(draw(st.integers(1, max_merchants))):
        merchant = f"m{number}"
        for order in range(draw(st.integers(0, max_orders))):
            events += draw(order_lives(merchant, order))
        if listings:
            events += draw(listing_lives(merchant))
    arrivals = [(event["occurred_at"] + draw(_lateness), index) for index, event in enumerate(events)]
    repeats = draw(st.lists(st.integers(0, len(events) - 1), max_size=3)) if events else []
    arrivals += [(events[index]["occurred_at"] + draw(_lateness), index) for index in repeats]
    return [events[index] for _, index in sorted(arrivals)]
