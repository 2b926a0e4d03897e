"""Figures of a credit score from snapshots: separation, tiers, deciles, calibration, stability, migration."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.evaluation.credit_snapshots import HORIZON_DAYS, Snapshot
from benchmarks.evaluation.order_outcomes import WAYS
from detectors.credit.policy import CreditPolicy
from detectors.evaluation.scorecard import (
    GroupRate,
    Trend,
    by_party,
    gini,
    gini_interval,
    rates_by_decile,
    rates_by_tier,
    separation,
    trend,
)
from detectors.evaluation.stability import borders, counts_between, migration, stability
from features.windows import DAY_MS

#: Orders as if a merchant had them at the mean rate, in what the batch model is told.
_STRENGTH: Final = 5.0
_FEWEST_ROWS: Final = 200


def figures(snapshots: Sequence[Snapshot], policy: CreditPolicy) -> dict[str, Any]:
    """All figures of snapshots that have orders afterwards.

    Tiers come from the worst to the best. Probation is no rank (who is new is not worse) and comes last, left out of
    the trend.
    """
    apart = policy.probation.tier.name
    tiers = sorted(policy.names(), key=lambda name: (name == apart, policy.rank(name)))
    used = [each for each in snapshots if each.row.orders]
    rows = [each.row for each in used]
    orders, bad = sum(row.orders for row in rows), sum(row.bad for row in rows)
    found: dict[str, Any] = {
        "merchants": len({row.party for row in rows}),
        "times": len({row.at for row in rows}),
        "snapshots": len(rows),
        "orders": orders,
        "bad_rate": bad / orders if orders else None,
    }
    score = _column(used, lambda each: each.row.probability)
    found |= _separation(used, score) | {
        "gini_interval": _interval(used, score),
        "gini_within_times": _within(used, score),
        "published": _separation(used, _column(used, lambda each: each.published)),
        "raw_late": _separation(used, raw_late(used)),
        "shrunk": _separation(used, _column(used, lambda each: each.shrunk)),
    }
    scored = [each for each in used if each.row.points is not None]
    found["points"] = {
        "snapshots": len(scored),
        **_separation(scored, _column(scored, lambda each: -float(each.row.points or 0))),
        "probability": _separation(scored, _column(scored, lambda each: each.row.probability)),
    }
    by_tier = rates_by_tier(rows, tiers)
    ranked = trend([each for each in by_tier if each.name != apart])
    deciles = rates_by_decile(rows, lambda row: row.probability)
    found |= {
        "tiers": [_group(each) for each in by_tier],
        "monotone": ranked.monotone,
        "trend": _trend(ranked),
        "deciles": [_group(each) for each in deciles],
        "deciles_trend": _trend(trend(deciles)),
        "calibration_error": _calibration_error(deciles),
        "stability": {
            "probability": _stability(snapshots, lambda each: each.row.probability),
            "relative": _stability(snapshots, lambda each: each.relative),
        },
        "migration": _migration(snapshots, tiers),
    }
    return found


def raw_late(snapshots: Sequence[Snapshot]) -> list[float]:
    """Each merchant's own rate of late deliveries; the mean of its time where it has none yet."""
    by_time: dict[int, list[float]] = {}
    for each in snapshots:
        if each.raw_late is not None:
            by_time.setdefault(each.row.at, []).append(each.raw_late)
    means = {at: sum(values) / len(values) for at, values in by_time.items()}
    return [means.get(each.row.at, 0.0) if each.raw_late is None else each.raw_late for each in snapshots]


def attackers(snapshots: Sequence[Snapshot], onsets: Mapping[str, int], honest: Collection[str]) -> dict[str, Any]:
    """How well probability and points tell who attacks, by the truth: merchants whose attack has begun (``onsets``, ms)
    against honest ones, each once a snapshot. Who begins later is neither.
    """
    rows = [(each.row, onsets.get(each.row.party)) for each in snapshots]
    known = [
        (row, onset is not None) for row, onset in rows if (row.party in honest if onset is None else onset <= row.at)
    ]
    labels, ones = [float(attacks) for _, attacks in known], [1.0] * len(known)
    scores = [row.probability for row, _ in known]
    tiers: dict[str, list[int]] = {}
    for row, attacks in known:
        tiers.setdefault(row.tier, [0, 0])[attacks] += 1
    scored = [(row, attacks) for row, attacks in known if row.points is not None]
    return {
        "snapshots": len(known),
        "attacking": int(sum(labels)),
        "gini": gini(scores, labels, ones),
        "gini_interval": _listed(gini_interval(scores, labels, ones, [row.party for row, _ in known])),
        "ks": separation(scores, labels, ones),
        "gini_points": gini(
            [-float(row.points or 0) for row, _ in scored],
            [float(attacks) for _, attacks in scored],
            [1.0] * len(scored),
        ),
        "tiers": {tier: {"honest": counts[0], "attacking": counts[1]} for tier, counts in sorted(tiers.items())},
    }


