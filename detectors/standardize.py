"""Running standardisation of model inputs."""

from collections.abc import Sequence
from itertools import repeat
from math import sqrt
from operator import mul
from typing import Final

from msgspec import Struct

from detectors.input_code import compile_deviations
from detectors.model import SnapshotMismatch, check_shape

#: Observations between two refreshes of means and deviations, once the first ones are in.
_BLOCK: Final = 32
_AT_FIRST: Final = 64
#: The least deviation, as a share of the input's range: a nearly constant input says nothing when it moves a little.
_FLOOR: Final = 0.01
#: Deviations are cut here.
BOUND: Final = 4.0


class StandardizerState(Struct, frozen=True, array_like=True):
    """What a :class:`RunningStandardizer` has learned."""

    seen: int
    counts: list[float]
    sums: list[float]
    squares: list[float]
    means: list[float]
    factors: list[float]


class RunningStandardizer:
    """Values on 0..1 to deviations from their running mean in standard deviations.

    Sums of values and squares are exact enough, because values are bounded; means and deviations follow them in
    blocks of 32 observations (at every observation at first), and observations are added up block by block as well,
    which costs a tenth of Welford's update each time. A
    prior of ``prior`` observations in the middle of the range keeps the first ones from looking extreme.

    Parameters
    ----------
    inputs
        How many.
    memory
        Observations over which the past is forgotten.
    prior
        Weight of the prior, in observations.
    bound
        Deviations are cut to plus or minus this: no single input may decide alone.

    Attributes
    ----------
    means, factors
        Current means, on 0..1, and what a distance from them is multiplied by.
    """

    __slots__ = (
        "_counts",
        "_deviations",
        "_keep",
        "_pending",
        "_seen",
        "_squares",
        "_sums",
        "factors",
        "means",
    )

    def __init__(self, inputs: int, memory: float = 50_000.0, prior: float = 20.0, bound: float = BOUND) -> None:
        self._deviations = compile_deviations(inputs, bound)
        self._keep = 1.0 - _BLOCK / memory
        self._seen = 0
        #: Observations that are not in the sums yet.
        self._pending: list[Sequence[float | None]] = []
        self._counts = [prior] * inputs
        self._sums = [prior * 0.5] * inputs
        # A quarter of the range as deviation: most ranges are drawn a little wider than what occurs.
        self._squares = [prior * (0.25 + 0.0625)] * inputs
        self.means = [0.5] * inputs
        self.factors = [4.0] * inputs

    def observe(self, values: Sequence[float | None]) -> bool:
        """Learn one observation, values on 0..1; ``None`` leaves its input as it was. The caller keeps it unchanged.

        Returns whether the means and deviations were refreshed.
        """
        self._pending.append(values)
        self._seen += 1
        if self._seen > _AT_FIRST and self._seen % _BLOCK:
            return False
        self._sum_up()
        self._refresh()
        return True

    def transform(self, values: Sequence[float | None]) -> list[float]:
        """Standardised values; ``None`` counts as the mean, 0."""
        return self._deviations(values, self.means, self.factors)

    def state(self) -> StandardizerState:
        """What was learned, to be stored."""
        self._sum_up()
        return StandardizerState(self._seen, self._counts, self._sums, self._squares, self.means, self.factors)

    def restore(self, state: StandardizerState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        for values in (state.counts, state.sums, state.squares, state.means, state.factors):
            check_shape("standardised inputs", values, len(self.means))
            if not all(0.0 <= value < float("inf") for value in values):
                raise SnapshotMismatch("the snapshot's means or deviations are not finite")
        if state.seen < 0 or not all(state.counts):
            raise SnapshotMismatch("the snapshot's standardised inputs were never seen")
        self._seen = state.seen
        self._pending = []
        self._counts, self._sums, self._squares = state.counts, state.sums, state.squares
        self.means, self.factors = state.means, state.factors

    def _sum_up(self) -> None:
        """Add what was observed to the sums, one after the other: wherever a block is cut, the bits are the same."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        counts, sums, squares = [], [], []
        columns = zip(*pending, strict=True)
        # The built-in sum adds floats one after the other, from the start that it is given.
        for count, total, square, column in zip(self._counts, self._sums, self._squares, columns, strict=True):
            known = [value for value in column if value is not None] if None in column else column
            counts.append(sum(repeat(1.0, len(known)), count))
            sums.append(sum(known, total))
            squares.append(sum(map(mul, known, known), square))
        self._counts, self._sums, self._squares = counts, sums, squares

    def _refresh(self) -> None:
        means = []
        factors = []
        for count, total, square in zip(self._counts, self._sums, self._squares, strict=True):
            mean = total / count
            variance = square / count - mean * mean
            means.append(mean)
            factors.append(1.0 / max(sqrt(max(variance, 0.0)), _FLOOR))
        self.means, self.factors = means, factors
        if self._seen % _BLOCK == 0:
            keep = self._keep
            self._counts = [value * keep for value in self._counts]
            self._sums = [value * keep for value in self._sums]
            self._squares = [value * keep for value in self._squares]
