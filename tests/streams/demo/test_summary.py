"""The figures as JSON, for people who compare runs."""

import json
from pathlib import Path

import pytest

from streams.demo.summary import report_json, write_report
from tests.streams.demo.reports import report


def test_json_has_the_agreed_keys(tmp_path: Path) -> None:
    """The file holds what the project's figures are compared by, in a folder that need not exist."""
    path = tmp_path / "build" / "demo.json"
    write_report(path, report())
    written = json.loads(path.read_text())
    assert written["events_in"] == 60_912
    assert written["outputs"]["shopwarden.risk.assessed.v1"] == 617
    assert written["events_per_second"] == pytest.approx(60_912 / 31.0, abs=0.1)
    assert written["latency_ms"] == {"p50": 8.44, "p95": 17.6, "p99": 31.2}
    assert written["attacks"]["bust_out"] == {"precision": 1.0, "recall": 0.5}
    assert written["attacks"]["fake_tracking"] == {"precision": 0.5, "recall": 1.0}
    assert written["state_bytes_per_merchant_median"] == 1977


def test_what_is_not_there_is_null() -> None:
    """A share of nothing and a latency of nothing are null, not zero."""
    written = report_json(report(latency=None, state_bytes=None))
    assert written["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert written["attacks"]["brushing"] == {"precision": None, "recall": None}
    assert written["state_bytes_per_merchant_median"] is None
