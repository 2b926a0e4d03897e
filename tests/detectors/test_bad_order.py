"""The bad-order model: learning, cold start, calibration, explanations."""

from collections.abc import Iterator
from math import exp, log
from random import Random

import pytest

from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.known_effects import KNOWN_EFFECTS, KnownEffect, KnownEffects

INPUTS = (
    Input("promise_margin", -3.0, 3.0),
    Input("bad_order_rate_90d_shrunk", 0.0, 1.0),
    Input("order_total", 0.0, 1e6, log=True),
    Input("noise", 0.0, 1.0),
)
AVERAGE = (0.5, 0.1, 3_000.0, 0.5)


def orders(
    count: int, seed: int, base: float = -2.5, price_effect: float = 0.8
) -> Iterator[tuple[list[float | None], bool]]:
    """Orders that go wrong with known log-odds: dear ones more often, noise without effect."""
    random = Random(seed)
    for _ in range(count):
        price = random.gauss(8, 1)
        values: list[float | None] = [random.gauss(0.5, 0.3), random.betavariate(2, 18), exp(price), random.random()]
        odds = base + price_effect * (price - 8)
        yield values, random.random() < 1 / (1 + exp(-odds))


def trained(count: int = 6_000, **parameters: float) -> BadOrderModel:
    """A model that has seen orders on which its known effects are wrong."""
    model = BadOrderModel(INPUTS, **parameters)  # type: ignore[arg-type]
    for values, bad in orders(count, 1):
        model.learn(values, bad, model.observe_and_predict(values))
    return model


def test_before_any_label_an_order_at_the_references_has_the_prior() -> None:
    """The setting is the answer until there is evidence."""
    for prior in (0.01, 0.05, 0.3):
        assert BadOrderModel(INPUTS, prior=prior).predict(AVERAGE) == pytest.approx(prior)


def test_known_effects_work_from_the_first_order() -> None:
    """A tight promise and a bad past raise the probability before anything was learned, by what is written down."""
    model = BadOrderModel(INPUTS, prior=0.05)
    odds = log(0.05 / 0.95)
    tight = model.predict([0.0, 0.1, 3_000.0, 0.5])
    assert log(tight / (1 - tight)) == pytest.approx(odds + 0.5 * 2.4)
    past = model.predict([0.5, 0.35, 3_000.0, 0.5])
    assert log(past / (1 - past)) == pytest.approx(odds + 0.25 * 4.0)


def test_known_effects_cannot_decide_alone() -> None:
    """Together they are cut at plus or minus 4, and the parts add up to what is left."""
    effects = KnownEffects(INPUTS, KNOWN_EFFECTS)
    assert effects.total([0.0, 1.0, 0.5, 0.5]) == 4.0
    assert sum(effects.parts([0.0, 1.0, 0.5, 0.5])) == pytest.approx(4.0)
    assert effects.total([1.0, 0.0, 0.5, 0.5]) == -4.0
    assert effects.total([None, None, 0.5, 0.5]) == 0.0


@pytest.mark.parametrize(("name", "message"), [("nonsense", "no input"), ("order_total", "logarithmic")])
def test_a_known_effect_of_what_it_cannot_have_is_refused(name: str, message: str) -> None:
    """A misspelt input is an error, not an effect that silently isn't there."""
    with pytest.raises(ValueError, match=message):
        BadOrderModel(INPUTS, known={name: KnownEffect(1.0, 0.0)})


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_prior_is_refused(prior: float) -> None:
    """A share of bad orders lies between 0 and 1."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        BadOrderModel(INPUTS, prior=prior)


def test_an_effect_is_learned_and_noise_is_not() -> None:
    """The dear orders' risk is found with its size; what has no effect gets little weight."""
    weights = trained().weights()
    assert weights["order_total"] == pytest.approx(0.8, abs=0.25)
    assert abs(weights["noise"]) < 0.15


def test_known_effects_that_are_wrong_are_unlearned() -> None:
    """In a marketplace where promises don't matter the model stops believing in them."""
    start, end = (model.contributions([0.0, 0.1, 3_000.0, 0.5])[0][1] for model in (trained(0), trained(20_000)))
    assert start == pytest.approx(1.2)
    assert abs(end) < 0.6


def test_probabilities_mean_what_they_say() -> None:
    """After learning, predicted and observed shares agree over the whole range, and the model says so itself."""
    model = trained(8_000)
    metrics = model.metrics()
    assert metrics.labels == 8_000
    assert metrics.base_rate == pytest.approx(0.1, abs=0.02)
    assert metrics.calibration_error is not None
    assert metrics.calibration_error < 0.03
    assert metrics.auc is not None
    # The best possible on these orders: an effect of 0.8 per standard deviation.
    assert 0.66 < metrics.auc < 0.74
    rows = model.reliability()
    assert 5 <= len(rows) <= 15
    assert all(abs(row.predicted - row.observed) < 0.08 for row in rows)
    assert [row.low for row in rows[1:]] == [row.high for row in rows[:-1]]


def test_the_base_rate_follows_drift() -> None:
    """When four times as many orders go wrong, probabilities follow within a thousand labels."""
    model = trained(4_000)
    before = model.predict(AVERAGE)
    for values, bad in orders(1_000, 2, base=-0.9):
        model.learn(values, bad, model.observe_and_predict(values))
    assert model.predict(AVERAGE) > 2 * before


