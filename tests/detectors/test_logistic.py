import random

import pytest

from detectors.logistic import InformedLogisticRegression, SettlingRate

NAMES = ("a", "b", "c", "known")


def model() -> InformedLogisticRegression:
    """A model as the stages have it."""
    return InformedLogisticRegression(NAMES, {"known": 1.0}, -3.0, SettlingRate(0.01, 0.002, 300.0), 0.004, 0.02)


@pytest.mark.parametrize("labels", [None, 0, 77])
def test_learning_with_known_log_odds_is_rivers_learning(labels: int | None) -> None:
    """Fresh or restored, with and without labels before: weights and intercept stay the same to the bit."""
    ours, rivers = model(), model()
    if labels is not None:
        for each in (ours, rivers):
            each.restore([0.1 * labels, -0.2 * labels, 0.0, 0.01 * labels], -2.5, labels)
    draw = random.Random(7)
    for step in range(300):
        x = {name: draw.choice((0.0, draw.gauss(0.0, 2.0))) for name in NAMES}
        bad = draw.random() < 0.2
        rivers.learn_one(x, bad)
        ours.learn_scored(x, bad, ours.log_odds_one(x))
        if step % 50 == 0:
            rivers.revise_one(x, not bad)
            ours.revise_one(x, not bad)
        assert ours.corrections() == rivers.corrections()
        assert ours.intercept == rivers.intercept
