"""An adaptive forest that judges a sample of orders beside the logistic champion, and takes over where it is better.

River's adaptive random forest (Hoeffding trees with ADWIN) has no state that could be stored safely, and is too dear to
learn every order. So it judges and learns every k-th order, and lives in generations: each learns a fixed number of
labels while the one before is still in use. What a forest is follows from its seed and the labels that it learned, in
order; those are kept as examples beside the models, so a shard that is taken over grows the same forests again.
"""

from collections.abc import Sequence
from math import log
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder
from river.forest import ARFClassifier

from detectors.calibration import CalibrationState, CalibrationTracker, Metrics
from detectors.inputs import FixedRanges, Input, Values
from detectors.model import SnapshotMismatch, schema_of, seal, unseal

#: One order in so many is judged and learned.
EVERY: Final = 4
#: Labels that a generation learns before it is used; it is used for as many again.
GENERATION: Final = 1_000
#: Trees: a tree takes about 80 microseconds to learn an order.
TREES: Final = 3
#: Paired labels before the first decision, and between two.
FEWEST: Final = 1_000
_REVIEW_EVERY: Final = 100
#: Labels over which the comparison forgets.
_MEMORY: Final = 2_000.0
#: The forest takes over when its log loss is lower by this share, and gives back when it is not lower any more; its
#: calibration error may be larger by no more than this.
MARGIN: Final = 0.01
_CALIBRATION_MARGIN: Final = 0.005
#: Trees say 0 and 1 too easily.
_LOWEST: Final = 0.002
#: What explanations call the difference that the forest makes.
FOREST: Final = "bad_order_forest"
_CHAMPION: Final = "champion_log_odds"


class _State(Struct, frozen=True):
    generation: int
    learned: int
    young: int
    serving: bool
    changes: int
    champion: CalibrationState
    challenger: CalibrationState


_STATES: Final = Decoder(_State)


class Comparison(Struct, frozen=True):
    """Champion and challenger on the same orders, each scored when the order was placed; ``serving`` says whether the
    challenger's probability is the one that is published, ``changes`` how often that changed.
    """

    champion: Metrics
    challenger: Metrics
    serving: bool
    changes: int


