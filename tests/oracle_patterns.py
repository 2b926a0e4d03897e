"""Features of patterns, worked out anew from the events of one merchant in the order of their arrival.

Fourth part of the oracle, from docs/features.md: nothing is shared with features/ or detectors/, sums are of
:class:`~fractions.Fraction`. What rests on one moment (devices, origins, cut prices) is read in order of arrival, all
else from the facts of the orders.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from tests.oracle import DAY, Order, gather

MINUTE = 60_000
Event = Mapping[str, Any]


def pattern_figures(
    events: Iterable[Event], as_of: int, watermark: int, excused: frozenset[str]
) -> dict[str, Fraction | int | None]:
    """The figures of one merchant.

    Parameters
    ----------
    events
        Its events in the order of arrival.
    as_of, watermark
        Its as-of time, and the time up to which timers have fired, ms.
    excused
        Ids of its orders whose claims are held against the buyer (tests/oracle_claims.py).
    """
    merchant = _Heard()
    for event in events:
        merchant.hear(event)
    today = as_of // DAY
    known = {key: order for key, order in merchant.orders.items() if order.created}
    day = {key: order.created["occurred_at"] // DAY for key, order in known.items() if order.created}
    recent = {key for key in known if today - 30 < day[key] <= today}
    buyers = Counter(known[key].created["buyer_id"] for key in recent)  # type: ignore[index]
    orders = sum(buyers.values())
    changes = [at for at, _ in merchant.changes]
    payout = [at for at, what in merchant.changes if what in ("bank", "owner")]
    set_up = merchant.registered + DAY if merchant.registered else 0
    return {
        "ship_backlog": sum((_due(order, as_of, watermark, merchant.first) for order in known.values()), Fraction()),
        "unshipped_overdue_orders": sum(_waits(order) and watermark > order.ship_by for order in known.values()),
        "busiest_day_7d": max(Counter(d for d in day.values() if today - 7 < d <= today).values(), default=0),
        "days_since_first_order": today - min(day.values()) if day else None,
        "distinct_buyers_30d": len(buyers),
        "buyer_concentration_30d": Fraction(sum(n * n for n in buyers.values()), orders * orders) if orders else None,
        "repeat_order_share_30d": Fraction(sum(n for n in buyers.values() if n > 1), orders) if orders else None,
        "delivered_not_received_30d": sum(_lost(known[key]) and key not in excused for key in recent),
        "excused_claims_30d": len(recent & excused),
        "other_origin_orders_30d": len(recent & merchant.elsewhere),
        "own_device_orders_30d": len(recent & merchant.own),
        "shared_device_orders_30d": len(recent & merchant.shared),
        "price_cuts_7d": sum(n for d, n in merchant.cuts.items() if today - 7 < d <= today),
        "days_since_payout_change": Fraction(as_of - max(payout), DAY) if payout and max(payout) > set_up else None,
        "account_changes_30d": sum(at > max(as_of - 30 * DAY, set_up) for at in sorted(changes)[-8:]),
    }


def _waits(order: Order) -> bool:
    return order.shipped is None and order.delivered is None and order.cancelled is None


def _lost(order: Order) -> bool:
    return order.delivered is not None and not order.called_off and "not_received" in order.claims


def _due(order: Order, as_of: int, watermark: int, first: int) -> Fraction:
    """How much of an order even shipping would have shipped by now."""
    assert order.created
    if not _waits(order):
        return Fraction()
    if watermark > order.ship_by:
        return Fraction(1)
    created = order.created["occurred_at"]
    minutes = (as_of - first) // MINUTE - (created - first) // MINUTE
    return Fraction(minutes, max(360, (order.ship_by - created) // MINUTE))


class _Heard:
    """What is heard of one merchant."""

    def __init__(self) -> None:
        self.first = 0
        self.registered = 0
        self.orders: defaultdict[str, Order] = defaultdict(Order)
        self.changes: list[tuple[int, str]] = []
        self.elsewhere: set[str] = set()
        self.own: set[str] = set()
        self.shared: set[str] = set()
        self.cuts: Counter[int] = Counter()
        self._kinds: set[str] = set()
        self._own_devices: list[str] = []
        self._devices: list[tuple[str, set[str], int]] = []
        self._origins: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._versions: dict[str, tuple[int, int]] = {}
        self._down: set[str] = set()
        self._from: dict[str, str] = {}
        self._seen: set[str] = set()

    def hear(self, event: Event) -> None:
        if event["event_id"] in self._seen:
            return
        self._seen.add(event["event_id"])
        self.first = self.first or event["occurred_at"]
        kind = event["type"]
        if kind.startswith("order."):
            self._order(event)
        elif kind in ("listing.created", "listing.updated"):
            self._version(event)
        elif kind == "listing.removed":
            self._taken_down(event["listing_id"], event["occurred_at"])
        elif kind == "merchant.registered":
            self.registered = event["registered_at"]
        elif kind == "merchant.account_changed":
            self._changed(event)

    def _changed(self, event: Event) -> None:
        at, what = event["occurred_at"], event["what"]
        if what == "device" and event["value_hash"] not in self._own_devices:
            self._own_devices = [*self._own_devices, event["value_hash"]][-4:]
        is_first = what not in self._kinds
        self._kinds.add(what)
        if not (self.registered and (is_first or at <= self.registered + DAY)):
            self.changes.append((at, what))

    def _taken_down(self, listing: str, at: int) -> None:
        before = self._versions.get(listing)
        if before is not None and listing not in self._down and at >= before[0]:
            # A version of before that comes later is old.
            self._versions[listing] = at, before[1]
            self._down.add(listing)

    def _version(self, event: Event) -> None:
        listing, at = event["listing_id"], event["occurred_at"]
        before = self._versions.get(listing)
        if before is not None and at < before[0]:
            return
        base = max(event.get("list_price") or 0, before[1] if before else 0)
        self.cuts[at // DAY] += event["price"] * 100 < 65 * base
        self._versions[listing] = at, event["price"]
        self._down.discard(listing)
        self._from[listing] = event.get("ship_from") or ""

    def _order(self, event: Event) -> None:
        key = event["order_id"]
        order = self.orders[key]
        before = order.created
        gather(order, event)
        if event["type"] == "order.shipped" and event.get("ship_from"):
            self._send(key, event["ship_from"], known=before is not None)
        if order.created is None or before is not None:
            return
        listings = [item["listing_id"] for item in event["items"] if item["listing_id"] in self._versions]
        self._origins[key] = self._from[listings[0]] if listings else ""
        if key in self._sent and self._origins[key] and self._sent[key] != self._origins[key]:
            self.elsewhere.add(key)
        device, buyer = event.get("device_id"), event["buyer_id"]
        if device:
            if device in self._own_devices:
                self.own.add(key)
            day = event["occurred_at"] // DAY
            kept = [each for each in self._devices if each[2] > day - 14]
            # Nothing is said of an order that is heard of when others of two weeks later are.
            if all(last < day + 14 for _, _, last in kept):
                same = [each for each in kept if each[0] == device]
                buyers = {buyer}.union(*(who for _, who, _ in same))
                if len(buyers) > 1:
                    self.shared.add(key)
                latest = max([day, *(last for _, _, last in same)])
                self._devices = [each for each in kept if each[0] != device] + [(device, buyers, latest)]

    def _send(self, key: str, origin: str, *, known: bool) -> None:
        if not known:
            self._sent.setdefault(key, origin)
        elif self._origins[key] and origin != self._origins[key]:
            self.elsewhere.add(key)
