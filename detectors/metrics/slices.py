"""By what merchants and orders are told apart: size, age, country, kind, category, tier."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from detectors.metrics.estimate import Period
from detectors.metrics.facts import MerchantFacts, State
from features.windows import DAY_MS

#: A merchant is new for so many days, as in the platforms' probation and Amazon's 90 days (GOVERNANCE, section 1).
NEW_DAYS: Final = 90
#: Orders in a period of 30 days from which a merchant is of a size; eBay's monthly 400 in three is the largest.
_SIZES: Final = ((133.0, "large"), (10.0, "medium"), (0.0, "small"))
#: Values of a dimension that are shown by themselves; the others together.
MOST_VALUES: Final = 12
#: What is not known of a merchant.
NOT_KNOWN: Final = "not known"
#: The value that stands for all but the most frequent ones.
OTHERS: Final = "all others"


def active(state: State, period: Period) -> dict[str, int]:
    """Orders in the period of each merchant that got one or listed something, in a fixed order."""
    found: Counter[str] = Counter()
    for (day, merchant, _, _), cell in state.cells.items():
        if day * DAY_MS in period:
            found[merchant] += cell.orders
    for (merchant, _), listing in state.listings.items():
        if merchant not in found and any(at in period for at in listing.versions):
            found[merchant] = 0
    return dict(sorted(found.items()))


def size_of(orders: int, period: Period) -> str:
    """Size of a merchant with so many orders in a period.

    >>> size_of(133, Period(0, 30 * 86_400_000, 0)), size_of(3, Period(0, 86_400_000, 0))
    ('large', 'medium')
    """
    monthly = orders / max(period.days, 1.0) * 30
    return next(name for least, name in _SIZES if monthly >= least)


def dimensions(merchant: MerchantFacts, orders: int, period: Period) -> Iterator[tuple[str, str]]:
    """The slices that a merchant is in: (dimension, value)."""
    day = period.start // DAY_MS
    yield "age", "new" if day - merchant.first_day < NEW_DAYS else "established"
    yield "size", size_of(orders, period)
    yield "country", merchant.country or NOT_KNOWN
    yield "kind", merchant.kind or NOT_KNOWN
    yield "category", merchant.category or NOT_KNOWN
    yield "tier", merchant.tier or NOT_KNOWN


def leading(values: Counter[str]) -> set[str]:
    """The values of a dimension that are shown by themselves."""
    ranked = sorted(values, key=lambda value: (-values[value], value))
    return set(ranked[:MOST_VALUES])


def main_currency(state: State) -> str:
    """The currency in which most was ordered; empty where nothing was."""
    return max(sorted(state.gmv), key=lambda currency: state.gmv[currency], default="")
