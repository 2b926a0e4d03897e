"""The experiments of ``make evaluate``: what is run on which data, in pieces that can run side by side."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple, TypeAlias

from benchmarks.evaluation.anomaly_adbench import DATA_SETS, load, measure, our_scores, river_scores
from benchmarks.evaluation.bad_order_olist import evaluate
from benchmarks.evaluation.creators import SEEDS as CREATOR_SEEDS
from benchmarks.evaluation.creators import evaluate_seed as evaluate_creators
from benchmarks.evaluation.creators import summarise as summarise_creators
from benchmarks.evaluation.credit_olist import evaluate as evaluate_credit
from benchmarks.evaluation.credit_simulations import summarise as summarise_credit
from benchmarks.evaluation.fairness import SEEDS as FAIRNESS_SEEDS
from benchmarks.evaluation.fairness import evaluate_seed as evaluate_fairness
from benchmarks.evaluation.fairness import summarise as summarise_fairness
from benchmarks.evaluation.fraud_ecommerce import evaluate as evaluate_fraud
from benchmarks.evaluation.fraud_ecommerce import load_purchases
from benchmarks.evaluation.gaming import SEEDS as GAMING_SEEDS
from benchmarks.evaluation.gaming import USUAL_STEALTH
from benchmarks.evaluation.gaming import evaluate_pair as evaluate_gaming
from benchmarks.evaluation.gaming import summarise as summarise_gaming
from benchmarks.evaluation.obfuscation import evaluate as evaluate_obfuscation
from benchmarks.evaluation.obfuscation import load_titles
from benchmarks.evaluation.olist_orders import Stage
from benchmarks.evaluation.olist_rows import OLIST_FILES, load_orders
from benchmarks.evaluation.prequential import figures
from benchmarks.evaluation.pricerunner import SEEDS as TITLE_SEEDS
from benchmarks.evaluation.pricerunner import evaluate as evaluate_pricerunner
from benchmarks.evaluation.pricerunner_rows import load_offers
from benchmarks.evaluation.simulations import evaluate_seed, summarise
from benchmarks.evaluation.yardstick import yardstick
from streams.olist_tables import OlistError
from streams.simulator import GAMING_NAMES

#: Seeds of the trees.
ANOMALY_SEEDS: Final = tuple(range(1, 11))
#: The sets that are measured, the longest first.
ANOMALY_SETS: Final = ("cover", "cover_shuffled", "http_shuffled", "shuttle", "mammography", "annthyroid")
#: What each stage of an order predicts, as the report names it.
TASKS: Final[Mapping[str, Stage]] = {
    "late_at_purchase": "purchase",
    "late_at_dispatch": "dispatch",
    "negative_review_after_delivery": "delivery",
}
#: Shards that the tasks are also measured with.
SHARDS: Final = 4
# What `quick` takes of each set.
_QUICK_ORDERS: Final = 3_000
_QUICK_ROWS: Final = 6_000
_QUICK_PURCHASES: Final = 3_000
_QUICK_TITLES: Final = 1_000
_QUICK_VARIANTS: Final = 30
_QUICK_OFFERS: Final = 1_000
_QUICK_RECORDS: Final = 30_000
_QUICK_CREDIT_DAYS: Final = 120

Name: TypeAlias = tuple[str, ...]


class Piece(NamedTuple):
    """A part of the figures: where it belongs, and what computes it."""

    name: Name
    work: Callable[..., dict[str, Any]]
    arguments: tuple[Any, ...]


def carry_out(piece: Piece) -> tuple[Name, dict[str, Any] | str, float]:
    """What a piece found, or in words why it failed: rows that cannot be read must not cost the other figures."""
    start = perf_counter()
    found: dict[str, Any] | str
    try:
        found = piece.work(*piece.arguments)
    except (ArithmeticError, LookupError, OSError, ValueError, OlistError, zipfile.BadZipFile) as error:
        found = f"{type(error).__name__}: {error}"
    return piece.name, found, perf_counter() - start


def plan(data: Path, seeds: Sequence[int], scratch: Path, *, quick: bool) -> tuple[list[Piece], list[str]]:
    """All pieces, the longest first, and a word on each data set that is not there."""
    pieces: list[Piece] = []
    missing: list[str] = []
    folder = data / "adbench"
    for name in ANOMALY_SETS:
        file = folder / DATA_SETS[name].file
        if not file.exists():
            missing.append(f"anomaly/{name}: there is no {file.name} in {folder}")
            continue
        pieces.append(Piece(("anomaly", name, "river"), anomaly_river, (folder, name, quick)))
        pieces.append(Piece(("anomaly", name), anomaly_ours, (folder, name, quick)))
    pieces += [Piece(("simulator", str(seed)), evaluate_seed, (seed, scratch, quick)) for seed in seeds]
    fair = FAIRNESS_SEEDS[: 1 if quick else None]
    pieces += [Piece(("fairness", str(seed)), evaluate_fairness, (seed, quick, seed == fair[0])) for seed in fair]
    pieces += [
        Piece(("gaming", f"{stealth:g}", name, str(seed)), evaluate_gaming, (name, seed, stealth, quick))
        for stealth, seeds_of_gaming in GAMING_SEEDS.items()
        for name in GAMING_NAMES
        for seed in seeds_of_gaming[: 1 if quick else None]
        if stealth == USUAL_STEALTH or not quick
    ]
    creators = CREATOR_SEEDS[: 1 if quick else None]
    pieces += [Piece(("creators", str(seed)), evaluate_creators, (seed, 0.5, quick)) for seed in creators]
    absent = [name for name in OLIST_FILES if not _there(data / "olist", f"{name}.csv")]
    if not absent:
        pieces.append(Piece(("olist",), olist, (data / "olist", quick)))
        pieces.append(Piece(("olist", "four_shards"), olist_shards, (data / "olist", quick)))
        pieces.append(Piece(("credit", "olist"), credit_olist, (data / "olist", quick)))
    else:
        missing.append(f"olist: there is no {absent[0]}.csv in {data / 'olist'}")
    if purchases := _there(data / "fraud_ecommerce", "Fraud_Data.csv"):
        pieces.append(Piece(("fraud",), fraud, (purchases, quick)))
    else:
        missing.append(f"fraud: there is no Fraud_Data.csv in {data / 'fraud_ecommerce'}")
    if titles := _there(data / "pricerunner", "pricerunner_aggregate.csv"):
        pieces.append(Piece(("obfuscation",), obfuscation, (titles, quick)))
        pieces.append(Piece(("pricerunner",), pricerunner, (titles, quick)))
    else:
        missing.append(f"obfuscation, pricerunner: there is no pricerunner_aggregate.csv in {data / 'pricerunner'}")
    return pieces, missing


def assemble(results: Mapping[Name, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of all pieces as one object."""
    found: dict[str, Any] = {}
    seeds = _by_seed(results, "simulator")
    if seeds:
        found["simulator"] = summarise(seeds)
        credit = {seed: result["credit"] for seed, result in seeds.items() if "credit" in result}
        if credit:
            found["credit"] = {"simulator": summarise_credit(credit)}
    fairness = _by_seed(results, "fairness")
    if fairness:
        found["fairness"] = summarise_fairness(fairness)
    creators = _by_seed(results, "creators")
    if creators:
        found["creators"] = summarise_creators(creators)
    gaming = {
        stealth: summarise_gaming(pairs)
        for stealth in GAMING_SEEDS
        if (pairs := {name: runs for name in GAMING_NAMES if (runs := _gaming_runs(results, stealth, name))})
    }
    if gaming:
        found["gaming_details"] = {f"{stealth:g}": each["details"] for stealth, each in gaming.items()}
        if USUAL_STEALTH in gaming:
            found["gaming"] = gaming[USUAL_STEALTH]["gains"]
    # Shorter names first, so that details find their place.
    for name, result in sorted(results.items(), key=lambda item: (len(item[0]), item[0])):
        if name[0] in ("simulator", "fairness", "gaming", "creators"):
            continue
        place = found
        for part in name[:-1]:
            place = place.setdefault(part, {})
        place[name[-1]] = dict(result)
    olist_figures = found.get("olist")
    if olist_figures:
        for task, figures_of_four in olist_figures.pop("four_shards", {}).items():
            olist_figures.setdefault(task, {})["four_shards"] = figures_of_four
        olist_figures["yardstick"] = {
            task: olist_figures[task].pop("yardstick") for task in TASKS if "yardstick" in olist_figures.get(task, {})
        }
    return found


