"""The benchmark as a whole, on few records."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_short_run_measures_the_worker_and_its_competitors(tmp_path: Path) -> None:
    """All that runs in this environment reports events/s, the worker its latency and state too, and nothing is lost."""
    output = tmp_path / "bench.json"
    names = ("plain_consume_decode", "stock_faust", "worker", "apply", "stock_faust_redis", "latency")
    short = ["--events", "6000", "--rounds", "1", "--slow-seconds", "1", "--latency-seconds", "5", "--rate", "200"]
    only = [part for name in names for part in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *short, *only, "--output", str(output)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(output.read_text())
    assert all(figures[name] > 0 for name in names[:-1])
    assert figures["rounds"]["worker"]["records"] == [6_004]
    assert figures["latency_ms"]["samples"] >= 20
    assert figures["latency_ms"]["probes_without_answer"] == 0
    assert figures["latency_ms_p99_at_2000"] > 0
    assert figures["state_bytes_per_merchant_median"] > 0
    assert figures["machine"]["cores"] >= 1