def test_labels_may_come_late_and_in_any_order() -> None:
    """Scoring and learning are apart: what is learned are the inputs as scored, weeks later."""
    model = BadOrderModel(INPUTS)
    rows = list(orders(6_000, 1))
    for values, _ in rows:
        model.observe(values)
    for values, bad in sorted(rows, key=lambda row: row[0][3] or 0.0):
        model.learn(values, bad)
    assert model.weights()["order_total"] == pytest.approx(0.8, abs=0.25)


def test_metrics_judge_the_probability_given_at_the_time() -> None:
    """With the probability as scored the metrics are those of what was published, not of a later opinion."""
    model = BadOrderModel(INPUTS)
    for values, bad in orders(500, 3):
        model.learn(values, bad, 0.5)
    metrics = model.metrics()
    assert metrics.log_loss == pytest.approx(log(2))
    assert metrics.brier == pytest.approx(0.25)
    assert metrics.auc == pytest.approx(0.5)


@pytest.mark.parametrize("predicted", [-0.1, 1.1, float("nan")])
def test_a_probability_that_is_none_is_refused(predicted: float) -> None:
    """A percentage handed in as a probability is an error, and nothing is learned from it."""
    model = BadOrderModel(INPUTS)
    before = model.snapshot()
    with pytest.raises(ValueError, match="is not a probability"):
        model.learn(AVERAGE, True, predicted)
    assert model.snapshot() == before


def test_contributions_explain_the_whole_difference() -> None:
    """The contributions add up to the log-odds of the order less those of an order without known values."""
    model = trained()
    values = [0.2, 0.2, 9_000.0, 0.9]
    probability, base = model.predict(values), model.predict([None] * 4)
    odds = log(probability / (1 - probability)) - log(base / (1 - base))
    assert sum(part for _, part in model.contributions(values)) == pytest.approx(odds)


def test_no_evidence_makes_an_outcome_certain() -> None:
    """After thousands of equal labels the probability is near 1, and not 1."""
    model = BadOrderModel(INPUTS, l2=0.0, rate=1.0, floor=1.0)
    for _ in range(3_000):
        model.learn([3.0, 1.0, 1e6, 1.0], True, model.observe_and_predict([3.0, 1.0, 1e6, 1.0]))
    assert 0.999 < model.predict([3.0, 1.0, 1e6, 1.0]) < 1.0


def test_typical_values_are_in_the_unit_of_the_feature() -> None:
    """Reasons can say what was expected."""
    margin, rate, total, noise = trained().typical()
    assert margin == pytest.approx(0.5, abs=0.03)
    assert rate == pytest.approx(0.1, abs=0.01)
    assert total == pytest.approx(exp(8), rel=0.1)
    assert noise == pytest.approx(0.5, abs=0.02)


def test_the_short_cut_is_both() -> None:
    """``observe_and_predict`` gives the probability and the state of the two calls it stands for."""
    apart, together = BadOrderModel(INPUTS), BadOrderModel(INPUTS)
    for values, _ in orders(300, 5):
        apart.observe(values)
        assert together.observe_and_predict(values) == apart.predict(values)
    assert apart.snapshot() == together.snapshot()


@pytest.mark.parametrize("bad", [True, False])
def test_a_revised_outcome_is_learned_as_the_right_one_would_have_been(bad: bool) -> None:
    """One wrong label, corrected at once, leaves the probabilities where the right label alone leads."""
    wrong, right = trained(2_000), trained(2_000)
    values = [0.2, 0.2, 9_000.0, 0.9]
    wrong.learn(values, not bad, time=1)
    assert wrong.predict(values) != pytest.approx(right.predict(values), abs=1e-3)
    wrong.revise(values, bad, learned_at=1)
    right.learn(values, bad, time=1)
    for probe in (values, AVERAGE, [0.9, 0.1, 100.0, 0.1]):
        assert wrong.predict(probe) == pytest.approx(right.predict(probe), abs=2e-6)
    assert wrong.metrics().labels == right.metrics().labels


def test_a_revision_before_any_label_changes_nothing() -> None:
    """A model made anew meanwhile has nothing to correct."""
    model = BadOrderModel(INPUTS)
    before = model.snapshot()
    model.revise([0.2, 0.2, 9_000.0, 0.9], True)
    assert model.snapshot() == before


def test_probabilities_follow_a_season_faster_than_weights() -> None:
    """When a third of the usual goes wrong, the mean probability is near it after a month, as labels have times."""
    model, day = BadOrderModel(INPUTS), 86_400_000
    for number, (values, bad) in enumerate(orders(3_000, 1, base=-2.0)):
        model.learn(values, bad, model.observe_and_predict(values), number * day // 50)
    given, seen = 0.0, 0
    for number, (values, bad) in enumerate(orders(2_500, 2, base=-3.3)):
        probability = model.observe_and_predict(values)
        if number >= 1_500:
            given, seen = given + probability, seen + bad
        model.learn(values, bad, probability, (60 + number // 50) * day)
    assert given == pytest.approx(seen, rel=0.25)
