"""Labelled simulations: one seed judged by the core in memory, and the mean and spread over seeds.

python -m benchmarks.evaluation.simulations [--seeds 1,2] [--intensity 0.5] [--stealth 1] prints how well each pattern
is found where all attacks are weaker, stronger, or better hidden than usual.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.evaluation.credit_simulations import EVERY_DAYS, FIRST_DAYS, simulated_credit
from benchmarks.evaluation.credit_snapshots import CreditSnapshots
from config.settings import Settings
from detectors.evaluation.proportions import wilson
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge
from streams.evaluation.figures import figures
from streams.evaluation.scoring import score_records
from streams.evaluation.truth import Labels, read_labels
from streams.simulator import ATTACK_NAMES, HARD_NEGATIVE_NAMES, Plan, Simulation, SimulatorConfig, write_truth

#: Seeds that nobody has tuned on: rules, models, demo and tests were made with seeds up to 42.
SEEDS: Final = tuple(range(101, 111))
#: Medium intensity and stealth: every plan has the usual 1 and 0.5.
_SIZE: Final[dict[str, Any]] = {
    "merchants": 440,
    "orders_per_day": 180.0,
    **dict.fromkeys(ATTACK_NAMES + HARD_NEGATIVE_NAMES, Plan(4)),
    "brushing": Plan(2),
    "linked_accounts": Plan(4),
    "probation_evasion": Plan(2),
    "carrier_strike": Plan(1),
    "holiday_peak": Plan(1),
    "shared_hub": Plan(1),
    "brand_resellers": Plan(2),
    "refund_abuse": Plan(2),
}
_QUICK_SIZE: Final[dict[str, Any]] = _SIZE | {
    "merchants": 60,
    "orders_per_day": 25.0,
    "span_days": 45.0,
    **{name: Plan(1) for name in ATTACK_NAMES + HARD_NEGATIVE_NAMES},
    "probation_evasion": Plan(1, 0.3),
    "viral_burst": Plan(1, 0.3),
}


def simulation_of(seed: int, *, quick: bool = False, intensity: float = 1.0, stealth: float = 0.5) -> Simulation:
    """A simulation with all attacks and all honest trouble.

    ``intensity`` multiplies that of every attack; honest trouble stays as it is.
    """
    size = dict(_QUICK_SIZE if quick else _SIZE)
    for name in ATTACK_NAMES:
        size[name] = replace(size[name], intensity=size[name].intensity * intensity, stealth=stealth)
    return Simulation(SimulatorConfig(seed=seed, **size))


def evaluate_seed(
    seed: int, scratch: Path, quick: bool = False, intensity: float = 1.0, stealth: float = 0.5
) -> dict[str, Any]:
    """Figures of one simulation, through its truth file as anybody's, and what credit its merchants had (``credit``, to
    be put together over seeds by :func:`~benchmarks.evaluation.credit_simulations.summarise`).
    """
    simulation = simulation_of(seed, quick=quick, intensity=intensity, stealth=stealth)
    file = scratch / f"simulation-{seed}.truth.json"

    def labels() -> Labels:
        # Listings are in the truth when they have been made, so it is complete at the end.
        write_truth(file, simulation.truth)
        try:
            return read_labels(file)
        finally:
            file.unlink()

    # Settings of this machine's own must not change figures.
    settings = Settings()
    judge = evaluation_judge(settings)
    credit = CreditSnapshots(judge.policies.credit["merchant"], FIRST_DAYS, EVERY_DAYS, truth=simulation.bad_shares)
    score, seen = score_records(
        (ArchiveRecord(record.topic, record.key, record.value, record.timestamp) for record in simulation),
        labels,
        judge,
        watched=simulation.truth.attackers(),
        seed=settings.worker.seed,
        also=credit,
        begun=credit.begun,
    )
    return figures(score) | {
        "merchants": len(seen.merchants),
        "credit": simulated_credit(credit, simulation),
    }


def summarise(seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over seeds, its standard deviation (``_sd``), and shares of all seeds together with their interval."""
    runs = list(seeds.values())
    found: dict[str, Any] = {"seeds": list(seeds)}
    for pattern in ATTACK_NAMES:
        each = [run["patterns"][pattern] for run in runs if pattern in run["patterns"]]
        if not each:
            continue
        found[pattern] = {"merchants": sum(figures["merchants"] for figures in each)}
        for name in ("recall", "recall_high", "attributed_recall", "precision", "honest_accused_share"):
            found[pattern] |= _over(each, name) | _pooled(each, name)
        for name in ("median_hours_to_detection", "gmv_share_lost"):
            found[pattern] |= _over(each, name)
        listings = [run["listings"]["patterns"].get(pattern, {}) for run in runs]
        if any(listings):
            for name in ("recall", "precision"):
                found[pattern] |= _pooled(listings, name, f"listing_{name}")
    honest = [run["honest"] for run in runs]
    found["honest"] = {"merchants": sum(figures["merchants"] for figures in honest)}
    for name in ("high_or_above_share", "own_level_high_share", "acted_on_share"):
        found["honest"] |= _over(honest, name) | _pooled(honest, name)
    for name in ("suspended", "suspended_at_once"):
        found["honest"][name] = sum(figures[name] for figures in honest)
    found["honest"]["traps"] = {
        trap: _pooled([figures["traps"][trap] for figures in honest if trap in figures["traps"]], "high_or_above_share")
        for trap in sorted({name for figures in honest for name in figures["traps"]})
    }
    # Merchants of some kinds are most of all; those of the others are what a false alarm would be about.
    trapped = [
        figures
        for run in honest
        for name, figures in run["traps"].items()
        if name not in ("holiday_peak", "shared_hub")
    ]
    found["honest"] |= _pooled(trapped, "high_or_above_share", "trapped_high_or_above_share")
    found["buyers"] = {}
    for pattern in sorted({name for run in runs for name in run["buyers"]}):
        each = [run["buyers"].get(pattern, {}) for run in runs]
        found["buyers"][pattern] = _pooled(each, "recall", "recall") | _pooled(each, "precision", "precision")
    found["listings"] = _pooled([run["listings"] for run in runs], "precision")
    return found


