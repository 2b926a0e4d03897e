"""How far out a point lies, input by input: empirical tail probabilities over a long, fading memory.

An input's value is as surprising as few points lay at it or beyond, on the nearer side. Unlike the windows of
Half-Space Trees, which compare with the last few hundred points, this remembers tens of thousands, so it resolves tails
and isn't washed out by a burst; unlike a mean and a deviation it is the same for any shape of distribution, and an
outlier counts as one point however far out it is.
"""

from collections.abc import Sequence
from math import exp, log2
from typing import Final

import numpy as np
from msgspec import Struct

from detectors.model import SnapshotMismatch, check_shape

#: Half a point beyond the outermost: what was never seen is rare, not impossible (Hazen's plotting position).
_UNSEEN: Final = 0.5


class TailState(Struct, frozen=True, array_like=True):
    """What :class:`TailProbabilities` has learned: weights of the bins, and the cells not yet counted there."""

    weights: list[float]
    pending: list[int]


class TailProbabilities:
    """Surprise of a point on 0..1, in bits: the sum over its inputs of ``-log2`` of twice the nearer tail.

    The tail of a value is the share of remembered points that are at least as far out, the value's own bin included;
    the surprise of one input is 0 where half of the points or more are, and the surprises of all add up, as those of
    independent events do. So each input's part is known exactly.

    Costs O(inputs) a point: points are counted in blocks, and each block makes a new table of surprises. Before the
    first block is full every surprise is 0.

    Parameters
    ----------
    inputs
        How many.
    bins
        Cells per input, of equal width; the last one is for the end of the range alone, where values beyond it lie.
    memory
        Points after which a weight has fallen to 1/e.
    block
        Points per block.

    References
    ----------
    Z. Li et al.: ECOD: unsupervised outlier detection using empirical cumulative distribution functions. TKDE 2022,
    arXiv 2201.00382. There the sum is taken over left, right and skewness-chosen tails of a batch and the largest is
    the score; here over the nearer tails of a stream.
    """

    __slots__ = ("_block", "_decay", "_offsets", "_pending", "_size", "_surprises", "_top", "_weights")

    def __init__(self, inputs: int, *, bins: int = 128, memory: int = 20_000, block: int = 100) -> None:
        if inputs < 1 or bins < 2 or memory < block or block < 1:
            raise ValueError("tail probabilities need inputs, two bins or more, and a memory of a block or more")
        self._size = (inputs, bins)
        self._top = bins - 1
        self._offsets = [at * bins for at in range(inputs)]
        self._block = block * inputs
        self._decay = exp(-block / memory)
        self._weights = np.zeros(inputs * bins)
        self._surprises = [0.0] * (inputs * bins)
        self._pending: list[int] = []

    def cells(self, point: Sequence[float]) -> list[int]:
        """The cell of each input, numbered through all inputs; values are on 0..1."""
        top = self._top
        return [offset + int(value * top) for value, offset in zip(point, self._offsets, strict=True)]

    def surprise(self, cells: Sequence[int]) -> float:
        """Bits, at least 0; what lies in these cells."""
        surprises = self._surprises
        total = 0.0
        for cell in cells:
            total += surprises[cell]
        return total

    def learn(self, cells: Sequence[int]) -> None:
        """Remember a point in these cells."""
        pending = self._pending
        pending += cells
        if len(pending) >= self._block:
            weights = self._weights
            weights *= self._decay
            weights += np.bincount(pending, minlength=len(weights))
            pending.clear()
            self._surprises = self._table()

    def state(self) -> TailState:
        """What was learned, to be stored."""
        return TailState(self._weights.tolist(), list(self._pending))

    def restore(self, state: TailState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        check_shape("tail weights", state.weights, len(self._weights))
        weights = np.asarray(state.weights, dtype=np.float64)
        if not bool(np.isfinite(weights).all()) or weights.min() < 0.0:
            raise SnapshotMismatch("the snapshot's tail weights can't be")
        pending = state.pending
        if len(pending) >= self._block or len(pending) % self._size[0]:
            raise SnapshotMismatch("the snapshot's block of tail cells has the wrong size")
        if pending and not 0 <= min(pending) <= max(pending) < len(weights):
            raise SnapshotMismatch("the snapshot's tail cells are none of the model's")
        self._weights, self._pending = weights, list(pending)
        self._surprises = self._table() if weights.any() else [0.0] * len(weights)

    def _table(self) -> list[float]:
        """Bits of each cell. Only sums and ratios are left to numpy: they are exact to the bit on any processor."""
        weights = self._weights.reshape(self._size)
        total = weights[0].sum()
        left = weights.cumsum(axis=1)
        right = weights[:, ::-1].cumsum(axis=1)[:, ::-1]
        tails = np.minimum(1.0, 2.0 * (np.minimum(left, right) + _UNSEEN) / (total + _UNSEEN))
        return [0.0 if tail == 1.0 else -log2(tail) for tail in tails.ravel().tolist()]
