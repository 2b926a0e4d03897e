"""How long until something happens, where for some it has not happened yet."""

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import Final

from msgspec import Struct

from detectors.evaluation.proportions import Z_95

#: Shares that only rounding keeps from one half count as one half.
_ROUNDING: Final = 1e-12


class SurvivalStep(Struct, frozen=True):
    """At ``time`` the share of those to whom it has not happened falls to ``share``; the interval is of 95 %."""

    time: float
    share: float
    low: float
    high: float
    waiting: int
    happened: int


class Waiting(Struct, frozen=True):
    """Quantile of a time to an event, with an interval of 95 %; ``None`` is later than anybody was watched."""

    value: float | None
    low: float | None
    high: float | None


def survival(times: Sequence[float], happened: Sequence[bool]) -> list[SurvivalStep]:
    """The product-limit estimate (E. L. Kaplan and P. Meier: JASA 53, 1958) at each time at which it happened.

    Its variance is Greenwood's; the interval is that of the logarithm of minus the logarithm (J. D. Kalbfleisch and
    R. L. Prentice: The Statistical Analysis of Failure Time Data, 1980), which stays between 0 and 1.

    Parameters
    ----------
    times
        For each subject the time until the event, or until it was watched no longer.
    happened
        Whether the event came.
    """
    ordered = sorted(zip(times, happened, strict=True))
    waiting = len(ordered)
    share, variance = 1.0, 0.0
    steps = []
    at = 0
    while at < len(ordered):
        time = ordered[at][0]
        same = at
        events = 0
        while same < len(ordered) and ordered[same][0] == time:
            events += ordered[same][1]
            same += 1
        if events:
            share *= 1.0 - events / waiting
            if waiting > events:
                variance += events / (waiting * (waiting - events))
            low, high = _bounds(share, variance)
            steps.append(SurvivalStep(time, share, low, high, waiting, events))
        waiting -= same - at
        at = same
    return steps


def _bounds(share: float, variance: float) -> tuple[float, float]:
    if not 0 < share < 1:
        return share, share
    reach = Z_95 * sqrt(variance) / abs(log(share))
    # exp of either end may overflow where hardly anybody is left: then nothing is known.
    low, high = share ** exp(min(reach, 700.0)), share ** exp(-min(reach, 700.0))
    return low, high


def quantile(steps: Sequence[SurvivalStep], part: float) -> Waiting:
    """Time by which it has happened to a part of all (0 to 1); its interval is where the curve's band crosses that
    (R. Brookmeyer and J. Crowley: Biometrics 38, 1982).
    """
    left = 1.0 - part + _ROUNDING
    return Waiting(
        next((step.time for step in steps if step.share <= left), None),
        next((step.time for step in steps if step.low <= left), None),
        next((step.time for step in steps if step.high <= left), None),
    )


def happened_by(steps: Sequence[SurvivalStep], time: float) -> tuple[float, float, float]:
    """Share to whom it has happened by a time, with its interval."""
    last = None
    for step in steps:
        if step.time > time:
            break
        last = step
    return (0.0, 0.0, 0.0) if last is None else (1 - last.share, 1 - last.high, 1 - last.low)


def median_time(times: Sequence[float], happened: Sequence[bool]) -> float | None:
    """Median time to an event: the least by which it has happened to half of the subjects; ``None`` if it never has."""
    return quantile(survival(times, happened), 0.5).value