def _over(runs: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    values = [run[name] for run in runs if run.get(name) is not None]
    return {
        name: fmean(values) if values else None,
        f"{name}_sd": stdev(values) if len(values) > 1 else None,
    }


def _pooled(runs: Sequence[Mapping[str, Any]], name: str, called: str | None = None) -> dict[str, Any]:
    """The share of all runs together; named ``called`` where it has no mean over runs."""
    counts = [run[f"{name}_of"] for run in runs if f"{name}_of" in run]
    hits, total = (sum(count[at] for count in counts) for at in (0, 1))
    key, value = called or name, hits / total if total else None
    sure = list(wilson(hits, total)) if total else None
    return {f"{key}_of": [hits, total], f"{key}_interval": sure} | ({called: value} if called else {})


def as_text(figures: Mapping[str, Any]) -> list[str]:
    """The figures as lines, counts of all seeds together."""
    lines = [f"{'':20} {'found':>9} {'at high':>9} {'its rules':>9} {'precision':>9} {'listings':>9} {'hours':>7}"]
    for name in ATTACK_NAMES:
        if name in figures:
            each = figures[name]
            counts = [
                "/".join(map(str, each.get(f"{key}_of", ("-", "-"))))
                for key in ("recall", "recall_high", "attributed_recall", "precision", "listing_recall")
            ]
            hours = each["median_hours_to_detection"]
            lines.append(f"{name:20} " + " ".join(f"{count:>9}" for count in counts) + f" {hours or 0:7,.0f}")
    honest = figures["honest"]
    named = {"honest": honest["high_or_above_share_of"]}
    named |= {trap: each["high_or_above_share_of"] for trap, each in honest["traps"].items()}
    lines.append("at high: " + ", ".join(f"{name} {hits}/{total}" for name, (hits, total) in named.items()))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some seeds with attacks of other knobs than usual, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.simulations")
    parser.add_argument("--seeds", default="1,2", help="seeds, by default ones that rules were tuned on")
    parser.add_argument("--intensity", type=float, default=1.0)
    parser.add_argument("--stealth", type=float, default=0.5)
    given = parser.parse_args(arguments)
    try:
        seeds = [int(each) for each in given.seeds.split(",")]
        Plan(1, given.intensity, given.stealth)
    except ValueError as error:
        parser.error(str(error))
    with TemporaryDirectory() as scratch, ProcessPoolExecutor(2, get_context("spawn")) as pool:
        judge = partial(evaluate_seed, scratch=Path(scratch), intensity=given.intensity, stealth=given.stealth)
        runs = dict(zip(seeds, pool.map(judge, seeds), strict=True))
    print("\n".join(as_text(summarise(runs))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