def _by_seed(results: Mapping[Name, Mapping[str, Any]], *head: str) -> dict[int, Mapping[str, Any]]:
    """Results whose names are ``head`` and a seed, by seed."""
    return {
        int(name[-1]): result for name, result in sorted(results.items()) if name[:-1] == head and name[-1].isdigit()
    }


def _gaming_runs(results: Mapping[Name, Mapping[str, Any]], stealth: float, name: str) -> list[Mapping[str, Any]]:
    return list(_by_seed(results, "gaming", f"{stealth:g}", name).values())


def credit_olist(folder: Path, quick: bool) -> dict[str, Any]:
    """The credit of Olist's sellers."""
    return evaluate_credit(folder, _QUICK_RECORDS, _QUICK_CREDIT_DAYS) if quick else evaluate_credit(folder)


def olist(folder: Path, quick: bool) -> dict[str, Any]:
    """Every stage of Olist's orders with one shard, and batch models on the same rows."""
    rows = evaluate(load_orders(folder)[: _QUICK_ORDERS if quick else None], 1).rows
    return {
        task: figures(rows[stage]) | {"yardstick": yardstick(rows[stage], retrain=not quick)}
        for task, stage in TASKS.items()
    }


def olist_shards(folder: Path, quick: bool) -> dict[str, Any]:
    """The same with merchants spread over shards that tell each other what they count."""
    rows = evaluate(load_orders(folder)[: _QUICK_ORDERS if quick else None], SHARDS).rows
    return {task: figures(rows[stage]) for task, stage in TASKS.items()}


