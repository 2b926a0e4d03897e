"""A streaming percentile: what share of recent scores is lower.

Scores of anomaly models have no unit: inliers of Half-Space Trees lie near 0.78 or 0.99, depending on the data. A
percentile means the same for every model and stays right when the model or the world shifts.
"""

from typing import Final

from msgspec import Struct

from detectors.model import SnapshotMismatch, check_shape

#: Bins whose sum is kept beside them: a rank adds up the groups below and the bins within one.
_GROUP: Final = 32
#: Growing weights are brought back to 1 before they lose precision.
_LARGEST_WEIGHT: Final = 1e9


class PercentileState(Struct, frozen=True, array_like=True):
    """What a :class:`StreamingPercentile` has learned."""

    weight: float
    total: float
    count: int
    bins: list[float]
    #: Sums of the bins by groups, as they were added up; absent: in an older snapshot, and worked out.
    groups: list[float] = []


class StreamingPercentile:
    """Rank of a score among recent ones, by an exponentially decayed histogram.

    A score's weight falls by 1/e with every ``memory`` scores that follow. Instead of decaying all bins, the weight
    of new scores grows (forward decay, Cormode et al. 2009, doi:10.1109/ICDE.2009.65). Adding costs O(1), ranking
    O(sqrt(bins)).

    Parameters
    ----------
    low, high
        Range of the scores, divided into ``bins`` of equal width; beyond it they count at its ends.
    bins
        Resolution. Scores in one bin are tied: a tie ranks in the middle.
    memory
        Effective number of scores remembered.
    minimum
        Scores needed before there is a rank: with fewer it would say little.
    """

    __slots__ = ("_bins", "_count", "_groups", "_growth", "_low", "_per_unit", "_top", "_total", "_weight", "minimum")

    def __init__(self, low: float, high: float, bins: int = 512, memory: float = 5_000.0, minimum: int = 200) -> None:
        if not low < high or bins < 2 or memory < 1 or minimum < 1:
            raise ValueError("a percentile needs a range, at least two bins, and memory and minimum of at least 1")
        self._low = low
        self._per_unit = bins / (high - low)
        self._top = bins - 1
        self._bins = [0.0] * bins
        self._groups = _sums_of_groups(self._bins)
        self._growth = 1.0 / (1.0 - 1.0 / (memory + 1.0))
        self._weight = 1.0
        self._total = 0.0
        self._count = 0
        self.minimum = minimum

    def add(self, score: float) -> None:
        """Count a score (finite)."""
        weight = self._weight
        at = self._bin(score)
        self._bins[at] += weight
        self._groups[at // _GROUP] += weight
        self._total += weight
        self._count += 1
        self._weight = weight = weight * self._growth
        if weight > _LARGEST_WEIGHT:
            self._bins = [value / weight for value in self._bins]
            self._groups = _sums_of_groups(self._bins)
            self._total = sum(self._groups)
            self._weight = 1.0

    def rank(self, score: float) -> float | None:
        """Share of recent scores that are lower, 0 to 1, ties counted half; ``None`` during warm-up."""
        if self._count < self.minimum:
            return None
        bins = self._bins
        at = self._bin(score)
        group = at // _GROUP
        rank = (sum(self._groups[:group]) + sum(bins[group * _GROUP : at]) + 0.5 * bins[at]) / self._total
        return min(1.0, rank)

    def state(self) -> PercentileState:
        """What was learned, to be stored."""
        return PercentileState(self._weight, self._total, self._count, self._bins, self._groups)

    def restore(self, state: PercentileState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        check_shape("percentile bins", state.bins, len(self._bins))
        groups = state.groups or _sums_of_groups(state.bins)
        check_shape("groups of percentile bins", groups, len(self._groups))
        weights = (state.weight, state.total, *state.bins, *groups)
        if not all(0.0 <= value < float("inf") for value in weights) or state.weight < 1.0 or state.count < 0:
            raise SnapshotMismatch("the snapshot's percentile has weights that can't be")
        self._weight, self._total, self._count = state.weight, state.total, state.count
        self._bins = list(state.bins)
        self._groups = list(groups)

    def _bin(self, score: float) -> int:
        at = int((score - self._low) * self._per_unit)
        return 0 if at < 0 else min(at, self._top)


def _sums_of_groups(bins: list[float]) -> list[float]:
    return [sum(bins[start : start + _GROUP]) for start in range(0, len(bins), _GROUP)]
