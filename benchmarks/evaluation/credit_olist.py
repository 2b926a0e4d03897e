"""The credit of Olist's sellers, month by month, against how their orders of the next 60 days turned out.

    python -m benchmarks.evaluation.credit_olist [FOLDER]

Olist's history goes through the worker's core. From the ninth month on, when a few hundred sellers are known, each
seller's credit is noted every 30 days.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.evaluation.credit_figures import batch, figures
from benchmarks.evaluation.credit_snapshots import CreditSnapshots, Snapshot
from config.settings import Settings
from detectors.judge import Judge
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.olist import read_olist

_FOLDER: Final = Path(__file__).parents[3] / "shared" / "data" / "olist"
_FIRST_DAYS: Final = 240
_EVERY_DAYS: Final = 30


def snapshots(records: Sequence[ArchiveRecord], judge: Judge, first_days: float = _FIRST_DAYS) -> list[Snapshot]:
    """Credit of all sellers at all times."""
    seen = CreditSnapshots(judge.policies.credit["merchant"], first_days, _EVERY_DAYS, histories=True)
    run_archive(records, judge, seen, begun=seen.begun)
    return seen.snapshots()


def evaluate(folder: Path, most: int | None = None, first_days: float = _FIRST_DAYS) -> dict[str, Any]:
    """All figures of a folder of Olist's files; of the first ``most`` records where that is given."""
    judge = evaluation_judge(Settings())
    policy = judge.policies.credit["merchant"]
    found = snapshots(read_olist(folder).records[:most], judge, first_days)
    return figures(found, policy) | {"batch": batch(found)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.credit_olist")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="Olist's CSV files, gzipped or not")
    print(json.dumps(evaluate(parser.parse_args().folder), indent=2))


if __name__ == "__main__":
    main()
