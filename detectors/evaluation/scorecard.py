"""How well a credit score tells who will do harm: separation, rates by group, their order, calibration.

A row is a party at a time: its score then, and of what it did afterwards the ``orders`` and those of them that were
``bad``. Every order weighs the same, so no threshold is needed to say who is bad: Gini and KS are those of orders,
ranked by the score of whose they are. Parties come again at each time and their orders stand or fall together, so
intervals are by party: Wilson's, of the number of independent orders that would leave the share as uncertain (E. L.
Korn and B. I. Graubard: Survey Methodology 24, 1998).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.evaluation.proportions import wilson

#: Groups of alike many orders.
DECILES: Final = 10


class ScoredParty(Struct, frozen=True, kw_only=True, gc=False):
    """A party at a time (ms), and what it did afterwards.

    ``points`` is the ledger's score, ``None`` where the party has none; ``probability`` that of harm, 0 to 1.
    """

    party: str
    at: int
    tier: str
    points: int | None
    probability: float
    orders: int
    bad: int


class GroupRate(Struct, frozen=True, kw_only=True):
    """Bad orders of a group of rows: the share with an interval of 95 %, and the mean probability that was predicted.

    ``low`` and ``high`` are ``None`` where there are no orders.
    """

    name: str
    parties: int
    orders: int
    bad: int
    rate: float | None
    low: float | None
    high: float | None
    predicted: float | None

    @property
    def calibrated(self) -> bool | None:
        """Whether the prediction lies within the interval; ``None`` where there are no orders."""
        if self.low is None or self.high is None or self.predicted is None:
            return None
        return self.low <= self.predicted <= self.high


class Trend(Struct, frozen=True):
    """Whether rates fall from group to group.

    ``violations``: neighbours whose rates rise. ``z``: Cochran's and Armitage's statistic, negative where rates fall,
    standard normal where there is no trend (P. Armitage: Biometrics 11, 1955). ``fitted``: the nearest rates that never
    rise, by isotonic regression weighed by orders.
    """

    monotone: bool
    violations: int
    z: float | None
    fitted: list[float]


def gini(scores: Sequence[float], bad: Sequence[float], orders: Sequence[float]) -> float | None:
    """Gini, -1 to 1: 2 AUC - 1, where AUC is the chance that a bad order's score exceeds a good one's, ties half.

    Higher scores mean worse. ``None`` without both kinds of orders.

    Raises
    ------
    ValueError
        The three do not go together, or more orders are bad than there are.
    """
    counts = _counted(scores, bad, orders)
    if counts is None:
        return None
    worse, better = counts
    below = np.cumsum(better) - better
    return float(2 * ((below + better / 2) * worse).sum() / (worse.sum() * better.sum()) - 1)


def separation(scores: Sequence[float], bad: Sequence[float], orders: Sequence[float]) -> float | None:
    """KS, 0 to 1: the greatest distance between the distributions of scores over bad and over good orders."""
    counts = _counted(scores, bad, orders)
    if counts is None:
        return None
    worse, better = counts
    return float(np.abs(np.cumsum(worse) / worse.sum() - np.cumsum(better) / better.sum()).max())


def gini_interval(
    scores: Sequence[float],
    bad: Sequence[float],
    orders: Sequence[float],
    parties: Sequence[Hashable],
    *,
    draws: int = 200,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Interval of 95 % of the Gini by drawing parties with replacement (bootstrap percentiles); seeded.

    ``None`` without both kinds of orders.
    """
    if _counted(scores, bad, orders) is None:
        return None
    places: dict[Hashable, list[int]] = {}
    for place, party in enumerate(parties):
        places.setdefault(party, []).append(place)
    clusters = [np.asarray(each) for each in places.values()]
    values = np.asarray(scores, dtype=np.float64), np.asarray(bad, np.float64), np.asarray(orders, np.float64)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        chosen = np.concatenate([clusters[at] for at in random.integers(0, len(clusters), len(clusters))])
        drawn = gini(*(each[chosen] for each in values))
        if drawn is not None:
            found.append(drawn)
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)


def clustered_interval(bad: Sequence[float], orders: Sequence[float]) -> tuple[float, float]:
    """Wilson's interval of ``sum(bad) / sum(orders)`` where what stands at one place belongs together.

    The variance is that of a ratio estimator over the clusters; orders count as many as would be as uncertain if they
    were independent, and never more than there are.

    Raises
    ------
    ValueError
        There are no orders.
    """
    hits, sizes = np.asarray(bad, np.float64), np.asarray(orders, np.float64)
    total = float(sizes.sum())
    if not total:
        raise ValueError("of no orders there is no share")
    rate = float(hits.sum()) / total
    count = len(sizes)
    effective = total
    if count > 1 and 0 < rate < 1:
        variance = count / (count - 1) * float(((hits - rate * sizes) ** 2).sum()) / total**2
        if variance:
            effective = min(total, rate * (1 - rate) / variance)
    effective = max(1.0, effective)
    return wilson(rate * effective, effective)


