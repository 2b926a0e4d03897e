"""Valid events of every type by a seeded generator: what the mutations start from.

Few merchants, orders and listings share the events, so that orders have histories: shipments before their order,
refunds of orders that were never placed, edits of listings that nobody created.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

from features.decode import TOPIC_KINDS, TopicKind
from tests.features.example_events import FIELDS, topic_of

Event: TypeAlias = dict[str, Any]

HOUR = 3_600_000
DAY = 24 * HOUR
#: 2024-01-01.
START = 1_704_067_200_000
#: Event time between two events, ms, on average: 200,000 events are 100 days, so that promises and retention run out.
PACE = 43_200

MERCHANTS = 12
ORDERS = 400
LISTINGS = 40
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "JPY", "KWD")
REGIONS = ("DE-BE", "DE-BY", "FR", "US-CA", None)
CATEGORIES = ("home/kitchen", "beauty/fragrance", "toys", "weapons/firearms")

#: How often each type occurs, by topic: orders are most of a marketplace's traffic.
_WEIGHTS: dict[TopicKind, int] = {"orders": 5, "listings": 2, "merchants": 1, "feedback": 1}
_TYPES: dict[TopicKind, list[str]] = {kind: [name for name in FIELDS if topic_of(name) == kind] for kind in TOPIC_KINDS}


def valid_events(seed: int) -> Iterator[Event]:
    """Endlessly many valid events in about the order of event time, the same for the same seed."""
    random = Random(seed)
    now = START
    number = 0
    while True:
        now += random.randrange(2 * PACE)
        number += 1
        yield valid_event(random, number, now)


def valid_event(random: Random, number: int, now: int) -> Event:
    """One valid event, at or some days before a time; ``number`` makes its id."""
    topic = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    kind = random.choice(_TYPES[topic])
    at = now - random.choice((0, 0, 0, 0, 1, HOUR, 3 * DAY))
    event = {
        "event_id": f"e{number}",
        "type": kind,
        "occurred_at": at,
        "merchant_id": f"m{random.randrange(MERCHANTS)}",
    }
    event |= FIELDS[kind]
    for name, value in _drawn(random, kind, at).items():
        if name in event:
            event[name] = value
    if topic == "feedback" and event.pop("creator_id", None) is not None and number % 4 == 0:
        # About a creator of the same name as a merchant: its key says both.
        event["creator_id"] = event["merchant_id"]
    return event


def _drawn(random: Random, kind: str, at: int) -> Event:
    """Fields that vary; those that a type does not have are left out by the caller."""
    price = random.choice((0, 1, 999, 1299, 50_000))
    quantity = random.randrange(1, 4)
    listing = f"l{random.randrange(LISTINGS)}"
    return {
        "order_id": f"o{random.randrange(ORDERS)}",
        "listing_id": listing,
        "buyer_id": f"b{random.randrange(60)}",
        "items": [{"listing_id": listing, "quantity": quantity, "unit_price": price}] * random.randrange(1, 3),
        "total": price * quantity,
        "currency": random.choice(CURRENCIES),
        "ship_by": at + random.choice((HOUR, DAY, 3 * DAY)),
        "deliver_by": at + random.choice((DAY, 5 * DAY, 12 * DAY)),
        "ship_to": random.choice(REGIONS),
        "price": price,
        "list_price": random.choice((None, price, 2 * price)),
        "category": random.choice(CATEGORIES),
        "title": random.choice(("Cup, blue", "Cup, red", "AAA replica watch", "WhatsApp +49 30 1234567")),
        "tracking_number": f"t{random.randrange(200)}",
        "amount": price,
        "rating": random.randrange(1, 6),
        "registered_at": at,
        "by": random.choice({"order.cancelled": ("buyer", "seller", "platform")}.get(kind, ("regulator", "brand"))),
        "status": random.choice(("accepted", "in_transit", "out_for_delivery", "delivered", "exception")),
        "fault": random.choice(("seller", "buyer", "carrier")),
    }
