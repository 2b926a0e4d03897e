"""Batch models on the rows that an online model met: a yardstick, trained on the past and never on what came later."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from benchmarks.evaluation.prequential import SHARES, Row, measures

#: How often the retrained model is trained over the last 60 %.
RETRAININGS: Final = 12
_FEWEST_LABELS: Final = 50


def yardstick(rows: Sequence[Row], *, retrain: bool = True) -> dict[str, Any]:
    """AUC and AP of batch models on the last 20 % and 60 % of the rows, by model.

    Each is trained once on the rows before, as far as their labels are known when the first row to be judged comes;
    ``boosting_retrained`` anew before each twelfth of the last 60 %.
    """
    found: dict[str, Any] = {}
    values = np.array([row.values for row in rows], dtype=np.float64)
    for name in ("logistic", "boosting"):
        found[name] = {}
        for share, suffix in SHARES.items():
            start = round(len(rows) * (1 - share))
            found[name] |= _figures(rows, start, list(_predict(name, rows, values, [start, len(rows)])), suffix)
    if retrain:
        start = round(len(rows) * 0.4)
        borders = [start + (len(rows) - start) * part // RETRAININGS for part in range(RETRAININGS + 1)]
        scores = list(_predict("boosting", rows, values, borders))
        last = round(len(rows) * 0.8)
        found["boosting_retrained"] = _figures(rows, last, scores[last - start :], "")
        found["boosting_retrained"] |= _figures(rows, start, scores, "_60")
    return found


def _predict(name: str, rows: Sequence[Row], values: NDArray[np.float64], borders: Sequence[int]) -> Iterator[float]:
    """Probabilities of the rows between the first border and the last, by a model trained anew at each border."""
    known = np.array([row.known for row in rows])
    labels = np.array([row.label for row in rows])
    for start, end in pairwise(borders):
        past = np.flatnonzero(known[:start] <= rows[start].time) if start < end else np.array([], dtype=int)
        if len(past) < _FEWEST_LABELS or labels[past].all() or not labels[past].any():
            yield from [float(labels[past].mean()) if len(past) else 0.5] * (end - start)
            continue
        model = _model(name)
        # Experiments run side by side already; threads that wait for each other on busy cores take ten times as long.
        with threadpool_limits(1):
            model.fit(values[past], labels[past])
            scores = model.predict_proba(values[start:end])[:, 1].tolist()
        yield from scores


def _model(name: str) -> Any:
    if name == "boosting":
        return HistGradientBoostingClassifier(
            max_iter=150,
            learning_rate=0.06,
            max_leaf_nodes=15,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        )
    return make_pipeline(
        SimpleImputer(strategy="mean", keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=1_000)
    )


def _figures(rows: Sequence[Row], start: int, scores: Sequence[float], suffix: str) -> dict[str, Any]:
    found = measures([row.label for row in rows[start:]], scores)
    return {f"{name}{suffix}": found[name] for name in ("auc", "ap", "ece")}
