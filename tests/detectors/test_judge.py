from detectors.judge import fresh_models
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS


def test_fresh_models_take_the_inputs_that_the_core_extracts() -> None:
    """As many, and with a first answer that is a probability, or none before the model has seen anything."""
    models = fresh_models(1)
    assert models.anomaly.score_and_learn([0.5] * len(BEHAVIOUR_INPUTS)) is None
    assert 0 < models.bad_order.observe_and_predict([None] * len(ORDER_INPUTS)) < 1


def test_fresh_models_are_the_same_for_the_same_seed() -> None:
    """Byte for byte, so that a shard that starts anew is the shard that started before."""
    snapshots = [fresh_models(seed).anomaly.snapshot() for seed in (1, 1, 2)]
    assert snapshots[0] == snapshots[1] != snapshots[2]


def test_versions_name_all_models() -> None:
    """Outputs say what judged."""
    models = fresh_models(1)
    assert models.version == (
        f"{models.anomaly.name}-{models.anomaly.version}+{models.bad_order.name}-{models.bad_order.version}"
        f"+{models.category.name}-{models.category.version}"
    )
