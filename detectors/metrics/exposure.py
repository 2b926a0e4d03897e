"""What happened before action, after it, and because of actions that were wrong."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from detectors.evaluation.survival import happened_by, survival
from detectors.metrics.estimate import Estimate, Period, count, mean, of_slice
from detectors.metrics.facts import Ruling, State
from detectors.metrics.outcomes import MATURITY_DAYS
from detectors.metrics.rulings import BASELINE_DAYS
from detectors.metrics.slices import main_currency
from features.windows import DAY_MS

#: Days of orders before an action that it came too late for.
BEFORE_DAYS: Final = 60
#: Within how many days a merchant is restricted again.
AGAIN_DAYS: Final = (30, 90, 180)


def exposure(state: State, period: Period) -> Iterator[Estimate]:
    """Orders, money and views before action; recidivism; merchants' days and money under wrong restrictions."""
    currency = main_currency(state)
    acted = [
        ruling
        for _, ruling in sorted(state.rulings.items())
        if ruling.restricts and not ruling.waiting and ruling.at in period
    ]
    listings = [ruling for ruling in acted if ruling.kind == "listing" and ruling.exposed_since]
    yield mean("exposed_orders", period, [float(each.exposed_orders) for each in listings])
    domestic = [each for each in listings if _currency(state, each.merchant) == currency]
    yield mean(
        "exposed_gmv",
        period,
        [float(each.exposed_gmv) for each in domestic],
        unit="minor units",
        slice_=of_slice(currency=currency),
    )
    yield mean("exposed_views", period, [float(each.exposed_views) for each in listings])
    yield _bad_before(state, period, acted)
    yield from _again(state, period, acted)
    yield from _wrong(state, period, acted, currency)


def _currency(state: State, merchant: str) -> str:
    known = state.merchants.get(merchant)
    return "" if known is None else known.currency


def _bad_before(state: State, period: Period, acted: list[Ruling]) -> Estimate:
    first: dict[str, int] = {}
    for ruling in acted:
        if ruling.kind == "merchant":
            day = ruling.at // DAY_MS
            first[ruling.merchant] = min(first.get(ruling.merchant, day), day)
    bad: dict[str, float] = dict.fromkeys(first, 0.0)
    for (day, merchant, _, _), cell in state.cells.items():
        if merchant in first and first[merchant] - BEFORE_DAYS <= day < first[merchant]:
            bad[merchant] += cell.bad
    known = sum((day + MATURITY_DAYS) * DAY_MS <= period.now for day in first.values())
    return mean(
        "bad_orders_before_action",
        period,
        list(bad.values()),
        completeness=known / len(first) if first else 0.0,
    )


def _again(state: State, period: Period, acted: list[Ruling]) -> Iterator[Estimate]:
    later: dict[str, list[int]] = defaultdict(list)
    for ruling in state.rulings.values():
        if ruling.merchant and ruling.restricts and not ruling.waiting and not ruling.wrong and _begins(state, ruling):
            later[ruling.merchant].append(ruling.at)
    first: dict[str, int] = {}
    for ruling in acted:
        if ruling.merchant and not ruling.wrong:
            first[ruling.merchant] = min(first.get(ruling.merchant, ruling.at), ruling.at)
    waits, happened = [], []
    for merchant, at in first.items():
        # What is decided within a day is the same affair.
        again = min((each for each in later[merchant] if each > at + DAY_MS), default=None)
        waits.append(((again if again is not None else max(period.now, at)) - at) / DAY_MS)
        happened.append(again is not None)
    steps = survival(waits, happened)
    for days in AGAIN_DAYS:
        value, low, high = happened_by(steps, days)
        watched = sum(wait >= days or done for wait, done in zip(waits, happened, strict=True))
        yield Estimate(
            name="recidivism",
            slice=of_slice(within=f"{days} d"),
            start=period.start,
            end=period.end,
            value=value if waits else None,
            low=low if waits else None,
            high=high if waits else None,
            numerator=sum(done and wait <= days for wait, done in zip(waits, happened, strict=True)),
            denominator=len(waits),
            unit="share",
            method="kaplan-meier",
            mature=bool(waits) and watched == len(waits),
            completeness=watched / len(waits) if waits else 0.0,
        )


def _begins(state: State, ruling: Ruling) -> bool:
    """Whether a restriction is a new one: it takes the place of none, or of a decision that waited for a person."""
    if not ruling.supersedes:
        return True
    before = state.rulings.get(ruling.supersedes)
    return before is not None and before.waiting


def _wrong(state: State, period: Period, acted: list[Ruling], currency: str) -> Iterator[Estimate]:
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for ruling in acted:
        if ruling.wrong and ruling.kind == "merchant":
            ends = [time for time in (ruling.reversed_at, ruling.expires, period.now) if time]
            spans[ruling.merchant].append((ruling.at, max(ruling.at, min(ends))))
    days: dict[str, float] = {merchant: _covered(each) / DAY_MS for merchant, each in spans.items()}
    yield count("wrong_merchant_days", period, round(sum(days.values()), 3), unit="days")
    sold: dict[str, int] = dict.fromkeys(spans, 0)
    begun = {merchant: min(each)[0] // DAY_MS for merchant, each in spans.items()}
    for (day, merchant, _, _), cell in state.cells.items():
        if merchant in begun and begun[merchant] - BASELINE_DAYS <= day < begun[merchant]:
            sold[merchant] += cell.gmv
    lost = sum(
        sold[merchant] / BASELINE_DAYS * days[merchant] for merchant in spans if _currency(state, merchant) == currency
    )
    yield count("wrong_gmv", period, float(round(lost)), unit="minor units", slice_=of_slice(currency=currency))


def _covered(spans: list[tuple[int, int]]) -> int:
    """Length that spans cover together, each moment once."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
