"""Who buys from a merchant: distinct buyers, concentration and repeats over the last 30 days.

Orders are kept as one entry per buyer and day, with their number; figures are exact for up to :data:`CAPACITY` entries
in the window. A merchant with more keeps only buyers whose pseudonym falls into a share of ``2 ** -level`` (distinct
sampling, Gibbons 2001): each kept buyer keeps all its orders, so that distinct buyers, repeats and concentration stay
estimates without bias while memory stays bounded. Entries, not orders, are what is bounded, as a few buyers with very
many orders are just what must not be sampled away.
"""

from typing import Final

from features.bucket_text import BucketEdits, Buckets

#: Length of the window, days.
WINDOW_DAYS: Final = 30
#: Entries kept before the sample is thinned.
CAPACITY: Final = 512


class BuyerCounts:
    """Orders per kept buyer over the window.

    Parameters
    ----------
    day
        The current day.
    stored
        What :meth:`buckets` gave.
    level
        How far the sample is thinned: one buyer in ``2 ** level`` is kept.
    """

    __slots__ = ("_edits", "_entries", "_pairs", "changed", "counts", "day", "days", "kept", "level", "repeat_orders")

    def __init__(self, day: int, stored: Buckets, level: int = 0) -> None:
        self.day = day
        self.level = level
        #: Whether what is stored has changed since the text of :meth:`packed`.
        self.changed = False
        self._edits = BucketEdits()
        #: Day -> buyer (24-bit pseudonym) -> orders.
        self.days: dict[int, dict[int, int]] = {}
        #: Buyer -> orders over the window.
        self.counts: dict[int, int] = {}
        #: Orders of all kept buyers.
        self.kept = 0
        self._entries = 0
        #: Orders of buyers with two or more orders.
        self.repeat_orders = 0
        #: Sum over buyers of squared order counts.
        self._pairs = 0
        for at, entries in stored.items():
            buyer = 0
            for entry in entries:
                if entry >= 0:
                    buyer = entry
                for _ in range(max(1, -entry)):
                    self._count(at, buyer)

    def add(self, day: int, buyer: int) -> None:
        """Count an order of a buyer on its day; a day before the window changes nothing."""
        if day > self.day:
            self.advance(day)
        elif day <= self.day - WINDOW_DAYS:
            return
        if self.level and buyer & ((1 << self.level) - 1):
            return
        self.changed = True
        self._edits.stale.add(day)
        if day not in self.days:
            self._edits.made.add(day)
        self._count(day, buyer)
        if self._entries > CAPACITY:
            self._thin()

    def advance(self, day: int) -> None:
        """Move on to a later day."""
        if day <= self.day:
            return
        days = self.days
        first = self.day - WINDOW_DAYS + 1
        self.day = day
        # No kept day is older than ``first``, and none newer than the day before this one.
        for old in range(first, min(day - WINDOW_DAYS, first + WINDOW_DAYS - 1) + 1):
            buyers = days.pop(old, None)
            if buyers is not None:
                self.changed = True
                self._edits.drop(old)
                self._entries -= len(buyers)
                for buyer, orders in buyers.items():
                    self._uncount(buyer, orders)
        if not days:
            self.level = 0

    def buckets(self) -> Buckets:
        """What is stored: the buyers of each day; a negative number is how many more orders the buyer before it had."""
        return {day: self._entries_of(day) for day in self.days}

    def packed(self, text: str) -> str:
        """The same as text (:func:`~features.bucket_text.pack_buckets`), given that of the time before."""
        if not self.changed:
            return text
        self.changed = False
        return self._edits.rewrite(text, sorted(self.days), self._entries_of, lists=True)

    def _entries_of(self, day: int) -> list[int]:
        entries = []
        for buyer, orders in self.days[day].items():
            entries.append(buyer)
            if orders > 1:
                entries.append(1 - orders)
        return entries

    def orders_of(self, buyer: int) -> int:
        """Orders of one buyer in the window; 0 where the sample doesn't hold that buyer."""
        return self.counts.get(buyer, 0)

    @property
    def distinct(self) -> int:
        """Distinct buyers; an estimate where the sample is thinned."""
        return len(self.counts) << self.level

    def distinct_at(self, day: int) -> int:
        """Distinct buyers as they will be on a day from now on if nothing more is bought."""
        if day <= self.day:
            return self.distinct
        gone: dict[int, int] = {}
        for old, buyers in self.days.items():
            if old <= day - WINDOW_DAYS:
                for buyer, orders in buyers.items():
                    gone[buyer] = gone.get(buyer, 0) + orders
        left = len(self.counts) - sum([orders == self.counts[buyer] for buyer, orders in gone.items()])
        return left << self.level

    @property
    def concentration(self) -> float | None:
        """Herfindahl index of orders over buyers, 1/n (evenly spread) to 1 (one buyer)."""
        if not self.kept:
            return None
        return self._pairs / (self.kept * self.kept) / (1 << self.level)

    @property
    def repeat_share(self) -> float | None:
        """Share of orders that come from buyers with two or more of them."""
        return self.repeat_orders / self.kept if self.kept else None

    def _count(self, day: int, buyer: int) -> None:
        buyers = self.days.get(day)
        if buyers is None:
            self.days[day] = buyers = {}
        orders = buyers.get(buyer, 0)
        if not orders:
            self._entries += 1
        buyers[buyer] = orders + 1
        count = self.counts.get(buyer, 0)
        self.counts[buyer] = count + 1
        self.kept += 1
        self._pairs += 2 * count + 1
        if count:
            self.repeat_orders += 1 if count > 1 else 2

    def _uncount(self, buyer: int, orders: int) -> None:
        """Take a buyer's orders of one day out of the figures."""
        before = self.counts[buyer]
        after = before - orders
        self.kept -= orders
        self._pairs += after * after - before * before
        self.repeat_orders += (after if after > 1 else 0) - (before if before > 1 else 0)
        if after:
            self.counts[buyer] = after
        else:
            del self.counts[buyer]

    def _thin(self) -> None:
        self._edits.whole = True
        while self._entries > CAPACITY // 2 and self.level < 20:
            self.level += 1
            mask = (1 << self.level) - 1
            for day, buyers in list(self.days.items()):
                for buyer in [buyer for buyer in buyers if buyer & mask]:
                    self._uncount(buyer, buyers.pop(buyer))
                    self._entries -= 1
                if not buyers:
                    del self.days[day]
