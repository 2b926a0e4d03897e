"""The bad-order model on real orders, as shipped."""

from pathlib import Path

import pytest

from benchmarks.bad_order_olist import REFERENCE, evaluate, order_inputs
from benchmarks.olist_orders import load_orders, steps
from benchmarks.ranking import average_precision, roc_auc

_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "olist"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not _FOLDER.exists(), reason="the Olist data set is not here"),
]


def test_it_beats_the_reference_with_labels_only_when_known() -> None:
    """Late deliveries are ranked far better than by a plain online logistic regression on the same rows."""
    orders = load_orders(_FOLDER)
    scores, models = evaluate(orders, 1, order_inputs())
    labels = [order.late for order in orders]
    for share, (auc, precision) in REFERENCE.items():
        start = round(len(orders) * (1 - share))
        assert roc_auc(labels[start:], scores[start:]) > auc + 0.05
        assert average_precision(labels[start:], scores[start:]) > precision + 0.05
    error = models[0].metrics().calibration_error
    assert error is not None
    assert error < 0.03


def test_no_label_is_learned_before_it_is_known() -> None:
    """Every label follows its order, and no order is scored after a label that was known later."""
    orders = load_orders(_FOLDER)[:3_000]
    now = 0
    placed: set[int] = set()
    for step in steps(orders):
        order = orders[step.number]
        if step.late is None:
            assert order.created >= now
            now = order.created
            placed.add(step.number)
        else:
            assert step.number in placed
            assert order.known >= now
            now = order.known
            assert step.late == order.late
