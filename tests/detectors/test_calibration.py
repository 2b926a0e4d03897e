"""Test-then-train metrics against their definitions."""

from math import log
from random import Random

import pytest

from detectors.calibration import CalibrationTracker
from detectors.evaluation.ranking import roc_auc


def test_without_labels_there_is_nothing_to_say() -> None:
    """Absent metrics are absent, not zero."""
    metrics = CalibrationTracker().metrics()
    assert metrics.labels == 0
    assert (metrics.base_rate, metrics.log_loss, metrics.brier, metrics.auc, metrics.calibration_error) == (None,) * 5
    assert CalibrationTracker().reliability() == []


def test_with_one_class_there_is_no_auc() -> None:
    """Ranking needs both kinds of orders."""
    tracker = CalibrationTracker()
    tracker.add(0.2, False)
    metrics = tracker.metrics()
    assert metrics.auc is None
    assert metrics.log_loss == pytest.approx(-log(0.8))
    assert metrics.brier == pytest.approx(0.04)


def test_metrics_agree_with_their_definitions() -> None:
    """Within what bins and forgetting allow, on probabilities that are right."""
    random = Random(3)
    tracker = CalibrationTracker(memory=1e9)
    pairs = []
    for _ in range(5_000):
        probability = random.betavariate(1, 9)
        pairs.append((probability, random.random() < probability))
        tracker.add(*pairs[-1])
    metrics = tracker.metrics()
    labels = [bad for _, bad in pairs]
    assert metrics.base_rate == pytest.approx(sum(labels) / 5_000)
    assert metrics.log_loss == pytest.approx(sum(-log(p if bad else 1 - p) for p, bad in pairs) / 5_000)
    assert metrics.brier == pytest.approx(sum((p - bad) ** 2 for p, bad in pairs) / 5_000)
    assert metrics.auc == pytest.approx(roc_auc(labels, [p for p, _ in pairs]), abs=0.005)
    assert metrics.calibration_error is not None
    assert metrics.calibration_error < 0.02


def test_wrong_probabilities_show() -> None:
    """Probabilities twice too high rank as well as before, and are found to be off."""
    random = Random(4)
    tracker = CalibrationTracker()
    for _ in range(5_000):
        probability = random.betavariate(1, 12)
        tracker.add(min(1.0, 2 * probability), random.random() < probability)
    metrics = tracker.metrics()
    assert metrics.calibration_error is not None
    assert metrics.calibration_error == pytest.approx(1 / 13, abs=0.015)
    top = tracker.reliability()[-1]
    assert top.predicted > 1.5 * top.observed


def test_old_labels_are_forgotten() -> None:
    """Metrics tell of the present."""
    tracker = CalibrationTracker(memory=200)
    for _ in range(5_000):
        tracker.add(0.9, False)
    for _ in range(2_000):
        tracker.add(0.9, True)
    metrics = tracker.metrics()
    assert metrics.labels == 7_000
    assert metrics.base_rate == pytest.approx(1.0, abs=0.001)
    assert metrics.log_loss == pytest.approx(-log(0.9), abs=0.001)


def test_weights_stay_finite_for_ever() -> None:
    """Growing weights are brought back without a change of the metrics."""
    tracker = CalibrationTracker(memory=5)
    for at in range(3_000):
        tracker.add(0.25, at % 4 == 0)
    assert tracker.state().weight < 2e9
    assert tracker.metrics().calibration_error == pytest.approx(0.0, abs=0.1)
    assert sum(row.labels for row in tracker.reliability()) == pytest.approx(6.0, rel=0.3)


@pytest.mark.parametrize("probability", [0.0, 1.0, 1e-300])
def test_extreme_probabilities_are_counted(probability: float) -> None:
    """Certainty that was wrong costs much, and never infinitely much."""
    tracker = CalibrationTracker()
    tracker.add(probability, probability < 0.5)
    loss = tracker.metrics().log_loss
    assert loss is not None
    assert 20 < loss < 30
