"""How well scores rank: exact, for figures in reports."""

from collections.abc import Sequence

import numpy as np


def roc_auc(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the ROC curve: the chance that a positive ranks above a negative, ties half."""
    truth = np.asarray(labels, dtype=bool)
    _, position, count = np.unique(np.asarray(scores), return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[position]
    positive = int(truth.sum())
    return float((rank[truth].sum() - positive * (positive + 1) / 2) / (positive * (len(truth) - positive)))


def average_precision(labels: Sequence[bool], scores: Sequence[float]) -> float:
    """Mean precision at the ranks of the positives; equal scores in the order given."""
    truth = np.asarray(labels, dtype=bool)[np.argsort(-np.asarray(scores), kind="mergesort")]
    precision = np.cumsum(truth) / np.arange(1, len(truth) + 1)
    return float(precision[truth].mean())
