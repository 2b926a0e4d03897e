"""The anomaly model on public anomaly data (ADBench), test-then-train, with River's Half-Space Trees beside it.

What is judged is the percentile that the worker publishes.

    python -m benchmarks.evaluation.anomaly_adbench [FOLDER] [--trees N] [--seeds N] [--ranges first|all] [--river]

Each row is scored before it is learned. Ranges of the inputs come from the first 500 rows widened by half (``first``,
what a deployment could know), or from all rows (``all``). Rows that fall into the warm-up count with percentile 0.5.
At most 100,000 rows of a shuffled set are used.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import fmean, stdev
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from river import anomaly, preprocessing

from detectors.anomaly import BehaviourAnomaly
from detectors.evaluation.ranking import average_precision, roc_auc
from detectors.inputs import Input
from detectors.judge import ANOMALY_TREES

_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "adbench"
_FIRST = 500
_MOST_SHUFFLED = 100_000
#: River's default size, and the worker's.
_RIVER_TREES: Final = 10


class DataSet(NamedTuple):
    """A set: where its rows stand, and whether they come shuffled (once, the same for every seed).

    Where rows are in their own order, anomalies come in clumps that fill whole windows, and what is common passes for
    normal. ``settled``: rows after which a second AUC is taken; the rows before are scored and learned as well.
    """

    file: str
    shuffle: bool
    settled: int | None = None


#: The rows as they stand, or shuffled. Of cover's anomalies, 79 % are among its first 4,320 rows, where they are half
#: of what comes and up to 97 % for 1,500 rows on end: nothing without labels could tell that it is those.
DATA_SETS: Final = {
    "shuttle": DataSet("32_shuttle.npz", False),
    "cover": DataSet("10_cover.npz", False, settled=5_000),
    "cover_shuffled": DataSet("10_cover.npz", True),
    "mammography": DataSet("23_mammography.npz", True),
    "http": DataSet("16_http.npz", False),
    "http_shuffled": DataSet("16_http.npz", True),
    "annthyroid": DataSet("2_annthyroid.npz", False),
}


class Rows(NamedTuple):
    """Rows with their labels."""

    values: NDArray[np.float64]
    labels: NDArray[np.bool_]


def load(folder: Path, name: str, most: int | None = None) -> Rows:
    """The rows of a set, the first ``most`` of them."""
    file, shuffle, _ = DATA_SETS[name]
    with np.load(folder / file) as data:
        values, labels = data["X"].astype(np.float64), data["y"].astype(bool).ravel()
    if shuffle:
        order = list(range(len(values)))
        Random(0).shuffle(order)
        order = order[:_MOST_SHUFFLED]
        values, labels = values[order], labels[order]
    return Rows(values[:most], labels[:most])


def inputs_for(rows: NDArray[np.float64], ranges: str = "first") -> list[Input]:
    """Fixed ranges for columns, without looking at labels."""
    seen = rows[:_FIRST] if ranges == "first" else rows
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = 0.5 * (high - low) if ranges == "first" else np.zeros_like(low)
    margin = np.where(high > low, margin, 1.0)
    return [
        Input(f"x{at}", float(bottom), float(top))
        for at, (bottom, top) in enumerate(zip(low - margin, high + margin, strict=True))
    ]


def our_scores(rows: Rows, seed: int, trees: int = ANOMALY_TREES, ranges: str = "first") -> tuple[list[float], float]:
    """Percentile of each row, scored before it is learned, and microseconds a row."""
    model = BehaviourAnomaly(inputs_for(rows.values, ranges), seed=seed, n_trees=trees)
    values = rows.values.tolist()
    start = perf_counter()
    scores = [model.score_and_learn(row) for row in values]
    taken = perf_counter() - start
    return [0.5 if score is None else score for score in scores], 1e6 * taken / len(values)


def river_scores(rows: Rows, seed: int) -> tuple[list[float], float]:
    """The same of River's Half-Space Trees of default size behind its running min-max scaler."""
    scaler: Any = preprocessing.MinMaxScaler()
    trees: Any = anomaly.HalfSpaceTrees(n_trees=_RIVER_TREES, seed=seed)
    points = [dict(enumerate(row)) for row in rows.values.tolist()]
    scores = []
    start = perf_counter()
    for point in points:
        scaler.learn_one(point)
        scaled = scaler.transform_one(point)
        scores.append(trees.score_one(scaled))
        trees.learn_one(scaled)
    return scores, 1e6 * (perf_counter() - start) / len(points)


def measure(
    rows: Rows,
    seeds: Sequence[int],
    score: Callable[[Rows, int], tuple[list[float], float]],
    settled: int | None = None,
) -> dict[str, Any]:
    """Mean and standard deviation over seeds, and the least microseconds a row; ``settled`` as in :class:`DataSet`."""
    found = [score(rows, seed) for seed in seeds]
    areas = _areas(rows.labels, [scores for scores, _ in found])
    if not areas:
        raise ValueError("the rows are all anomalies or none is")
    later: dict[str, Any] = {}
    if settled is not None:
        late = _areas(rows.labels[settled:], [scores[settled:] for scores, _ in found])
        later = {"settled_after": settled, "settled_auc_mean": fmean(late) if late else None}
    return later | {
        "auc_mean": fmean(areas),
        "auc_sd": stdev(areas) if len(areas) > 1 else None,
        "ap_mean": fmean(average_precision(rows.labels, scores) or 0.0 for scores, _ in found),
        "us_per_event": min(taken for _, taken in found),
        "seeds": len(seeds),
    }


def _areas(labels: NDArray[np.bool_], runs: Sequence[Sequence[float]]) -> list[float]:
    """AUC of each run; none where there is but one class."""
    return [area for scores in runs if (area := roc_auc(labels, scores)) is not None]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="The anomaly model on ADBench.")
    parser.add_argument("folder", nargs="?", type=Path, default=_FOLDER, help="ADBench's .npz files")
    parser.add_argument("--trees", type=int, default=ANOMALY_TREES, help="default: the worker's")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--ranges", choices=("first", "all"), default="first")
    parser.add_argument("--river", action="store_true", help="River's Half-Space Trees too")
    arguments = parser.parse_args()

    def ours(rows: Rows, seed: int) -> tuple[list[float], float]:
        return our_scores(rows, seed, arguments.trees, arguments.ranges)

    for name in DATA_SETS:
        rows = load(arguments.folder, name)
        print(f"{name}: {rows.labels.mean():.2%} of {len(rows.labels)} rows")
        for whose, score in (("ours", ours), ("River's", river_scores))[: 1 + arguments.river]:
            found = measure(rows, range(1, arguments.seeds + 1), score, DATA_SETS[name].settled)
            late = found.get("settled_auc_mean")
            print(
                f"  {whose:8} AUC {found['auc_mean']:.3f} (sd {found['auc_sd'] or 0:.3f}), AP {found['ap_mean']:.3f}, "
                f"{found['us_per_event']:.1f} microseconds a row"
                + (f"; AUC {late:.3f} past row {found['settled_after']:,}" if late is not None else ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
