"""The behaviour model: what it finds unusual, and how it says why."""

from collections.abc import Iterator
from random import Random

import pytest

from detectors.anomaly import BehaviourAnomaly
from detectors.inputs import Input

INPUTS = (
    Input("orders_burst", 0.0, 30.0, log=True),
    Input("cancel_rate", 0.0, 0.5),
    Input("concentration", 0.0, 1.0),
    Input("price_level", 0.0, 8.0, log=True),
)


def merchants(count: int, seed: int) -> Iterator[list[float | None]]:
    """Ordinary merchants."""
    random = Random(seed)
    for _ in range(count):
        yield [
            random.lognormvariate(0, 0.4),
            random.betavariate(1, 30) / 2,
            random.betavariate(2, 10),
            random.lognormvariate(0, 0.3),
        ]


@pytest.fixture(name="model")
def _model() -> BehaviourAnomaly:
    model = BehaviourAnomaly(INPUTS, seed=1)
    for values in merchants(2_000, 1):
        model.learn(values)
    return model


def test_warm_up_is_a_window_and_two_hundred_ranked_behaviours() -> None:
    """No percentile before it means something, and the zeros of the first window don't enter it."""
    model = BehaviourAnomaly(INPUTS, seed=1, window=250)
    scores = [model.score_and_learn(values) for values in merchants(2_000, 2)]
    assert scores[:450] == [None] * 450
    ranked = [score for score in scores[450:] if score is not None]
    assert len(ranked) == 1_550
    # Polluted by zeros, the first ranks would all be high; River's QuantileFilter flagged 26 % at q = 0.95.
    assert sum(score > 0.95 for score in ranked[:500]) / 500 < 0.1
    assert sum(ranked) / len(ranked) == pytest.approx(0.5, abs=0.06)


def test_percentiles_of_ordinary_merchants_are_spread_evenly(model: BehaviourAnomaly) -> None:
    """About a tenth of ordinary behaviours lie in each tenth."""
    scores = [model.score_and_learn(values) for values in merchants(4_000, 3)]
    tenths = [
        sum(score is not None and tenth / 10 <= score < (tenth + 1) / 10 for score in scores) for tenth in range(10)
    ]
    assert min(tenths) > 250
    assert max(tenths) < 600


@pytest.mark.parametrize(
    ("values", "guilty"),
    [
        ([25.0, 0.02, 0.15, 1.0], "orders_burst"),
        ([1.0, 0.45, 0.15, 1.0], "cancel_rate"),
        ([1.0, 0.02, 0.98, 1.0], "concentration"),
        ([1.0, 0.02, 0.15, 0.05], "price_level"),
    ],
)
def test_one_strange_input_stands_out_and_is_named(model: BehaviourAnomaly, values: list[float], guilty: str) -> None:
    """A merchant strange in one respect is among the strangest, and that respect is the largest contribution."""
    score = model.score(values)
    assert score is not None
    assert score > 0.98
    parts = dict(model.contributions(values))
    assert max(parts, key=lambda name: parts[name]) == guilty
    assert parts[guilty] > 2 * max(abs(part) for name, part in parts.items() if name != guilty)


def test_inputs_that_are_strange_together_share_the_blame(model: BehaviourAnomaly) -> None:
    """Leaving out one of two strange inputs changes little; that doesn't clear either of them."""
    parts = dict(model.contributions([25.0, 0.45, 0.15, 1.0]))
    assert min(parts["orders_burst"], parts["cancel_rate"]) > 4 * max(
        abs(parts["concentration"]), abs(parts["price_level"])
    )


def test_typical_values_are_in_the_unit_of_the_feature(model: BehaviourAnomaly) -> None:
    """Reasons can say what was expected."""
    burst, cancel, concentration, price = model.typical()
    assert burst == pytest.approx(1.0, abs=0.15)
    assert cancel == pytest.approx(0.016, abs=0.005)
    assert concentration == pytest.approx(0.167, abs=0.02)
    assert price == pytest.approx(1.0, abs=0.1)


def test_a_new_normal_is_learned(model: BehaviourAnomaly) -> None:
    """When all merchants change, as on a sale's day, they look strange at first and ordinary after a few windows."""
    sale = [[8.0 * (values[0] or 1.0), *values[1:]] for values in merchants(12_000, 5)]
    scores = [model.score_and_learn(values) or 0.0 for values in sale]
    assert sum(scores[:100]) / 100 > 0.95
    assert sum(scores[-1_000:]) / 1_000 == pytest.approx(0.5, abs=0.12)


def test_score_and_learn_is_both() -> None:
    """The short cut gives the scores and the state of the two calls it stands for."""
    apart, together = (BehaviourAnomaly(INPUTS, seed=4) for _ in range(2))
    for values in merchants(1_000, 6):
        score = apart.score(values)
        apart.learn(values)
        assert together.score_and_learn(values) == score
    assert apart.snapshot() == together.snapshot()


def test_the_seed_decides_the_trees() -> None:
    """Another seed is another forest, with scores that differ but agree about what is strange."""
    first, second = (BehaviourAnomaly(INPUTS, seed=seed) for seed in (1, 2))
    for values in merchants(1_500, 7):
        first.learn(values)
        second.learn(values)
    rows = list(merchants(50, 8))
    assert [first.score(row) for row in rows] != [second.score(row) for row in rows]
    for model in (first, second):
        score = model.score([25.0, 0.45, 0.95, 0.1])
        assert score is not None
        assert score > 0.99


def test_many_alike_do_not_hide_each_other(model: BehaviourAnomaly) -> None:
    """Four windows full of like attackers, at times more than honest merchants, stay among the most unusual."""
    random = Random(10)
    attackers: list[float] = []
    for honest in merchants(1_000, 9):
        model.learn(honest)
        strange = [random.uniform(20, 25), random.uniform(0.3, 0.45), 0.15, 1.0]
        attackers.append(model.score_and_learn(strange) or 0.0)
    assert min(attackers) > 0.95
    assert sum(attackers[-200:]) / 200 > 0.965
    ordinary = [model.score(values) or 0.0 for values in merchants(500, 11)]
    assert sum(ordinary) / 500 == pytest.approx(0.5, abs=0.06)


def test_surprise_ranks_as_the_percentile_does(model: BehaviourAnomaly) -> None:
    """The percentile is the rank of the surprise among recent ones: it never turns the order around."""
    rows = list(merchants(300, 12))
    scored = sorted((model.surprise(row) or 0.0, model.score(row) or 0.0) for row in rows)
    ranks = [rank for _, rank in scored]
    assert ranks == sorted(ranks)
    assert scored[0][0] >= 0.0
    assert BehaviourAnomaly(INPUTS, seed=1).surprise(rows[0]) is None
