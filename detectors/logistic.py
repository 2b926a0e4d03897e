"""River's logistic regression, starting from what is known."""

from collections.abc import Mapping, Sequence
from typing import cast

from river import linear_model, optim
from river.utils import VectorDict

from detectors.model import SnapshotMismatch, check_shape


class SettlingRate(optim.base.Scheduler):
    """A learning rate that starts high, falls with the square root of time, and stays above a floor to follow drift.

    Parameters
    ----------
    start
        Rate of the first step.
    floor
        Rate below which it does not fall.
    pace
        Steps after which it has fallen by the factor 1/sqrt(2).
    """

    def __init__(self, start: float, floor: float, pace: float) -> None:
        self.start = start
        self.floor = floor
        self.pace = pace

    def get(self, t: int) -> float:
        """Learning rate at step ``t``."""
        return cast("float", max(self.floor, self.start / (1.0 + t / self.pace) ** 0.5))


class InformedLogisticRegression(linear_model.LogisticRegression):
    """Logistic regression whose weights start from, and are drawn back to, weights given in advance.

    River learns a correction that is added to the given weights, so its L2 penalty draws the sum to them: the mode of
    the posterior under a normal prior around ``prior``.

    Parameters
    ----------
    names
        Names of the inputs.
    prior
        Log-odds per unit of the inputs that are known to matter; absent ones start at 0.
    intercept
        Log-odds of an average observation before the first label.
    rate
        Learning rate of the weights.
    intercept_rate
        Learning rate of the intercept.
    l2
        Strength of the pull back.
    """

    def __init__(
        self,
        names: Sequence[str],
        prior: Mapping[str, float],
        intercept: float,
        rate: optim.base.Scheduler,
        intercept_rate: float,
        l2: float,
    ) -> None:
        super().__init__(optimizer=optim.SGD(rate), l2=l2, intercept_init=intercept, intercept_lr=intercept_rate)
        self.names = tuple(names)
        self.prior = dict(prior)
        self.rate = rate
        self._prior = tuple(self.prior.items())

    def log_odds_one(self, x: dict[str, float]) -> float:
        """Log-odds of the positive class."""
        return self._raw_dot_one(x)

    def _raw_dot_one(self, x: dict[str, float]) -> float:
        """River asks this for every prediction and gradient."""
        raw = self._weights.dot(x) + cast("float", self.intercept)
        for name, weight in self._prior:
            raw += weight * x[name]
        return raw

    def learn_scored(self, x: dict[str, float], y: bool, log_odds: float) -> None:
        """Learn, given the log-odds of ``x`` as they are now: :meth:`learn_one` would work them out again.

        The same steps as River's, for the log loss, SGD and an ``x`` with all inputs, to the same bits in 3.6 us
        instead of 6.1.
        """
        loss_gradient = self.loss.gradient(y_true=y, y_pred=log_odds)
        gradient = VectorDict.from_scaled(x, loss_gradient)
        gradient.iadd_scaled(self._weights, self.l2)
        steps = self.optimizer.n_iterations
        self.intercept -= self.intercept_lr.get(steps) * loss_gradient
        self._weights.isub_scaled(gradient, self.rate.get(steps))
        self.optimizer.n_iterations = steps + 1

    def revise_one(self, x: dict[str, float], y: bool) -> None:
        """Turn a label learned as the opposite of ``y`` into ``y``, exactly but for how the rate fell in between.

        With y = 1 the gradient is less by ``x``, whatever was predicted.
        """
        step = float(self.optimizer.learning_rate) * (1.0 if y else -1.0)
        weights = self.weights
        for name, value in x.items():
            weights[name] = weights.get(name, 0.0) + step * value
        self._weights = VectorDict(weights)
        steps = self.optimizer.n_iterations
        self.intercept += self.intercept_lr.get(steps) * (1.0 if y else -1.0)

    def weights_now(self) -> dict[str, float]:
        """Log-odds per unit of each input, prior and correction together."""
        learned = self.weights
        return {name: learned.get(name, 0.0) + self.prior.get(name, 0.0) for name in self.names}

    def corrections(self) -> list[float]:
        """What was learned on top of the prior, in the order of the names."""
        learned = self.weights
        return [learned.get(name, 0.0) for name in self.names]

    def restore(self, corrections: Sequence[float], intercept: float, labels: int) -> None:
        """Continue from stored numbers; :class:`~detectors.model.SnapshotMismatch` when they can't be."""
        check_shape("weights", corrections, len(self.names))
        if labels < 0 or not all(abs(value) < float("inf") for value in (*corrections, intercept)):
            raise SnapshotMismatch("the snapshot's weights are not finite")
        self._weights = VectorDict(dict(zip(self.names, corrections, strict=True)) if labels else None)
        self.intercept = intercept
        self.optimizer.n_iterations = labels
