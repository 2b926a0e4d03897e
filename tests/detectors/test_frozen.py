"""Frozen models judge as before, and learn nothing."""

import random

from detectors.frozen import freeze
from detectors.judge import Models, fresh_models


def trained(seed: int = 3) -> Models:
    """Models that have seen something."""
    models = fresh_models(seed, challenger=True)
    chance = random.Random(seed)
    for _ in range(400):
        models.anomaly.learn([chance.random() for _ in models.anomaly.inputs])
        for model in models.stages:
            values = [chance.random() for _ in model.inputs]
            model.observe(values)
            model.learn(values, chance.random() < 0.3)
        models.category.learn([chance.randrange(1000) for _ in range(5)], chance.choice("abc"))
    return models


def test_frozen_models_judge_as_before() -> None:
    """What they say is what they said when they were frozen."""
    models, frozen = trained(), trained()
    freeze(frozen)
    behaviour = [0.4] * len(models.anomaly.inputs)
    assert frozen.anomaly.score_and_learn(behaviour) == models.anomaly.score(behaviour)
    for model, its in zip(models.stages, frozen.stages, strict=True):
        values = [0.6] * len(model.inputs)
        assert its.observe_and_predict(values) == its.predict(values) == model.predict(values)


def test_frozen_models_learn_nothing() -> None:
    """However much they are given, their snapshots stay the same bytes; and there is no challenger left."""
    models = trained()
    freeze(models)
    assert models.challenger is None
    everything = (models.anomaly, *models.stages, models.category)
    before = [model.snapshot() for model in everything]
    for _ in range(50):
        models.anomaly.learn([0.9] * len(models.anomaly.inputs))
        models.anomaly.score_and_learn([0.9] * len(models.anomaly.inputs))
        for model in models.stages:
            values = [0.9] * len(model.inputs)
            model.observe(values)
            model.observe_and_predict(values)
            model.learn(values, True)
            model.revise(values, False)
        models.category.learn([1, 2, 3], "a")
        models.category.unlearn([1, 2, 3], "a")
    assert [model.snapshot() for model in everything] == before
