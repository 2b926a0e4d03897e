"""The bad-order model on rows that are scored first and learned when their label is known, and figures of the result.

Test-then-train, or prequential evaluation (A. P. Dawid: JRSS A 147, 1984; J. Gama et al.: Machine Learning 90, 2013).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from detectors.bad_order import BadOrderModel
from detectors.evaluation.ranking import average_precision, kolmogorov_smirnov, roc_auc
from detectors.evaluation.reliability import brier_score, calibration_error, reliability

#: Parts of a stream's end that figures are given for, and what is put behind their names.
SHARES: Final = {0.2: "", 0.6: "_60"}


class Row(NamedTuple):
    """A row as it was scored at ``time``, and its label as known at ``known`` (ms)."""

    time: int
    known: int
    values: list[float | None]
    label: bool
    probability: float


class Step(NamedTuple):
    """What comes next at a time (ms): a row to score (``label`` is ``None``), or the label of one scored before."""

    key: int
    time: int
    label: bool | None
    values: Sequence[float | None]


def score_then_learn(stream: Iterable[Step], model: BadOrderModel) -> list[Row]:
    """Rows with the probability that the model gave them, in the order of scoring; those without a label are left
    out.
    """
    scored: dict[int, tuple[int, list[float | None], float]] = {}
    rows: dict[int, Row] = {}
    for key, time, label, values in stream:
        if label is None:
            kept = list(values)
            scored[key] = (time, kept, model.observe_and_predict(kept))
            continue
        placed, kept, probability = scored[key]
        model.learn(kept, label, probability, time)
        rows[key] = Row(placed, time, kept, label, probability)
    return [rows[key] for key in scored if key in rows]


def measures(labels: Sequence[bool], probabilities: Sequence[float]) -> dict[str, Any]:
    """Every measure of a set of rows; ``None`` where it has only one class."""
    return {
        "auc": roc_auc(labels, probabilities),
        "ap": average_precision(labels, probabilities),
        "ece": calibration_error(labels, probabilities),
        "brier": brier_score(labels, probabilities),
        "ks": kolmogorov_smirnov(labels, probabilities),
        "rows": len(labels),
        "positive_share": float(np.mean(labels)) if len(labels) else None,
    }


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Measures of the last 20 % and (with ``_60``) of the last 60 %, and the reliability diagram of the latter."""
    found: dict[str, Any] = {}
    for share, suffix in SHARES.items():
        last = rows[round(len(rows) * (1 - share)) :]
        figures = measures([row.label for row in last], [row.probability for row in last])
        found |= {f"{name}{suffix}": value for name, value in figures.items()}
        if share == 0.6:
            diagram = reliability([row.label for row in last], [row.probability for row in last])
            found["reliability"] = [
                {"rows": each.rows, "predicted": each.predicted, "observed": each.observed} for each in diagram
            ]
    return found
