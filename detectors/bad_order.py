"""How likely an order is to go wrong, learned from orders whose outcome is known."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder

from detectors.base_rate import BaseRate, BaseRateState
from detectors.calibration import CalibrationState, CalibrationTracker, Metrics, Reliability
from detectors.input_code import compile_judgement
from detectors.inputs import FixedRanges, Input, Values, edge
from detectors.known_effects import KNOWN_BOUND, KnownEffect, KnownEffects
from detectors.logistic import InformedLogisticRegression, SettlingRate
from detectors.model import Parameter, schema_of, seal, unseal
from detectors.standardize import BOUND, RunningStandardizer, StandardizerState

#: Log-odds are cut here (0.0000003): no evidence makes an outcome certain.
_CERTAIN: Final = 15.0
#: Labels over which the metrics forget.
_MEMORY: Final = 5_000
#: How the factor on all known effects is called among the weights.
_KNOWN: Final = "known effects"


class _State(Struct, frozen=True):
    corrections: list[float]
    intercept: float
    labels: int
    inputs: StandardizerState
    calibration: CalibrationState
    base_rate: BaseRateState


_STATES: Final = Decoder(_State)


class BadOrderModel:
    """Logistic regression on standardised inputs, learning online from labels that come weeks late.

    Inputs are standardised by what was seen when orders were placed (:meth:`observe`), the classifier learns when
    their outcome is known (:meth:`learn`) from the inputs as they were scored. In one pipeline the scaler would lag
    behind by the delay of the labels.

    Cold start: before the first label the log-odds are those of ``prior`` plus the ``known`` effects. Learning scales
    these and adds to them as labels come in; an L2 pull keeps near zero what labels say little about. Linear in the
    log-odds: an effect that only shows when two inputs meet has to be given as an input of its own.

    Labels are late and the share of bad orders swings faster than weights may, so what the model expected of lately
    labelled orders is compared with what was seen, and its odds are corrected by the ratio
    (:class:`~detectors.base_rate.BaseRate`). A label that changes is learned anew by :meth:`revise`.

    Parameters
    ----------
    inputs
        What describes an order.
    name
        What scores are published under.
    prior
        Share of bad orders expected before any is known.
    known
        Effects known in advance; by default the inputs among :data:`~detectors.known_effects.KNOWN_EFFECTS`.
    rate, floor, pace
        Learning rate at the first label, the least one, and the labels after which it has fallen by 1/sqrt(2).
    intercept_rate
        Learning rate of the base rate.
    l2
        Strength of the pull.

    Attributes
    ----------
    inputs
        The inputs, in order.

    References
    ----------
    H. B. McMahan et al.: Ad click prediction: a view from the trenches. KDD 2013, on online logistic regression and
    progressive validation.
    """

    version: str = "2"

    def __init__(
        self,
        inputs: Sequence[Input],
        *,
        name: str = "bad-order",
        prior: float = 0.05,
        known: Mapping[str, KnownEffect] | None = None,
        rate: float = 0.01,
        floor: float = 0.002,
        pace: float = 300.0,
        intercept_rate: float = 0.004,
        l2: float = 0.02,
    ) -> None:
        if not 0.0 < prior < 1.0:
            raise ValueError(f"the prior share of bad orders must lie between 0 and 1, not at {prior}")
        self.name = name
        self._ranges = FixedRanges(inputs)
        self.inputs = self._ranges.inputs
        self._names = self._ranges.names
        self._known = KnownEffects(self.inputs, known)
        self._judge = compile_judgement(self._ranges.ranges, edge, BOUND, self._known.terms, KNOWN_BOUND)
        self._intercept = log(prior / (1.0 - prior))
        self._intercept_rate = intercept_rate
        self._l2 = l2
        self._schedule = SettlingRate(rate, floor, pace)
        self._labels = 0
        self._base_rate = BaseRate()
        self._scaler, self._classifier, self._calibration = self._fresh()
        parameters: dict[str, Parameter] = {
            "prior": prior,
            "rate": rate,
            "floor": floor,
            "pace": pace,
            "intercept_rate": intercept_rate,
            "l2": l2,
            "memory": _MEMORY,
            **{
                f"known.{name}": f"{effect.log_odds} {effect.reference}" for name, effect in self._known.effects.items()
            },
        }
        self._schema = schema_of(self.name, self.version, self.inputs, parameters)

    def predict(self, values: Values) -> float:
        """Probability (0 to 1) that an order goes wrong; changes nothing.

        Raises
        ------
        ValueError
            A value is NaN or infinite. ``None`` is fine: it counts as the mean.
        """
        return _probability(self.log_odds(values))

    def observe(self, values: Values) -> None:
        """Learn how inputs are distributed, when an order is placed; errors as :meth:`predict`."""
        self._scaler.observe(self._ranges.scale_known(values))

    def observe_and_predict(self, values: Values) -> float:
        """:meth:`observe`, then :meth:`predict`, for less than both."""
        scaler, classifier = self._scaler, self._classifier
        scaled, odds = self._judge.scaled(values, scaler.means, scaler.factors, classifier.weights)
        if scaler.observe(scaled):
            # By the means that it is part of.
            return _probability(classifier.log_odds(self._point(scaled)) + self._base_rate.shift)
        return _probability(odds + classifier.intercept + self._base_rate.shift)

    def learn(self, values: Values, bad: bool, predicted: float | None = None, time: int = 0) -> None:
        """Learn an order's outcome.

        Parameters
        ----------
        values
            Its inputs as they were scored.
        bad
            Whether it went wrong.
        predicted
            The probability given when it was scored, for the metrics; without it, what the model would say now, just
            before it learns.
        time
            When the outcome became known, ms; without it nothing is forgotten of the base rate.

        Raises
        ------
        ValueError
            A value is NaN or infinite, or ``predicted`` is no probability.
        """
        scaler, classifier = self._scaler, self._classifier
        point, odds = self._judge.point(values, scaler.means, scaler.factors, classifier.weights)
        odds += classifier.intercept
        if predicted is None:
            predicted = _probability(odds + self._base_rate.shift)
        elif not 0.0 <= predicted <= 1.0:
            raise ValueError(f"{predicted} is not a probability")
        self._calibration.add(predicted, bad)
        self._base_rate.add(time, _probability(odds), bad)
        classifier.learn(point, bad, odds)
        self._labels += 1

    def revise(self, values: Values, bad: bool, learned_at: int = 0) -> None:
        """Correct an outcome that was learned as the opposite of ``bad``, at ``learned_at`` (ms).

        The gradient of the log loss is linear in the label, so one step by the inputs alone takes the weights to where
        the right label would have taken them, at the present learning rate; it needs no record of what the model
        thought then. The metrics stay those of the labels as they were first known. Errors as :meth:`predict`.
        """
        point = self._point(self._ranges.scale_known(values))
        if self._labels:
            self._classifier.revise(point, bad)
            self._base_rate.revise(learned_at, bad)

    def contributions(self, values: Values) -> list[tuple[str, float]]:
        """Log-odds that each input adds, in their order.

        Compared with an average order; where an effect is known, with one at its reference.
        """
        scaled = self._ranges.scale_known(values)
        point = self._point(scaled)
        *weights, factor = self._classifier.weights
        known = self._known.parts(scaled)
        return [
            (name, weight * deviation + factor * part)
            for name, weight, deviation, part in zip(self._names, weights, point[:-1], known, strict=True)
        ]

    def base(self) -> float:
        """Log-odds of an order to which no input adds anything: an average one, at the references of known effects."""
        return self._classifier.intercept + self._base_rate.shift

    def log_odds(self, values: Values) -> float:
        """Log-odds of a bad order: :meth:`base` plus all :meth:`contributions`.

        :meth:`predict` gives their probability, cut at 15 either way.
        """
        scaler, classifier = self._scaler, self._classifier
        _, odds = self._judge.point(values, scaler.means, scaler.factors, classifier.weights)
        return odds + classifier.intercept + self._base_rate.shift

    def typical(self) -> list[float]:
        """The inputs' running means (of ``log1p`` where an input asks for it), in the features' units."""
        return self._ranges.unscale(self._scaler.means)

    def weights(self) -> dict[str, float]:
        """Log-odds per standard deviation of each input, learned beside the known effects, and the factor on those."""
        return dict(zip((*self._names, _KNOWN), self._classifier.weights, strict=True))

    def metrics(self) -> Metrics:
        """How good the probabilities were, on labels not yet learned when they were given."""
        return self._calibration.metrics()

    def reliability(self) -> list[Reliability]:
        """Predicted against observed shares of bad orders in about ten ranges."""
        return self._calibration.reliability()

    def snapshot(self) -> bytes:
        """Everything learned, as bytes."""
        classifier = self._classifier
        state = _State(
            classifier.corrections,
            classifier.intercept,
            self._labels,
            self._scaler.state(),
            self._calibration.state(),
            self._base_rate.state(),
        )
        return seal(self._schema, state)

    def restore(self, data: bytes) -> None:
        """Continue from a snapshot; :class:`~detectors.model.SnapshotMismatch` leaves the model as it was."""
        state = unseal(data, self._schema, _STATES)
        scaler, classifier, calibration = self._fresh()
        scaler.restore(state.inputs)
        classifier.restore(state.corrections, state.intercept, state.labels)
        calibration.restore(state.calibration)
        base_rate = BaseRate()
        base_rate.restore(state.base_rate)
        self._base_rate = base_rate
        self._scaler, self._classifier, self._calibration = scaler, classifier, calibration
        self._labels = state.labels

    def _fresh(self) -> tuple[RunningStandardizer, InformedLogisticRegression, CalibrationTracker]:
        inputs = len(self._names)
        # The sum of the known effects comes last, at the weight that it is known with.
        classifier = InformedLogisticRegression(
            [0.0] * inputs + [1.0], self._intercept, self._schedule, self._intercept_rate, self._l2
        )
        return RunningStandardizer(inputs), classifier, CalibrationTracker(_MEMORY)

    def _point(self, scaled: Sequence[float | None]) -> list[float]:
        """What the classifier sees: deviations from the mean, and the sum of the known effects."""
        point = self._scaler.transform(scaled)
        point.append(self._known.total(scaled))
        return point


def _probability(odds: float) -> float:
    if odds > _CERTAIN:
        odds = _CERTAIN
    elif odds < -_CERTAIN:
        odds = -_CERTAIN
    return 1.0 / (1.0 + exp(-odds))
