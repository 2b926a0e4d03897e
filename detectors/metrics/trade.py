"""Folds what merchants do: accounts, listings, and orders with what becomes of them.

An order is bad by the same definition as in the core (:func:`features.order.flags_of`), except that what the core knows
of a buyer across merchants (claims held against the buyer) is not known here.
"""

from collections.abc import Callable
from typing import Any, Final

from xxhash import xxh3_64_intdigest

from detectors.metrics.facts import (
    KEEP_DAYS,
    SETTLE_DAYS,
    Cell,
    CreatorDay,
    ListingDay,
    ListingFacts,
    MerchantFacts,
    OpenOrder,
    State,
)
from detectors.metrics.linked import LINKING, MOST_SHARING
from detectors.order_facts import FACTS
from features import events
from features.events import InputEvent, OrderEvent
from features.order import (
    BAD,
    DEFAULT_DELIVER_MS,
    DEFAULT_SHIP_MS,
    LONGEST_PROMISE_MS,
    OUTCOME_DUE,
    SEEN_LIMIT,
    OrderRecord,
    flags_of,
    next_timer,
    outcome_due,
    retention_end,
)
from features.windows import DAY_MS

#: Days in which a repeated exposure is known as such.
_REPEAT_DAYS: Final = 3
#: How often old facts are dropped, days.
_TIDY_EVERY: Final = 30


