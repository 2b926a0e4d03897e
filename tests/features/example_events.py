"""One valid event of every type, with all its fields."""

import json
from typing import Any, TypeAlias

from features.decode import EVENT_TYPES, InputLimits, Rejection, TopicKind, decode
from features.events import InputEvent

Fields: TypeAlias = dict[str, Any]

#: 2024-01-01.
AT = 1_704_067_200_000

_LISTING: Fields = {
    "listing_id": "l1",
    "title": "Cup, blue",
    "description": "A cup.",
    "category": "home/kitchen",
    "brand": "Solenne",
    "price": 1299,
    "currency": "EUR",
    "quantity": 5,
    "image_hashes": ["00ff00ff00ff00ff"],
    "ship_from": "DE",
    "authorizations": ["brand:solenne"],
    "list_price": 1599,
    "attributes": {"colour": "blue"},
}
_SUBJECT: Fields = {"kind": "order", "id": "o1"}

#: Type -> the fields beyond those that all events have.
FIELDS: dict[str, Fields] = {
    "merchant.registered": {"kind": "business", "country": "DE", "registered_at": AT},
    "merchant.verified": {"what": "identity", "state": "provided"},
    "merchant.account_changed": {"what": "bank", "value_hash": "9f86d081"},
    "merchant.closed": {},
    "listing.created": _LISTING,
    "listing.updated": _LISTING,
    "listing.removed": {"listing_id": "l1"},
    "listing.exposed": {"listing_id": "l1", "views": 100},
    "order.created": {
        "order_id": "o1",
        "buyer_id": "b1",
        "items": [{"listing_id": "l1", "quantity": 2, "unit_price": 1299}],
        "total": 2598,
        "currency": "EUR",
        "creator_id": "c1",
        "ship_by": AT + 1,
        "deliver_by": AT + 2,
        "ship_to": "DE-BE",
        "device_id": "d1",
        "channel": "live",
        "checkout_total": 20_000,
    },
    "order.shipped": {
        "order_id": "o1",
        "carrier": "dhl",
        "tracking_number": "t1",
        "ship_from": "DE",
        "weight_grams": 300,
    },
    "order.tracked": {"order_id": "o1", "status": "in_transit", "tracking_number": "t1", "location": "Berlin"},
    "order.delivered": {"order_id": "o1"},
    "order.cancelled": {"order_id": "o1", "by": "seller", "reason": "sold out"},
    "order.return_requested": {"order_id": "o1", "reason": "damaged"},
    "order.refunded": {"order_id": "o1", "amount": 1299, "fault": "carrier"},
    "order.disputed": {"order_id": "o1", "reason": "never came"},
    "order.dispute_resolved": {"order_id": "o1", "in_favour_of": "buyer"},
    "order.reviewed": {"order_id": "o1", "rating": 3, "text": "It is a cup."},
    "review.decided": {
        "verdict": "clean",
        "source": "audit",
        "decision_id": "d1",
        "subject": _SUBJECT,
        "policy": "counterfeit",
        "sample": {"stratum": "uniform", "inclusion_probability": 0.25},
        "creator_id": "m1",
        "by": "ann",
    },
    "appeal.filed": {"decision_id": "d1", "creator_id": "m1", "by": "ann"},
    "appeal.decided": {"decision_id": "d1", "outcome": "overturned", "creator_id": "m1", "by": "ann"},
    "report.received": {"subject": _SUBJECT, "by": "brand", "policy": "counterfeit", "creator_id": "m1"},
    "enforcement.overridden": {
        "action": "warn",
        "by": "ann",
        "why": "wrong",
        "decision_id": "d1",
        "until": AT + 5,
        "policy": "counterfeit",
        "creator_id": "m1",
    },
}


def example(kind: str, /, **changes: Any) -> Fields:
    """A valid event of a type, with some fields changed; ``...`` leaves a field out."""
    head = {"event_id": "e1", "type": kind, "occurred_at": AT, "merchant_id": "m1"}
    return {name: value for name, value in (head | FIELDS[kind] | changes).items() if value is not ...}


def topic_of(kind: str) -> TopicKind:
    """The topic that events of a type belong to."""
    return next(topic for topic, kinds in EVENT_TYPES.items() if kind in kinds)


def decoded(
    value: bytes | Fields | None,
    kind: TopicKind = "orders",
    key: bytes | None = b"m1",
    timestamp: int = AT,
    **limits: int,
) -> InputEvent | Rejection:
    """What decode makes of a value, by default one of merchant m1."""
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    return decode(kind, key, raw, timestamp, InputLimits(**limits))
