"""Every model of a shard, one entry each: what the shared contract (test_model_contract.py) needs to try it.

A new model is a new entry in :data:`CASES`. Where it takes something else than named figures, it brings rows of its
own.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple, TypeAlias

from detectors.anomaly import BehaviourAnomaly
from detectors.bad_order import BadOrderModel
from detectors.category import CategoryModel
from detectors.drift import DriftWatch
from detectors.inputs import Input
from detectors.model import Estimator

INPUTS = (
    Input("rate", 0.0, 1.0),
    Input("amount", 0.0, 100_000.0, log=True),
    Input("ratio", -2.0, 2.0),
    Input("count", 0.0, 50.0, log=True),
)
#: What a model scores: figures, or whatever its rows hold.
Row: TypeAlias = Any
Rows: TypeAlias = Callable[[int, int], Iterator[tuple[Row, bool]]]


def figures(count: int, seed: int = 1) -> Iterator[tuple[list[float | None], bool]]:
    """Rows with a gap now and then, and labels that depend on them."""
    random = Random(seed)
    for _ in range(count):
        rate = random.betavariate(2, 20)
        row = [rate, random.lognormvariate(4, 2), random.gauss(0, 0.5), float(random.randrange(8))]
        gap = random.randrange(40)
        yield [None if at == gap else value for at, value in enumerate(row)], random.random() < rate


def texts(count: int, seed: int = 1) -> Iterator[tuple[tuple[list[int], str], bool]]:
    """Hashed words with the category that most of them come from."""
    random = Random(seed)
    for _ in range(count):
        kind = random.randrange(3)
        words = [random.randrange(1_000) + 1_000 * (kind if random.random() < 0.8 else 3) for _ in range(6)]
        yield (words, f"category {kind}"), True


class Case(NamedTuple):
    """A model and how to use it.

    ``make`` with a seed; ``score`` a row, changing nothing; ``learn`` a row with its label, returning its score from
    before; ``explain`` it by input, where the model can. ``cold`` is the score of a model that has learned nothing,
    ``numeric`` whether its rows are numbers for :data:`INPUTS`, which it checks.
    """

    make: Callable[[int], Estimator]
    score: Callable[[Any, Row], float | None]
    learn: Callable[[Any, Row, bool], float | None]
    explain: Callable[[Any, Row], list[tuple[str, float]]] | None
    cold: float | None
    rows: Rows = figures
    numeric: bool = True
    largest_snapshot: int = 60_000


def _learn_order(model: BadOrderModel, row: Row, bad: bool) -> float:
    probability = model.observe_and_predict(row)
    model.learn(row, bad, probability)
    return probability


def _learn_text(model: CategoryModel, row: Row, _: bool) -> float | None:
    score = _mismatch(model, row)
    model.learn(*row)
    return score


def _mismatch(model: CategoryModel, row: Row) -> float | None:
    found = model.mismatch(*row)
    return None if found is None else found.probability


def _watch(model: DriftWatch, row: Row, bad: bool) -> float:
    shifts = [*model.outcome(row, bad), *model.behaviour(row)]
    return shifts[0][1].after if shifts else 0.0


def _errors(count: int, seed: int = 1) -> Iterator[tuple[float, bool]]:
    """Probabilities whose share of wrong ones changes every 400."""
    random = Random(seed)
    for number in range(count):
        yield random.random(), random.random() < (0.1, 0.5)[number // 400 % 2]


def _bad_order(name: str) -> Case:
    return Case(
        make=lambda _: BadOrderModel(INPUTS, name=name, prior=0.05),
        score=lambda model, row: float(model.predict(row)),
        learn=_learn_order,
        explain=lambda model, row: list(model.contributions(row)),
        cold=0.05,
    )


CASES: dict[str, Case] = {
    "anomaly": Case(
        make=lambda seed: BehaviourAnomaly(INPUTS, seed=seed),
        score=lambda model, row: model.score(row),
        learn=lambda model, row, _: model.score_and_learn(row),
        explain=lambda model, row: list(model.contributions(row)),
        cold=None,
    ),
    "bad_order": _bad_order("bad-order"),
    "bad_order_dispatch": _bad_order("bad-order-dispatch"),
    "category": Case(
        make=lambda _: CategoryModel(),
        score=_mismatch,
        learn=_learn_text,
        explain=None,
        cold=None,
        rows=texts,
        numeric=False,
        largest_snapshot=300_000,
    ),
    # It predicts nothing, and is kept as a model is: its score is the latest alarm, 0 where there is none.
    "drift": Case(
        make=lambda _: DriftWatch(),
        score=lambda _, __: 0.0,
        learn=_watch,
        explain=None,
        cold=0.0,
        rows=_errors,
        numeric=False,
    ),
}
#: Those whose rows are figures.
NUMERIC: Sequence[str] = [name for name, case in CASES.items() if case.numeric]


def trained(case: Case, count: int = 900, seed: int = 7) -> Estimator:
    """A model past its warm-up."""
    model = case.make(seed)
    for row, label in case.rows(count, 1):
        case.learn(model, row, label)
    return model
