"""One figure of governance with how sure it is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import sqrt
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from scipy.stats import beta
from scipy.stats import t as student

from detectors.evaluation.proportions import wilson
from detectors.evaluation.sampled_ratios import RatioEstimate, SampledUnit, estimate_ratio
from detectors.evaluation.survival import quantile, survival
from features.windows import HOUR_MS

#: How an estimate and its interval were made; docs/metrics.md has a paragraph on each.
Method: TypeAlias = Literal[
    "count", "wilson", "clopper-pearson", "clustered", "horvitz-thompson", "kaplan-meier", "student", "katz", "psi"
]
Unit: TypeAlias = Literal["share", "ratio", "hours", "days", "count", "index", "minor units"]
#: Below this many cases the guarantee of Clopper and Pearson is taken, above it Wilson's narrower interval.
EXACT_BELOW: Final = 30
#: Least share of the cases whose outcome is known for an estimate to be mature.
MATURE: Final = 0.99


class Period(Struct, frozen=True):
    """From ``start`` up to but not including ``end``, event time in ms; what is known is known at ``now``."""

    start: int
    end: int
    now: int

    def __contains__(self, time: object) -> bool:
        return isinstance(time, int) and self.start <= time < self.end

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.start) / 86_400_000


class Estimate(Struct, frozen=True, kw_only=True):
    """A figure of a period, or of a slice of it, with a two-sided interval of 95 %.

    ``value`` and its bounds are ``None`` where there is nothing to say it of; the bounds alone where chance plays no
    part (a count). ``numerator`` and ``denominator`` are what it is a ratio of, as counted; a sample's are the units
    drawn. ``mature``: whether nearly all outcomes are known (``completeness`` is the share that is): what is not mature
    is never to be compared. Of a sample, ``completeness`` is the share of the drawn that a person has judged.
    ``bound``: of an index of stability, what it stays below 95 % of the time by chance.
    """

    name: str
    slice: dict[str, str]
    start: int
    end: int
    value: float | None
    low: float | None
    high: float | None
    numerator: float
    denominator: float
    unit: Unit
    method: Method
    mature: bool
    completeness: float = 1.0
    note: str = ""
    bound: float | None = None


def of_slice(**named: str) -> dict[str, str]:
    """A slice by its dimensions; without any it is everything."""
    return {name: value for name, value in sorted(named.items()) if value}


def count(
    name: str, period: Period, value: float, *, unit: Unit = "count", per: float = 1.0, slice_: Mapping[str, str] = {}
) -> Estimate:
    """A figure that was counted and needs no interval; ``per`` is what it is divided by."""
    return Estimate(
        name=name,
        slice=dict(slice_),
        start=period.start,
        end=period.end,
        value=value / per if per else None,
        low=None,
        high=None,
        numerator=value,
        denominator=per,
        unit=unit,
        method="count",
        mature=True,
    )


def proportion(
    name: str,
    period: Period,
    hits: int,
    total: int,
    *,
    slice_: Mapping[str, str] = {},
    completeness: float = 1.0,
    note: str = "",
) -> Estimate:
    """A share of independent cases: Wilson's interval, of few cases that of Clopper and Pearson (which never covers
    less than it says; C. J. Clopper and E. S. Pearson: Biometrika 26, 1934).
    """
    exact = total < EXACT_BELOW
    low: float | None = None
    high: float | None = None
    if total:
        low, high = clopper_pearson(hits, total) if exact else wilson(hits, total)
    return Estimate(
        name=name,
        slice=dict(slice_),
        start=period.start,
        end=period.end,
        value=hits / total if total else None,
        low=low,
        high=high,
        numerator=hits,
        denominator=total,
        unit="share",
        method="clopper-pearson" if exact else "wilson",
        mature=bool(total) and completeness >= MATURE,
        completeness=completeness,
        note=note,
    )


def clopper_pearson(hits: int, total: int) -> tuple[float, float]:
    """The exact interval of a binomial share, 95 %.

    >>> tuple(round(bound, 4) for bound in clopper_pearson(0, 10))
    (0.0, 0.3085)
    """
    if not 0 <= hits <= total or not total:
        raise ValueError(f"{hits} of {total} is no share")
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, total - hits + 1))
    high = 1.0 if hits == total else float(beta.ppf(0.975, hits + 1, total - hits))
    return low, high


def clustered(
    name: str,
    period: Period,
    sums: Iterable[tuple[str, float, float]],
    *,
    slice_: Mapping[str, str] = {},
    completeness: float = 1.0,
    note: str = "",
) -> Estimate:
    """A share of cases that stand or fall together by cluster: (cluster, numerator, denominator) of each.

    Everything was counted, and still it is uncertain what the rate behind it is: the interval is that of a ratio over
    clusters, each counted in full.
    """
    units = [
        SampledUnit(cluster=cluster, inclusion_probability=1.0, numerator=above, denominator=below)
        for cluster, above, below in sums
        if below
    ]
    found = estimate_ratio(units)
    return _of_ratio(
        name,
        period,
        found,
        (sum(each.numerator for each in units), sum(each.denominator for each in units)),
        method="clustered",
        slice_=slice_,
        completeness=completeness,
        mature=bool(units) and completeness >= MATURE,
        note=note,
    )


def mean(
    name: str,
    period: Period,
    values: Sequence[float],
    *,
    unit: Unit = "count",
    slice_: Mapping[str, str] = {},
    completeness: float = 1.0,
    note: str = "",
) -> Estimate:
    """A mean of independent figures with Student's interval; of fewer than two without any."""
    total, number = float(sum(values)), len(values)
    centre = total / number if number else None
    low = high = None
    if centre is not None and number > 1:
        spread = sqrt(sum((value - centre) ** 2 for value in values) / (number - 1))
        reach = float(student.ppf(0.975, number - 1)) * spread / sqrt(number)
        low, high = max(0.0, centre - reach), centre + reach
    return Estimate(
        name=name,
        slice=dict(slice_),
        start=period.start,
        end=period.end,
        value=centre,
        low=low,
        high=high,
        numerator=total,
        denominator=number,
        unit=unit,
        method="student",
        mature=number > 0 and completeness >= MATURE,
        completeness=completeness,
        note=note,
    )


