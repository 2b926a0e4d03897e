"""Hypothesis strategies of streams at the limits of the contract: nothing that a producer may send is left out.

Every event is valid; no event is likely. Times lie at both ends of what is accepted and anywhere between, orders have
their events in any order, with gaps, under ids of 128 characters; an id comes again with the same or another event;
sums of money are the largest that there are, in several currencies.
"""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.features.example_events import FIELDS
from tests.oracle_histories import Arrival, Event

HOUR = 3_600_000
DAY = 24 * HOUR
#: 2000-01-01 and 2100-01-01: the first and the last time accepted. 2024-01-01 lies between them.
FIRST, LAST = 946_684_800_000, 4_102_444_800_000
START = 1_704_067_200_000
#: How far an event may lie after its record's own timestamp.
AHEAD = DAY

MERCHANTS = ("m", "ü:%3A" * 25, "\x00", "\U0001f600" * 128)
ENTITIES = ("a", "o:%25:" + "é" * 100, "\u202e\U0010ffff" * 64)
BUYERS = ("b", "b" * 128, "купец")
CURRENCIES = ("EUR", "EUR", "USD", "JPY")
MONEY = (0, 1, 999, 1_299, 10**12 - 1, 10**12)
TEXTS = ("", "Cup", "AAA replica \u200b" * 100, "x" * 20_000, "a" + "\u0301\u0316" * 300)
LABELS = ("toys", "home/kitchen", "weapons/firearms", "é" * 256)

_ids = st.integers(0, 10**6).map("n{}".format) | st.sampled_from(("e0", "e1", "e2", "e" * 128))
_epochs = st.sampled_from((FIRST, START, START, START, LAST - 40 * DAY))
#: Since the epoch, ms: mostly within two months, where windows overlap; at the edges of days; rarely decades away.
_offsets = st.one_of(
    st.integers(0, 60 * 24).map(lambda hours: hours * HOUR),
    st.integers(0, 60 * DAY),
    st.integers(0, 120).flatmap(lambda day: st.sampled_from((day * DAY - 1, day * DAY, day * DAY + 1))),
    st.sampled_from((-(10**13), -400 * DAY, 100 * DAY, 400 * DAY, 10 * 365 * DAY, 10**13)),
)
_lateness = st.sampled_from((0, 0, 0, 0, 1, HOUR, 5 * DAY, 300 * DAY, -HOUR, -AHEAD))
_promises = st.sampled_from((None, 0, HOUR, DAY, 3 * DAY, 10 * DAY, 179 * DAY, 10**13, -DAY))

_ORDERS = [kind for kind in FIELDS if kind.startswith("order.")]
_LISTINGS = [kind for kind in FIELDS if kind.startswith("listing.")]
#: What a stream is about, as types by how often they are drawn. An order needs its creation to count.
_SUBJECTS: tuple[tuple[str, ...], ...] = (
    (*FIELDS, *["order.created"] * 4),
    (*_ORDERS, *["order.created"] * 2),
    ("order.created", "order.created", "order.shipped", "order.refunded", "order.cancelled"),
    (*_LISTINGS, "listing.created", "order.created"),
    tuple(kind for kind in FIELDS if kind not in _ORDERS and kind not in _LISTINGS),
)

