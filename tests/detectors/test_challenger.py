"""A forest beside the champion: compared fairly, promoted by rule, and grown again bit for bit."""

import subprocess
import sys
from math import exp, nan
from random import Random

import pytest

from detectors import challenger as module
from detectors.challenger import Challenger, log_odds_between
from detectors.inputs import Input
from detectors.model import SnapshotMismatch

INPUTS = (Input("left", -1.0, 1.0), Input("right", -1.0, 1.0))
Row = tuple[list[float | None], bool, float]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generations that end within a test."""
    monkeypatch.setattr(module, "GENERATION", 150)
    monkeypatch.setattr(module, "FEWEST", 200)


def rows(count: int, seed: int = 1, *, crossed: bool = True) -> list[Row]:
    """Orders that go wrong where two inputs have the same sign, which no linear model sees, or at random; the
    champion guesses.
    """
    random = Random(seed)
    found: list[Row] = []
    for _ in range(count):
        left, right = random.uniform(-1, 1), random.uniform(-1, 1)
        likely = (0.95 if left * right > 0 else 0.05) if crossed else 0.5
        found.append(([left, right], random.random() < likely, random.choice((0.35, 0.65)) if crossed else 0.5))
    return found


def met(orders: list[Row]) -> Challenger:
    """A challenger that met these orders."""
    model = Challenger(INPUTS, seed=3)
    for values, bad, champion in orders:
        model.learn(values, bad, champion, model.predict(values, champion))
    return model


def test_it_has_no_opinion_before_its_first_generation_has_grown() -> None:
    """And nothing is compared until then."""
    model = met(rows(149))
    assert model.predict([0.1, 0.2], 0.5) is None
    assert model.comparison().challenger.labels == 0
    model.learn([0.1, 0.2], True, 0.5, None)
    assert model.predict([0.1, 0.2], 0.5) is not None


def test_one_that_is_better_takes_over_and_gives_back_when_it_is_not() -> None:
    """By the rule, on the same orders; when what it knew is no longer so, the champion is back."""
    model = met(rows(1_500))
    first = model.comparison()
    assert first.serving
    assert first.changes == 1
    assert first.champion.labels == first.challenger.labels
    for values, bad, champion in rows(2_500, 2, crossed=False):
        model.learn(values, bad, champion, model.predict(values, champion))
    assert not model.comparison().serving
    assert model.comparison().changes == 2


def test_one_that_is_worse_stays_in_shadow() -> None:
    """Where there is nothing to be found, a forest finds something, and is not believed."""
    model = met(rows(1_500, crossed=False))
    compared = model.comparison()
    assert compared.challenger.labels > 1_000
    assert compared.challenger.log_loss is not None and compared.champion.log_loss is not None
    assert compared.challenger.log_loss > compared.champion.log_loss
    assert not compared.serving
    assert compared.changes == 0


@pytest.mark.parametrize("count", [0, 100, 150, 151, 299, 300, 301, 620])
def test_it_is_grown_again_from_kept_examples_bit_for_bit(count: int) -> None:
    """At any age, from the snapshot and as many of the latest examples as it asks for."""
    orders = rows(count)
    model = met(orders)
    assert model.history <= min(count, 2 * module.GENERATION)
    again = Challenger(INPUTS, seed=3)
    again.restore(model.snapshot(), orders[count - model.history :] if count else [])
    assert again.snapshot() == model.snapshot()
    for values, bad, champion in rows(200, 9):
        judged = model.predict(values, champion)
        assert again.predict(values, champion) == judged
        for each in (model, again):
            each.learn(values, bad, champion, judged)
    assert again.snapshot() == model.snapshot()


def test_a_snapshot_without_its_examples_is_refused() -> None:
    """Another forest under the same name would be compared by what this one did; the model stays as it was."""
    orders = rows(400)
    model, other = met(orders), met(rows(50, 2))
    before = other.snapshot()
    for data, kept in ((model.snapshot(), orders[-9:]), (b"", orders), (model.snapshot()[:-1], orders)):
        with pytest.raises(SnapshotMismatch):
            other.restore(data, kept)
    assert other.snapshot() == before
    broken: list[Row] = [*orders[:-1], ([nan, 0.0], True, 0.5)]
    with pytest.raises(SnapshotMismatch):
        other.restore(model.snapshot(), broken)
    assert other.snapshot() == before


def test_values_that_are_no_numbers_are_refused_and_leave_no_trace() -> None:
    """As by any model; predicting changes nothing either."""
    model = met(rows(200))
    before = model.snapshot()
    for values in ([nan, 0.0], [0.1]):
        with pytest.raises(ValueError, match=r"finite|unpack"):
            model.learn(values, True, 0.5, 0.5)
    model.predict([0.3, None], 0.5)
    assert model.snapshot() == before


def test_the_difference_makes_an_explanation_add_up() -> None:
    """Champion's log-odds and difference are the log-odds of what was published."""
    odds = exp(log_odds_between(0.4, 0.1)) * 0.1 / 0.9
    assert odds / (1 + odds) == pytest.approx(0.4)


_ELSEWHERE = """
from detectors import challenger
challenger.GENERATION = 150
from tests.detectors.test_challenger import met, rows
model = met(rows(500))
print([model.predict(values, champion) for values, _, champion in rows(50, 4)])
"""


def test_forests_do_not_depend_on_the_process() -> None:
    """Another process, with other hash seeds, grows the same forest."""
    runs = {
        subprocess.run(
            [sys.executable, "-c", _ELSEWHERE], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
