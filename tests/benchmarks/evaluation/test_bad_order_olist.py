"""The bad-order model on real orders, as shipped."""

from pathlib import Path

import pytest

from benchmarks.evaluation.bad_order_olist import REFERENCE, STAGES, evaluate, order_inputs
from benchmarks.evaluation.olist_orders import Stage, label_of, scored_at, steps
from benchmarks.evaluation.olist_rows import load_orders
from benchmarks.evaluation.prequential import SHARES, figures

_FOLDER = Path(__file__).parents[4] / "shared" / "data" / "olist"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not _FOLDER.exists(), reason="the Olist data set is not here"),
]


def test_it_beats_the_reference_with_labels_only_when_known() -> None:
    """Late deliveries are ranked far better than by a plain online logistic regression on the same rows."""
    rows, models = evaluate(load_orders(_FOLDER), 1, order_inputs())
    found = figures(rows)
    for share, (auc, precision) in REFERENCE.items():
        assert found[f"auc{SHARES[share]}"] > auc + 0.05
        assert found[f"ap{SHARES[share]}"] > precision + 0.05
    error = models[0].metrics().calibration_error
    assert error is not None
    assert error < 0.03


@pytest.mark.parametrize("stage", STAGES)
def test_no_label_is_learned_before_it_is_known(stage: Stage) -> None:
    """Every label follows its order, and nothing is scored after a label that was known later."""
    orders = load_orders(_FOLDER)[:3_000]
    now = 0
    waiting: set[int] = set()
    labels = 0
    for step in steps(orders, stage):
        order = orders[step.number]
        assert step.time >= now
        now = step.time
        if step.label is None:
            assert now == scored_at(order, stage)
            waiting.add(step.number)
        else:
            waiting.remove(step.number)
            labels += 1
            assert now == (order.known if stage != "delivery" else max(order.created, order.reviewed or 0))
            assert step.label == label_of(order, stage)
    assert not waiting
    assert labels > 300
