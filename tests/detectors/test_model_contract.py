"""The contract that every model keeps, whatever it learns."""

import subprocess
import sys
from copy import deepcopy
from math import inf, isfinite, nan
from random import Random

import pytest

from detectors.inputs import Values
from detectors.model import SnapshotMismatch
from tests.detectors.model_cases import CASES, INPUTS, NUMERIC, Case, trained


@pytest.fixture(params=CASES, name="case")
def _case(request: pytest.FixtureRequest) -> Case:
    """Any model."""
    return CASES[str(request.param)]


@pytest.fixture(params=NUMERIC, name="numeric")
def _numeric(request: pytest.FixtureRequest) -> Case:
    """A model over figures."""
    return CASES[str(request.param)]


def explained(case: Case, model: object, values: Values) -> list[tuple[str, float]]:
    """What each input adds; models over figures all say so."""
    assert case.explain is not None
    return case.explain(model, values)


def test_scores_are_finite_and_within_0_and_1(case: Case) -> None:
    """Every score is a percentile or a probability."""
    model = case.make(3)
    scores = [case.learn(model, values, bad) for values, bad in case.rows(1_500, 1)]
    known = [score for score in scores if score is not None]
    assert len(known) > 1_000
    assert all(isfinite(score) and 0.0 <= score <= 1.0 for score in known)
    assert max(known) > min(known)


def test_same_seed_and_input_give_the_same_scores(case: Case) -> None:
    """Two models with one seed can't be told apart, even by their snapshots."""
    first, second = case.make(11), case.make(11)
    for values, bad in case.rows(900, 1):
        assert case.learn(first, values, bad) == case.learn(second, values, bad)
    assert first.snapshot() == second.snapshot()


def test_scoring_changes_nothing(case: Case) -> None:
    """A score may be asked for any number of times, explained or not, before and after warm-up."""
    for model in (case.make(5), trained(case)):
        before = model.snapshot()
        for values, _ in case.rows(20, 9):
            assert case.score(model, values) == case.score(model, values)
            if case.explain is not None:
                case.explain(model, values)
        assert model.snapshot() == before


def test_input_is_not_changed(case: Case) -> None:
    """The caller keeps the values as scored for the day of the label, so nobody else may write to them."""
    model = trained(case)
    for values, bad in case.rows(50, 4):
        copy = deepcopy(values)
        case.learn(model, values, bad)
        case.score(model, values)
        if case.explain is not None:
            case.explain(model, values)
        assert values == copy


def test_cold_start(case: Case) -> None:
    """A model that knows nothing says so: no percentile, or the prior."""
    model = case.make(1)
    values, _ = next(case.rows(1, 1))
    score = case.score(model, values)
    assert score == (None if case.cold is None else pytest.approx(case.cold))
    if case.explain is not None:
        assert all(part == pytest.approx(0.0, abs=1e-9) for _, part in case.explain(model, [0.1, 50.0, 0.0, 2.0]))


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_number_that_is_none_is_refused_and_leaves_no_trace(numeric: Case, value: float) -> None:
    """One NaN would poison a running mean for ever; it is refused at the door."""
    model = trained(numeric)
    before = model.snapshot()
    for at in range(len(INPUTS)):
        values: list[float | None] = [0.1, 50.0, 0.0, 2.0]
        values[at] = value
        with pytest.raises(ValueError, match="finite"):
            numeric.score(model, values)
        with pytest.raises(ValueError, match="finite"):
            numeric.learn(model, values, True)
    assert model.snapshot() == before


@pytest.mark.parametrize("count", [0, 3, 5])
def test_the_wrong_number_of_values_is_refused(numeric: Case, count: int) -> None:
    """Values belong to inputs by position, so a missing one may not shift the others."""
    model = trained(numeric)
    before = model.snapshot()
    with pytest.raises(ValueError, match="values to unpack"):
        numeric.learn(model, [0.5] * count, False)
    assert model.snapshot() == before


