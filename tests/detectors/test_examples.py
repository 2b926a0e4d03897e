"""Kept examples: which are kept, and what models trained from them are worth."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest

from detectors.examples import (
    BEHAVIOUR_EVERY,
    BEHAVIOURS,
    BEHAVIOURS_KEPT,
    LABELS,
    LABELS_KEPT,
    Examples,
    LabelledOrder,
    retrain_anomaly,
    retrain_bad_order,
)
from detectors.judge import Judge, Models, fresh_models
from features.vectors import BEHAVIOUR_INPUTS, ORDER_INPUTS
from tests.builders import Shard, make_judge, marketplace

SEED = 42


class Recording(Examples):
    """Remembers everything that was learned, beside what is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[LabelledOrder] = []
        self.behaviours: list[list[float | None]] = []

    def add_label(self, stage: int, label: LabelledOrder) -> None:
        """Keep an order."""
        if not stage:
            self.labels.append(label)
        super().add_label(stage, label)

    def add_behaviour(self, values: list[float | None], learned: int) -> None:
        """Keep a behaviour."""
        self.behaviours.append(values)
        super().add_behaviour(values, learned)


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies."""
    return make_judge(audit_rate=0.0)


@pytest.fixture(scope="module")
def lived(judge: Judge) -> tuple[Models, Recording]:
    """Models that learned from a simulated marketplace, and all that they learned."""
    shard = Shard(judge)
    examples = shard.core.models.examples = Recording()
    records = marketplace(30_000, seed=7)
    for start in range(0, len(records), 500):
        shard.flush(records[start : start + 500])
    return shard.core.models, examples


def auc(scores: Sequence[tuple[float, bool]]) -> float:
    """Share of pairs of a bad and a good one that are in order, ties counted half."""
    ranked = sorted(scores)
    bad = sum(is_bad for _, is_bad in ranked)
    good = below = 0
    won = 0.0
    start = 0
    for at, (score, _) in enumerate(ranked):
        if at + 1 < len(ranked) and ranked[at + 1][0] == score:
            continue
        tied = [is_bad for _, is_bad in ranked[start : at + 1]]
        won += sum(tied) * (below + 0.5 * (len(tied) - sum(tied)))
        below += len(tied) - sum(tied)
        start = at + 1
    good = len(ranked) - bad
    return won / (bad * good)


def test_the_retrained_bad_order_model_ranks_about_as_well(lived: tuple[Models, Recording]) -> None:
    """On orders that neither has learned, a model trained from the kept examples loses at most 0.03 of the AUC."""
    _, examples = lived
    labels = examples.labels
    split = len(labels) * 3 // 4
    known, later = labels[:split], labels[split:]
    full, again = (fresh_models(SEED).bad_order for _ in range(2))
    retrain_bad_order(full, [msgspec.json.encode(each) for each in known])
    kept = known[-LABELS_KEPT:]
    assert retrain_bad_order(again, [msgspec.json.encode(each) for each in kept]) == len(kept)
    live = auc([(each.predicted or 0.0, each.bad) for each in later])
    lost, retrained = (auc([(model.predict(each.values), each.bad) for each in later]) for model in (full, again))
    cold = auc([(fresh_models(SEED).bad_order.predict(each.values), each.bad) for each in later])
    figures = (
        f"AUC on {len(later)} orders: as scored live {live:.3f}, trained on all {len(known)} {lost:.3f}, on the last "
        f"{len(kept)} {retrained:.3f}, untrained {cold:.3f}"
    )
    assert len(known) > 1_000, figures
    assert retrained > max(lost, live) - 0.03, figures
    assert retrained > cold, figures


def test_the_retrained_anomaly_model_ranks_alike(lived: tuple[Models, Recording]) -> None:
    """Trained from one behaviour in four, it is warm, and orders later behaviours much as the one that saw all."""
    _, examples = lived
    seen = examples.behaviours
    split = len(seen) * 3 // 4
    full, again = (fresh_models(SEED).anomaly for _ in range(2))
    for values in seen[:split]:
        full.learn(values)
    sample = seen[BEHAVIOUR_EVERY - 1 : split : BEHAVIOUR_EVERY][-BEHAVIOURS_KEPT:]
    retrain_anomaly(again, [msgspec.json.encode(each) for each in sample])
    pairs = [(full.score(each), again.score(each)) for each in seen[split:]]
    scored = [(one, other) for one, other in pairs if one is not None and other is not None]
    assert len(scored) == len(pairs) > 500
    # Which of these did the lost model hold for the 10 % most unusual?
    limit = sorted(one for one, _ in scored)[len(scored) * 9 // 10]
    agreement = auc([(other, one > limit) for one, other in scored])
    figures = (
        f"the retrained model finds the lost model's top 10 % of {len(scored)} behaviours with AUC {agreement:.3f}"
    )
    assert agreement > 0.85, figures


def test_what_is_kept_is_bounded_and_taken_once(lived: tuple[Models, Recording]) -> None:
    """The latest labels, and one behaviour in four; nothing is given twice."""
    _, recorded = lived
    taken = recorded.take()
    labels, keep = taken[LABELS]
    assert keep == LABELS_KEPT
    assert labels == [msgspec.json.encode(each) for each in recorded.labels[-LABELS_KEPT:]]
    behaviours, keep = taken[BEHAVIOURS]
    assert keep == BEHAVIOURS_KEPT
    every = recorded.behaviours[BEHAVIOUR_EVERY - 1 :: BEHAVIOUR_EVERY]
    assert behaviours == [msgspec.json.encode(each) for each in every[-BEHAVIOURS_KEPT:]]
    assert recorded.take() == {}


def test_examples_that_are_of_no_use_are_left_out() -> None:
    """Damaged ones, those of other inputs, numbers that can't be: the rest is learned, and nothing raises."""
    width, size = len(ORDER_INPUTS), len(BEHAVIOUR_INPUTS)
    good = msgspec.json.encode(LabelledOrder([1.0] * width, True, 0.5))
    odd = msgspec.json.encode(LabelledOrder([1.0] * width, True, 7.0))
    bad = [b"", b"{", b"\xff", b"[]", msgspec.json.encode(LabelledOrder([1.0], True, 0.5)), b'[["x"],true,0.5]']
    huge = msgspec.json.encode(LabelledOrder([1.0] * width, False, None)).replace(b"1.0", b"1e999")
    assert retrain_bad_order(fresh_models(SEED).bad_order, [good, *bad, huge, odd]) == 2
    values = msgspec.json.encode([0.5] * size)
    assert retrain_anomaly(fresh_models(SEED).anomaly, [values, b"[]", b"{", values.replace(b"0.5", b"1e999")]) == 1


def test_retraining_is_deterministic(lived: tuple[Models, Recording]) -> None:
    """The same examples give the same model, bit for bit, and other ones another."""
    _, recorded = lived
    kept = [msgspec.json.encode(each) for each in recorded.labels[-300:]]
    snapshots = []
    for examples in (kept, kept, kept[:-1]):
        model = fresh_models(SEED).bad_order
        retrain_bad_order(model, examples)
        snapshots.append(model.snapshot())
    assert [one == other for one, other in pairwise(snapshots)] == [True, False]
