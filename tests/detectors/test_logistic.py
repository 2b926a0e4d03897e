"""The logistic regression against River's own, and its learning rate."""

import random

import pytest
from river import linear_model, optim

from detectors.logistic import InformedLogisticRegression, SettlingRate
from detectors.model import SnapshotMismatch

INPUTS = 4
RATE = SettlingRate(0.01, 0.002, 300.0)
PRIOR = [0.0, 0.7, 0.0, 1.0]


class RiversRate(optim.base.Scheduler):
    """The same rate for River."""

    def get(self, t: int) -> float:
        """Rate at a step."""
        return RATE.get(t)


class Rivers(linear_model.LogisticRegression):
    """River's model, with the prior added to what it predicts."""

    def __init__(self) -> None:
        super().__init__(optimizer=optim.SGD(RiversRate()), l2=0.02, intercept_init=-3.0, intercept_lr=0.004)

    def _raw_dot_one(self, x: dict[str, float]) -> float:
        known = sum(weight * value for weight, value in zip(PRIOR, x.values(), strict=True))
        raw: float = super()._raw_dot_one(x) + known
        return raw


def model() -> InformedLogisticRegression:
    """A model with a prior."""
    return InformedLogisticRegression(PRIOR, -3.0, RATE, 0.004, 0.02)


def draw_point(draw: random.Random) -> list[float]:
    """A point with an input at zero now and then."""
    return [draw.choice((0.0, draw.gauss(0.0, 2.0))) for _ in range(INPUTS)]


def test_learning_is_rivers_learning() -> None:
    """Weights and intercept after each of 2,000 labels, to rounding: sums are added up in another order."""
    ours, rivers = model(), Rivers()
    draw = random.Random(7)
    for _ in range(2_000):
        point = draw_point(draw)
        named = dict(zip("abcd", point, strict=True))
        positive = draw.random() < 0.2
        assert ours.log_odds(point) == pytest.approx(rivers._raw_dot_one(named), rel=1e-9, abs=1e-12)
        ours.learn(point, positive, ours.log_odds(point))
        rivers.learn_one(named, positive)
        assert ours.corrections == pytest.approx([rivers.weights[name] for name in "abcd"], rel=1e-9, abs=1e-12)
        assert ours.intercept == pytest.approx(rivers.intercept, rel=1e-9)


@pytest.mark.parametrize("log_odds", [-1e6, -18.5, 18.5, 1e6])
@pytest.mark.parametrize("positive", [True, False])
def test_extreme_log_odds_give_rivers_gradient(log_odds: float, positive: bool) -> None:
    """No overflow, and the slope that River's loss has there."""
    ours = InformedLogisticRegression([0.0], 0.0, SettlingRate(1.0, 1.0, 1.0), 1.0, 0.0)
    ours.learn([1.0], positive, log_odds)
    slope = optim.losses.Log().gradient(y_true=positive, y_pred=log_odds)
    assert ours.corrections == [-slope]
    assert ours.intercept == -slope


def test_a_revision_undoes_the_label() -> None:
    """Learned as good and revised, the weights are those of a bad one, but for the rate that fell and the pull."""
    right, revised = (InformedLogisticRegression([0.0] * 2, -1.0, SettlingRate(0.1, 0.1, 1.0), 0.1, 0.0) for _ in "ab")
    point = [1.5, -0.5]
    right.learn(point, True, right.log_odds(point))
    revised.learn(point, False, revised.log_odds(point))
    revised.revise(point, True)
    assert revised.corrections == pytest.approx(right.corrections)
    assert revised.intercept == pytest.approx(right.intercept)


def test_what_was_restored_goes_on_alike() -> None:
    """Corrections, intercept and the number of labels are all that there is."""
    ours, draw = model(), random.Random(3)
    for _ in range(77):
        point = draw_point(draw)
        ours.learn(point, draw.random() < 0.3, ours.log_odds(point))
    other = model()
    other.restore(ours.corrections, ours.intercept, 77)
    point = draw_point(draw)
    assert other.log_odds(point) == ours.log_odds(point)
    assert other.weights == ours.weights
    for each in (ours, other):
        each.learn(point, True, each.log_odds(point))
    assert other.corrections == ours.corrections


def test_numbers_that_cannot_be_are_refused() -> None:
    """Too few weights, or one that is not finite."""
    for corrections in ([0.0], [0.0, float("nan"), 0.0, 0.0]):
        with pytest.raises(SnapshotMismatch):
            model().restore(corrections, 0.0, 1)


def test_the_rate_settles() -> None:
    """It begins as given, has fallen by 1/sqrt(2) after the pace, and keeps to its floor."""
    assert RATE.get(0) == 0.01
    assert RATE.get(300) == pytest.approx(0.01 / 2**0.5)
    assert RATE.get(10**6) == 0.002
