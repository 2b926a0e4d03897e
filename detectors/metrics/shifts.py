"""Whether this period is of the same kind as the one before it: stability of scores, categories and tiers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from detectors.evaluation.stability import stability
from detectors.metrics.estimate import Estimate, Period
from detectors.metrics.facts import State
from detectors.metrics.slices import NOT_KNOWN
from features.windows import DAY_MS

#: Scores are told apart by bands of 100.
_BAND: Final = 100
_TOP: Final = 9


def shifts(state: State, period: Period) -> Iterator[Estimate]:
    """Indices of stability against the period of the same length before."""
    before = Period(2 * period.start - period.end, period.start, period.now)
    scores: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for draw in state.draws.values():
        # The random stratum alone is of all; drawn by score, the sample would follow the scores.
        if draw.stratum == "uniform" and draw.score >= 0:
            band = str(min(draw.score // _BAND, _TOP))
            _note(scores, before, period, draw.at, band, 1)
    yield _shift("score_shift", period, scores)
    categories: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    tiers: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for (day, _, category, tier), cell in state.cells.items():
        _note(categories, before, period, day * DAY_MS, category or NOT_KNOWN, cell.orders)
        _note(tiers, before, period, day * DAY_MS, tier or NOT_KNOWN, cell.orders)
    yield _shift("category_shift", period, categories)
    yield _shift("tier_shift", period, tiers)


def _note(
    counts: tuple[Counter[str], Counter[str]], before: Period, period: Period, time: int, group: str, number: int
) -> None:
    if time in before:
        counts[0][group] += number
    elif time in period:
        counts[1][group] += number


def _shift(name: str, period: Period, counts: tuple[Mapping[str, int], Mapping[str, int]]) -> Estimate:
    old, new = counts
    groups = sorted(old.keys() | new.keys())
    found = stability([old.get(group, 0) for group in groups], [new.get(group, 0) for group in groups])
    return Estimate(
        name=name,
        slice={},
        start=period.start,
        end=period.end,
        value=None if found is None else found.index,
        low=None,
        high=None,
        numerator=sum(new.values()),
        denominator=sum(old.values()),
        unit="index",
        method="psi",
        mature=found is not None,
        note="beyond chance, and more than moderate" if found is not None and found.shifted else "",
        bound=None if found is None else found.bound,
    )
