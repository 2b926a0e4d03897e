"""Rounding on the hot path."""

from math import floor


def nearest(value: float, parts: float) -> float:
    """A finite number to the nearest 1/``parts``, halves up: ``nearest(x, 1e4)`` keeps four decimals.

    Takes a quarter of the time of the built-in ``round``, which works out the decimal digits; the two may differ where
    a number lies within rounding errors of the middle.
    """
    return floor(value * parts + 0.5) / parts