_CHOICES: dict[str, tuple[Any, ...]] = {
    "by": ("buyer", "seller", "platform"),
    "reason": ("not_received", "not_as_described", "counterfeit", "damaged", "wrong_item", "no_longer_needed", "other"),
    "status": ("accepted", "in_transit", "out_for_delivery", "delivered", "exception"),
    "fault": ("seller", "buyer", "carrier", "platform", "unknown"),
    "in_favour_of": ("buyer", "seller"),
    "rating": (1, 2, 3, 4, 5),
    "amount": MONEY,
    "price": MONEY,
    "list_price": (None, *MONEY),
    "currency": CURRENCIES,
    "category": LABELS,
    "title": TEXTS,
    "description": (None, *TEXTS),
    "brand": (None, "Solenne", *LABELS),
    "views": (0, 1, 10**9),
    "weight_grams": (None, 0, 10**9),
    "tracking_number": ("t", "t" * 128, "\U0001f4e6"),
    "ship_to": (None, *LABELS),
    "ship_from": (None, "DE", "x" * 8),
    "channel": (None, "shop", "live"),
    "buyer_id": BUYERS,
    "verdict": ("violation", "clean"),
    "image_hashes": (None, [], ["0" * 16] * 64),
    "attributes": (None, {}, {"": ""}, {str(number): "x" for number in range(200)}),
    "quantity": (None, 0, 10**9),
}
#: The same name means something else in these types.
_OTHER_CHOICES: dict[tuple[str, str], tuple[Any, ...]] = {
    ("report.received", "by"): ("buyer", "brand", "regulator"),
    ("enforcement.overridden", "by"): LABELS,
    ("order.cancelled", "reason"): (None, *TEXTS),
    ("order.disputed", "reason"): TEXTS,
}


def within(time: int) -> int:
    """The nearest time that the contract accepts."""
    return min(max(time, FIRST), LAST)


@st.composite
def _items(draw: st.DrawFn) -> list[dict[str, Any]]:
    item = {
        "listing_id": draw(st.sampled_from(ENTITIES)),
        "quantity": draw(st.sampled_from((1, 2, 100_000))),
        "unit_price": draw(st.sampled_from(MONEY)),
    }
    return [item] * draw(st.sampled_from((1, 1, 1, 2, 200)))


class Scene(NamedTuple):
    """What the events of one stream have in common, so that they meet each other."""

    kinds: tuple[str, ...]
    epoch: int
    merchants: tuple[str, ...]
    entities: tuple[str, ...]


@st.composite
def scenes(draw: st.DrawFn, *, anywhere: bool = True) -> Scene:
    """A subject, a time, and a few names."""
    return Scene(
        draw(st.sampled_from(_SUBJECTS)),
        draw(_epochs) if anywhere else START,
        MERCHANTS[: draw(st.sampled_from((1, 1, 2, len(MERCHANTS))))],
        ENTITIES[: draw(st.sampled_from((1, 2, len(ENTITIES))))],
    )


@st.composite
def harsh_events(draw: st.DrawFn, scene: Scene) -> Event:
    """One event of a scene."""
    kind = draw(st.sampled_from(scene.kinds))
    at = within(scene.epoch + draw(_offsets))
    event: Event = {
        "event_id": draw(_ids),
        "type": kind,
        "occurred_at": at,
        "merchant_id": draw(st.sampled_from(scene.merchants)),
    } | FIELDS[kind]
    for name in FIELDS[kind]:
        choices = _OTHER_CHOICES.get((kind, name)) or _CHOICES.get(name)
        if choices is not None:
            event[name] = draw(st.sampled_from(choices))
    for name in ("order_id", "listing_id"):
        if name in event:
            event[name] = draw(st.sampled_from(scene.entities))
    if kind == "order.created":
        event |= {"items": draw(_items()), "total": draw(st.sampled_from(MONEY))}
        for name in ("ship_by", "deliver_by"):
            promise = draw(_promises)
            event[name] = None if promise is None else within(at + promise)
    return event


@st.composite
def harsh_streams(draw: st.DrawFn, max_events: int = 30, scene: Scene | None = None) -> list[Arrival]:
    """Events in the order of arrival, with the timestamps of their records; some come again, some share their id."""
    if scene is None:
        scene = draw(scenes())
    least = draw(st.sampled_from((0, max_events // 3, max_events)))
    events = draw(st.lists(harsh_events(scene), min_size=least, max_size=max_events))
    repeats = draw(st.lists(st.integers(0, max(0, len(events) - 1)), max_size=4)) if events else []
    for index in repeats:
        events.insert(draw(st.integers(0, len(events))), events[index])
    if draw(st.booleans()):
        # As most producers send them; otherwise in any order.
        events.sort(key=lambda event: event["occurred_at"])
    return [Arrival(event["occurred_at"] + draw(_lateness), event) for event in events]
