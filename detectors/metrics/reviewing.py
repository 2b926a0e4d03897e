"""The work of reviewers: how much is asked of them, how much waits, and how often what ranked first was right."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from detectors.metrics.delays import answered_at, replaced_at
from detectors.metrics.estimate import Estimate, Period, clustered, count, of_slice
from detectors.metrics.facts import Ruling, State
from features.windows import DAY_MS

#: Requests of a day that are looked at; 100 a day is what card fraud teams are measured by (Dal Pozzolo et al., 2018).
BUDGETS: Final = (10, 50, 100)


def reviewing(state: State, period: Period) -> Iterator[Estimate]:
    """Requests, answers and backlog; precision at k of each day's requests, ranked by score."""
    waiting = [ruling for _, ruling in sorted(state.rulings.items()) if ruling.waiting]
    asked = [ruling for ruling in waiting if ruling.at in period]
    yield count("review_requests", period, len(asked), per=period.days)
    yield count("reviews", period, sum(answered_at(ruling) > 0 for ruling in asked), per=period.days)
    replaced = replaced_at(state)
    backlog = sum(
        _open_at(ruling, period.end, replaced.get(key, 0)) for key, ruling in state.rulings.items() if ruling.waiting
    )
    yield count("review_backlog", period, backlog)
    by_day: dict[int, list[Ruling]] = defaultdict(list)
    for ruling in asked:
        if ruling.verdict:
            by_day[ruling.at // DAY_MS].append(ruling)
    answered = sum(len(each) for each in by_day.values())
    for most in BUDGETS:
        sums = []
        for day, rulings in sorted(by_day.items()):
            first = sorted(rulings, key=lambda each: (-each.score, each.at, each.subject))[:most]
            sums.append((str(day), float(sum(each.verdict == "violation" for each in first)), float(len(first))))
        yield clustered(
            "precision_at_k",
            period,
            sums,
            slice_=of_slice(k=str(most)),
            completeness=answered / len(asked) if asked else 0.0,
        )


def _open_at(ruling: Ruling, time: int, replaced: int) -> bool:
    """Whether a request was open at a time: asked, and neither answered nor ended nor ``replaced`` (ms; 0: never)."""
    ended = [at for at in (answered_at(ruling), ruling.reversed_at, ruling.expires, replaced) if at]
    return ruling.at < time <= min(ended, default=time)
