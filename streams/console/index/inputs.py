"""Rows of input events: the timeline, listings, turnover, and what people said."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, Final

from features import events
from features.decode import InputLimits, Rejection, TopicKind, decode
from streams.console.index.counters import Counters
from streams.console.index.parties import Parties, PartyKind
from streams.console.index.words import words_of

DAY: Final = 86_400_000
#: How large a record may be is for the worker to say: one that it refuses comes back as a dead letter.
_MOST_BYTES: Final = 16 * 1024 * 1024
#: As where an event may lie at all: what counts here is the clock.
_NO_TIMESTAMP: Final = 4_102_444_800_000


class InputRows:
    """Takes input records of a batch, and writes what there is to be written of them.

    Parameters
    ----------
    connection, parties, counters
        The writer's.
    future_tolerance
        How far (ms) an event may lie ahead of the clock, as for the worker. One that lies further would make all there
        is look old: it would be pruned, and no dollars would be at risk.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        parties: Parties,
        counters: Counters,
        future_tolerance: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits = InputLimits(_MOST_BYTES, future_tolerance)
        self._clock = clock
        self._connection = connection
        self._parties = parties
        self._counters = counters
        self._events: list[tuple[Any, ...]] = []
        self._sales: dict[tuple[int, str, int, str], list[int]] = {}
        self._listings: list[tuple[str, tuple[Any, ...]]] = []
        self._feedback: list[tuple[Any, ...]] = []
        self._verdicts: list[tuple[str, str]] = []
        #: Highest event time seen, ms.
        self.latest = 0

    def take(self, kind: TopicKind, partition: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        """Take a record; one that is no valid event is only counted, as the worker tells why."""
        event = decode(kind, key, value, _NO_TIMESTAMP, self._limits, round(self._clock() * 1000))
        if isinstance(event, Rejection):
            self._counters.add("unusable", kind)
            return
        at = event.occurred_at
        party_kind: PartyKind = "merchant"
        if kind == "feedback" and event.creator_id is not None:  # type: ignore[union-attr]
            party_kind = "creator"
        party = self._parties.number(party_kind, event.merchant_id, partition)
        self._parties.saw(party, at)
        self.latest = max(self.latest, at)
        subject: str | None = None
        amount: int | None = None
        currency: str | None = None
        creator: int | None = None
        match event:
            case events.OrderCreated():
                subject, amount, currency = event.order_id, event.total, event.currency
                creator = self._order(party, partition, event)
            case events.OrderEvent():
                subject = event.order_id
            case events.ListingVersion() | events.ListingRemoved() | events.ListingExposed():
                subject = event.listing_id
                self._listing(party, event)
            case _ if kind == "feedback":
                subject = self._said(party, partition, offset, event)
        tag = str(type(event).__struct_config__.tag)
        self._events.append((party, at, tag, subject, words_of(event), amount, currency, creator))
        self._counters.add("events", kind)

    def _order(self, party: int, partition: int, event: events.OrderCreated) -> int | None:
        day, currency = event.occurred_at // DAY, event.currency
        self._sold(party, "", day, currency, event.total)
        for item in event.items:
            self._sold(party, item.listing_id, day, currency, item.quantity * item.unit_price)
        if event.creator_id is None:
            return None
        # Where its own shard is, its outputs will say.
        creator = self._parties.number("creator", event.creator_id, partition)
        self._sold(creator, "", day, currency, event.total)
        return creator

    def _sold(self, party: int, listing: str, day: int, currency: str, amount: int) -> None:
        sums = self._sales.get((party, listing, day, currency))
        if sums is None:
            self._sales[party, listing, day, currency] = [amount, 1]
        else:
            sums[0] += amount
            sums[1] += 1

    def _listing(
        self, party: int, event: events.ListingVersion | events.ListingRemoved | events.ListingExposed
    ) -> None:
        at, name = event.occurred_at, event.listing_id
        change: tuple[str, tuple[Any, ...]]
        match event:
            case events.ListingExposed():
                change = _EXPOSED, (event.views, party, name)
            case events.ListingRemoved():
                change = _REMOVED, (at, party, name)
            case _:
                row = (party, name, event.title[:200], event.category, event.brand, event.price, event.currency)
                change = _VERSION, (*row, at, at)
        self._listings.append(change)

    def _said(self, party: int, partition: int, offset: int, event: Any) -> str | None:
        """Note what people said; returns what it is about, for the timeline of an order or listing."""
        decision = getattr(event, "decision_id", None)
        about = getattr(event, "subject", None)
        subject = about.id if about is not None and about.kind in ("order", "listing") else None
        verdict = event.verdict if isinstance(event, events.ReviewDecided) else None
        by = getattr(event, "by", None)
        kind = str(type(event).__struct_config__.tag)
        self._feedback.append(
            (
                partition,
                offset,
                party,
                event.occurred_at,
                kind,
                event.event_id,
                decision,
                verdict,
                subject,
                words_of(event),
                by,
            )
        )
        if decision is not None and verdict is not None:
            self._verdicts.append((verdict, decision))
        return subject

    def flush(self) -> None:
        """Write what was taken."""
        connection = self._connection
        rows, self._events = self._events, []
        connection.executemany(_EVENT, rows)
        sales, self._sales = self._sales, {}
        connection.executemany(_SALE, [(*key, *sums) for key, sums in sales.items()])
        listings, self._listings = self._listings, []
        # In their order, as each builds on the one before; they are few beside orders.
        for statement, values in listings:
            connection.execute(statement, values)
        feedback, self._feedback = self._feedback, []
        connection.executemany("INSERT OR IGNORE INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", feedback)
        verdicts, self._verdicts = self._verdicts, []
        # A decision that is read later asks for the verdict itself.
        connection.executemany("UPDATE decision SET verdict = ? WHERE id = ?", verdicts)

    def forget(self) -> None:
        """Forget a batch that was not written."""
        for rows in (self._events, self._listings, self._feedback, self._verdicts):
            rows.clear()
        self._sales.clear()


_EVENT: Final = (
    "INSERT INTO event (party, time, type, subject, words, amount, currency, creator) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SALE: Final = (
    "INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, orders = orders + excluded.orders"
)
_VERSION: Final = (
    "INSERT INTO listing (party, name, title, category, brand, price, currency, created, changed, versions)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT DO UPDATE SET title = excluded.title, category = excluded.category, brand = excluded.brand,"
    " price = excluded.price, currency = excluded.currency, changed = excluded.changed, removed = NULL,"
    " versions = versions + 1"
)
_REMOVED: Final = "UPDATE listing SET removed = ? WHERE party = ? AND name = ?"
_EXPOSED: Final = "UPDATE listing SET views = views + ? WHERE party = ? AND name = ?"
