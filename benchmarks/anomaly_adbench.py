"""The anomaly model on public anomaly data (ADBench): ROC-AUC, test-then-train.

    python -m benchmarks.anomaly_adbench [FOLDER] [--trees N] [--seeds N] [--ranges first|all]

Each row is scored before it is learned. Ranges of the inputs come from the first 500 rows widened by half (``first``,
what a deployment could know), or from all rows (``all``). Rows that fall into the warm-up count with percentile 0.5.
At most 100,000 rows of a shuffled set are used.
"""

import argparse
from pathlib import Path
from random import Random
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from benchmarks.ranking import roc_auc
from detectors.anomaly import BehaviourAnomaly
from detectors.inputs import Input

_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "adbench"
_FIRST = 500
_MOST_SHUFFLED = 100_000
#: Name, file, whether rows come shuffled, and the AUC of River's Half-Space Trees (25 of height 8, behind its online
#: min-max scaler) on these files. Where rows are in their own order, anomalies come in clumps that fill whole
#: windows, and what is common passes for normal.
DATA_SETS = (
    ("shuttle", "32_shuttle.npz", False, 0.971),
    ("cover", "10_cover.npz", False, 0.73),
    ("cover", "10_cover.npz", True, 0.78),
    ("http", "16_http.npz", False, None),
    ("http", "16_http.npz", True, None),
    ("mammography", "23_mammography.npz", True, 0.81),
    ("annthyroid", "2_annthyroid.npz", False, None),
)


def inputs_for(rows: NDArray[np.float64], ranges: str) -> list[Input]:
    """Fixed ranges for columns, without looking at labels."""
    seen = rows[:_FIRST] if ranges == "first" else rows
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = 0.5 * (high - low) if ranges == "first" else np.zeros_like(low)
    margin = np.where(high > low, margin, 1.0)
    return [
        Input(f"x{at}", float(bottom), float(top))
        for at, (bottom, top) in enumerate(zip(low - margin, high + margin, strict=True))
    ]


def evaluate(rows: NDArray[np.float64], labels: NDArray[np.bool_], trees: int, ranges: str, seed: int) -> float:
    """ROC-AUC of the percentile, scored before learning."""
    model = BehaviourAnomaly(inputs_for(rows, ranges), seed=seed, n_trees=trees)
    scores = [model.score_and_learn(row) for row in rows.tolist()]
    return roc_auc(labels.tolist(), [0.5 if score is None else score for score in scores])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The anomaly model on ADBench.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="ADBench's .npz files")
    parser.add_argument("--trees", type=int, default=25)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--ranges", choices=("first", "all"), default="first")
    arguments = parser.parse_args()
    for name, file, shuffle, reference in DATA_SETS:
        with np.load(arguments.folder / file) as data:
            rows, labels = data["X"].astype(np.float64), data["y"].astype(bool).ravel()
        if shuffle:
            order = list(range(len(rows)))
            Random(0).shuffle(order)
            rows, labels = rows[order[:_MOST_SHUFFLED]], labels[order[:_MOST_SHUFFLED]]
        found = [evaluate(rows, labels, arguments.trees, arguments.ranges, seed) for seed in range(arguments.seeds)]
        spread = f" (sd {stdev(found):.3f})" if len(found) > 1 else ""
        order_used = "shuffled" if shuffle else "in order"
        known = f", reference {reference}" if reference else ""
        print(
            f"{name:12} {order_used}, {labels.mean():6.2%} of {len(rows):6}: AUC {fmean(found):.3f}{spread}{known}",
            flush=True,
        )


if __name__ == "__main__":
    main()
