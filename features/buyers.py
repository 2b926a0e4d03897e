"""Who buys from a merchant: distinct buyers, concentration and repeats over the last 30 days.

Exact for up to :data:`CAPACITY` orders in the window. A busier merchant keeps only buyers whose pseudonym falls into
a share of ``2 ** -level`` (distinct sampling, Gibbons 2001): each kept buyer keeps all its orders, so that distinct
buyers, repeats and concentration stay unbiased estimates while memory stays bounded.
"""

from typing import Final

from features.windows import Buckets

#: Length of the window, days.
WINDOW_DAYS: Final = 30
#: Orders kept before the sample is thinned.
CAPACITY: Final = 512


class BuyerCounts:
    """Orders per kept buyer over the window.

    Parameters
    ----------
    day
        The current day.
    days
        Buyers (24-bit pseudonyms) by the day of their orders.
    level
        How far the sample is thinned: one buyer in ``2 ** level`` is kept.
    """

    __slots__ = ("_pairs", "counts", "day", "days", "kept", "level", "repeat_orders")

    def __init__(self, day: int, days: Buckets, level: int = 0) -> None:
        self.day = day
        self.days = days
        self.level = level
        self.counts: dict[int, int] = {}
        self.kept = 0
        #: Orders of buyers with two or more orders.
        self.repeat_orders = 0
        #: Sum over buyers of squared order counts.
        self._pairs = 0
        for buyers in days.values():
            for buyer in buyers:
                self._count(buyer)

    def add(self, day: int, buyer: int) -> None:
        """Count an order of a buyer on its day; a day before the window changes nothing."""
        if day > self.day:
            self.advance(day)
        elif day <= self.day - WINDOW_DAYS:
            return
        if self.level and buyer & ((1 << self.level) - 1):
            return
        buyers = self.days.get(day)
        if buyers is None:
            self.days[day] = [buyer]
        else:
            buyers.append(buyer)
        self._count(buyer)
        if self.kept > CAPACITY:
            self._thin()

    def remove(self, day: int, buyer: int) -> None:
        """Take back an order counted by :meth:`add`."""
        buyers = self.days.get(day)
        if buyers is not None and buyer in buyers:
            buyers.remove(buyer)
            self._uncount(buyer)

    def advance(self, day: int) -> None:
        """Move on to a later day."""
        if day <= self.day:
            return
        self.day = day
        days = self.days
        oldest = day - WINDOW_DAYS
        for old in [d for d in days if d <= oldest]:
            for buyer in days.pop(old):
                self._uncount(buyer)
        if not days:
            self.level = 0

    def orders_of(self, buyer: int) -> int:
        """Orders of one buyer in the window; 0 where the sample doesn't hold that buyer."""
        return self.counts.get(buyer, 0)

    @property
    def distinct(self) -> int:
        """Distinct buyers; an estimate where the sample is thinned."""
        return len(self.counts) << self.level

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

    def _count(self, buyer: int) -> None:
        count = self.counts.get(buyer, 0)
        self.counts[buyer] = count + 1
        self.kept += 1
        self._pairs += 2 * count + 1
        if count:
            self.repeat_orders += 1 if count > 1 else 2

    def _uncount(self, buyer: int) -> None:
        count = self.counts[buyer]
        self.kept -= 1
        self._pairs -= 2 * count - 1
        if count == 1:
            del self.counts[buyer]
        else:
            self.counts[buyer] = count - 1
            self.repeat_orders -= 1 if count > 2 else 2

    def _thin(self) -> None:
        while self.kept > CAPACITY // 2 and self.level < 20:
            self.level += 1
            mask = (1 << self.level) - 1
            for day, buyers in list(self.days.items()):
                kept = [buyer for buyer in buyers if not buyer & mask]
                for buyer in buyers:
                    if buyer & mask:
                        self._uncount(buyer)
                if kept:
                    self.days[day] = kept
                else:
                    del self.days[day]
