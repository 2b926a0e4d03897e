"""What became of orders, of merchants that came, and of creators: rates of everything, not of a sample."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from detectors.metrics.estimate import Estimate, Period, clustered, count, of_slice, proportion
from detectors.metrics.facts import Cell, Ruling, State
from detectors.metrics.slices import NOT_KNOWN, OTHERS, active, dimensions, leading, main_currency
from features.windows import DAY_MS

#: Days within which a merchant that came is looked at.
ONBOARDING_DAYS: Final = (30, 90)


def outcomes(state: State, period: Period) -> Iterator[Estimate]:
    """Orders, GMV, bad orders by slice; new merchants, creators and merchants that were acted against."""
    cells = [(key, cell) for key, cell in state.cells.items() if key[0] * DAY_MS in period]
    orders = sum(cell.orders for _, cell in cells)
    yield count("orders", period, orders)
    currency = main_currency(state)
    money: Counter[str] = Counter()
    for (_, merchant, _, _), cell in cells:
        money[state.merchants[merchant].currency] += cell.gmv
    for name in sorted(money):
        yield count("gmv", period, money[name], unit="minor units", slice_=of_slice(currency=name))
    yield from _bad_orders(state, period, cells, currency)
    yield from _onboarding(state, period)
    yield _creators(state, period)
    restricted = merchants_restricted(state, period)
    present = active(state, period)
    yield proportion("merchant_restriction_rate", period, sum(m in restricted for m in present), len(present))


def _bad_orders(
    state: State, period: Period, cells: Iterable[tuple[tuple[int, str, str, str], Cell]], currency: str
) -> Iterator[Estimate]:
    sums: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(dict)
    sizes: dict[str, int] = Counter()
    for (_, merchant, _, _), cell in cells:
        sizes[merchant] += cell.orders
    for (_, merchant, category, tier), cell in cells:
        facts = state.merchants[merchant]
        named = dict(dimensions(facts, sizes[merchant], period))
        # The order's own category and the tier then, not the merchant's of today.
        named |= {"category": category or NOT_KNOWN, "tier": tier or NOT_KNOWN}
        foreign = facts.currency != currency
        for slice_ in (("", ""), *named.items()):
            of = sums[slice_].setdefault(merchant, [0, 0, 0, 0, 0])
            of[0] += cell.orders
            of[1] += cell.due
            of[2] += cell.bad
            if not foreign:
                of[3] += cell.due_gmv
                of[4] += cell.bad_gmv
    for dimension, value, merged in _grouped(sums):
        placed = sum(each[0] for _, each in merged)
        complete = _completeness(period, sum(each[1] for _, each in merged), placed)
        slice_named = of_slice(**{dimension: value}) if dimension else {}
        yield clustered(
            "bad_order_rate",
            period,
            [(merchant, each[2], each[1]) for merchant, each in merged],
            slice_=slice_named,
            completeness=complete,
        )
        if not dimension and currency:
            yield clustered(
                "bad_order_rate_by_gmv",
                period,
                [(merchant, each[4], each[3]) for merchant, each in merged],
                slice_=of_slice(currency=currency),
                completeness=complete,
            )


def _completeness(period: Period, due: int, placed: int) -> float:
    """Share of the orders whose outcome is known, of those that will ever have one.

    Orders that buyers cancel never have one, so once the last outcome of the period must be in, all are.
    """
    if period.now >= period.end + MATURITY_DAYS * DAY_MS:
        return 1.0
    return due / placed if placed else 0.0


#: After so many days all outcomes of orders with the usual promises are known: ten to deliver, a day and fourteen more.
MATURITY_DAYS: Final = 25


def _grouped(
    sums: dict[tuple[str, str], dict[str, list[int]]],
) -> Iterator[tuple[str, str, list[tuple[str, list[int]]]]]:
    """Slices in order, the rare values of a dimension put together; within each the merchants in order."""
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for (dimension, value), merchants in sums.items():
        sizes[dimension][value] += sum(each[0] for each in merchants.values())
    for dimension in sorted(sizes):
        shown = leading(sizes[dimension])
        merged: dict[str, dict[str, list[int]]] = {}
        for value in sorted(sizes[dimension]):
            into = merged.setdefault(value if value in shown else OTHERS, {})
            for merchant, figures in sums[dimension, value].items():
                known = into.get(merchant)
                into[merchant] = figures if known is None else [a + b for a, b in zip(known, figures, strict=True)]
        for value, by_merchant in merged.items():
            yield dimension, value, sorted(by_merchant.items())


def _onboarding(state: State, period: Period) -> Iterator[Estimate]:
    came = {merchant: facts.registered for merchant, facts in state.merchants.items() if facts.registered in period}
    first: dict[str, int] = {}
    for ruling in state.rulings.values():
        if ruling.merchant in came and ruling.restricts and not ruling.waiting and not ruling.wrong:
            first[ruling.merchant] = min(first.get(ruling.merchant, ruling.at), ruling.at)
    for (party, kind, _), judged in state.verdicts.items():
        if kind == "merchant" and judged.violation and party in came:
            first[party] = min(first.get(party, judged.at), judged.at)
    for days in ONBOARDING_DAYS:
        old = [merchant for merchant, at in came.items() if at + days * DAY_MS <= period.now]
        found = sum(merchant in first and first[merchant] - came[merchant] <= days * DAY_MS for merchant in old)
        yield proportion(
            "bad_seller_onboarding_rate",
            period,
            found,
            len(old),
            slice_=of_slice(within=f"{days} d"),
            completeness=len(old) / len(came) if came else 0.0,
        )


def _creators(state: State, period: Period) -> Estimate:
    driving = {creator for day, creator in state.creators if day * DAY_MS in period}
    found = {ruling.creator for ruling in state.rulings.values() if ruling.creator and _carried_out(ruling, period)}
    return proportion("creator_violation_rate", period, len(driving & found), len(driving))


def _carried_out(ruling: Ruling, period: Period) -> bool:
    return ruling.restricts and not ruling.waiting and not ruling.wrong and ruling.at in period


def merchants_restricted(state: State, period: Period) -> set[str]:
    """Merchants against whom, or against whose orders or listings, a restriction began in the period."""
    return {
        ruling.merchant
        for ruling in state.rulings.values()
        if ruling.merchant and ruling.restricts and not ruling.waiting and ruling.at in period
    }
