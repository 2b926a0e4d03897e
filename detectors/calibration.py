"""Test-then-train metrics of a probability: how well it ranks, and whether it means what it says."""

from math import exp, log
from typing import Final

from msgspec import Struct

from detectors.model import SnapshotMismatch, check_shape

#: Probabilities are counted in bins of equal width in log-odds, from 0.1 % to 99.9 %: most orders lie below 10 %.
_BINS: Final = 56
_EDGE: Final = 7.0
_PER_UNIT: Final = _BINS / (2 * _EDGE)
_LARGEST_WEIGHT: Final = 1e9
_TINY: Final = 1e-12
_SURE: Final = 1.0 - _TINY


class Reliability(Struct, frozen=True):
    """Labels whose probability fell into a range: mean probability against share of bad ones.

    ``labels`` is a decayed count.
    """

    low: float
    high: float
    labels: float
    predicted: float
    observed: float


class Metrics(Struct, frozen=True):
    """Decayed test-then-train metrics.

    ``labels`` counts all labels ever. ``auc`` is approximate, from binned probabilities; ``None`` without both
    classes. ``calibration_error`` is the mean distance of predicted and observed shares over the bins, weighed by
    their labels (ECE).
    """

    labels: int
    base_rate: float | None
    log_loss: float | None
    brier: float | None
    auc: float | None
    calibration_error: float | None


class CalibrationState(Struct, frozen=True, array_like=True):
    """What a :class:`CalibrationTracker` has counted."""

    labels: int
    weight: float
    log_loss: float
    brier: float
    good: list[float]
    bad: list[float]
    predicted: list[float]


class CalibrationTracker:
    """Counts predictions and labels, forgetting over ``memory`` labels (forward decay).

    Parameters
    ----------
    memory
        Effective number of labels remembered.
    """

    __slots__ = ("_bad", "_brier", "_good", "_growth", "_labels", "_log_loss", "_predicted", "_weight")

    def __init__(self, memory: float = 5_000.0) -> None:
        self._growth = 1.0 / (1.0 - 1.0 / (memory + 1.0))
        self._labels = 0
        self._weight = 1.0
        self._log_loss = 0.0
        self._brier = 0.0
        self._good = [0.0] * _BINS
        self._bad = [0.0] * _BINS
        self._predicted = [0.0] * _BINS

    def add(self, probability: float, bad: bool) -> None:
        """Count a label and the probability (0 to 1) given before it was learned."""
        weight = self._weight
        likely = probability if _TINY < probability < _SURE else _TINY if probability < 0.5 else _SURE
        at = int((log(likely / (1.0 - likely)) + _EDGE) * _PER_UNIT)
        if not 0 <= at < _BINS:
            at = 0 if at < 0 else _BINS - 1
        if bad:
            self._bad[at] += weight
            self._log_loss -= weight * log(likely)
            self._brier += weight * (1.0 - probability) ** 2
        else:
            self._good[at] += weight
            self._log_loss -= weight * log(1.0 - likely)
            self._brier += weight * probability**2
        self._predicted[at] += weight * probability
        self._labels += 1
        self._weight = weight = weight * self._growth
        if weight > _LARGEST_WEIGHT:
            self._good = [value / weight for value in self._good]
            self._bad = [value / weight for value in self._bad]
            self._predicted = [value / weight for value in self._predicted]
            self._log_loss /= weight
            self._brier /= weight
            self._weight = 1.0

    def metrics(self) -> Metrics:
        """The metrics now; ``None`` where there is nothing to say."""
        good, bad = sum(self._good), sum(self._bad)
        total = good + bad
        if not total:
            return Metrics(self._labels, None, None, None, None, None)
        below = ranked = error = 0.0
        for lower, upper, predicted in zip(self._good, self._bad, self._predicted, strict=True):
            ranked += upper * (below + 0.5 * lower)
            below += lower
            error += abs(predicted - upper)
        return Metrics(
            labels=self._labels,
            base_rate=bad / total,
            log_loss=self._log_loss / total,
            brier=self._brier / total,
            auc=ranked / (good * bad) if good and bad else None,
            calibration_error=error / total,
        )

    def reliability(self, groups: int = 10) -> list[Reliability]:
        """Predicted against observed shares in about ``groups`` ranges of alike many labels, without empty ones."""
        total = sum(self._good) + sum(self._bad)
        found = []
        labels = predicted = observed = 0.0
        start = 0
        for at in range(_BINS):
            labels += self._good[at] + self._bad[at]
            predicted += self._predicted[at]
            observed += self._bad[at]
            if labels and (labels * groups >= total or at == _BINS - 1):
                share = Reliability(
                    _probability(start),
                    _probability(at + 1),
                    labels / self._weight,
                    predicted / labels,
                    observed / labels,
                )
                found.append(share)
                labels = predicted = observed = 0.0
                start = at + 1
        return found

    def state(self) -> CalibrationState:
        """What was counted, to be stored."""
        return CalibrationState(
            self._labels, self._weight, self._log_loss, self._brier, self._good, self._bad, self._predicted
        )

    def restore(self, state: CalibrationState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        for values in (state.good, state.bad, state.predicted):
            check_shape("calibration bins", values, _BINS)
        numbers = (state.weight, state.log_loss, state.brier, *state.good, *state.bad, *state.predicted)
        if state.labels < 0 or state.weight < 1.0 or not all(0.0 <= value < float("inf") for value in numbers):
            raise SnapshotMismatch("the snapshot's calibration has counts that can't be")
        self._labels, self._weight = state.labels, state.weight
        self._log_loss, self._brier = state.log_loss, state.brier
        self._good, self._bad, self._predicted = list(state.good), list(state.bad), list(state.predicted)


def _probability(edge: int) -> float:
    if edge == 0:
        return 0.0
    return 1.0 if edge == _BINS else 1.0 / (1.0 + exp(_EDGE - edge / _PER_UNIT))
