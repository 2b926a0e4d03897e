"""Whether probabilities mean what they say."""

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from detectors.evaluation.ranking import Labels, Scores

#: Bins of alike many rows; of equal width, nearly all rows of a rare outcome would share the first one.
BINS: Final = 10


class ReliabilityBin(Struct, frozen=True):
    """Rows of a bin: how many, the mean probability that was predicted, the share that was positive; and the bin's
    least and greatest probability.
    """

    low: float
    high: float
    rows: int
    predicted: float
    observed: float


def reliability(labels: Labels, probabilities: Scores, bins: int = BINS) -> list[ReliabilityBin]:
    """The reliability diagram in bins of alike many rows, ranked by probability; equal ones keep their order.

    Raises
    ------
    ValueError
        Labels and probabilities do not go together, or one is no probability.
    """
    truth, values = _checked(labels, probabilities)
    order = np.argsort(values, kind="stable")
    return [
        ReliabilityBin(
            float(values[part[0]]),
            float(values[part[-1]]),
            len(part),
            float(values[part].mean()),
            float(truth[part].mean()),
        )
        for part in np.array_split(order, min(bins, len(order)) or 1)
        if len(part)
    ]


def calibration_error(labels: Labels, probabilities: Scores, bins: int = BINS) -> float | None:
    """Expected calibration error, 0 to 1: mean distance of predicted and observed over the bins, weighed by rows.

    With bins of alike many rows (M. P. Naeini, G. F. Cooper, M. Hauskrecht: AAAI 2015; K. Nguyen and B. O'Connor:
    EMNLP 2015). Biased upwards where bins have few positives. ``None`` of nothing.
    """
    found = reliability(labels, probabilities, bins)
    rows = sum(each.rows for each in found)
    return sum(each.rows * abs(each.predicted - each.observed) for each in found) / rows if rows else None


def brier_score(labels: Labels, probabilities: Scores) -> float | None:
    """Mean squared distance of probability and outcome, 0 to 1 (G. W. Brier: Monthly Weather Review 78, 1950)."""
    truth, values = _checked(labels, probabilities)
    return float(((values - truth) ** 2).mean()) if len(truth) else None


def _checked(labels: Labels, probabilities: Scores) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    truth, values = np.asarray(labels, dtype=bool), np.asarray(probabilities, dtype=np.float64)
    if truth.shape != values.shape or truth.ndim != 1:
        raise ValueError(f"{truth.size} labels do not go with {values.size} probabilities")
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a value is no probability")
    return truth, values
