"""Whether governance falls alike on merchants of all kinds: rates by slice, and their ratio to everybody else's.

A ratio that is not 1 is no proof of unfairness, as merchants differ in what they do; the ratio of wrong restrictions is
closer to it. Countries, sizes and ages are not what any rule may punish, so a slice whose interval leaves the range of
0.8 to 1.25 out deserves a look (the four-fifths rule of the US Uniform Guidelines on Employee Selection, 1978).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from math import exp, log, sqrt
from typing import Final

from detectors.evaluation.proportions import Z_95
from detectors.metrics.estimate import Estimate, Period, of_slice, proportion
from detectors.metrics.facts import State
from detectors.metrics.outcomes import merchants_restricted
from detectors.metrics.slices import OTHERS, active, dimensions, leading

#: Slices of fewer merchants say too little.
LEAST_MERCHANTS: Final = 20
FAIR_LOW, FAIR_HIGH = 0.8, 1.25
#: Dimensions that no rule may punish. Categories and tiers follow from what a merchant does.
_DIMENSIONS: Final = ("age", "country", "kind", "size")


def fairness(state: State, period: Period) -> Iterator[Estimate]:
    """Restricted and wrongly restricted merchants of each slice, and the ratios to all others."""
    present = active(state, period)
    restricted = merchants_restricted(state, period) & present.keys()
    wronged = {
        ruling.merchant
        for ruling in state.rulings.values()
        if ruling.restricts and not ruling.waiting and ruling.wrong and ruling.at in period
    } & present.keys()
    members: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for merchant, orders in present.items():
        for dimension, value in dimensions(state.merchants[merchant], orders, period):
            if dimension in _DIMENSIONS:
                members[dimension][value].add(merchant)
    everybody = present.keys()
    for dimension in _DIMENSIONS:
        shown = leading(Counter({value: len(each) for value, each in members[dimension].items()}))
        merged: dict[str, set[str]] = defaultdict(set)
        for value, each in members[dimension].items():
            merged[value if value in shown else OTHERS] |= each
        for value in sorted(merged):
            inside = merged[value]
            outside = everybody - inside
            slice_ = of_slice(**{dimension: value})
            for name, hit in (("restriction", restricted), ("wrong", wronged)):
                here, there = len(inside & hit), len(outside & hit)
                yield proportion(f"slice_{name}_rate", period, here, len(inside), slice_=slice_)
                if len(inside) >= LEAST_MERCHANTS and len(outside) >= LEAST_MERCHANTS:
                    yield _ratio(f"slice_{name}_ratio", period, (here, len(inside)), (there, len(outside)), slice_)


def _ratio(
    name: str, period: Period, inside: tuple[int, int], outside: tuple[int, int], slice_: dict[str, str]
) -> Estimate:
    """Ratio of two shares with the logarithmic interval of D. Katz et al. (Biometrics 34, 1978); half a case is added
    to each so that none is without an interval.
    """
    hits, total = inside
    others, rest = outside
    centre = log((hits + 0.5) / (total + 0.5)) - log((others + 0.5) / (rest + 0.5))
    error = sqrt(1 / (hits + 0.5) - 1 / (total + 0.5) + 1 / (others + 0.5) - 1 / (rest + 0.5))
    low, high = exp(centre - Z_95 * error), exp(centre + Z_95 * error)
    apart = low > FAIR_HIGH or high < FAIR_LOW
    return Estimate(
        name=name,
        slice=slice_,
        start=period.start,
        end=period.end,
        value=exp(centre),
        low=low,
        high=high,
        numerator=hits,
        denominator=total,
        unit="ratio",
        method="katz",
        mature=hits + others > 0,
        note="outside 0.8 to 1.25" if apart and hits + others else "",
    )