def time_until(
    name: str,
    period: Period,
    waits: Sequence[tuple[float, bool]],
    *,
    slice_: Mapping[str, str] = {},
    part: float = 0.5,
) -> Estimate:
    """Hours by which something has happened to a part of the cases, out of (ms, whether it happened) of each.

    It is mature as cases still waiting are counted for as long as they were watched; not where it never got so far.
    """
    steps = survival([wait / HOUR_MS for wait, _ in waits], [happened for _, happened in waits])
    found = quantile(steps, part)
    happened = sum(each for _, each in waits)
    return Estimate(
        name=name,
        slice=dict(slice_) | ({} if part == 0.5 else {"quantile": f"{100 * part:g} %"}),
        start=period.start,
        end=period.end,
        value=found.value,
        low=found.low,
        high=found.high,
        numerator=happened,
        denominator=len(waits),
        unit="hours",
        method="kaplan-meier",
        mature=found.value is not None,
        note=f"{len(waits) - happened:,} of {len(waits):,} still waiting" if happened < len(waits) else "",
    )


def sampled(
    name: str,
    period: Period,
    units: Iterable[SampledUnit],
    *,
    drawn: int,
    least_judged: float,
    slice_: Mapping[str, str] = {},
    note: str = "",
) -> Estimate:
    """A share estimated from a sample with known probabilities, of which so many were ``drawn`` and some are judged.

    It is mature once ``least_judged`` of the drawn have been judged: who waits for a verdict may be of another kind.
    """
    judged = list(units)
    found = estimate_ratio(judged)
    share = len(judged) / drawn if drawn else 0.0
    counted = (float(sum(each.numerator > 0 for each in judged)), float(sum(each.denominator > 0 for each in judged)))
    return _of_ratio(
        name,
        period,
        found,
        counted,
        method="horvitz-thompson",
        slice_=slice_,
        completeness=share,
        mature=found.value is not None and share >= least_judged,
        note=note,
    )


def _of_ratio(
    name: str,
    period: Period,
    found: RatioEstimate,
    counted: tuple[float, float],
    *,
    method: Method,
    slice_: Mapping[str, str],
    completeness: float,
    mature: bool,
    note: str,
) -> Estimate:
    return Estimate(
        name=name,
        slice=dict(slice_),
        start=period.start,
        end=period.end,
        value=found.value,
        low=found.low,
        high=found.high,
        numerator=counted[0],
        denominator=counted[1],
        unit="share",
        method=method,
        mature=mature,
        completeness=completeness,
        note=note,
    )


def iso_time(time: int) -> str:
    """A time in ms as RFC 3339, UTC.

    >>> iso_time(1767225600000)
    '2026-01-01T00:00:00.000Z'
    """
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def date_of(time: int) -> str:
    """UTC date of a time in ms.

    >>> date_of(1767225600000)
    '2026-01-01'
    """
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")
