"""Labelled simulations: one seed judged by the core in memory, and the mean and spread over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from config.settings import Settings
from detectors.evaluation.proportions import wilson
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge
from streams.evaluation.figures import figures
from streams.evaluation.scoring import score_records
from streams.evaluation.truth import Labels, read_labels
from streams.simulator import ATTACK_NAMES, SCENARIO_NAMES, Plan, Simulation, SimulatorConfig, write_truth

#: Seeds that nobody has tuned on: rules, models, demo and tests were made with seeds up to 42.
SEEDS: Final = tuple(range(101, 111))
#: Medium intensity and stealth: every plan has the usual 1 and 0.5.
_SIZE: Final[dict[str, Any]] = {
    "merchants": 440,
    "orders_per_day": 180.0,
    **dict.fromkeys(SCENARIO_NAMES, Plan(4)),
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
    **{name: Plan(1) for name in SCENARIO_NAMES},
    "probation_evasion": Plan(1, 0.3),
    "viral_burst": Plan(1, 0.3),
}


def evaluate_seed(seed: int, scratch: Path, quick: bool) -> dict[str, Any]:
    """Figures of one simulation with all attacks and all honest trouble, through its truth file as anybody's."""
    simulation = Simulation(SimulatorConfig(seed=seed, **(_QUICK_SIZE if quick else _SIZE)))
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
    score, seen = score_records(
        (ArchiveRecord(record.topic, record.key, record.value, record.timestamp) for record in simulation),
        labels,
        evaluation_judge(settings),
        watched=simulation.truth.attackers(),
        seed=settings.worker.seed,
    )
    return figures(score) | {"merchants": len(seen.merchants)}


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
