"""Times ``shopwarden replay``, as a command from outside: with one process and with two, and over the Olist data set.

The rate is that from the first records applied to the end, so starting Python does not count; of Olist the whole
command does, with reading its tables.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, CompetitorError, Result

OLIST = ROOT.parent / "shared" / "data" / "olist"
#: One for each process: a shard is never shared.
PARTITIONS = 2
_COMMAND = [sys.executable, "-c", "from streams.cli import main; main(prog_name='shopwarden')", "replay", "--json"]
_LONGEST_S = 600.0


def run_replay(environment: Mapping[str, str], *words: str, records: int) -> Result:
    """Replay the input topics of a deployment.

    Raises
    ------
    CompetitorError
        It failed, or did not read each record once.
    """
    before = _cpu_seconds()
    figures = _replay(environment, *words)
    if figures["records"] != records:
        raise CompetitorError(f"the replay read {figures['records']} records, not {records}")
    return Result(records, figures["applying_seconds"], _cpu_seconds() - before)


def olist_seconds(environment: Mapping[str, str], folder: Path = OLIST) -> float | None:
    """Seconds that a replay of the Olist data set takes in all; ``None`` where the data set is not."""
    if not folder.is_dir():
        return None
    started = time.monotonic()
    _replay(environment, "--olist", str(folder), "--shards", "1")
    return time.monotonic() - started


def _replay(environment: Mapping[str, str], *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [*_COMMAND, *words],
        env=dict(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    if done.returncode:
        raise CompetitorError(f"the replay failed: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _cpu_seconds() -> float:
    """Processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
