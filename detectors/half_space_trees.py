"""River's Half-Space Trees with the same scores, walked once and stored as leaf counts.

River keeps a mass in every node and walks the trees for each call. All of that follows from how many observations
reached each leaf: a node's mass is the sum of its leaves'. So one walk finds the leaves, learning counts them, and when
a window ends each leaf's score is worked out once. The walk itself is compiled: trees never change, so their thresholds
become the constants of a function (:mod:`detectors.tree_code`). A test compares the scores with River's own, bit for
bit; this takes a quarter of the time, and what is learned is two small integers per leaf.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from random import Random
from typing import Any, Final

import numpy as np
from river import anomaly
from river.tree.padded import PaddedBranch, make_padded_tree

from detectors.model import SnapshotMismatch, check_shape
from detectors.tree_code import Node, compile_trees

#: Share of a split range that no threshold falls into, on each side; River's value, from the paper.
_PADDING: Final = 0.15


class HalfSpaceTrees(anomaly.HalfSpaceTrees):
    """Half-Space Trees over named inputs on 0..1, equal to River's estimator of that name.

    A random tree halves the space of the inputs again and again; a point is as anomalous as few points of the last full
    window fell near it.

    Parameters
    ----------
    names
        Names of the inputs. River assigns them to splits in sorted order.
    n_trees, height, window_size, seed
        As in :class:`river.anomaly.HalfSpaceTrees`.

    References
    ----------
    S. C. Tan, K. M. Ting, T. F. Liu: Fast anomaly detection for streaming data. IJCAI 2011.
    """

    def __init__(self, names: Sequence[str], n_trees: int, height: int, window_size: int, seed: int) -> None:
        super().__init__(n_trees=n_trees, height=height, window_size=window_size, seed=seed)
        self.names = tuple(names)
        #: The leaf that values on 0..1, in the order of ``names``, reach in each tree. Leaves of all trees are numbered
        #: together, tree after tree.
        self.leaves: Callable[[Sequence[float]], Sequence[int]]
        self.leaves, self.structure = _build(self.names, n_trees, height, seed)
        self._learning = [0] * (n_trees << height)
        self._reference = [0] * (n_trees << height)
        self._leaf_scores = self._reference
        self._scale = float(n_trees * window_size * (2 ** (height + 1) - 1))

    @property
    def warm(self) -> bool:
        """Whether the first window is full: before, there is nothing to compare with."""
        return not self._first_window

    def score_leaves(self, leaves: Sequence[int]) -> float:
        """River's score of a point in these leaves: 0 to 1, higher is more anomalous; 0 in the first window."""
        if self._first_window:
            return 0.0
        scores = self._leaf_scores
        mass = 0
        for leaf in leaves:
            mass += scores[leaf]
        return 1.0 - mass / self._scale

    def learn_leaves(self, leaves: Sequence[int]) -> None:
        """Count a point in these leaves; a full window becomes the reference."""
        counts = self._learning
        for leaf in leaves:
            counts[leaf] += 1
        self.counter += 1
        if self.counter == self.window_size:
            self.counter = 0
            self._first_window = False
            self._reference = self._learning
            self._learning = [0] * len(counts)
            self._leaf_scores = self._score_table(self._reference)

    def score_one(self, x: dict[Hashable, Any]) -> float:
        """River's interface: the score of a point given by name."""
        return self.score_leaves(self.leaves([x[name] for name in self.names]))

    def learn_one(self, x: dict[Hashable, Any]) -> None:
        """River's interface: learn a point given by name."""
        self.learn_leaves(self.leaves([x[name] for name in self.names]))

    def masses(self) -> tuple[list[list[int]], list[list[int]]]:
        """Points per tree and leaf: of the reference window, and of the window being learned."""
        size = 2**self.height
        starts = range(0, len(self._learning), size)
        reference, learning = (
            [masses[start : start + size] for start in starts] for masses in (self._reference, self._learning)
        )
        return reference, learning

    def restore_masses(self, reference: list[list[int]], learning: list[list[int]], counter: int, warm: bool) -> None:
        """Continue from stored masses; :class:`~detectors.model.SnapshotMismatch` when they can't be this model's."""
        for masses, filled in ((reference, self.window_size if warm else 0), (learning, counter)):
            check_shape("trees", masses, self.n_trees)
            for counts in masses:
                check_shape("leaves", counts, 2**self.height)
                if min(counts) < 0 or sum(counts) != filled:
                    raise SnapshotMismatch(f"the snapshot's leaves don't add up to the {filled} points of their window")
        if not 0 <= counter < self.window_size:
            raise SnapshotMismatch(f"the snapshot's window holds {counter} of {self.window_size} points")
        self._reference = [mass for counts in reference for mass in counts]
        self._learning = [mass for counts in learning for mass in counts]
        self.counter = counter
        self._first_window = not warm
        self._leaf_scores = self._score_table(self._reference)

    def _score_table(self, reference: list[int]) -> list[int]:
        """What River's walk adds up on the way to a leaf: mass times 2**depth, up to the first light node."""
        counts = np.asarray(reference, dtype=np.int64).reshape(self.n_trees, -1)
        leaves = counts.shape[1]
        total = np.zeros_like(counts)
        open_ = np.ones(counts.shape, dtype=bool)
        for depth in range(self.height + 1):
            mass = counts.reshape(self.n_trees, 2**depth, -1).sum(axis=2).repeat(leaves >> depth, axis=1)
            total += np.where(open_, mass << depth, 0)
            open_ &= mass >= self.size_limit
        return total.ravel().tolist()


@lru_cache(maxsize=64)
def _build(
    names: tuple[str, ...], n_trees: int, height: int, seed: int
) -> tuple[Callable[[Sequence[float]], tuple[int, ...]], str]:
    """Trees as River builds them from the seed, compiled, and their hash; shared by all models that are alike."""
    rng = Random(seed)
    positions = {name: position for position, name in enumerate(names)}
    roots = []
    for _ in range(n_trees):
        limits = dict.fromkeys(sorted(names), (0.0, 1.0))
        tree = make_padded_tree(limits, height, _PADDING, rng, r_mass=0, l_mass=0)  # type: ignore[no-untyped-call]
        roots.append(_flatten(tree, positions, iter(range(2**height))))
    return compile_trees(roots, len(names), 2**height), sha256(repr(roots).encode()).hexdigest()


def _flatten(node: Any, positions: Mapping[str, int], numbers: Iterator[int]) -> Node:
    if not isinstance(node, PaddedBranch):
        return next(numbers)
    left = _flatten(node.children[0], positions, numbers)
    right = _flatten(node.children[1], positions, numbers)
    return positions[node.feature], node.threshold, left, right
