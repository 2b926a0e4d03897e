"""How sure a share is."""

from math import sqrt
from typing import Final

from msgspec import Struct

#: Two-sided 95 %.
Z_95: Final = 1.959963984540054


class Share(Struct, frozen=True):
    """``hits`` of ``total``, with a Wilson interval of 95 %; ``value`` and the interval are ``None`` of nothing."""

    hits: int
    total: int
    value: float | None
    low: float | None
    high: float | None


def share(hits: int, total: int) -> Share:
    """The share of some, with its interval."""
    if not total:
        return Share(hits, total, None, None, None)
    low, high = wilson(hits, total)
    return Share(hits, total, hits / total, low, high)


def wilson(hits: float, total: float, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share (E. B. Wilson: JASA 22, 1927): right for rare events too, unlike the normal
    approximation. Counts need not be whole: orders that belong together may count as fewer.

    Raises
    ------
    ValueError
        Not 0 <= hits <= total, or nothing was counted.
    """
    if not 0 <= hits <= total or not total:
        raise ValueError(f"{hits} of {total} is no share")
    rate, unit = hits / total, z * z / total
    centre = (rate + unit / 2) / (1 + unit)
    reach = z / (1 + unit) * sqrt(rate * (1 - rate) / total + unit / (4 * total))
    return (0.0 if hits == 0 else max(0.0, centre - reach), 1.0 if hits == total else min(1.0, centre + reach))
