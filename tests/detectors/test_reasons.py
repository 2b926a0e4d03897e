"""Reasons are complete, and the models' reasons add up."""

from collections import defaultdict
from math import exp, isfinite
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.judge import fresh_models
from detectors.model_reasons import largest
from detectors.policy import PolicySet
from features.input_words import input_window, input_words
from features.outputs import LEVELS, RiskAssessed
from features.registry import FEATURES
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS
from tests.builders import DAY, START, Shard, make_judge, marketplace, placed

_INPUTS: Final = [Input(*given) for given in ORDER_INPUTS]
#: Values within an input's range and beyond it, and none.
_VALUES: Final = st.tuples(
    *(st.none() | st.floats(item.low - 1, item.high * 2 + 1, allow_nan=False).filter(isfinite) for item in _INPUTS)
).map(list)


def _trained(labels: int) -> BadOrderModel:
    model = fresh_models(1).bad_order
    random = Random(labels)
    for _ in range(labels):
        values = [item.low + (item.high - item.low) * random.betavariate(1, 4) for item in _INPUTS]
        model.observe(values)
        model.learn(values, random.random() < 0.1 + 0.3 * values[0] / _INPUTS[0].high)
    return model


def _stages() -> tuple[BadOrderModel, ...]:
    models = fresh_models(1).stages
    random = Random(1)
    for number in range(600):
        for model in models:
            values = [item.low + (item.high - item.low) * random.betavariate(1, 4) for item in model.inputs]
            model.observe(values)
            model.learn(values, random.random() < 0.2, time=number * DAY)
    return models


_STAGES: Final = _stages()
_MODELS: Final = [_trained(labels) for labels in (0, 1, 50, 2_000)]


@given(values=_VALUES, model=st.sampled_from(_MODELS))
def test_base_and_contributions_are_the_log_odds(values: list[float | None], model: BadOrderModel) -> None:
    """Before the first label and after thousands, inside the inputs' ranges and beyond, with any of them missing."""
    parts = model.contributions(values)
    log_odds = model.log_odds(values)
    assert [name for name, _ in parts] == [item.name for item in _INPUTS]
    assert model.base() + sum(part for _, part in parts) == pytest.approx(log_odds, abs=1e-9)
    assert model.predict(values) == pytest.approx(1 / (1 + exp(-min(max(log_odds, -15), 15))), abs=1e-12)


@given(data=st.data(), stage=st.sampled_from([1, 2]))
def test_the_sum_holds_at_dispatch_and_at_delivery_too(data: st.DataObject, stage: int) -> None:
    """Each stage has a model of its own, corrected by the base rate of its own outcomes."""
    model = _STAGES[stage]
    values = [data.draw(st.none() | st.floats(item.low - 1, item.high + 1)) for item in model.inputs]
    parts = model.contributions(values)
    assert model.base() + sum(part for _, part in parts) == pytest.approx(model.log_odds(values), abs=1e-9)


def test_an_order_of_which_nothing_is_known_stands_at_the_base() -> None:
    """No input, no contribution."""
    for model in _MODELS:
        assert all(part == 0 for _, part in model.contributions([None] * len(_INPUTS)))
        assert model.log_odds([None] * len(_INPUTS)) == model.base()


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_weights_are_shares_of_all_that_raises_a_judgement(contributions: list[float]) -> None:
    """Largest first, three at most, none of what lowers it; together never more than the whole."""
    found = largest([(f"i{index}", part) for index, part in enumerate(contributions)])
    raising = [part for part in contributions if part > 0]
    assert len(found) == min(3, len(raising))
    assert [part for _, _, part, _ in found] == sorted(raising, reverse=True)[:3]
    assert sum(share for _, _, _, share in found) <= 1 + 1e-9
    assert len(raising) > 3 or not raising or sum(share for *_, share in found) == pytest.approx(1)


def test_every_rule_says_what_was_seen_and_expected(packaged: PolicySet) -> None:
    """And over which window, where what it observed has one."""
    for rule in packaged.rules.values():
        assert rule.observed is not None, f"{rule.id} observes nothing"
        assert rule.expected is not None, f"{rule.id} expects nothing"
        assert rule.window is not None or not FEATURES[rule.observed].window, f"{rule.id} has no window"
        assert 0 < rule.weight <= 1


def test_published_reasons_are_complete(packaged: PolicySet) -> None:
    """Code, words, weight, observed, expected and window of what a marketplace's assessments say."""
    shard = Shard(make_judge(packaged, publish_level=1))
    shard.flush(marketplace())
    # A promise of an hour: the model alone raises the level.
    shard.apply(*(placed(f"late{n}", 400 * DAY + n, deliver_by=START + 400 * DAY + 3_600_000) for n in range(3)))
    codes = set()
    for assessed in shard.outputs(RiskAssessed):
        assert assessed.reasons or assessed.level == LEVELS[0]
        shares: defaultdict[str, float] = defaultdict(float)
        for reason in assessed.reasons:
            codes.add(reason.code)
            assert reason.code and reason.text
            assert 0 < reason.weight <= 1
            assert reason.expected is not None
            if reason.code in packaged.rules:
                continue
            shares[reason.code] += reason.weight
            assert reason.window is not None
        assert all(share <= 1.001 for share in shares.values())
    assert "bad_order_model" in codes
    assert len(codes) > 5


def test_inputs_have_words_and_windows() -> None:
    """What reasons call the inputs of the models."""
    for name, *_ in (*BEHAVIOUR_INPUTS, *ORDER_INPUTS):
        assert input_words(name) != name
    assert input_window("late_ship_rate_30d_shrunk") == "30 d"
    assert input_words("listings_created_7d") == "new listings"
