"""How often intervals of 95 % hold the truth, on streams whose truth is known: ``python -m benchmarks.coverage``.

Writes build/coverage.json: for each estimate how often its interval was to hold the truth, how often it did, and in how
many runs. Each run draws its own marketplace (:mod:`benchmarks.coverage_market`), feeds its events to the fold of
metrics, and asks that; and its own experiment with two arms of merchants.
"""

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.coverage_market import MERCHANTS, one_run, truths
from detectors.evaluation.policy_experiments import Outcome, compare_arms
from detectors.metrics.estimate import Estimate

RUNS: Final = 500
SEED: Final = 20_261_129
#: Days on which somebody looks at a running experiment, and merchants that join each day and arm.
LOOKS, JOINING = 20, 40
EFFECT: Final = -0.02


def experiment(rng: np.random.Generator) -> tuple[bool, bool, bool]:
    """One experiment: whether the interval at its end holds the effect, whether that for all times always does, and
    whether one without an effect would have been stopped by somebody who looks each day at the plain interval.
    """
    total = LOOKS * JOINING

    def arm(shift: float) -> list[Outcome]:
        orders = rng.geometric(0.05, total)
        rate = np.clip(rng.beta(2, 18, total) + shift, 0, 1)
        return [Outcome(float(n), float(k)) for n, k in zip(orders, rng.binomial(orders, rate), strict=True)]

    # Both rates stay clear of zero, so that the shift is not cut off; what is cut off belongs to the truth.
    control, treated, idle = arm(0.05), arm(0.05 + EFFECT), arm(0.05)
    always, peeked = True, False
    effect = compare_arms((), ())
    for look in range(1, LOOKS + 1):
        end = look * JOINING
        effect = compare_arms(treated[:end], control[:end])
        if effect.always_low is not None and effect.always_high is not None:
            always &= effect.always_low <= EFFECT <= effect.always_high
        none = compare_arms(idle[:end], control[:end])
        if none.low is not None and none.high is not None:
            peeked |= not none.low <= 0 <= none.high
    held = effect.low is not None and effect.high is not None and effect.low <= EFFECT <= effect.high
    return held, always, peeked


def measure(
    runs: int, seed: int, merchants: int = MERCHANTS, jobs: int = 1, markets: int = 200
) -> dict[str, dict[str, float]]:
    """Share of the runs in which each interval held the truth; the same with any number of jobs side by side.

    The truth is that of so many ``markets``.
    """
    truth = truths(np.random.default_rng(seed + 1), markets)
    work = partial(_one, truth=truth, merchants=merchants)
    seeds = np.random.SeedSequence(seed).spawn(runs)
    held: Counter[str] = Counter()
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            for found in pool.map(work, seeds, chunksize=5):
                held.update(found)
    else:
        for each in seeds:
            held.update(work(each))
    return {name: {"nominal": 0.95, "covered": count / runs, "runs": runs} for name, count in held.items()}


def _one(seed: np.random.SeedSequence, truth: dict[str, float], merchants: int) -> dict[str, int]:
    """Which intervals held the truth in one run, as 0 or 1."""
    rng = np.random.default_rng(seed)
    found = one_run(rng, merchants)
    held = {name: int(_holds(found[name], value)) for name, value in truth.items()}
    once, always, peeked = experiment(rng)
    return held | {
        "experiment_effect": int(once), "experiment_at_all_times": int(always), "false_stops_by_peeking": int(peeked),
    }  # fmt: skip


def _holds(estimate: Estimate, value: float) -> bool:
    """Whether the interval holds the truth; a time that was never reached has no upper bound."""
    assert estimate.mature, estimate
    assert estimate.low is not None
    return estimate.low <= value and (estimate.high is None or value <= estimate.high)


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--merchants", type=int, default=MERCHANTS, help="that list something, in each run")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("build/coverage.json"))
    given = parser.parse_args()
    found = measure(given.runs, given.seed, given.merchants, given.jobs)
    # Peeking at an interval that was made to be looked at once: what the sequence is for, and no interval of ours.
    peeking = found.pop("false_stops_by_peeking")
    for name, each in found.items():
        print(f"{name:26} {each['covered']:.3f} of {given.runs} runs held the truth")
    print(f"{'':26} {peeking['covered']:.3f} would have stopped on chance, had they peeked at the plain interval")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found | {"peeking_at_plain": peeking}, indent=2) + "\n")


if __name__ == "__main__":
    main()
