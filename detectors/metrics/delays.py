"""How long it takes: until a violation is detected and acted on, until people answer, until an appeal is decided."""

from collections.abc import Iterator

from detectors.metrics.estimate import Estimate, Period, of_slice, time_until
from detectors.metrics.facts import Ruling, State
from features.windows import DAY_MS


def delays(state: State, period: Period) -> Iterator[Estimate]:
    """Times with those counted who still wait; medians, and for people's answers the time of nine in ten as well."""
    for kind in ("listing", "merchant"):
        found, acted = _violations(state, period, kind)
        yield time_until("time_to_detection", period, found, slice_=of_slice(subject=kind))
        yield time_until("time_to_action", period, acted, slice_=of_slice(subject=kind))
    replaced = replaced_at(state)
    reviews = [
        _answer(ruling, period, replaced.get(key, 0))
        for key, ruling in state.rulings.items()
        if ruling.waiting and ruling.at in period
    ]
    for part in (0.5, 0.9):
        yield time_until("time_to_review", period, reviews, part=part)
    appeals = [
        ((appeal.decided or period.now) - appeal.filed, appeal.decided > 0)
        for appeal in state.appeals.values()
        if appeal.filed in period
    ]
    for part in (0.5, 0.9):
        yield time_until("time_to_appeal_decision", period, appeals, part=part)


def _violations(state: State, period: Period, kind: str) -> tuple[list[tuple[float, bool]], list[tuple[float, bool]]]:
    """Times to detection and to action of what a person called a violation and that began in the period."""
    bad_since = _first_bad_days(state) if kind == "merchant" else {}
    found: list[tuple[float, bool]] = []
    acted: list[tuple[float, bool]] = []
    for subject, verdict in state.verdicts.items():
        party, of, identifier = subject
        if of != kind or not verdict.violation:
            continue
        if kind == "listing":
            listing = state.listings.get((party, identifier))
            versions = [] if listing is None else [at for at in listing.versions if at <= verdict.at]
            start = max(versions, default=None)
        else:
            start = bad_since.get(party)
        if start is None or start not in period:
            continue
        flagged = state.flagged.get(subject)
        action = min(
            (
                ruling.at
                for ruling in (state.rulings[each] for each in state.about.get(subject, ()))
                if ruling.restricts and not ruling.waiting and ruling.at >= start
            ),
            default=None,
        )
        found.append(_wait(start, flagged, period))
        acted.append(_wait(start, action, period))
    return found, acted


def _wait(start: int, end: int | None, period: Period) -> tuple[float, bool]:
    return (max(0, period.now - start), False) if end is None else (max(0, end - start), True)


def _first_bad_days(state: State) -> dict[str, int]:
    """The day of each merchant's first order that turned out bad, ms."""
    first: dict[str, int] = {}
    for (day, merchant, _, _), cell in state.cells.items():
        if cell.bad:
            first[merchant] = min(first.get(merchant, day * DAY_MS), day * DAY_MS)
    return first


def answered_at(ruling: Ruling) -> int:
    """When a person answered a decision that asks for one; 0 while nobody has."""
    times = [ruling.verdict_at] if ruling.verdict_at else []
    if ruling.reversed_at and ruling.why_reversed != "expiry":
        times.append(ruling.reversed_at)
    return min(times, default=0)


def replaced_at(state: State) -> dict[str, int]:
    """When another decision took the place of one, ms: of a request, nobody waits for its answer from then on."""
    return {ruling.supersedes: ruling.at for ruling in state.rulings.values() if ruling.supersedes}


def _answer(ruling: Ruling, period: Period, replaced: int) -> tuple[float, bool]:
    answered = answered_at(ruling)
    if answered:
        return max(0, answered - ruling.at), True
    # Who let it expire or be replaced has not answered it: it was watched until then.
    watched = min(ruling.reversed_at or period.now, replaced or period.now, period.now)
    return max(0, watched - ruling.at), False