def test_extremes_do_not_blind_the_model(numeric: Case) -> None:
    """After absurd orders by the hundred the model still tells the others apart."""
    model = trained(numeric, 1_200)
    for sign in (1, -1):
        for _ in range(100):
            score = numeric.learn(model, [sign * 1e300] * len(INPUTS), sign > 0)
            assert score is not None
            assert 0.0 <= score <= 1.0
    for values, bad in numeric.rows(600, 2):
        numeric.learn(model, values, bad)
    scores = {numeric.score(model, values) for values, _ in numeric.rows(100, 3)}
    assert len(scores) > 50


def test_absent_values_are_neutral(numeric: Case) -> None:
    """A behaviour or order of which nothing is known is nothing special, and can be learned."""
    model = trained(numeric)
    nothing = [None] * len(INPUTS)
    score = numeric.learn(model, nothing, False)
    assert score is not None
    assert score < 0.6
    assert all(part == pytest.approx(0.0, abs=1e-9) for _, part in explained(numeric, model, nothing))


def test_contributions_name_the_inputs_in_order(numeric: Case) -> None:
    """Callers find the observed value of a contribution by its position."""
    model = trained(numeric)
    parts = explained(numeric, model, [0.9, 1e5, 2.0, 50.0])
    assert [name for name, _ in parts] == [item.name for item in INPUTS]
    assert all(isfinite(part) for _, part in parts)
    assert max(part for _, part in parts) > 0.1


@pytest.mark.parametrize("count", [0, 1, 37, 249, 250, 251, 449, 450, 451, 1_000])
def test_a_restored_model_continues_bit_for_bit(case: Case, count: int) -> None:
    """Snapshot and restore at any moment, also within a window or a block, change no later score or snapshot."""
    original = trained(case, count)
    restored = case.make(7)
    restored.restore(original.snapshot())
    assert restored.snapshot() == original.snapshot()
    for values, bad in case.rows(700, count + 2):
        assert case.score(restored, values) == case.score(original, values)
        assert case.learn(restored, values, bad) == case.learn(original, values, bad)
    if case.explain is not None:
        assert case.explain(restored, [0.5, 5.0, 1.0, 1.0]) == case.explain(original, [0.5, 5.0, 1.0, 1.0])
    assert restored.snapshot() == original.snapshot()


def test_a_restored_model_shares_nothing_with_the_original(case: Case) -> None:
    """Learning on goes into one of them only."""
    original = trained(case)
    restored = case.make(7)
    data = original.snapshot()
    restored.restore(data)
    for values, bad in case.rows(300, 8):
        case.learn(restored, values, bad)
    assert original.snapshot() == data


def test_snapshots_stay_small(case: Case) -> None:
    """A snapshot is written about once a second for each shard."""
    assert len(trained(case, 2_000).snapshot()) <= case.largest_snapshot


def test_a_damaged_snapshot_is_refused(case: Case) -> None:
    """No flipped byte and no cut goes unnoticed, and the model stays as it was."""
    model = trained(case)
    before = model.snapshot()
    other = trained(case, 500).snapshot()
    random = Random(0)
    damaged = [b"", b"\x80\x04pickle", other[:-1], other[: len(other) // 2], other + b"\x00"]
    for _ in range(100):
        at = random.randrange(len(other))
        damaged.append(other[:at] + bytes([other[at] ^ (1 << random.randrange(8))]) + other[at + 1 :])
    for data in damaged:
        with pytest.raises(SnapshotMismatch):
            model.restore(data)
    assert model.snapshot() == before


_ELSEWHERE = """
import hashlib
from tests.detectors.model_cases import CASES, trained
for name, case in CASES.items():
    print(name, hashlib.sha256(trained(case).snapshot()).hexdigest())
"""


def test_models_do_not_depend_on_the_process() -> None:
    """Another process, with other hash seeds for its dictionaries and sets, learns the same to the last bit."""
    runs = {
        subprocess.run(
            [sys.executable, "-c", _ELSEWHERE], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert len(runs.pop().split()) == 2 * len(CASES)
