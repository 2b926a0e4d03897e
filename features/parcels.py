"""What parcels weigh and how long they take: which can't hold the goods, which can't have come so fast.

Weights are learned per unit ordered, by category; times from hand-over to delivery by route, and for all parcels
together where a route is new. Both are compared on a logarithmic scale with the median and with the spread below it,
so that a category of rings and safes is judged by its own width, and what a few attackers add hardly moves the line.
"""

from typing import Final

from msgspec import Struct, field

from features.log_counts import LogCounts
from features.room import make_room
from features.windows import HOUR_MS

#: Parcels that must be known before one is judged by them.
ENOUGH: Final = 50
#: A parcel is far too light below a quarter of the median (log 4), and below it by 1.6 times what the lightest tenth
#: is: weights that fall off like an exponential above a least one, which spread widely, lie above that line.
LIGHT_LEAST: Final = 1.386
LIGHT_SPREADS: Final = 1.6
#: Too fast: below a fifth of the median time, and twice as far below it as the fastest tenth.
FAST_LEAST: Final = 1.609
FAST_SPREADS: Final = 2.0
#: Categories and routes kept; those with the fewest parcels leave.
LIMIT: Final = 2_048
_ALL: Final = ""


class Parcels(Struct):
    """Weights per unit, grams, by category; times, hours, by route."""

    weights: dict[str, LogCounts] = field(default_factory=dict)
    times: dict[str, LogCounts] = field(default_factory=dict)

    def weigh(self, category: str, grams: int, quantity: int) -> bool:
        """Learn a parcel's weight; true if it is far too light for what was ordered."""
        if grams <= 0 or quantity <= 0 or not category:
            return False
        known = _counts(self.weights, category)
        each = grams / quantity
        light = known.total >= ENOUGH and each < known.far_below(LIGHT_LEAST, LIGHT_SPREADS)
        if light:
            known.add_outlier(each)
        else:
            known.add(each)
        return light

    def arrived(self, route: str, took_ms: int) -> bool:
        """Learn how long a parcel took; true if no parcel can have been that fast.

        ``route`` is empty where it is not known.
        """
        hours = max(took_ms, 60_000) / HOUR_MS
        tables = [_counts(self.times, _ALL)]
        if route:
            tables.append(_counts(self.times, route))
        judge = tables[-1] if tables[-1].total >= ENOUGH else tables[0]
        fast = judge.total >= ENOUGH and hours < judge.far_below(FAST_LEAST, FAST_SPREADS)
        for table in tables:
            if fast:
                table.add_outlier(hours)
            else:
                table.add(hours)
        return fast


def _counts(table: dict[str, LogCounts], key: str) -> LogCounts:
    """The counts of a key, made when first asked for."""
    known = table.get(key)
    if known is None:
        # All parcels together are the most, so they stay.
        make_room(table, LIMIT, lambda each: each.total)
        table[key] = known = LogCounts()
    return known
