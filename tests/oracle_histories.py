"""What must be known of every order, listing and account after a stream, worked out anew with plain dictionaries.

The second half of the oracle: tests/oracle.py says what a merchant's counts must be; this says what is kept, in which
the order of arrival does matter: orders are forgotten when the watermark has passed their retention, the latest version
of a listing stands, and the first currency seen is the merchant's.

Definitions beyond those of tests/oracle.py:

- The watermark is the highest ``min(record's timestamp, event time)`` of the events of orders, less the lateness
  allowed, or a tick if that is higher. Whenever it rises, orders whose retention has ended by then are forgotten; an
  event of such an order begins another one of the same name. Retention ends so many days after the beginning of the day
  on which the outcome is due (or the order due to ship, if that is later), or after the first event where the creation
  is not known.
- Of a listing the version with the highest event time stands, of those the one that arrived last. A removal takes down
  a listing that is up, unless a later version stands; views and orders count as they arrive.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from tests.oracle import DAY, OUTCOME_DAYS, Order, gather
from tests.oracle_claims import Claims

Event: TypeAlias = dict[str, Any]

#: Account changes kept of a merchant, and words of what was verified.
KEPT = 8
KEPT_VERIFIED = 24


class Arrival(NamedTuple):
    """An event with its record's timestamp, or a tick of event time (ms)."""

    time: int
    event: Event | None


@dataclass
class Listing:
    """What must be known of a listing."""

    version: Event | None = None
    version_at: int = 0
    created: int = 0
    removed: bool = False
    edits: int = 0
    views: int = 0
    orders: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def live(self) -> bool:
        """True while it is up."""
        return self.version is not None and not self.removed


@dataclass
class Account:
    """What must be known of a merchant beside its orders and listings."""

    currency: str = ""
    registered: tuple[int, str, str] = (0, "", "")
    verified: list[str] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    #: Kinds of values (bank, phone, …) that were heard of.
    kinds: set[str] = field(default_factory=set)
    closed: int = 0
    reports: int = 0
    violations: int = 0
    cleared: int = 0
    appeals: int = 0
    foreign_orders: int = 0
    #: (day, "created" | "edited" | "removed") -> changes of listings.
    churn: Counter[tuple[int, str]] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)


@dataclass
class Histories:
    """Everything that must be known of a shard; orders and listings by merchant and id."""

    retention_days: int
    lateness: int
    highest: int = 0
    watermark: int = 0
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    #: Orders that were forgotten; what they counted stays counted.
    forgotten: list[tuple[str, Order]] = field(default_factory=list)
    #: When the retention of orders whose creation is not known ends.
    ends: dict[tuple[str, str], int] = field(default_factory=dict)
    listings: dict[tuple[str, str], Listing] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)

    def of(self, merchant: str) -> list[Order]:
        """All orders of a merchant whose creation is known, forgotten ones among them."""
        known = [order for (owner, _), order in self.orders.items() if owner == merchant]
        return [order for order in [o for owner, o in self.forgotten if owner == merchant] + known if order.created]

    # -- arrivals -----------------------------------------------------------------------------------------------------

    def arrive(self, arrivals: Iterable[Arrival]) -> None:
        """Take note of arrivals, in order."""
        for time, event in arrivals:
            if event is None:
                self._rise(time)
            elif event["type"].startswith("order."):
                reached = min(time, event["occurred_at"])
                if reached > self.highest:
                    self.highest = reached
                    self._rise(reached - self.lateness)
                self._order(event)
            elif event["type"].startswith("listing."):
                self._listing(event)
            elif event.get("creator_id") is None:
                self._account(event)
            # Else it is feedback about a creator, who is no merchant.

    def _rise(self, watermark: int) -> None:
        if watermark <= self.watermark:
            return
        self.watermark = watermark
        for key, order in list(self.orders.items()):
            if self._end(key, order) <= watermark:
                self.forgotten.append((key[0], self.orders.pop(key)))
                self.ends.pop(key, None)

    def _end(self, key: tuple[str, str], order: Order) -> int:
        if order.created is None:
            return self.ends[key]
        settled = max(order.deliver_by // DAY + OUTCOME_DAYS, order.ship_by // DAY) + 1
        return (settled + self.retention_days) * DAY

    def _order(self, event: Event) -> None:
        key = event["merchant_id"], event["order_id"]
        account = self.accounts.setdefault(key[0], Account())
        order = self.orders.setdefault(key, Order())
        self.ends.setdefault(key, event["occurred_at"] + self.retention_days * DAY)
        before = order.created
        if event["event_id"] not in order.seen:
            gather(order, event)
            self.claims.arrive(event, order, before is None and order.created is not None)
        if order.created is not None and before is None:
            account.currency = account.currency or event["currency"]
            account.foreign_orders += event["currency"] != account.currency
            for item in event["items"]:
                listing = self.listings.get((key[0], item["listing_id"]))
                if listing is not None:
                    listing.orders += 1

    def _listing(self, event: Event) -> None:
        key = event["merchant_id"], event["listing_id"]
        account = self.accounts.setdefault(key[0], Account())
        listing = self.listings.setdefault(key, Listing())
        if event["event_id"] in listing.seen:
            return
        listing.seen.add(event["event_id"])
        kind, at = event["type"], event["occurred_at"]
        if kind == "listing.exposed":
            listing.views += event["views"]
        elif kind == "listing.removed":
            if listing.live:
                account.churn[at // DAY, "removed"] += 1
                if at >= listing.version_at:
                    listing.removed, listing.version_at = True, at
        else:
            created = kind == "listing.created"
            account.churn[at // DAY, "created" if created else "edited"] += 1
            if created or listing.version is None:
                listing.created = at
            if at >= listing.version_at:
                listing.edits += listing.version is not None and not created
                listing.version, listing.version_at, listing.removed = event, at, False
                account.currency = account.currency or event["currency"]

    def _account(self, event: Event) -> None:
        account = self.accounts.setdefault(event["merchant_id"], Account())
        if event["event_id"] in account.seen:
            return
        account.seen.add(event["event_id"])
        kind, at = event["type"], event["occurred_at"]
        if kind == "merchant.registered":
            account.registered = event["registered_at"], event["kind"], event["country"]
        elif kind == "merchant.verified":
            if event.get("state") != "provided" and event["what"] not in account.verified:
                account.verified = [*account.verified, event["what"]][-KEPT_VERIFIED:]
        elif kind == "merchant.account_changed":
            # Where the registration was heard of, the first value of a kind and those of the first day are the set-up.
            opened = account.registered[0]
            first = event["what"] not in account.kinds
            account.kinds.add(event["what"])
            if not (opened and (first or at <= opened + DAY)):
                account.changes = sorted([*account.changes, at])[-KEPT:]
        elif kind == "merchant.closed":
            account.closed = at
        elif kind == "report.received":
            account.reports += 1
        elif kind == "review.decided":
            account.violations += event["verdict"] == "violation"
            account.cleared += event["verdict"] == "clean"
        elif kind.startswith("appeal."):
            account.appeals += 1


def churned(account: Account, today: int, days: int) -> Mapping[str, int]:
    """Changes of listings on the last days, today included, by what they were."""
    found: Counter[str] = Counter()
    for (day, what), count in account.churn.items():
        if today - days < day <= today:
            found[what] += count
    return found


def distinct_buyers(orders: Iterable[Order], today: int, days: int) -> int:
    """Different buyers of the orders created on the last days."""
    created = [order.created for order in orders if order.created]
    return len({each["buyer_id"] for each in created if today - days < each["occurred_at"] // DAY <= today})
