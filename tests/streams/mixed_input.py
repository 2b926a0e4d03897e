"""A stream as it comes: a simulated marketplace with every kind of bad record in between."""

from dataclasses import dataclass
from typing import Any

import orjson

from features.decode import RejectionCode
from streams.archive import ArchiveRecord
from streams.simulator import Simulation, SimulatorConfig

#: 2025-06-01, far from the present of whoever runs this: no tick of the clock gets in.
END = 1_748_736_000_000
HOUR = 3_600_000
#: Name of the header that says what is special about a record.
MARK = "test-case"


@dataclass(frozen=True)
class Special:
    """A record that no good producer sends; ``reason`` is what the dead letter must say, ``None`` if it is good."""

    name: str
    record: ArchiveRecord
    reason: RejectionCode | None


@dataclass(frozen=True)
class MixedInput:
    """Records in the order in which they are produced, and the special ones among them."""

    records: list[ArchiveRecord]
    specials: dict[str, Special]
    duplicates: int


def mixed_input(events: int = 5000, seed: int = 11) -> MixedInput:
    """About ``events`` events of a marketplace with attacks, and in their midst the special ones."""
    config = SimulatorConfig.for_events(events, seed, span_days=60, end=END)
    records = [ArchiveRecord(r.topic, r.key, r.value, r.timestamp) for r in Simulation(config)]
    middle = next(i for i in range(len(records) // 2, len(records)) if b'"order.created"' in (records[i].value or b""))
    example = records[middle]
    specials = special_records(example)
    for special in specials:
        records.insert(middle + 1, special.record)
    # Repeats: an order's events right away and much later, a listing's and a merchant's.
    repeated = [
        next(record for record in records if record.topic == topic and MARK not in dict(record.headers))
        for topic in ("listings", "merchants")
    ]
    repeats = [example, example, *repeated]
    for index, record in enumerate(repeats):
        at = records[-1].timestamp
        headers = ((MARK, f"repeat-{index}".encode()),)
        records.append(ArchiveRecord(record.topic, record.key, record.value, at, headers))
    return MixedInput(records, {special.name: special for special in specials}, len(repeats))


def special_records(example: ArchiveRecord) -> list[Special]:
    """Records of every kind that must be refused, and some that must not, made from a good ``order.created``."""
    assert example.key is not None and example.value is not None and example.timestamp is not None
    at = example.timestamp
    event: dict[str, Any] = orjson.loads(example.value)
    merchant: str = event["merchant_id"]
    found: list[Special] = []

    def add(
        name: str,
        reason: RejectionCode | None,
        value: bytes | None,
        key: bytes | None = example.key,
        topic: str = "orders",
    ) -> None:
        headers = ((MARK, name.encode()), ("trace", b"\xff\x00"))
        found.append(Special(name, ArchiveRecord(topic, key, value, at, headers), reason))

    def order(name: str, **changes: Any) -> bytes:
        return orjson.dumps(event | {"event_id": name, "order_id": f"order-{name}"} | changes)

    add("binary", "undecodable", b"\xff\xfe\x00 no JSON \x80")
    add("cut off", "undecodable", example.value[:-7])
    add("no bytes", "undecodable", b"")
    add("not a number", "undecodable", order("nan").replace(b'"total":', b'"total":NaN,"was":'))
    add("a list", "invalid", b"[1,2,3]")
    add("negative total", "invalid", order("negative", total=-1))
    add("no items", "invalid", order("items", items=[]))
    add("time in seconds", "invalid", order("seconds", occurred_at=at // 1000))
    add("unknown type", "unknown_type", order("type", type="order.teleported"))
    add("wrong topic", "wrong_topic", order("topic"), topic="listings")
    add("wrong key", "wrong_key", order("key"), key=b"somebody-else")
    add("no key", "wrong_key", order("keyless"), key=None)
    add("far future", "future", order("future", occurred_at=at + 24 * HOUR + 1))
    add("oversize", "oversize", order("oversize", comment="x" * 300 * 1024))
    add("tombstone", "empty", None)
    add("a day ahead", None, order("ahead", occurred_at=at + 24 * HOUR - 1, order_id=event["order_id"]))
    add("unknown fields", None, order("fields", colour="red", nested={"a": [1, None]}))
    listing = {
        "event_id": "listing-fields",
        "type": "listing.created",
        "occurred_at": at,
        "merchant_id": merchant,
        "listing_id": "listing-fields",
        "title": "Mug \N{HOT BEVERAGE}",
        "category": "home/kitchen",
        "price": 1200,
        "currency": "USD",
        "warehouse": {"shelf": 7},
    }
    add("unknown listing fields", None, orjson.dumps(listing), topic="listings")
    return found
