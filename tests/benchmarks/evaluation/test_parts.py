"""Parts of the evaluation whose mistakes would flatter a figure."""

import pytest

from benchmarks.evaluation.fraud_ecommerce import INPUTS, Purchase, purchase_steps
from benchmarks.evaluation.goals import judge, with_differences
from benchmarks.evaluation.prequential import Row, Step, figures, score_then_learn
from benchmarks.evaluation.simulations import as_text, summarise
from benchmarks.evaluation.yardstick import yardstick
from detectors.bad_order import BadOrderModel
from detectors.inputs import Input

DAY = 86_400_000


def rows(count: int, delay: int) -> list[Row]:
    """Rows a day apart whose label is their first value, known after a delay in days."""
    return [Row(at * DAY, (at + delay) * DAY, [float(at % 2), 0.0], at % 2 == 1, 0.5) for at in range(count)]


def test_a_batch_model_learns_only_labels_that_are_known() -> None:
    """With labels at once it ranks all rows; with labels that come after the last row it knows nothing."""
    assert yardstick(rows(400, 1))["boosting"]["auc"] == 1
    assert yardstick(rows(400, 1))["logistic"]["auc_60"] == 1
    late = yardstick(rows(400, 500))
    assert late["boosting"]["auc"] == late["boosting_retrained"]["auc_60"] == late["logistic"]["auc"] == 0.5


def test_a_row_keeps_the_probability_from_before_its_label() -> None:
    """What is learned later changes no score, and rows without a label are left out."""
    model = BadOrderModel([Input("x", 0, 1)])
    stream = [Step(0, 1, None, [1.0]), Step(1, 2, None, [0.0]), Step(0, 3, True, ()), Step(2, 4, None, [1.0])]
    first = BadOrderModel([Input("x", 0, 1)]).observe_and_predict([1.0])
    found = score_then_learn(stream, model)
    assert [(row.time, row.known, row.label, row.probability) for row in found] == [(1, 3, True, first)]


def test_the_last_parts_are_those_of_the_end() -> None:
    """The last 20 % of ten rows are two, the last 60 % six, and the diagram is of the six."""
    made = [Row(at, at, [], at >= 8, 0.1 * at) for at in range(10)]
    found = figures(made)
    assert (found["rows"], found["rows_60"], found["auc"], found["auc_60"]) == (2, 6, None, 1)
    assert sum(each["rows"] for each in found["reliability"]) == 6


def test_a_fraud_is_learned_two_weeks_later() -> None:
    """Labels come 14 days after the purchase, among the purchases of that time; inputs count earlier accounts alone."""
    purchases = [
        Purchase(f"u{n}", n * DAY, n * DAY + 60_000, 10, "d", f"i{n}", "Ads", "M", 30, n % 3 == 0) for n in range(40)
    ]
    scored: dict[int, int] = {}
    now = 0
    for step in purchase_steps(purchases, 14 * DAY):
        assert step.time >= now
        now = step.time
        if step.label is None:
            scored[step.key] = now
            values = dict(zip([each.name for each in INPUTS], step.values, strict=True))
            assert (values["device_accounts"], values["ip_accounts"], values["minutes_since_signup"]) == (
                step.key,
                0,
                1,
            )
        else:
            assert now - scored.pop(step.key) == 14 * DAY
            assert step.label == (step.key % 3 == 0)
    assert not scored


def test_goals_are_judged_from_their_side() -> None:
    """At least and at most, with what is missing named as not measured."""
    report = {
        "simulator": {"bust_out": {"recall": 0.9}, "honest": {"suspended": 1}},
        "olist": {"late_at_purchase": {"auc": 0.74, "auc_60": None, "four_shards": {"auc": 0.725, "auc_60": 0.6}}},
    }
    verdicts = {each.goal.place: each.words for each in judge(with_differences(report))}
    assert verdicts["simulator", "bust_out", "recall"] == "met"
    assert verdicts["simulator", "honest", "suspended"] == "missed"
    assert verdicts["simulator", "brushing", "recall"] == "not measured"
    assert verdicts["olist", "late_at_purchase", "shards_difference"] == "missed"
    assert verdicts["olist", "late_at_purchase", "shards_difference_60"] == "not measured"


def test_seeds_are_averaged_and_their_counts_added() -> None:
    """Mean and standard deviation over seeds; the interval is of all merchants together."""

    def run(hits: int, hours: float | None) -> dict[str, object]:
        share = {"recall": hits / 4, "recall_of": [hits, 4], "attributed_recall": None, "attributed_recall_of": [0, 0]}
        share |= {"recall_high": 0.5, "recall_high_of": [2, 4], "honest_accused_share_of": [0, 100]}
        more = {"precision": 1.0, "precision_of": [hits, hits], "median_hours_to_detection": hours}
        named = {"high_or_above_share": 0.01, "high_or_above_share_of": [1, 100], "own_level_high_share": 0.0}
        honest = named | {
            "own_level_high_share_of": [0, 100],
            "acted_on_share_of": [4, 100],
            "suspended": hits,
            "suspended_at_once": 0,
            "traps": {},
        }
        return {
            "patterns": {"bust_out": share | more | {"gmv_share_lost": 0.5, "merchants": 4}},
            "honest": honest | {"merchants": 100},
            "listings": {"patterns": {"bust_out": {"recall_of": [hits, 5]}}, "precision": None, "precision_of": [0, 0]},
            "buyers": {"refund_abuse": {"recall_of": [hits, 5], "precision_of": [hits, hits]}},
        }

    found = summarise({1: run(4, 10.0), 2: run(2, None)})
    assert found["bust_out"]["recall"] == 0.75
    assert found["bust_out"]["recall_sd"] == pytest.approx(0.3536, abs=1e-4)
    assert found["bust_out"]["recall_of"] == [6, 8]
    assert found["bust_out"]["attributed_recall"] is None
    assert (found["bust_out"]["median_hours_to_detection"], found["bust_out"]["gmv_share_lost_sd"]) == (10, 0)
    lines = as_text(found)
    assert lines[1].split() == ["bust_out", "6/8", "4/8", "0/0", "6/6", "6/10", "10"]
    assert lines[2] == "at high: honest 2/200"
    assert (found["bust_out"]["listing_recall"], found["bust_out"]["listing_recall_of"]) == (0.6, [6, 10])
    assert (found["bust_out"]["listing_precision"], "brushing" in found) == (None, False)
    assert (found["buyers"]["refund_abuse"]["recall"], found["buyers"]["refund_abuse"]["precision"]) == (0.6, 1)
    assert (found["honest"]["suspended"], found["honest"]["high_or_above_share_of"]) == (6, [2, 200])
