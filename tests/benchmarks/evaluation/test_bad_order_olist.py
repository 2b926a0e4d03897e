"""The bad-order models on real orders, as shipped."""

from pathlib import Path

import pytest

from benchmarks.evaluation.bad_order_olist import REFERENCE, STAGES, evaluate
from benchmarks.evaluation.olist_orders import Replay, label_of, scored_at
from benchmarks.evaluation.olist_rows import Order, load_orders
from benchmarks.evaluation.prequential import SHARES, figures

_FOLDER = Path(__file__).parents[4] / "shared" / "data" / "olist"
pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not _FOLDER.exists(), reason="the Olist data set is not here"),
]


@pytest.fixture(scope="module")
def orders() -> list[Order]:
    """All of them."""
    return load_orders(_FOLDER)


@pytest.fixture(scope="module")
def run(orders: list[Order]) -> Replay:
    """One shard."""
    return evaluate(orders, 1)


def test_it_beats_the_reference_with_labels_only_when_known(run: Replay) -> None:
    """Late deliveries are ranked far better than by a plain online logistic regression on the same rows."""
    found = figures(run.rows["purchase"])
    for share, (auc, precision) in REFERENCE.items():
        assert found[f"auc{SHARES[share]}"] > auc + 0.05
        assert found[f"ap{SHARES[share]}"] > precision + 0.05
    assert found["ece"] < 0.03


def test_four_shards_rank_as_one_does(orders: list[Order], run: Replay) -> None:
    """What they tell each other makes up for each seeing a quarter of the orders."""
    one, four = figures(run.rows["purchase"]), figures(evaluate(orders, 4).rows["purchase"])
    for suffix in SHARES.values():
        assert abs(one[f"auc{suffix}"] - four[f"auc{suffix}"]) <= 0.01


def test_later_stages_know_more(run: Replay) -> None:
    """What has happened since the purchase ranks late deliveries better, and complaints well."""
    purchase, dispatch, delivery = (figures(run.rows[stage]) for stage in STAGES)
    assert dispatch["auc_60"] > purchase["auc_60"] + 0.02
    assert delivery["auc_60"] > 0.75


def test_no_label_is_learned_before_it_is_known(orders: list[Order]) -> None:
    """At every stage, each label follows its order, and nothing is scored after a label that was known later."""
    some = orders[:3_000]
    now = labels = 0
    waiting: set[tuple[str, int]] = set()
    for step in evaluate(some, 1).steps:
        order = some[step.number]
        assert step.time >= now
        now = step.time
        if step.label is None:
            assert now == scored_at(order, step.stage)
            waiting.add((step.stage, step.number))
        else:
            waiting.remove((step.stage, step.number))
            labels += 1
            assert now == (order.known if step.stage != "delivery" else max(order.created, order.reviewed or 0))
            assert step.label == label_of(order, step.stage)
    assert not waiting
    assert labels > 300
