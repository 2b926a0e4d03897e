"""What was traded, and what people found, by the merchants that a comparison is about: out of the input events."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from detectors.comparison.published import Decision
from features.events import (
    AppealDecided,
    InputEvent,
    ListingCreated,
    ListingUpdated,
    OrderCreated,
    ReviewDecided,
)

#: Minor units by currency: amounts of different currencies are never added up.
Money: TypeAlias = dict[str, int]
#: An order: its merchant and its number among that merchant's.
OrderRef: TypeAlias = tuple[str, int]

#: Of what is not known to be of any category.
UNKNOWN: Final = ""


class Order(Struct, frozen=True):
    """An order as it was placed: time (ms), total in minor units of its currency, and its listings with amounts."""

    time: int
    order_id: str
    total: int
    currency: str
    items: tuple[tuple[str, int], ...]


class Trade:
    """Takes input events, in any order; :meth:`close` before anything is asked.

    Attributes
    ----------
    gmv
        Everything that was ordered from anybody.
    merchants
        Everybody who appears.
    last
        The latest event time, ms; 0 if nothing came.
    """

    def __init__(self, merchants: Collection[str]) -> None:
        self._about = frozenset(merchants)
        self._orders: dict[str, list[Order]] = {}
        self._times: dict[str, list[int]] = {}
        self._number: dict[tuple[str, str], int] = {}
        self._seen: set[tuple[str, str]] = set()
        self._categories: dict[tuple[str, str], str] = {}
        self._of_listing: dict[tuple[str, str], list[int]] = {}
        self._main: dict[str, str] = {}
        self._of_decision: dict[str, bool] = {}
        self._of_subject: dict[tuple[str, str, str], bool] = {}
        self.gmv: Counter[str] = Counter()
        self.merchants: set[str] = set()
        self.last = 0

    def event(self, event: InputEvent) -> None:
        """Take an input event; later verdicts overrule earlier ones."""
        merchant = event.merchant_id
        self.merchants.add(merchant)
        self.last = max(self.last, event.occurred_at)
        if isinstance(event, OrderCreated):
            self._ordered(event)
        elif isinstance(event, ListingCreated | ListingUpdated):
            if merchant in self._about:
                self._categories[merchant, event.listing_id] = event.category
        elif isinstance(event, ReviewDecided):
            self._reviewed(event)
        elif isinstance(event, AppealDecided) and event.outcome == "overturned":
            self._of_decision[event.decision_id] = False

    def _ordered(self, event: OrderCreated) -> None:
        key = event.merchant_id, event.order_id
        if key in self._seen:
            return
        self._seen.add(key)
        self.gmv[event.currency] += event.total
        if event.merchant_id in self._about:
            items = tuple((item.listing_id, item.unit_price * item.quantity) for item in event.items)
            order = Order(event.occurred_at, event.order_id, event.total, event.currency, items)
            self._orders.setdefault(event.merchant_id, []).append(order)

    def _reviewed(self, event: ReviewDecided) -> None:
        violation = event.verdict == "violation"
        if event.decision_id is not None:
            self._of_decision[event.decision_id] = violation
        if event.subject is not None:
            self._of_subject[event.merchant_id, event.subject.kind, event.subject.id] = violation

    def close(self) -> None:
        """Nothing more comes."""
        for merchant, orders in self._orders.items():
            orders.sort(key=lambda order: (order.time, order.order_id))
            self._times[merchant] = [order.time for order in orders]
            sold: Counter[str] = Counter()
            for number, order in enumerate(orders):
                self._number[merchant, order.order_id] = number
                for listing, amount in order.items:
                    self._of_listing.setdefault((merchant, listing), []).append(number)
                    sold[self._categories.get((merchant, listing), UNKNOWN)] += amount
            self._main[merchant] = _largest(sold)
        listed: dict[str, Counter[str]] = {}
        for (merchant, _), category in self._categories.items():
            listed.setdefault(merchant, Counter())[category] += 1
        for merchant, count in listed.items():
            if self._main.get(merchant, UNKNOWN) == UNKNOWN:
                self._main[merchant] = _largest(count)

    # -- what is asked ------------------------------------------------------------------------------------------------

    def category(self, merchant: str, kind: str = "merchant", subject: str = "") -> str:
        """Category of a subject: the listing's; the order's or the merchant's largest by amount."""
        if kind == "listing":
            return self._categories.get((merchant, subject), UNKNOWN)
        if kind == "order":
            number = self._number.get((merchant, subject))
            if number is not None:
                sold: Counter[str] = Counter()
                for listing, amount in self._orders[merchant][number].items:
                    sold[self._categories.get((merchant, listing), UNKNOWN)] += amount
                return _largest(sold)
        return self._main.get(merchant, UNKNOWN)

    def touched(self, decision: Decision, ended: int | None) -> Iterator[OrderRef]:
        """Orders that a restriction touches: the order itself; of a listing or a merchant, those placed while it is in
        force, which ``ended`` (ms) may end before it expires.
        """
        if not decision.restricts:
            return
        merchant = decision.merchant_id
        if decision.kind == "order":
            number = self._number.get((merchant, decision.subject_id))
            if number is not None:
                yield merchant, number
            return
        times = self._times.get(merchant, [])
        ends = [time for time in (decision.expires_at, ended) if time is not None]
        first = bisect_left(times, decision.starts_at)
        last = bisect_left(times, min(ends)) if ends else len(times)
        if decision.kind == "listing":
            numbers: Iterable[int] = self._of_listing.get((merchant, decision.subject_id), ())
            yield from ((merchant, number) for number in numbers if first <= number < last)
        else:
            yield from ((merchant, number) for number in range(first, last))

    def worth(self, orders: Iterable[OrderRef]) -> Money:
        """What orders are worth together, each counted once."""
        found: Counter[str] = Counter()
        for merchant, number in set(orders):
            order = self._orders[merchant][number]
            found[order.currency] += order.total
        return dict(sorted(found.items()))

    def verdict(self, decision: Decision) -> bool | None:
        """What a person said of a decision or of its subject: a violation, or not; None if nobody did."""
        found = self._of_decision.get(decision.id)
        if found is None:
            found = self._of_subject.get((decision.merchant_id, decision.kind, decision.subject_id))
        return found

    def violations(self) -> set[tuple[str, str, str]]:
        """Subjects (merchant, kind, id) of which a person said that they are a violation."""
        return {subject for subject, violation in self._of_subject.items() if violation}


def _largest(amounts: Counter[str]) -> str:
    return min(amounts, key=lambda category: (-amounts[category], category)) if amounts else UNKNOWN
