"""How well scores rank positives above negatives; exact, equal scores counting as one."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Labels: TypeAlias = Sequence[bool] | NDArray[np.bool_]
Scores: TypeAlias = Sequence[float] | NDArray[np.float64]


def roc_auc(labels: Labels, scores: Scores) -> float | None:
    """Area under the ROC curve, 0 to 1: the chance that a positive ranks above a negative, ties half.

    By the Mann-Whitney statistic (J. A. Hanley and B. J. McNeil: Radiology 143, 1982). ``None`` without both classes.
    """
    truth, values = _checked(labels, scores)
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return None
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[position]
    return float((rank[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def average_precision(labels: Labels, scores: Scores) -> float | None:
    """Precision at every threshold, weighed by the recall it adds, 0 to 1, without interpolation; ``None`` without
    positives.

    AP = sum over thresholds of (R_n - R_{n-1}) P_n, as in scikit-learn. A random ranking has the share of positives.
    """
    truth, values = _checked(labels, scores)
    positive = int(truth.sum())
    if not positive:
        return None
    hits, flagged = _cumulated(truth, values)
    found = np.diff(hits, prepend=0)
    return float((found / positive * hits / flagged).sum())


def kolmogorov_smirnov(labels: Labels, scores: Scores) -> float | None:
    """Greatest distance of the scores' distributions among positives and negatives, 0 to 1; ``None`` without both.

    The two-sample statistic of credit scoring's KS (D. J. Hand: JORS 56, 2005).
    """
    truth, values = _checked(labels, scores)
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return None
    hits, flagged = _cumulated(truth, values)
    return float(np.abs(hits / positive - (flagged - hits) / negative).max())


def _cumulated(truth: NDArray[np.bool_], values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positives and rows at or above each distinct score, from the highest down."""
    order = np.argsort(-values, kind="stable")
    ranked, hits = values[order], np.cumsum(truth[order], dtype=np.int64)
    last = np.append(ranked[1:] != ranked[:-1], True)
    return hits[last], np.flatnonzero(last) + 1


def _checked(labels: Labels, scores: Scores) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(labels, dtype=bool), np.asarray(scores, dtype=np.float64)
    if truth.shape != values.shape or truth.ndim != 1:
        raise ValueError(f"{truth.size} labels do not go with {values.size} scores")
    if not np.isfinite(values).all():
        raise ValueError("a score is NaN or infinite")
    return truth, values