class TradeFold:
    """Takes listing, order and merchant events into a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            events.ListingCreated: self._version,
            events.ListingUpdated: self._version,
            events.ListingRemoved: self._removed,
            events.ListingExposed: self._exposed,
            events.OrderCreated: self._placed,
            events.MerchantRegistered: self._registered,
            events.MerchantAccountChanged: self._changed,
            **dict.fromkeys(FACTS, self._order),
        }

    def event(self, event: InputEvent) -> None:
        """Take an input event; what is said of merchants in feedback is not for here."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    # -- merchants and listings ---------------------------------------------------------------------------------------

    def merchant(self, merchant_id: str, at: int) -> MerchantFacts:
        """The facts of a merchant, new ones where it was never heard of."""
        found = self._state.merchants.get(merchant_id)
        if found is None:
            found = self._state.merchants[merchant_id] = MerchantFacts(at // DAY_MS)
        return found

    def _registered(self, event: events.MerchantRegistered) -> None:
        merchant = self.merchant(event.merchant_id, event.occurred_at)
        merchant.registered = event.registered_at
        merchant.first_day = min(merchant.first_day, event.registered_at // DAY_MS)
        merchant.country = event.country
        merchant.kind = event.kind

    def _changed(self, event: events.MerchantAccountChanged) -> None:
        self.merchant(event.merchant_id, event.occurred_at)
        if event.what in LINKING:
            digest = xxh3_64_intdigest(f"{event.what}\0{event.value_hash}".encode())
            sharing = self._state.links.setdefault(digest, {})
            # One more than count is enough to know that it says nothing.
            if len(sharing) <= MOST_SHARING:
                sharing.setdefault(event.merchant_id, event.occurred_at)

    def _version(self, event: events.ListingVersion) -> None:
        self.merchant(event.merchant_id, event.occurred_at)
        listing = self._listing(event.merchant_id, event.listing_id)
        if event.occurred_at not in listing.versions:
            listing.versions.append(event.occurred_at)
            # What was found of an earlier version says nothing of this one.
            self._state.flagged.pop((event.merchant_id, "listing", event.listing_id), None)
        listing.category = event.category
        listing.removed = 0

    def _removed(self, event: events.ListingRemoved) -> None:
        self._listing(event.merchant_id, event.listing_id).removed = event.occurred_at

    def _exposed(self, event: events.ListingExposed) -> None:
        digest = xxh3_64_intdigest(event.event_id.encode())
        if digest in self._state.exposures:
            return
        day = event.occurred_at // DAY_MS
        self._state.exposures[digest] = day
        self._listing_day(event.merchant_id, event.listing_id, day).views += event.views

    def _listing(self, merchant_id: str, listing_id: str) -> ListingFacts:
        key = merchant_id, listing_id
        found = self._state.listings.get(key)
        if found is None:
            found = self._state.listings[key] = ListingFacts()
        return found

    def _listing_day(self, merchant_id: str, listing_id: str, day: int) -> ListingDay:
        days = self._listing(merchant_id, listing_id).days
        found = days.get(day)
        if found is None:
            found = days[day] = ListingDay()
        return found

    # -- orders -------------------------------------------------------------------------------------------------------

    def _open(self, event: OrderEvent) -> OpenOrder | None:
        """The order that an event is about; ``None`` where the event was there before."""
        key = event.merchant_id, event.order_id
        order = self._state.orders.get(key)
        if order is None:
            order = self._state.orders[key] = OpenOrder()
            self._remind(key, order, event.occurred_at // DAY_MS + SETTLE_DAYS)
        digest = xxh3_64_intdigest(event.event_id.encode()) >> 1
        seen = order.record.seen
        if digest in seen:
            return None
        order.record.seen = [*seen[-SEEN_LIMIT + 1 :], digest]
        return order

    def _placed(self, event: events.OrderCreated) -> None:
        order = self._open(event)
        if order is None or order.record.created is not None:
            return
        at = event.occurred_at
        day = at // DAY_MS
        state, record = self._state, order.record
        merchant = self.merchant(event.merchant_id, at)
        record.created = at
        record.total = event.total
        record.ship_by = _promise(at, event.ship_by, DEFAULT_SHIP_MS)
        record.deliver_by = _promise(at, event.deliver_by, DEFAULT_DELIVER_MS)
        record.ship_to = event.ship_to or ""
        state.gmv[event.currency] = state.gmv.get(event.currency, 0) + event.total
        if not merchant.currency:
            merchant.currency = event.currency
        if event.currency == merchant.currency:
            record.gmv = event.total
        merchant.orders += 1
        order.tier = merchant.tier
        for item in event.items:
            listing = state.listings.get((event.merchant_id, item.listing_id))
            if listing is not None and not record.category:
                record.category = listing.category
            sold = self._listing_day(event.merchant_id, item.listing_id, day)
            sold.orders += 1
            sold.gmv += item.unit_price * item.quantity if record.gmv else 0
        if record.category:
            merchant.category = record.category
        if event.creator_id is not None:
            record.creator = event.creator_id
            driven = state.creators.get((day, event.creator_id))
            if driven is None:
                driven = state.creators[day, event.creator_id] = CreatorDay()
            driven.orders += 1
            driven.gmv += record.gmv
        cell = self._cell(event.merchant_id, order)
        cell.orders += 1
        cell.gmv += record.gmv
        record.flags = flags_of(record)
        self._remind((event.merchant_id, event.order_id), order, next_timer(record, SETTLE_DAYS) // DAY_MS + 1)

    def _order(self, event: OrderEvent) -> None:
        order = self._open(event)
        if order is not None and FACTS[type(event)](order.record, event) and order.record.created is not None:
            self._recount(event.merchant_id, order)

    def _cell(self, merchant_id: str, order: OpenOrder) -> Cell:
        record = order.record
        key = (record.created or 0) // DAY_MS, merchant_id, record.category, order.tier
        found = self._state.cells.get(key)
        if found is None:
            found = self._state.cells[key] = Cell()
        return found

    def _recount(self, merchant_id: str, order: OpenOrder, *, matures: bool = False) -> None:
        """Count an order anew by its present facts: what it was counted as before leaves the sums."""
        record = order.record
        cell = self._cell(merchant_id, order)
        _count(cell, record, -1)
        record.flags = flags_of(record)
        record.matured |= matures
        _count(cell, record, 1)

    # -- time ---------------------------------------------------------------------------------------------------------

    def advance(self, now: int) -> None:
        """Look at what fell due on the days before ``now`` (ms)."""
        state = self._state
        today = now // DAY_MS
        if not state.day:
            state.day = today
        while state.day < today:
            state.day += 1
            for key in state.agenda.pop(state.day, ()):
                order = state.orders.get(key)
                if order is not None and order.record.timer == state.day:
                    self._look(key, order, state.day * DAY_MS)
            if not state.day % _TIDY_EVERY:
                self._tidy(state.day)
            if state.exposures:
                state.exposures = {k: day for k, day in state.exposures.items() if day > state.day - _REPEAT_DAYS}

    def _remind(self, key: tuple[str, str], order: OpenOrder, day: int) -> None:
        """Look at an order on a day; an earlier reminder no longer counts."""
        order.record.timer = day = max(day, self._state.day + 1)
        self._state.agenda.setdefault(day, []).append(key)

    def _look(self, key: tuple[str, str], order: OpenOrder, time: int) -> None:
        record = order.record
        if record.created is None or (record.matured and time >= retention_end(record, SETTLE_DAYS)):
            del self._state.orders[key]
            subject = key[0], "order", key[1]
            self._state.scores.pop(subject, None)
            self._state.flagged.pop(subject, None)
            return
        if record.cancelled is None and record.delivered is None:
            record.ship_overdue |= record.shipped is None and time > record.ship_by
            record.delivery_overdue |= time > record.deliver_by
        self._recount(key[0], order, matures=time >= outcome_due(record))
        following = next_timer(record, SETTLE_DAYS)
        self._remind(key, order, -(-following // DAY_MS))

    def _tidy(self, today: int) -> None:
        """Drop what is too old to be asked for, so that a fold that goes on for years stays of one size."""
        state, first = self._state, today - KEEP_DAYS
        oldest = first * DAY_MS
        gone = {key for key, ruling in state.rulings.items() if ruling.at < oldest}
        if gone:
            state.rulings = {key: ruling for key, ruling in state.rulings.items() if key not in gone}
            state.appeals = {key: appeal for key, appeal in state.appeals.items() if key not in gone}
            about = {subject: [each for each in ids if each not in gone] for subject, ids in state.about.items()}
            state.about = {subject: ids for subject, ids in about.items() if ids}
        state.withheld = {key: ruling for key, ruling in state.withheld.items() if ruling.at >= oldest}
        state.draws = {key: draw for key, draw in state.draws.items() if draw.at >= oldest}
        state.verdicts = {key: verdict for key, verdict in state.verdicts.items() if verdict.at >= oldest}
        state.reports = {key: times for key, times in state.reports.items() if times[-1] >= oldest}
        state.cells = {key: cell for key, cell in state.cells.items() if key[0] >= first}
        state.creators = {key: sums for key, sums in state.creators.items() if key[0] >= first}
        for key, listing in list(state.listings.items()):
            listing.days = {day: sums for day, sums in listing.days.items() if day >= first}
            # The version that was there then goes on to be what is sold.
            before = max((at for at in listing.versions if at < oldest), default=0)
            listing.versions = [at for at in listing.versions if at >= before]
            if 0 < listing.removed < oldest and not listing.days:
                del state.listings[key]
                subject = key[0], "listing", key[1]
                state.scores.pop(subject, None)
                state.flagged.pop(subject, None)


def _count(cell: Cell, record: OrderRecord, sign: int) -> None:
    if not record.matured or not record.flags & OUTCOME_DUE:
        return
    cell.due += sign
    cell.due_gmv += sign * record.gmv
    if record.flags & BAD:
        cell.bad += sign
        cell.bad_gmv += sign * record.gmv


def _promise(created: int, promised: int | None, default: int) -> int:
    if promised is None:
        return created + default
    return min(max(promised, created), created + LONGEST_PROMISE_MS)