def batch(snapshots: Sequence[Snapshot]) -> dict[str, Any]:
    """A batch model as yardstick: logistic regression on each merchant's decayed rates in every way, trained before
    each time on the snapshots whose orders were known by then; beside it the score on the same snapshots.
    """
    used = [each for each in snapshots if each.row.orders]
    values = _inputs(used)
    times = np.array([each.row.at for each in used])
    bad, orders = (np.array([getattr(each.row, name) for each in used], np.float64) for name in ("bad", "orders"))
    scores = np.full(len(used), np.nan)
    for now in np.unique(times):
        past = times <= now - (HORIZON_DAYS + 30) * DAY_MS
        if past.sum() < _FEWEST_ROWS or not 0 < bad[past].sum() < orders[past].sum():
            continue
        mean, spread = values[past].mean(axis=0), values[past].std(axis=0) + 1e-9
        learned = (values[past] - mean) / spread
        with threadpool_limits(1):
            model = LogisticRegression(max_iter=1_000, C=0.1).fit(
                np.concatenate([learned, learned]),
                np.concatenate([np.ones(len(learned)), np.zeros(len(learned))]),
                sample_weight=np.concatenate([bad[past], orders[past] - bad[past]]),
            )
        scores[times == now] = model.predict_proba((values[times == now] - mean) / spread)[:, 1]
    judged = [each for each, score in zip(used, scores, strict=True) if not np.isnan(score)]
    return {
        "snapshots": len(judged),
        **_separation(judged, scores[~np.isnan(scores)].tolist()),
        "score": _separation(judged, _column(judged, lambda each: each.row.probability)),
        "raw_late": _separation(judged, raw_late(judged)),
    }


def _inputs(snapshots: Sequence[Snapshot]) -> NDArray[np.float64]:
    """Log odds of each way's rate, shrunk towards the mean of its time, that mean's, and the volume."""
    totals: dict[tuple[int, str], list[float]] = {}
    for each in snapshots:
        for way in WAYS:
            total = totals.setdefault((each.row.at, way), [0.0, 0.0])
            total[0] += each.history[way][0]
            total[1] += each.history[way][1]
    rows = []
    for each in snapshots:
        row = []
        for way in WAYS:
            orders, bad = each.history[way]
            everyone, ever_bad = totals[each.row.at, way]
            mean = (ever_bad + 0.1) / (everyone + 1)
            row += [_log_odds((bad + _STRENGTH * mean) / (orders + _STRENGTH)), _log_odds(mean)]
        rows.append([*row, float(np.log1p(each.history["late_ship"][0]))])
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2 * len(WAYS) + 1)


def _log_odds(rate: float) -> float:
    rate = min(max(rate, 1e-4), 1 - 1e-4)
    return float(np.log(rate / (1 - rate)))


def _column(snapshots: Sequence[Snapshot], value: Callable[[Snapshot], float]) -> list[float]:
    return [value(each) for each in snapshots]


def _counts(snapshots: Sequence[Snapshot]) -> tuple[list[float], list[float]]:
    return [float(each.row.bad) for each in snapshots], [float(each.row.orders) for each in snapshots]


def _separation(snapshots: Sequence[Snapshot], scores: Sequence[float]) -> dict[str, float | None]:
    bad, orders = _counts(snapshots)
    return {"gini": gini(scores, bad, orders), "ks": separation(scores, bad, orders)}


def _interval(snapshots: Sequence[Snapshot], scores: Sequence[float]) -> list[float] | None:
    return _listed(gini_interval(scores, *_counts(snapshots), [each.row.party for each in snapshots]))


def _listed(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _within(snapshots: Sequence[Snapshot], scores: Sequence[float]) -> float | None:
    """Mean Gini of the times, weighed by their bad orders: what is left where seasons can't help or hurt."""
    weighed = total = 0.0
    for at in {each.row.at for each in snapshots}:
        part = [(each, score) for each, score in zip(snapshots, scores, strict=True) if each.row.at == at]
        bad, orders = _counts([each for each, _ in part])
        found = gini([score for _, score in part], bad, orders)
        if found is not None:
            weighed += found * sum(bad)
            total += sum(bad)
    return weighed / total if total else None


def _group(each: GroupRate) -> dict[str, Any]:
    return {
        "name": each.name,
        "merchants": each.parties,
        "orders": each.orders,
        "rate": each.rate,
        "interval": None if each.low is None else [each.low, each.high],
        "predicted": each.predicted,
        "calibrated": each.calibrated,
    }


def _trend(found: Trend) -> dict[str, Any]:
    return {"violations": found.violations, "z": found.z}


def _calibration_error(deciles: Sequence[GroupRate]) -> float | None:
    """Mean distance of predicted and observed over groups, weighed by orders."""
    parts = [
        (each.orders, abs(each.predicted - each.rate))
        for each in deciles
        if each.predicted is not None and each.rate is not None
    ]
    orders = sum(count for count, _ in parts)
    return sum(count * distance for count, distance in parts) / orders if orders else None


def _stability(snapshots: Sequence[Snapshot], value: Callable[[Snapshot], float]) -> dict[str, Any]:
    """PSI of a figure of all merchants, from each time to the next, in deciles of the earlier one."""
    by_time: dict[int, list[float]] = {}
    for each in snapshots:
        by_time.setdefault(each.row.at, []).append(value(each))
    times = sorted(by_time)
    steps = []
    for before, after in pairwise(times):
        inner = borders(by_time[before])
        found = stability(counts_between(by_time[before], inner), counts_between(by_time[after], inner))
        if found is not None:
            steps.append(found)
    return {
        "steps": len(steps),
        "psi_mean": sum(each.index for each in steps) / len(steps) if steps else None,
        "psi_max": max((each.index for each in steps), default=None),
        "bound_max": max((each.bound for each in steps), default=None),
        "shifted": sum(each.shifted for each in steps),
    }


def _migration(snapshots: Sequence[Snapshot], tiers: Sequence[str]) -> dict[str, Any]:
    steps = []
    for rows in by_party([each.row for each in snapshots]).values():
        steps += [(before.tier, after.tier) for before, after in pairwise(rows)]
    found = migration(steps, tiers)
    return {"moves": found.moves, "stable": found.stable}
