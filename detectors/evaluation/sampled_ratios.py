"""Ratios estimated from a sample that was drawn with known, unequal probabilities, with intervals by cluster.

Prevalence, precision and recall of an audit sample are all ratios of two totals. Each total is estimated by weighing a
sampled unit with the inverse of its inclusion probability (D. G. Horvitz and D. J. Thompson: JASA 47, 1952), their
ratio's variance by linearisation (C.-E. Särndal, B. Swensson, J. Wretman: Model Assisted Survey Sampling, 1992,
section 5.6). Units of one merchant stand or fall together, so the variance is that between merchants.

A ratio of rare cases is far from normal. Its interval is therefore Wilson's, of the number of independent units that
would leave the ratio as uncertain (the effective sample size of E. L. Korn and B. I. Graubard: Survey Methodology 24,
1998), with Student's quantile. Its degrees of freedom are not the number of clusters: where a few of them hold most of
the violations, the variance itself is known no better than from these few (F. E. Satterthwaite: Biometrics Bulletin 2,
1946, with the variance of a sum of squares for that of the estimated variance).
"""

from collections import defaultdict
from collections.abc import Iterable
from math import isfinite, sqrt
from typing import Final

from msgspec import Struct
from scipy.stats import t as student

from detectors.evaluation.proportions import Z_95, wilson

#: Two-sided 95 %.
CONFIDENCE: Final = 0.95


class SampledUnit(Struct, frozen=True, kw_only=True, gc=False):
    """One unit of the sample.

    ``inclusion_probability`` is that of its having been drawn (over 0, up to 1); ``numerator`` and ``denominator`` are
    what it adds to the two totals, with 0 <= numerator <= denominator. For prevalence by views the denominator is its
    views, and the numerator the same where it violates.
    """

    cluster: str
    inclusion_probability: float
    numerator: float
    denominator: float


class RatioEstimate(Struct, frozen=True, kw_only=True):
    """A ratio with an interval of 95 %; all ``None`` of an empty sample.

    ``effective_units`` is how many independent units would leave it as uncertain.
    """

    units: int
    clusters: int
    value: float | None
    standard_error: float | None
    low: float | None
    high: float | None
    effective_units: float | None


def estimate_ratio(sample: Iterable[SampledUnit]) -> RatioEstimate:
    """Estimate the ratio of the two totals of all units from those that were drawn.

    Raises
    ------
    ValueError
        A unit's probability or amounts are out of range.
    """
    by_cluster: dict[str, list[tuple[float, float]]] = defaultdict(list)
    units = 0
    for unit in sample:
        _check(unit)
        units += 1
        if unit.denominator:
            weight = 1.0 / unit.inclusion_probability
            by_cluster[unit.cluster].append((weight * unit.numerator, weight * unit.denominator))
    above = sum(n for each in by_cluster.values() for n, _ in each)
    below = sum(d for each in by_cluster.values() for _, d in each)
    clusters = len(by_cluster)
    if not below:
        return RatioEstimate(
            units=units, clusters=clusters, value=None, standard_error=None, low=None, high=None, effective_units=None
        )
    ratio = min(1.0, above / below)
    residuals = [sum(n - ratio * d for n, d in each) / below for each in by_cluster.values()]
    error = None
    if clusters > 1:
        error = sqrt(clusters / (clusters - 1) * sum(each * each for each in residuals))
    effective = _effective(ratio, error, by_cluster.values())
    quantile = Z_95 if clusters < 2 else float(student.ppf(0.5 + CONFIDENCE / 2, _freedom(residuals)))
    low, high = wilson(ratio * effective, effective, quantile)
    return RatioEstimate(
        units=units,
        clusters=clusters,
        value=ratio,
        standard_error=error,
        low=low,
        high=high,
        effective_units=effective,
    )


def _freedom(residuals: list[float]) -> float:
    """Degrees of freedom of the variance that the residuals of clusters give: as many as there are clusters but one,
    or fewer where few of them dominate.
    """
    clusters = len(residuals)
    squares = [each * each for each in residuals]
    second, fourth = sum(squares), sum(each * each for each in squares)
    spread = fourth - second * second / clusters
    if spread <= 0:
        return clusters - 1
    return min(clusters - 1.0, max(1.0, 2 * second * second / spread))


def _effective(ratio: float, error: float | None, clusters: Iterable[list[tuple[float, float]]]) -> float:
    """Number of independent units; where no case was seen, or nothing else, Kish's for unequal weights of clusters."""
    if error and 0 < ratio < 1:
        return max(1.0, ratio * (1 - ratio) / (error * error))
    sums = [sum(d for _, d in each) for each in clusters]
    largest = max(sums)
    return sum(each / largest for each in sums) ** 2 / sum((each / largest) ** 2 for each in sums)


def _check(unit: SampledUnit) -> None:
    if not 0 < unit.inclusion_probability <= 1:
        raise ValueError(f"an inclusion probability is over 0 and at most 1, not {unit.inclusion_probability}")
    if not (isfinite(unit.denominator) and 0 <= unit.numerator <= unit.denominator):
        raise ValueError(f"{unit.numerator} of {unit.denominator} is no share of a unit")
