"""Estimates as people read them."""

from detectors.metrics.catalogue import METRICS
from detectors.metrics.estimate import Estimate
from features.currencies import DECIMALS
from streams.comparison.words import NOTHING

_SMALL = 0.01


def title(estimate: Estimate) -> str:
    """What a metric is called."""
    known = METRICS.get(estimate.name)
    return estimate.name if known is None else known.title


def slice_words(estimate: Estimate) -> str:
    """The slice that an estimate is of, or that it is of everything."""
    return ", ".join(f"{name} {value}" for name, value in estimate.slice.items()) or "all"


def value(estimate: Estimate, figure: float | None = None) -> str:
    """An estimate's value, or another figure in its unit."""
    shown = estimate.value if figure is None else figure
    if shown is None:
        return NOTHING
    if estimate.unit == "share":
        return percent(shown)
    if estimate.unit == "minor units":
        currency = estimate.slice.get("currency", "")
        decimals = DECIMALS.get(currency, 2)
        return f"{shown / 10**decimals:,.{decimals}f} {currency}".strip()
    if estimate.unit in ("hours", "days"):
        return f"{shown:,.1f} {'h' if estimate.unit == 'hours' else 'd'}"
    if estimate.unit in ("ratio", "index"):
        return f"{shown:.3g}"
    return f"{shown:,.0f}" if shown == round(shown) else f"{shown:,.2f}"


def percent(share: float) -> str:
    """A share in percent, with two digits more where it is small.

    >>> percent(0.123456), percent(0.00123), percent(1.0)
    ('12.3 %', '0.12 %', '100.0 %')
    """
    return f"{100 * share:.2f} %" if 0 < share < _SMALL else f"{100 * share:.1f} %"


def interval(estimate: Estimate) -> str:
    """The interval of 95 %."""
    if estimate.low is None and estimate.high is None:
        return NOTHING
    low = NOTHING if estimate.low is None else value(estimate, estimate.low)
    high = "later" if estimate.high is None else value(estimate, estimate.high)
    return f"{low} to {high}"


def basis(estimate: Estimate) -> str:
    """What it was counted from."""
    if estimate.method == "count":
        return NOTHING if estimate.denominator == 1 else f"{estimate.numerator:,.0f} in {estimate.denominator:,.0f}"
    if estimate.method == "psi":
        return f"{estimate.denominator:,.0f} before, {estimate.numerator:,.0f} now"
    if estimate.method == "student":
        return f"{estimate.denominator:,.0f}"
    return f"{estimate.numerator:,.0f} of {estimate.denominator:,.0f}"


def standing(estimate: Estimate) -> str:
    """Whether it can be relied on yet."""
    if estimate.mature:
        return ""
    if estimate.value is None and not estimate.denominator:
        return "no cases"
    if estimate.completeness < 1:
        return f"not mature: {percent(estimate.completeness)} known"
    return "not mature"
