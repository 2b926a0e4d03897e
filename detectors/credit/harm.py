"""The probability that a party's next orders go bad, with credible bounds, and its scale in points.

Orders go bad in several ways (components), and some tell more of who sells than others: whether parcels leave in time
is the seller's doing, whether they arrive in time mostly the carrier's. So each component is estimated by itself:
Beta-Binomial around the mean of all parties, as strongly shrunk towards it as its rows of the policy say, with orders
that count half after a half-life (a forgetting factor as in the Beta reputation system). An order is bad if it is in
any way: ``U = 1 - prod(1 - p_c)``. Violations found in the last time add to its log-odds.

The bounds are those of the Beta distribution with the mean and the variance of U, taking components as independent.

References
----------
A. Jøsang, R. Ismail: The Beta reputation system. Bled eCommerce Conference 2002.
"""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final

from msgspec import Struct
from scipy.special import betaincinv

from detectors.credit.policy import HIGHEST, Harm
from features.credit import Component, Conduct

_LN2: Final = log(2.0)
#: Probabilities nearer to 0 or 1 are taken as this near: no evidence is that strong.
_EDGE: Final = 1e-6
#: Counts of the past are kept in hundredths.
_PARTS: Final = 100


class Posterior(Struct, frozen=True, gc=False):
    """Probability that an order goes bad: mean and the bounds of its credible interval, 0 to 1; and what it is for all
    parties.
    """

    mean: float
    lower: float
    upper: float
    of_all: float


def posterior(
    conduct: Conduct, past: Sequence[int], since_day: int, spread: float, cases: int, harm: Harm
) -> Posterior:
    """What to expect of a party's next orders.

    Parameters
    ----------
    past, since_day
        Counts of the weeks put away (see :func:`put_away`), and the first day after them.
    spread
        Share of evidence that its orders are, 0 to 1: from few buyers they prove less than they seem.
    cases
        Violations found in the last time.
    """
    rate = _LN2 / harm.half_life_days
    good = good_of_all = square = 1.0
    for index, (name, component) in enumerate(conduct.components.items()):
        orders, bad = _past(past, index)
        weight = exp(-rate * max(0, conduct.day - since_day)) / _PARTS
        orders, bad = weight * orders, weight * bad
        for day, due, defects in component.days:
            if day >= since_day:
                weight = exp(-rate * (conduct.day - day))
                orders += weight * due
                bad += weight * defects
        strength = harm.strengths[name]
        alpha = strength * component.mean + spread * bad
        beta = strength * (1.0 - component.mean) + spread * max(0.0, orders - bad)
        size = alpha + beta
        fine = beta / size
        good *= fine
        square *= fine * (beta + 1.0) / (size + 1.0)
        good_of_all *= 1.0 - component.mean
    shift = harm.per_case * min(cases, harm.cases_at_most)
    lower, upper = _bounds(1.0 - good, square - good * good, harm.tail)
    return Posterior(_shifted(1.0 - good, shift), _shifted(lower, shift), _shifted(upper, shift), 1.0 - good_of_all)


def _bounds(mean: float, variance: float, tail: float) -> tuple[float, float]:
    """Quantiles of the Beta distribution with a mean and a variance."""
    if variance <= 0.0:
        return mean, mean
    size = mean * (1.0 - mean) / variance - 1.0
    return (
        float(betaincinv(mean * size, (1.0 - mean) * size, tail)),
        float(betaincinv(mean * size, (1.0 - mean) * size, 1.0 - tail)),
    )


def _shifted(probability: float, log_odds: float) -> float:
    """A probability, its log-odds raised."""
    if not log_odds:
        return probability
    factor = exp(log_odds)
    return probability * factor / (1.0 + probability * (factor - 1.0))


def put_away(past: Sequence[int], components: Mapping[str, Component], first: int, after: int, harm: Harm) -> list[int]:
    """Counts of the past with the days from ``first`` to before ``after`` added, decayed to then, in hundredths."""
    rate = _LN2 / harm.half_life_days
    decayed = exp(-rate * (after - first))
    kept = []
    for index, component in enumerate(components.values()):
        before, bad_before = _past(past, index)
        orders, bad = before * decayed, bad_before * decayed
        for day, due, defects in component.days:
            if first <= day < after:
                weight = _PARTS * exp(-rate * (after - day))
                orders += weight * due
                bad += weight * defects
        kept += [round(orders), round(bad)]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def _past(past: Sequence[int], index: int) -> tuple[float, float]:
    """Orders and bad ones of a component; what is left out at the end is zero."""
    orders, bad = (*past[2 * index : 2 * index + 2], 0, 0)[:2]
    return orders, bad


def risk_points(probability: float, harm: Harm) -> int:
    """A probability of harm as points, 0 to 1000: more points, less harm.

    ``scale_score`` points at odds of ``scale_odds`` good orders to one bad, and the odds double every ``scale_double``
    points (scorecard scaling by points to double the odds).
    """
    bounded = min(max(probability, _EDGE), 1.0 - _EDGE)
    factor = harm.scale_double / _LN2
    points = harm.scale_score + factor * (log((1.0 - bounded) / bounded) - log(harm.scale_odds))
    return round(min(max(points, 0.0), float(HIGHEST)))
