"""What the benchmark makes of its measurements."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.latency import percentile
from benchmarks.processes import Result

ROUNDS = {
    "worker": [Result(300, 10.0, 9.0), Result(300, 6.0, 5.0), Result(300, 7.5, 5.0)],
    "quix": [Result(300, 15.0, 9.0)],
}


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, wanted: int) -> None:
    """The least value that so large a share does not exceed."""
    assert percentile(list(range(1, 101)), share) == wanted


def test_without_outputs_there_is_no_percentile() -> None:
    """No values give NaN, not a latency of zero."""
    assert math.isnan(percentile([], 0.99))


def test_figures_are_medians_and_ratios_come_of_them() -> None:
    """The middle round stands for a competitor; ratios are made where both figures are there."""
    figures = report.rates(ROUNDS)
    assert figures == {"worker": 40, "quix": 20}
    assert report.ratios(figures) == {"worker_to_quix": 2.0}


def test_the_table_says_which_goals_are_met() -> None:
    """A ratio above its goal is met, a worker below 30,000 events/s is missed."""
    figures = report.rates(ROUNDS)
    document: dict[str, Any] = {**figures, "ratios": report.ratios(figures), "rounds": report.rounds_in_detail(ROUNDS)}
    text = "\n".join(report.table(document))
    assert "worker / quix: 2.00, goal met" in text
    assert "worker: 40 events/s, goal missed" in text


def test_the_file_is_json_even_where_something_could_not_be_measured(tmp_path: Path) -> None:
    """NaN, which JSON has not, becomes null."""
    path = tmp_path / "build" / "bench.json"
    report.write({"latency_ms": {"p99": float("nan"), "p50": 1.5}}, path)
    assert json.loads(path.read_text()) == {"latency_ms": {"p99": None, "p50": 1.5}}


def test_replay_has_a_section_and_goals() -> None:
    """Rates in one and two processes, their ratio, and the seconds that Olist took, each against its goal."""
    rounds = {"replay_1_process": [Result(400, 0.01, 0.01)], "replay_2_processes": [Result(400, 0.008, 0.016)]}
    figures = report.rates(rounds)
    section = report.replay(figures, {"replay": {"olist_seconds": 12.3}})
    assert section == {"replay": {"one_process": 40_000, "two_processes": 50_000, "olist_seconds": 12.3}}
    document: dict[str, Any] = {**figures, **section, "rounds": report.rounds_in_detail(rounds)}
    text = "\n".join(report.table(document))
    assert "replay: 40,000 events/s, goal met" in text
    assert "in one: 1.25, goal missed" in text
    assert "replay of Olist: 12.3 s, goal met" in text
    assert report.replay({}, {}) == {}
