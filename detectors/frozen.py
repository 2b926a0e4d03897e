"""Models that go on judging and learn nothing more: for replays that ask what today's models would have said."""

from collections.abc import Sequence

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.category import CategoryModel
from detectors.inputs import Values
from detectors.judge import Models


class FrozenAnomaly(BehaviourAnomaly):
    """Scores behaviour against what it had learned when it was frozen."""

    __slots__ = ()

    def learn(self, values: Values) -> None:
        """Nothing is learned."""

    def score_and_learn(self, values: Values) -> float | None:
        """The score alone."""
        return self.score(values)


class FrozenBadOrder(BadOrderModel):
    """Predicts by the weights, ranges and base rate that it had when it was frozen."""

    __slots__ = ()

    def observe(self, values: Values) -> None:
        """Nothing is learned."""

    def observe_and_predict(self, values: Values) -> float:
        """The probability alone."""
        return self.predict(values)

    def learn(self, values: Values, bad: bool, predicted: float | None = None, time: int = 0) -> None:
        """Nothing is learned."""

    def revise(self, values: Values, bad: bool, learned_at: int = 0) -> None:
        """Nothing was learned, so there is nothing to correct."""


class FrozenCategory(CategoryModel):
    """Compares listings with what it had learned when it was frozen."""

    __slots__ = ()

    def learn(self, words: Sequence[int], category: str, weight: float = 1.0) -> None:
        """Nothing is learned."""

    def unlearn(self, words: Sequence[int], category: str) -> None:
        """Nothing was learned."""


def freeze(models: Models) -> None:
    """Make models learn nothing more from now on. A challenger, which is there to learn, is taken away.

    They stay the same objects, with all that they have learned, of a class that differs by what it no longer does; so
    nothing is copied that a new field could be missing from.
    """
    models.anomaly.__class__ = FrozenAnomaly
    for model in models.stages:
        model.__class__ = FrozenBadOrder
    models.category.__class__ = FrozenCategory
    models.challenger = None
