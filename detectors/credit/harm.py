"""The probability that a party's next orders go bad, with credible bounds, and its scale in points.

Orders go bad in several ways (components), and some tell more of who sells than others: whether parcels leave in time
is the seller's doing, whether they arrive in time mostly the carrier's. So each component is estimated by itself:
Beta-Binomial around the mean of all parties, as strongly shrunk towards it as its rows of the policy say, with orders
that count half after a half-life (a forgetting factor as in the Beta reputation system). An order is bad if it is in
any way: ``U = 1 - prod(1 - p_c)``.

A scorecard makes the probability of it: log-odds of what all have, plus ``slope`` times how far U lies from there, plus
what cases of violations and other signs add. The slope is below 1, as the next weeks are always more ordinary than the
last ones were.

The bounds are those of the Beta distribution with the mean and the variance of U, taking components as independent,
put through the scorecard. Tiers rest on the bounds of U itself: on what the party's orders did, and on no sign.

References
----------
A. Jøsang, R. Ismail: The Beta reputation system. Bled eCommerce Conference 2002.
N. Siddiqi: Credit Risk Scorecards. Wiley 2006.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import exp, log
from typing import Final

from scipy.special import betaincinv

from detectors.credit.policy import HIGHEST, Harm
from features.credit import Component, Conduct

_LN2: Final = log(2.0)
#: Probabilities nearer to 0 or 1 are taken as this near: no evidence is that strong.
_EDGE: Final = 1e-6
#: Counts of the past are kept in hundredths.
_PARTS: Final = 100
#: Days of which a conduct has orders, with room.
_MOST_DAYS: Final = 400


class Posterior:
    """Probability that an order goes bad, 0 to 1, and what it is for all parties.

    The bounds of the credible intervals are worked out when they are asked for: most decisions need neither.

    Attributes
    ----------
    mean
        The probability.
    of_all
        That of all parties: what it is for one of whom nothing is known.
    """

    __slots__ = ("_lower", "_rate", "_shift", "_signs", "_size", "_slope", "_tail", "_upper", "_ways", "mean", "of_all")

    def __init__(
        self,
        rate: float,
        variance: float,
        of_all: float,
        harm: Harm,
        shift: float,
        ways: Mapping[str, float],
        signs: dict[str, float],
    ) -> None:
        self._rate = rate
        #: Strength of the Beta distribution with this mean and variance.
        self._size = rate * (1.0 - rate) / variance - 1.0 if variance > 0.0 else 0.0
        self._slope = harm.slope
        self._shift = (1.0 - harm.slope) * _log_odds(of_all) + shift
        self._tail = harm.tail
        self._lower: float | None = None
        self._upper: float | None = None
        self.mean = self._scored(rate)
        self.of_all = of_all
        #: Of each way, what goes well of all over what goes well of the party.
        self._ways = ways
        self._signs = signs

    @property
    def lower(self) -> float:
        """Lower credible bound of the probability."""
        return self._scored(self.lowest_rate)

    @property
    def upper(self) -> float:
        """Upper credible bound of the probability."""
        return self._scored(self.highest_rate)

    @property
    def parts(self) -> dict[str, float]:
        """Log-odds by which each way of going bad and each sign moves the probability from that of all; together they
        make the difference.
        """
        # Ways add up in the logarithm of what goes well.
        found = {name: log(ratio) for name, ratio in self._ways.items()}
        apart = sum(found.values())
        scale = self._slope * (_log_odds(self._rate) - _log_odds(self.of_all)) / apart if apart else 0.0
        return {name: scale * part for name, part in found.items()} | self._signs

    @property
    def relative(self) -> float:
        """The party's own rate of bad orders, as a multiple of that of all."""
        return self._rate / self.of_all

    @property
    def lowest_rate(self) -> float:
        """Lower credible bound of the party's own rate of bad orders."""
        if self._lower is None:
            self._lower = self._quantile(self._tail)
        return self._lower

    @property
    def highest_rate(self) -> float:
        """Upper credible bound of the party's own rate of bad orders."""
        if self._upper is None:
            self._upper = self._quantile(1.0 - self._tail)
        return self._upper

    def _quantile(self, share: float) -> float:
        rate, size = self._rate, self._size
        if size <= 0.0:
            return rate
        return float(betaincinv(rate * size, (1.0 - rate) * size, share))

    def _scored(self, rate: float) -> float:
        """A rate of bad orders, put through the scorecard."""
        return 1.0 / (1.0 + exp(-self._slope * _log_odds(rate) - self._shift))


def posterior(
    conduct: Conduct, past: Sequence[int], since_day: int, spread: float, cases: Mapping[str, int], harm: Harm
) -> Posterior:
    """What to expect of a party's next orders.

    Parameters
    ----------
    past, since_day
        Counts of the weeks put away (see :func:`put_away`), and the first day after them.
    spread
        Share of evidence that its orders are, 0 to 1: from few buyers they prove less than they seem.
    cases
        Violations found in the last time, by their class.
    """
    weights = _weights(harm.half_life_days)
    today = conduct.day
    past_weight = exp(-_LN2 / harm.half_life_days * max(0, today - since_day)) / _PARTS
    good = good_of_all = square = 1.0
    ways: dict[str, float] = {}
    for index, (name, component) in enumerate(conduct.ways().items()):
        orders, bad = _past(past, index)
        orders *= past_weight
        bad *= past_weight
        for day, due, defects in component.days:
            if day >= since_day:
                weight = weights[today - day]
                orders += weight * due
                if defects:
                    bad += weight * defects
        strength = harm.strengths[name]
        alpha = strength * component.mean + spread * bad
        beta = strength * (1.0 - component.mean) + spread * max(0.0, orders - bad)
        size = alpha + beta
        fine = beta / size
        good *= fine
        square *= fine * (beta + 1.0) / (size + 1.0)
        good_of_all *= 1.0 - component.mean
        ways[name] = (1.0 - component.mean) / fine
    parts: dict[str, float] = {}
    shift = 0.0
    for name, weight in harm.cases.items():
        if weight and (count := cases.get(name)):
            parts[name] = weight * min(count, harm.cases_at_most)
            shift += parts[name]
    for name, weight in harm.signs.items():
        if weight and (value := conduct.signs.get(name)):
            parts[name] = weight * value
            shift += parts[name]
    return Posterior(1.0 - good, square - good * good, 1.0 - good_of_all, harm, shift, ways, parts)


@lru_cache(maxsize=8)
def _weights(half_life_days: float) -> tuple[float, ...]:
    """What an order counts that was so many days ago."""
    return tuple(exp(-_LN2 / half_life_days * age) for age in range(_MOST_DAYS))


def moved(before: float, after: float, harm: Harm) -> bool:
    """Whether a probability has changed so much since it was told that it is news."""
    return abs(_log_odds(after) - _log_odds(before)) >= harm.news


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _EDGE), 1.0 - _EDGE)
    return log(bounded / (1.0 - bounded))


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
    points = harm.scale_score - harm.scale_double / _LN2 * (_log_odds(probability) + log(harm.scale_odds))
    return round(min(max(points, 0.0), float(HIGHEST)))
