"""How unusual a merchant's behaviour is among merchants."""

from collections.abc import Sequence
from math import log2, sqrt
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder

from detectors.bounded_share import BoundedShare, ShareState
from detectors.half_space_trees import HalfSpaceTrees
from detectors.inputs import FixedRanges, Input, Values
from detectors.model import SnapshotMismatch, check_shape, schema_of, seal, unseal
from detectors.percentile import PercentileState, StreamingPercentile
from detectors.tail_probabilities import TailProbabilities, TailState

#: The least share of mass that a score can stand for, against log2(0).
_LEAST_MASS: Final = 1e-12
#: What a bit of the tails counts beside one of the trees. Tails are the better detector on most data, but they judge
#: each input alone; at half their weight, what only the trees see still shows.
_TAIL_WEIGHT: Final = 0.5
#: Tails need more behaviours than a percentile to be told apart: how many times its memory they remember.
_TAIL_MEMORIES: Final = 4


class _State(Struct, frozen=True):
    reference: list[list[int]]
    learning: list[list[int]]
    counter: int
    warm: bool
    learned: int
    typical: list[float]
    percentile: PercentileState
    tails: TailState
    shares: ShareState


_STATES: Final = Decoder(_State)


class BehaviourAnomaly:
    """Half-Space Trees and tail probabilities over fixed-range inputs, reported as a percentile.

    Two online detectors that see different things. The trees compare a behaviour with the last full window of
    ``window`` behaviours and find what few others are near to, also within the range and in combination. The tails
    compare each input with some 20,000 behaviours and find what lies far out in any. Their surprises in bits are added
    up, and the sum is ranked among the sums of the behaviours learned lately.

    Both learn what :class:`~detectors.bounded_share.BoundedShare` admits: bursts of unusual behaviours are ranked and
    left out of what others are compared with, so they can't make themselves normal or hide each other, unless they go
    on until they are what is usual.

    Warm-up: ``score`` is ``None`` for the first ``window`` + 200 behaviours. Failure mode: what was common from the
    start is normal; rules and the bad-order model look for attacks that are.

    Parameters
    ----------
    inputs
        What describes a behaviour.
    seed
        Of the random trees.
    n_trees, height, window
        Size of the forest, and behaviours per window. The paper uses 25 trees of height 15 and windows of 250; height
        8 keeps the snapshot small.
    memory
        Behaviours over which the percentile and the typical values forget. The tails forget over four times as many.

    Attributes
    ----------
    inputs
        The inputs, in order.
    """

    name: str = "behaviour-anomaly"
    version: str = "2"

    def __init__(
        self,
        inputs: Sequence[Input],
        *,
        seed: int,
        n_trees: int = 25,
        height: int = 8,
        window: int = 250,
        memory: int = 5_000,
    ) -> None:
        self._ranges = FixedRanges(inputs)
        self.inputs = self._ranges.inputs
        self._size = (n_trees, height, window, seed, memory)
        self._trees, self._percentile, self._tails, self._shares = self._fresh()
        self._pace = 1.0 / memory
        self._typical = [0.5] * len(self.inputs)
        self._learned = 0
        parameters = {"seed": seed, "n_trees": n_trees, "height": height, "window": window, "memory": memory}
        self._schema = schema_of(self.name, self.version, self.inputs, parameters, self._trees.structure)

    @property
    def learned(self) -> int:
        """Behaviours seen so far, those kept out of the reference included."""
        return self._learned

    def score(self, values: Values) -> float | None:
        """Percentile of a behaviour, 0 to 1: the share of recent ones that are less unusual. ``None`` during warm-up.

        Raises
        ------
        ValueError
            A value is NaN or infinite. ``None`` is fine: the typical value stands for it.
        """
        surprise = self.surprise(values)
        return None if surprise is None else self._percentile.rank(sqrt(surprise))

    def surprise(self, values: Values) -> float | None:
        """The score itself, in bits, at least 0; comparable between behaviours of one model only. ``None`` while the
        first window fills; errors as :meth:`score`.
        """
        point = self._ranges.scale(values, self._typical)
        return self._surprise(point) if self._trees.warm else None

    def learn(self, values: Values) -> None:
        """Learn a behaviour; errors as :meth:`score`."""
        self.score_and_learn(values)

    def score_and_learn(self, values: Values) -> float | None:
        """:meth:`score`, then :meth:`learn`, in about half the time of both."""
        trees, tails = self._trees, self._tails
        point = self._ranges.scale(values, self._typical)
        leaves, cells = trees.leaves(point), tails.cells(point)
        self._learned += 1
        rank = None
        if trees.warm:
            root = sqrt(_bits(trees.score_leaves(leaves)) + _TAIL_WEIGHT * tails.surprise(cells))
            rank = self._percentile.rank(root)
            if not self._shares.admits(rank):
                return rank
            self._percentile.add(root)
        trees.learn_leaves(leaves)
        tails.learn(cells)
        pace = max(self._pace, 1.0 / self._learned)
        self._typical = [old + pace * (new - old) for old, new in zip(self._typical, point, strict=True)]
        return rank

    def contributions(self, values: Values) -> list[tuple[str, float]]:
        """How much each input makes the behaviour unusual, in bits of surprise, in the order of the inputs.

        The mean of two questions: how much less unusual were the behaviour with this input at its typical value, and
        how much more unusual a typical behaviour with this input's value (the two ends of the Shapley value).
        Positive makes unusual; 0 during warm-up.
        """
        point = self._ranges.scale(values, self._typical)
        typical = self._typical
        whole, base = self._surprise(point), self._surprise(typical)
        shares = []
        for position, name in enumerate(self._ranges.names):
            without = [*point[:position], typical[position], *point[position + 1 :]]
            alone = [*typical[:position], point[position], *typical[position + 1 :]]
            share = whole - self._surprise(without) + self._surprise(alone) - base
            shares.append((name, 0.5 * share))
        return shares

    def typical(self) -> list[float]:
        """The mean of recent behaviours (of ``log1p`` where an input asks for it), in the features' units."""
        return self._ranges.unscale(self._typical)

    def snapshot(self) -> bytes:
        """Everything learned, as bytes."""
        trees = self._trees
        reference, learning = trees.masses()
        state = _State(
            reference,
            learning,
            trees.counter,
            trees.warm,
            self._learned,
            self._typical,
            self._percentile.state(),
            self._tails.state(),
            self._shares.state(),
        )
        return seal(self._schema, state)

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot; :class:`~detectors.model.SnapshotMismatch` leaves the model as it was."""
        state = unseal(data, self._schema, _STATES)
        check_shape("typical values", state.typical, len(self.inputs))
        if not all(-1e-9 <= value <= 1.0 + 1e-9 for value in state.typical):
            raise SnapshotMismatch("the snapshot's typical values are outside 0..1")
        if state.learned < state.counter:
            raise SnapshotMismatch("the snapshot has learned less than its window holds")
        trees, percentile, tails, shares = self._fresh()
        percentile.restore(state.percentile)
        tails.restore(state.tails)
        shares.restore(state.shares)
        trees.restore_masses(state.reference, state.learning, state.counter, state.warm)
        self._trees, self._percentile, self._tails, self._shares = trees, percentile, tails, shares
        self._typical, self._learned = state.typical, state.learned

    def _fresh(self) -> tuple[HalfSpaceTrees, StreamingPercentile, TailProbabilities, BoundedShare]:
        n_trees, height, window, seed, memory = self._size
        names = self._ranges.names
        trees = HalfSpaceTrees(names, n_trees, height, window, seed)
        tails = TailProbabilities(len(names), memory=_TAIL_MEMORIES * memory)
        # From all mass and the middle of every input to a point that falls off below every root and lies beyond all
        # others. Ranked by the root: nearly all surprises are a small part of what there can be.
        most = log2(2 ** (height + 1) - 1) + _TAIL_WEIGHT * len(names) * log2(_TAIL_MEMORIES * memory)
        return trees, StreamingPercentile(0.0, sqrt(most), memory=memory), tails, BoundedShare(memory)

    def _surprise(self, point: Sequence[float]) -> float:
        """Bits, the weighted sum of both detectors; 0 while the first window fills."""
        trees, tails = self._trees, self._tails
        if not trees.warm:
            return 0.0
        return _bits(trees.score_leaves(trees.leaves(point))) + _TAIL_WEIGHT * tails.surprise(tails.cells(point))


def _bits(score: float) -> float:
    """Surprise of a tree score in bits: the score is 1 less a share of mass, whose logarithm spreads out the tail."""
    return -log2(max(1.0 - score, _LEAST_MASS))
