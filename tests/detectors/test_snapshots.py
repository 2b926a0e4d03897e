"""Snapshots: whose they are, and what is refused."""

import msgspec
import pytest

from detectors import model as models
from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input
from detectors.known_effects import KnownEffect
from detectors.model import SnapshotMismatch, schema_of, seal, unseal

INPUTS = (Input("a", 0.0, 1.0), Input("b", 0.0, 10.0))


class Numbers(msgspec.Struct):
    """A state for these tests."""

    values: list[float]


DECODER = msgspec.msgpack.Decoder(Numbers)


def test_what_was_sealed_is_unsealed() -> None:
    """Floats survive to the last bit."""
    values = [0.1, 1e-300, 5e-324, -1.7976931348623157e308, 1 / 3]
    assert unseal(seal("s", Numbers(values)), "s", DECODER).values == values


def test_another_schema_is_refused() -> None:
    """Numbers learned under other inputs mean something else."""
    with pytest.raises(SnapshotMismatch, match="inputs, parameters or seed"):
        unseal(seal("s", Numbers([1.0])), "t", DECODER)


def test_another_version_of_river_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade of River means retraining, and the message says so."""
    monkeypatch.setattr(models, "_RIVER", "0.1.0")
    data = seal("s", Numbers([1.0]))
    monkeypatch.undo()
    with pytest.raises(SnapshotMismatch, match=r"River 0\.1\.0, this is"):
        unseal(data, "s", DECODER)


@pytest.mark.parametrize(
    "other",
    [
        BehaviourAnomaly(INPUTS, seed=2),
        BehaviourAnomaly(INPUTS, seed=1, n_trees=10),
        BehaviourAnomaly(INPUTS, seed=1, window=200),
        BehaviourAnomaly(INPUTS[::-1], seed=1),
        BehaviourAnomaly((INPUTS[0], Input("b", 0.0, 11.0)), seed=1),
        BehaviourAnomaly((INPUTS[0], Input("b", 0.0, 10.0, log=True)), seed=1),
        BadOrderModel(INPUTS),
    ],
    ids=["seed", "trees", "window", "order", "range", "log", "model"],
)
def test_a_model_refuses_what_another_learned(other: BehaviourAnomaly | BadOrderModel) -> None:
    """Seed, size, inputs, ranges and kind of model are part of what a snapshot means."""
    with pytest.raises(SnapshotMismatch):
        BehaviourAnomaly(INPUTS, seed=1).restore(other.snapshot())


def test_the_bad_order_model_refuses_other_parameters() -> None:
    """A changed prior, rate or known effect starts learning anew."""
    data = BadOrderModel(INPUTS).snapshot()
    BadOrderModel(INPUTS).restore(data)
    for other in (
        BadOrderModel(INPUTS, prior=0.1),
        BadOrderModel(INPUTS, rate=0.5),
        BadOrderModel(INPUTS, known={"a": KnownEffect(1.0, 0.0)}),
    ):
        with pytest.raises(SnapshotMismatch):
            other.restore(data)


def test_numbers_that_cannot_be_are_refused() -> None:
    """Also a snapshot with a right checksum is not trusted blindly: masses that don't add up, NaN among the weights."""
    anomaly = BehaviourAnomaly(INPUTS, seed=1, n_trees=2, height=2)
    anomaly.learn([0.5, 5.0])
    orders = BadOrderModel(INPUTS)
    orders.learn([0.5, 5.0], True)
    before = anomaly.snapshot(), orders.snapshot()
    for model, find, replace in (
        (anomaly, ("learning", 0, 0), 7),
        (anomaly, ("typical", 0), float("nan")),
        (anomaly, ("percentile", 3, 0), -1.0),
        (orders, ("corrections", 0), float("nan")),
        (orders, ("inputs", 1, 0), float("inf")),
        (orders, ("calibration", 4), []),
    ):
        envelope = msgspec.msgpack.decode(model.snapshot())
        state = inner = envelope["state"]
        for key in find[:-1]:
            inner = inner[key]
        inner[find[-1]] = replace
        forged = seal(envelope["schema"], msgspec.Raw(msgspec.msgpack.encode(state)))  # type: ignore[arg-type]
        with pytest.raises(SnapshotMismatch):
            model.restore(forged)
    assert (anomaly.snapshot(), orders.snapshot()) == before


def test_the_schema_covers_everything_that_gives_numbers_their_meaning() -> None:
    """Each part of a schema changes its hash; the order in which parameters are named does not."""
    base = schema_of("n", "1", INPUTS, {"x": 1, "y": 2})
    assert base == schema_of("n", "1", INPUTS, {"y": 2, "x": 1})
    others = {
        schema_of("m", "1", INPUTS, {"x": 1, "y": 2}),
        schema_of("n", "2", INPUTS, {"x": 1, "y": 2}),
        schema_of("n", "1", INPUTS[:1], {"x": 1, "y": 2}),
        schema_of("n", "1", INPUTS, {"x": 1, "y": 3}),
        schema_of("n", "1", INPUTS, {"x": 1, "y": 2}, "trees"),
    }
    assert len(others | {base}) == 6
