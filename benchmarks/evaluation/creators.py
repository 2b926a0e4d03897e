"""Creators who live off counterfeiters, and honest ones: who is found, how soon, and who is accused wrongly.

    python -m benchmarks.evaluation.creators [--seeds 401,402] [--stealth 0.5]

On simulations with *bad promoters* (each drives most of the sales of three sellers of counterfeits, and some of an
honest shop), *deceived* creators (honest; a shop whose sales they drive turns out to be a bust-out), and all other
creators, who are honest. A creator is *found* where a decision about it is published, be it a request for review, and
*acted on* where one that restricts is carried out. Commission that is kept back of a suspended shop's sales alone
accuses nobody (``limited_to``) and is counted by itself.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from config.settings import Settings
from detectors.actions import HARSHNESS
from detectors.evaluation.proportions import wilson
from detectors.flush import Emit
from features.events import InputEvent, OrderCreated
from features.outputs import Action, EnforcementDecided, Output
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import Plan, Simulation, SimulatorConfig

#: Seeds that the rules on creators were not made with.
SEEDS: Final = tuple(range(401, 406))
_HOUR_MS: Final = 3_600_000
_SIZE: Final[dict[str, Any]] = {"merchants": 220, "orders_per_day": 110.0}
_QUICK_SIZE: Final[dict[str, Any]] = {"merchants": 40, "orders_per_day": 8.0, "span_days": 50.0}
_SCENARIOS: Final = 4
_WARN: Final = HARSHNESS["require_review"]
_decode: Final = Decoder(Output).decode


class Decision(Struct, frozen=True):
    """A decision about a creator; ``limited``: it is about the sales of some merchants alone."""

    creator: str
    action: Action
    time: int
    waits: bool
    limited: bool

    @property
    def restricts(self) -> bool:
        """Whether it was carried out and takes something away."""
        return not self.waits and not self.limited and HARSHNESS[self.action] > _WARN


class _Watch:
    """Collects decisions about creators, and which creators there are."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.creators: set[str] = set()

    def event(self, event: InputEvent, _: int) -> None:
        """See who drives orders."""
        if isinstance(event, OrderCreated) and event.creator_id:
            self.creators.add(event.creator_id)

    def outputs(self, emits: Sequence[Emit], _: int) -> None:
        """Remember decisions."""
        for emit in emits:
            if emit.stream != "events" or emit.value is None or b'"shopwarden.enforcement.' not in emit.value:
                continue
            output = _decode(emit.value)
            if isinstance(output, EnforcementDecided) and output.creator_id:
                self.decisions.append(
                    Decision(
                        output.creator_id,
                        output.action,
                        output.starts_at,
                        output.requires_review,
                        output.limited_to is not None,
                    )
                )


def evaluate_seed(seed: int, stealth: float = 0.5, quick: bool = False) -> dict[str, Any]:
    """Counts of one seed."""
    plan = Plan(1 if quick else _SCENARIOS, stealth=stealth)
    size = _QUICK_SIZE if quick else _SIZE
    simulation = Simulation(SimulatorConfig(seed=seed, bad_promoter=plan, deceived_creator=plan, **size))
    watch = _Watch()
    records = (ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation)
    run_archive(records, evaluation_judge(Settings()), watch)
    truth = simulation.truth
    bad = {creator: label.start_ms for creator, label in truth.creators.items() if creator in watch.creators}
    deceived = {creator for names in truth.creator_traps.values() for creator in names}
    return count(watch.decisions, watch.creators, bad, deceived & watch.creators)


def count(
    decisions: Sequence[Decision], creators: set[str], bad: Mapping[str, int], deceived: set[str]
) -> dict[str, Any]:
    """What became of each kind of creator.

    Parameters
    ----------
    creators
        All that drove orders.
    bad
        The malicious ones, and since when they are, ms.
    deceived
        Honest ones that a malicious shop made use of.
    """
    accusing = [each for each in decisions if not each.limited]
    found: dict[str, int] = {}
    acted: dict[str, int] = {}
    for each in accusing:
        found.setdefault(each.creator, each.time)
        if each.restricts:
            acted.setdefault(each.creator, each.time)
    honest = creators - bad.keys() - deceived

    def of(group: set[str]) -> dict[str, int]:
        return {
            "creators": len(group),
            "found": len(group & found.keys()),
            "acted_on": len(group & acted.keys()),
            "kept_back": len(group & {each.creator for each in decisions if each.limited}),
        }

    return {
        "bad": of(set(bad)),
        "deceived": of(deceived),
        "honest": of(honest),
        "hours_to_found": [(found[name] - since) / _HOUR_MS for name, since in bad.items() if name in found],
        "hours_to_action": [(acted[name] - since) / _HOUR_MS for name, since in bad.items() if name in acted],
    }


def summarise(seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """All seeds together: shares with intervals of 95 % (Wilson), and median hours since a creator turned bad."""
    runs = list(seeds.values())
    found: dict[str, Any] = {"seeds": list(seeds)}
    for group in ("bad", "deceived", "honest"):
        totals = {name: sum(run[group][name] for run in runs) for name in runs[0][group]}
        found[group] = totals | {
            f"{name}_share": _share(totals[name], totals["creators"]) for name in ("found", "acted_on")
        }
    for name in ("found", "acted_on"):
        right = found["bad"][name]
        found[f"precision_{name}"] = _share(right, sum(found[group][name] for group in ("bad", "deceived", "honest")))
    for name in ("hours_to_found", "hours_to_action"):
        hours = [each for run in runs for each in run[name]]
        found[name] = median(hours) if hours else None
    return found


def _share(hits: int, total: int) -> dict[str, Any]:
    return {"value": hits / total if total else None, "interval": list(wilson(hits, total)) if total else None}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some seeds and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.creators")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--stealth", type=float, default=0.5)
    given = parser.parse_args(arguments)
    try:
        seeds = [int(each) for each in given.seeds.split(",")]
        Plan(1, stealth=given.stealth)
    except ValueError as error:
        parser.error(str(error))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        running = [pool.submit(evaluate_seed, seed, given.stealth) for seed in seeds]
        found = summarise({seed: each.result() for seed, each in zip(seeds, running, strict=True)})
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
