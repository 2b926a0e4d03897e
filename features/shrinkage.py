"""Empirical Bayes for rates of small merchants.

A merchant's defects are Binomial(n, p) with p drawn from a Beta(alpha, beta) that is fitted on all merchants of the
shard. The posterior mean pulls a small merchant towards its peers; the 5 % quantile of the posterior is the rate that
the evidence supports even when luck was bad, and is what a rule should compare. (eBay's case study in empirical
Bayes; GOVERNANCE section 5.)
"""

from functools import lru_cache
from typing import Final

from msgspec import Struct
from scipy.special import betaincinv

#: Lower tail of the credible bound.
LOWER_TAIL: Final = 0.05
#: Bounds of a prior's strength in pseudo-orders: weaker would trust one order, stronger would ignore hundreds.
MIN_STRENGTH: Final = 10.0
MAX_STRENGTH: Final = 400.0
#: Pairs of orders that a fit needs.
_MIN_PAIRS: Final = 2_000


class BetaPrior(Struct, frozen=True, array_like=True, gc=False):
    """Beta distribution of a rate over merchants: alpha bad and beta good pseudo-orders."""

    alpha: float
    beta: float


def fit_beta(orders: int, defects: int, order_pairs: int, defect_pairs: int, default: BetaPrior) -> BetaPrior:
    """Fit a Beta prior by the method of moments of the Beta-Binomial.

    With n orders and k defects a merchant, ``E[k] = n m`` and ``E[k (k-1)] = n (n-1) m (m s + 1) / (s + 1)`` for mean
    m and strength s = alpha + beta, so that pooled sums over merchants give both. The default prior joins as pseudo-
    data while orders are few.
    """
    strength = default.alpha + default.beta
    mean = (defects + default.alpha) / (orders + strength)
    if order_pairs < _MIN_PAIRS or not 0.0 < mean < 1.0:
        fitted = strength
    else:
        second = defect_pairs / order_pairs
        variance = second - mean * mean
        fitted = MAX_STRENGTH if variance <= 0.0 else (mean - second) / variance
    fitted = min(max(fitted, MIN_STRENGTH), MAX_STRENGTH)
    # Four digits are more than any rate supports, and let equal questions share one answer.
    alpha = float(f"{mean * fitted:.4g}")
    return BetaPrior(alpha, float(f"{fitted - mean * fitted:.4g}"))


def posterior_mean(defects: int, orders: int, prior: BetaPrior) -> float:
    """Posterior mean of a rate, 0 to 1."""
    return (defects + prior.alpha) / (orders + prior.alpha + prior.beta)


@lru_cache(maxsize=65_536)
def credible_lower(defects: int, orders: int, prior: BetaPrior) -> float:
    """5 % quantile of the posterior of a rate, 0 to 1: with 95 % credibility the rate is above it."""
    return float(betaincinv(prior.alpha + defects, prior.beta + orders - defects, LOWER_TAIL))
