"""How often the orders of all merchants go bad, in each way: lately, and over a year.

Who sells little is judged by what all have, so what all have must be of now: lateness swings with the season (on Olist
from 19 % to 1 % within three months). But a season passes, so what is expected of the next weeks lies between the rate
of late and that of a year.

Merchants' counters are added once each, when their credit is looked at, by whole days that are over: nothing is done
for an order. What is heard later of those orders is not added. Those of a merchant whose orders mostly go bad are
left out, and a big one counts as one among many: a few bust-outs would make everybody look honest.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from features.credit import Day

#: Half-lives, days.
RECENT_DAYS: Final = 21.0
YEAR_DAYS: Final = 365.0
#: Pseudo-orders with which the rate known in advance counts.
STRENGTH: Final = 500.0
#: Orders of a merchant that count at most each time that it is added, so that the rate is that of many merchants.
MOST_ORDERS: Final = 50
#: What is left of a day by its age, days; what is older counts as little as the oldest.
_AGES: Final = 1_000
_RECENT: Final = tuple(0.5 ** (age / RECENT_DAYS) for age in range(_AGES))
_YEAR: Final = tuple(0.5 ** (age / YEAR_DAYS) for age in range(_AGES))


class WayRate(Struct, array_like=True, gc=False):
    """Orders and bad ones of all merchants, decayed to the end of ``day`` with both half-lives."""

    day: int = 0
    recent_orders: float = 0.0
    recent_bad: float = 0.0
    year_orders: float = 0.0
    year_bad: float = 0.0

    def add(self, days: Sequence[Day]) -> None:
        """Count days of a merchant, in their order; late ones count what is left of them."""
        if not days:
            return
        ahead = days[-1][0] - self.day
        if ahead > 0:
            recent, year = 0.5 ** (ahead / RECENT_DAYS), 0.5 ** (ahead / YEAR_DAYS)
            self.recent_orders *= recent
            self.recent_bad *= recent
            self.year_orders *= year
            self.year_bad *= year
            self.day += ahead
        total = sum([orders for _, orders, _ in days])
        part = MOST_ORDERS / total if total > MOST_ORDERS else 1.0
        for day, orders, bad in days:
            age = min(self.day - day, _AGES - 1)
            recent, year = part * _RECENT[age], part * _YEAR[age]
            self.recent_orders += recent * orders
            self.year_orders += year * orders
            if bad:
                self.recent_bad += recent * bad
                self.year_bad += year * bad

    def expected(self, known: float) -> float:
        """Rate to be expected of the next weeks, 0 to 1; ``known`` is the rate known in advance."""
        pseudo = STRENGTH * known
        recent = (self.recent_bad + pseudo) / (self.recent_orders + STRENGTH)
        year = (self.year_bad + pseudo) / (self.year_orders + STRENGTH)
        return 0.5 * (recent + year)
