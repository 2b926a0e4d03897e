"""Experiments with policies: merchants are assigned to arms for good (:mod:`detectors.assignment`), and the arms' rates
are compared.

A merchant is the unit of chance (a policy acts on merchants, and its orders stand or fall together), so a rate is a
ratio of sums over merchants and its variance that between them (the delta method). Two intervals of the difference:

- the one at the end of a planned length, normal: it holds 95 % of the time if it is looked at once;
- the one for those who look every day: an asymptotic confidence sequence (I. Waudby-Smith, D. Arbour, R. Sinha, E. H.
  Kennedy, A. Ramdas: Time-uniform central limit theory and asymptotic confidence sequences. Annals of Statistics 52,
  2024), wider, but true at all times together 95 % of the time. Whoever stops on it is not fooled by stopping.
"""

from collections.abc import Iterable
from math import log, sqrt
from typing import Final

from msgspec import Struct

from detectors.evaluation.proportions import Z_95

#: The chance that the sequence ever misses the truth.
ALPHA: Final = 0.05
#: Merchants of an arm at which the sequence is as narrow as it can be made; elsewhere it is a little wider.
TUNED_FOR: Final = 500
#: Merchants that an arm needs before anything is said of it.
LEAST_MERCHANTS: Final = 20


class Outcome(Struct, frozen=True, gc=False):
    """What became of one merchant: ``bad`` of its ``orders``, 0 <= bad <= orders."""

    orders: float
    bad: float


class ArmRate(Struct, frozen=True, kw_only=True):
    """An arm's rate, and its standard error; ``None`` where there are fewer than LEAST_MERCHANTS with orders."""

    merchants: int
    orders: float
    bad: float
    rate: float | None
    standard_error: float | None


class Effect(Struct, frozen=True, kw_only=True):
    """What the treated arm's rate is above the control's, with an interval for who looks once and one for all times.

    ``None`` where one of the arms says too little.
    """

    treated: ArmRate
    control: ArmRate
    difference: float | None
    low: float | None
    high: float | None
    always_low: float | None
    always_high: float | None

    @property
    def decided(self) -> bool:
        """Whether it may be stopped: the interval for all times leaves zero out."""
        if self.always_low is None or self.always_high is None:
            return False
        return self.always_low > 0 or self.always_high < 0


def compare_arms(treated: Iterable[Outcome], control: Iterable[Outcome]) -> Effect:
    """The difference of two arms' rates, from what became of their merchants."""
    one, other = _rate(treated), _rate(control)
    if one.rate is None or other.rate is None or one.standard_error is None or other.standard_error is None:
        return Effect(
            treated=one, control=other, difference=None, low=None, high=None, always_low=None, always_high=None
        )
    difference = one.rate - other.rate
    error = sqrt(one.standard_error**2 + other.standard_error**2)
    merchants = min(one.merchants, other.merchants)
    always = error * always_quantile(merchants)
    return Effect(
        treated=one,
        control=other,
        difference=difference,
        low=difference - Z_95 * error,
        high=difference + Z_95 * error,
        always_low=difference - always,
        always_high=difference + always,
    )


def always_quantile(merchants: int, alpha: float = ALPHA, tuned_for: int = TUNED_FOR) -> float:
    """By how many standard errors the interval for all times reaches, with so many merchants in the smaller arm.

    With t merchants the half-width is sigma * sqrt(2 (t r² + 1) / (t² r²) * ln(sqrt(t r² + 1) / alpha)) (equation 3 of
    the paper), and r is chosen so that it is least at ``tuned_for`` merchants.
    """
    squared = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_for
    mixed = merchants * squared + 1
    return sqrt(2 * mixed / (merchants * squared) * log(sqrt(mixed) / alpha))


def _rate(outcomes: Iterable[Outcome]) -> ArmRate:
    merchants = 0
    orders = bad = squares = cross = order_squares = 0.0
    for each in outcomes:
        if each.orders <= 0:
            continue
        merchants += 1
        orders += each.orders
        bad += each.bad
        squares += each.bad * each.bad
        cross += each.bad * each.orders
        order_squares += each.orders * each.orders
    if merchants < LEAST_MERCHANTS:
        return ArmRate(merchants=merchants, orders=orders, bad=bad, rate=None, standard_error=None)
    rate = bad / orders
    # Sum of squared residuals bad - rate * orders, over merchants.
    residual = max(0.0, squares - 2 * rate * cross + rate * rate * order_squares)
    error = sqrt(merchants / (merchants - 1) * residual) / orders
    return ArmRate(merchants=merchants, orders=orders, bad=bad, rate=rate, standard_error=error)
