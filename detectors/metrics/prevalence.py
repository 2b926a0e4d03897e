"""Prevalence, precision and recall out of the audit sample: what nobody looked at counts as well.

A draw is of one assessment. A listing is assessed with each version, so one with many versions has many chances; each
draw of it therefore counts for its share of the listing's chances (P. Lavallée: Indirect Sampling, 2007, the weight
share method), which leaves totals unbiased whatever the number of versions. Verdicts that come about otherwise than as
answers to a draw are of what looked bad, and are not used here.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from detectors.evaluation.sampled_ratios import SampledUnit
from detectors.metrics.estimate import Estimate, Period, of_slice, proportion, sampled
from detectors.metrics.facts import KEEP_DAYS, Draw, ListingFacts, Ruling, State
from detectors.metrics.slices import main_currency
from features.windows import DAY_MS

#: Share of the drawn that must have been judged: those that wait may be the difficult ones.
LEAST_JUDGED: Final = 0.8
#: Verdicts come days after the draw; until then what was drawn last is missing, and mostly not for being difficult.
VERDICT_DAYS: Final = 14
#: Policies with fewer sampled violations and decisions together are not shown by themselves.
_LEAST_UNITS: Final = 5


class Answered(Struct, frozen=True):
    """A draw with its verdict: whether it is a violation, of which policy if that was said, and the rules whose
    decisions accuse its subject.
    """

    draw: Draw
    violation: bool
    policy: str
    rules: frozenset[str]
    #: Chances that its subject had in the period.
    chances: int


def prevalence(state: State, period: Period) -> Iterator[Estimate]:
    """How much of what is there breaks a policy: listings, orders, views and money."""
    for kind, name in (("listing", "listing_violation_rate"), ("order", "order_violation_rate")):
        drawn, answered = audited(state, period, kind)
        yield proportion("audit_response", period, len(answered), drawn, slice_=of_slice(subject=kind))
        yield _share(name, period, drawn, answered, lambda _: 1.0, lambda each: each.violation)
    yield from _by_exposure(state, period)


def _by_exposure(state: State, period: Period) -> Iterator[Estimate]:
    """The share of all that was ordered, paid and seen in the period.

    Most of it is of listings that were there before, so they are drawn from all that were made or edited within a year
    or so, with all the chances that they had.
    """
    drawn, answered = audited(state, Period(period.end - KEEP_DAYS * DAY_MS, period.end, period.now), "listing")
    currency = main_currency(state)
    first, last = period.start // DAY_MS, (period.end - 1) // DAY_MS
    exposure: dict[tuple[str, str], tuple[int, int, int]] = {}
    for each in answered:
        key = each.draw.merchant, each.draw.subject
        listing = state.listings.get(key)
        days = [] if listing is None else [sums for day, sums in listing.days.items() if first <= day <= last]
        merchant = state.merchants.get(each.draw.merchant)
        counted = merchant is not None and merchant.currency == currency
        exposure[key] = (
            sum(sums.orders for sums in days),
            sum(sums.gmv for sums in days) if counted else 0,
            sum(sums.views for sums in days),
        )
    names = ("violating_order_rate", "violating_gmv_rate", "violating_view_rate")
    for place, name in enumerate(names):

        def weight(each: Answered, place: int = place) -> float:
            return float(exposure[each.draw.merchant, each.draw.subject][place])

        yield _share(
            name,
            period,
            drawn,
            answered,
            weight,
            lambda each: each.violation,
            slice_=of_slice(currency=currency) if name == "violating_gmv_rate" else None,
        )


def accuracy(state: State, period: Period) -> Iterator[Estimate]:
    """Precision and recall of everything together and of each rule, by the same sample."""
    for kind in ("listing", "order"):
        drawn, answered = audited(state, period, kind)
        rules = sorted({rule for each in answered for rule in each.rules})
        yield from _accuracy(period, drawn, answered, kind, "")
        for rule in rules:
            units = sum(rule in each.rules for each in answered)
            if units >= _LEAST_UNITS:
                yield from _accuracy(period, drawn, answered, kind, rule)


def _accuracy(period: Period, drawn: int, answered: list[Answered], kind: str, rule: str) -> Iterator[Estimate]:
    def found(each: Answered) -> bool:
        return rule in each.rules if rule else bool(each.rules)

    slice_ = of_slice(subject=kind, rule=rule)
    yield _share(
        "precision_by_audit",
        period,
        drawn,
        answered,
        lambda each: float(found(each)),
        lambda each: each.violation,
        slice_=slice_,
    )
    if not rule:
        # Of one rule it is not known which violations it was to find.
        yield _share(
            "recall_by_audit", period, drawn, answered, lambda each: float(each.violation), found, slice_=slice_
        )


def _share(
    name: str,
    period: Period,
    drawn: int,
    answered: list[Answered],
    weight: Callable[[Answered], float],
    hit: Callable[[Answered], bool],
    *,
    slice_: dict[str, str] | None = None,
) -> Estimate:
    units = []
    for each in answered:
        below = weight(each) / each.chances
        units.append(
            SampledUnit(
                cluster=each.draw.merchant,
                inclusion_probability=each.draw.probability,
                numerator=below if hit(each) else 0.0,
                denominator=below,
            )
        )
    return sampled(name, period, units, drawn=drawn, least_judged=LEAST_JUDGED, slice_=slice_ or {})


def audited(state: State, period: Period, kind: str) -> tuple[int, list[Answered]]:
    """How many of a kind were drawn in the period, and those that were judged, in a fixed order."""
    drawn = [draw for _, draw in sorted(state.draws.items()) if draw.kind == kind and draw.at in period]
    answered = []
    for draw in drawn:
        subject = draw.merchant, draw.kind, draw.subject
        verdict = state.verdicts.get(subject)
        if verdict is None or not verdict.audit or verdict.at < draw.at:
            continue
        rulings = [state.rulings[each] for each in state.about.get(subject, ())]
        answered.append(
            Answered(
                draw,
                verdict.violation,
                verdict.policy,
                frozenset(ruling.rule for ruling in rulings if _accuses(ruling, period)),
                _chances(state.listings.get((draw.merchant, draw.subject)), period) if kind == "listing" else 1,
            )
        )
    return len(drawn), answered


def _accuses(ruling: Ruling, period: Period) -> bool:
    """Whether a decision says that its subject breaks a policy. One taken back later was still made."""
    return ruling.accuses and ruling.at < period.now


def _chances(listing: ListingFacts | None, period: Period) -> int:
    """How often a listing could be drawn in the period: with each of its versions."""
    return max(1, 0 if listing is None else sum(at in period for at in listing.versions))