class Challenger:
    """An adaptive random forest over the champion's inputs and the champion's own log-odds.

    Parameters
    ----------
    inputs
        The champion's.
    seed
        Of the forests.

    References
    ----------
    H. M. Gomes et al.: Adaptive random forests for evolving data stream classification. Machine Learning 106, 2017.
    """

    name: str = "bad-order-forest"
    version: str = "1"

    def __init__(self, inputs: Sequence[Input], *, seed: int) -> None:
        self._ranges = FixedRanges(inputs)
        self._missing = [0.5] * len(self._ranges.inputs)
        self._seed = seed
        self._schema = schema_of(
            self.name,
            self.version,
            self._ranges.inputs,
            {"seed": seed, "every": EVERY, "generation": GENERATION, "trees": TREES, "memory": _MEMORY},
        )
        self._generation = 0
        self._learned = self._young_learned = 0
        self._forest = self._grow(0)
        self._young: ARFClassifier | None = None
        self._trackers = CalibrationTracker(_MEMORY), CalibrationTracker(_MEMORY)
        self.serving = False
        self._changes = 0

    def predict(self, values: Values, champion: float) -> float | None:
        """Probability (0 to 1) that an order goes wrong, from its inputs and the champion's probability; ``None`` while
        the first generation is young. Changes nothing.

        Raises
        ------
        ValueError
            A value is NaN or infinite.
        """
        point = self._point(values, champion)
        if self._learned < GENERATION:
            return None
        share = float(self._forest.predict_proba_one(point).get(True, 0.0))
        return min(max(share, _LOWEST), 1.0 - _LOWEST)

    def learn(self, values: Values, bad: bool, champion: float, predicted: float | None) -> None:
        """Learn an order's outcome from its inputs as scored, and compare what both said then; errors as
        :meth:`predict`.
        """
        point = self._point(values, champion)
        if predicted is not None:
            self._trackers[0].add(champion, bad)
            self._trackers[1].add(predicted, bad)
            self._decide()
        self._teach(point, bad)

    def comparison(self) -> Comparison:
        """Both models' metrics on the orders that both judged."""
        return Comparison(self._trackers[0].metrics(), self._trackers[1].metrics(), self.serving, self._changes)

    @property
    def history(self) -> int:
        """How many of the latest examples the forests follow from."""
        return self._learned

    def snapshot(self) -> bytes:
        """Everything but the forests, which follow from the latest :attr:`history` examples."""
        champion, challenger = (each.state() for each in self._trackers)
        return seal(
            self._schema,
            _State(
                self._generation, self._learned, self._young_learned, self.serving, self._changes, champion, challenger
            ),
        )

    def restore(self, data: bytes, examples: Sequence[tuple[list[float | None], bool, float]]) -> None:
        """Continue from a snapshot and the examples kept with it, oldest first: inputs, outcome and champion's
        probability.

        Raises
        ------
        SnapshotMismatch
            The snapshot is not of this model, or there are too few examples; the model is as it was.
        """
        state = unseal(data, self._schema, _STATES)
        if not 0 <= state.young <= state.learned <= 2 * GENERATION or len(examples) < state.learned:
            raise SnapshotMismatch(f"the forests follow from {state.learned} examples, {len(examples)} are kept")
        trackers = CalibrationTracker(_MEMORY), CalibrationTracker(_MEMORY)
        for tracker, counted in zip(trackers, (state.champion, state.challenger), strict=True):
            tracker.restore(counted)
        forest, young = self._grow(state.generation), None
        if state.learned >= GENERATION:
            young = self._grow(state.generation + 1)
        try:
            for number, (values, bad, champion) in enumerate(examples[len(examples) - state.learned :]):
                point = self._point(values, champion)
                forest.learn_one(point, bad)
                if young is not None and number >= state.learned - state.young:
                    young.learn_one(point, bad)
        except ValueError as error:
            raise SnapshotMismatch(f"an example of the forest cannot be used: {error}") from error
        self._forest, self._young, self._trackers = forest, young, trackers
        self._generation, self._learned, self._young_learned = state.generation, state.learned, state.young
        self.serving, self._changes = state.serving, state.changes

    def _teach(self, point: dict[str, float], bad: bool) -> None:
        self._forest.learn_one(point, bad)
        self._learned += 1
        if self._young is not None:
            self._young.learn_one(point, bad)
            self._young_learned += 1
            if self._young_learned == GENERATION:
                self._generation += 1
                self._forest, self._learned = self._young, self._young_learned
                self._young = None
        if self._young is None and self._learned >= GENERATION:
            self._young, self._young_learned = self._grow(self._generation + 1), 0

    def _decide(self) -> None:
        """Promotion by rule, every hundredth label: reversible, with a margin against going back and forth."""
        champion, challenger = (each.metrics() for each in self._trackers)
        if challenger.labels < FEWEST or challenger.labels % _REVIEW_EVERY:
            return
        loss, best = challenger.log_loss, champion.log_loss
        error, least = challenger.calibration_error, champion.calibration_error
        if loss is None or best is None or error is None or least is None:
            return
        bound = best if self.serving else best * (1.0 - MARGIN)
        better = loss < bound and error <= least + _CALIBRATION_MARGIN
        if better != self.serving:
            self.serving = better
            self._changes += 1

    def _grow(self, generation: int) -> ARFClassifier:
        return ARFClassifier(n_models=TREES, seed=self._seed + generation)

    def _point(self, values: Values, champion: float) -> dict[str, float]:
        likely = min(max(champion, _LOWEST / 10), 1.0 - _LOWEST / 10)
        point = dict(zip(self._ranges.names, self._ranges.scale(values, self._missing), strict=True))
        point[_CHAMPION] = log(likely / (1.0 - likely))
        return point


def log_odds_between(served: float, linear: float) -> float:
    """What the forest adds to the champion's log-odds, so that an explanation of the published probability adds up.

    >>> round(log_odds_between(0.5, 0.2), 3)
    1.386
    """
    return log(served / (1.0 - served)) - log(linear / (1.0 - linear))