def anomaly_ours(folder: Path, name: str, quick: bool) -> dict[str, Any]:
    """Our model, of the worker's size, on one set."""
    rows = load(folder, name, _QUICK_ROWS if quick else None)
    found = measure(rows, ANOMALY_SEEDS[: 2 if quick else None], our_scores, DATA_SETS[name].settled)
    return found | {
        "rows": len(rows.labels),
        "anomalies": float(rows.labels.mean()),
        "order": "shuffled" if DATA_SETS[name].shuffle else "as given",
    }


def anomaly_river(folder: Path, name: str, quick: bool) -> dict[str, Any]:
    """River's trees on one set."""
    rows = load(folder, name, _QUICK_ROWS if quick else None)
    return measure(rows, ANOMALY_SEEDS[: 1 if quick else None], river_scores, DATA_SETS[name].settled)


def fraud(file: Path, quick: bool) -> dict[str, Any]:
    """The fraud set."""
    return evaluate_fraud(load_purchases(file)[: _QUICK_PURCHASES if quick else None])


def obfuscation(file: Path, quick: bool) -> dict[str, Any]:
    """Forbidden terms in disguise, in the titles of a file."""
    titles = load_titles(file)[: _QUICK_TITLES if quick else None]
    return evaluate_obfuscation(titles, count=_QUICK_VARIANTS) if quick else evaluate_obfuscation(titles)


def pricerunner(file: Path, quick: bool) -> dict[str, Any]:
    """Swapped categories, duplicates and alarms in the titles of a file."""
    offers = load_offers(file)
    if quick:
        # From everywhere: the file is in order of category.
        return evaluate_pricerunner(offers[:: len(offers) // _QUICK_OFFERS or 1], 1)
    return evaluate_pricerunner(offers, TITLE_SEEDS)


def _there(folder: Path, name: str) -> Path | None:
    """The file, gzipped or not, if it is there."""
    return next((file for file in (folder / name, folder / f"{name}.gz") if file.exists()), None)