def group_rate(name: str, rows: Iterable[ScoredParty]) -> GroupRate:
    """The bad orders of some rows."""
    found = list(rows)
    by_party: dict[str, tuple[int, int]] = {}
    for row in found:
        bad, orders = by_party.get(row.party, (0, 0))
        by_party[row.party] = bad + row.bad, orders + row.orders
    orders = sum(row.orders for row in found)
    bad = sum(row.bad for row in found)
    low = high = None
    if orders:
        low, high = clustered_interval([each for each, _ in by_party.values()], [each for _, each in by_party.values()])
    return GroupRate(
        name=name,
        parties=len(by_party),
        orders=orders,
        bad=bad,
        rate=bad / orders if orders else None,
        low=low,
        high=high,
        predicted=sum(row.probability * row.orders for row in found) / orders if orders else None,
    )


def rates_by_tier(rows: Sequence[ScoredParty], tiers: Sequence[str]) -> list[GroupRate]:
    """The bad orders of each tier, in the order given."""
    return [group_rate(tier, (row for row in rows if row.tier == tier)) for tier in tiers]


def rates_by_decile(
    rows: Sequence[ScoredParty], score: Callable[[ScoredParty], float], groups: int = DECILES
) -> list[GroupRate]:
    """The bad orders of groups of alike many orders, the worst (highest) scores first; equal scores stay together."""
    ranked = sorted(rows, key=score, reverse=True)
    total = sum(row.orders for row in ranked)
    parts: list[list[ScoredParty]] = [[] for _ in range(groups)]
    before, place, last = 0, 0, None
    for row in ranked:
        value = score(row)
        if value != last:
            place = min(groups - 1, before * groups // total) if total else 0
            last = value
        parts[place].append(row)
        before += row.orders
    return [group_rate(str(number), part) for number, part in enumerate(parts, 1) if part]


def trend(groups: Sequence[GroupRate]) -> Trend:
    """Whether the bad rate falls from each group to the next; groups without orders are passed over."""
    found = [(each.bad, each.orders) for each in groups if each.orders]
    rates = [bad / orders for bad, orders in found]
    violations = sum(later > earlier for earlier, later in pairwise(rates))
    return Trend(violations == 0, violations, armitage(found), isotonic(rates, [orders for _, orders in found]))


def armitage(groups: Sequence[tuple[int, int]]) -> float | None:
    """Cochran's and Armitage's statistic of (bad, orders) in groups numbered from 0; ``None`` without a spread."""
    total = sum(orders for _, orders in groups)
    bad = sum(hits for hits, _ in groups)
    if not total or not 0 < bad < total:
        return None
    rate = bad / total
    centre = sum(place * orders for place, (_, orders) in enumerate(groups)) / total
    spread = sum(orders * (place - centre) ** 2 for place, (_, orders) in enumerate(groups))
    if not spread:
        return None
    moved = sum(place * (hits - orders * rate) for place, (hits, orders) in enumerate(groups))
    return float(moved / sqrt(rate * (1 - rate) * spread))


def isotonic(rates: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest rates, by weighed squares, that never rise: neighbours that do are pooled (R. E. Barlow and others:
    Statistical Inference under Order Restrictions, 1972).
    """
    blocks: list[tuple[float, float, int]] = []
    for rate, weight in zip(rates, weights, strict=True):
        mean, mass, count = rate, weight, 1
        while blocks and blocks[-1][0] < mean:
            other, more, others = blocks.pop()
            mean, mass, count = (mean * mass + other * more) / (mass + more), mass + more, count + others
        blocks.append((mean, mass, count))
    return [mean for mean, _, count in blocks for _ in range(count)]


def _counted(
    scores: Sequence[float], bad: Sequence[float], orders: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Bad and good orders at each distinct score, from the lowest up; ``None`` without both kinds."""
    values, hits = np.asarray(scores, dtype=np.float64), np.asarray(bad, dtype=np.float64)
    sizes = np.asarray(orders, dtype=np.float64)
    if not values.shape == hits.shape == sizes.shape or values.ndim != 1:
        raise ValueError(f"{values.size} scores do not go with {hits.size} and {sizes.size} counts")
    if not np.isfinite(values).all():
        raise ValueError("a score is NaN or infinite")
    if (hits < 0).any() or (hits > sizes).any():
        raise ValueError("more orders are bad than there are")
    if not hits.sum() or hits.sum() == sizes.sum():
        return None
    distinct, place = np.unique(values, return_inverse=True)
    worse, better = np.zeros(len(distinct)), np.zeros(len(distinct))
    np.add.at(worse, place, hits)
    np.add.at(better, place, sizes - hits)
    return worse, better


def by_party(rows: Sequence[ScoredParty]) -> Mapping[str, list[ScoredParty]]:
    """The rows of each party, by time."""
    found: dict[str, list[ScoredParty]] = {}
    for row in sorted(rows, key=lambda row: row.at):
        found.setdefault(row.party, []).append(row)
    return found
