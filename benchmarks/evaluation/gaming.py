"""What shops gain by gaming their credit: the same shops of the same seed with their tricks and without.

    python -m benchmarks.evaluation.gaming [--seeds 301,302] [--stealth 0.5] [--only split_shop]

Of each shop, points, tier and probability of harm are noted every week from a month after its onset on, and for how
long it was restricted. The gain is the mean difference between the two runs; a split shop's two accounts count as one.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import sqrt
from multiprocessing import get_context
from statistics import fmean, stdev
from typing import Any, Final

from msgspec import Struct, field
from msgspec.json import Decoder

from config.settings import Settings
from detectors.actions import HARSHNESS
from detectors.apply import Core
from detectors.flush import Emit
from detectors.policy import PolicySet
from features.events import InputEvent
from features.outputs import EnforcementDecided, EnforcementReversed, Output
from features.windows import DAY_MS
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import GAMING_NAMES, Plan, Simulation, SimulatorConfig
from streams.simulator.answers import Answers
from streams.simulator.plans import RING_SIZES

#: Stealth of the figures and goals.
USUAL_STEALTH: Final = 0.5
#: Seeds by stealth.
SEEDS: Final[Mapping[float, Sequence[int]]] = {USUAL_STEALTH: tuple(range(301, 307)), 1.0: (307,)}
#: Days after its onset from which a shop's credit is noted, and how often.
_FROM_DAYS: Final = 30
_EVERY_DAYS: Final = 7
_SHOPS: Final = 4
_SIZE: Final[dict[str, Any]] = {"merchants": 100, "orders_per_day": 40.0, "span_days": 90.0}
_QUICK_SIZE: Final[dict[str, Any]] = {"merchants": 40, "orders_per_day": 10.0, "span_days": 45.0}
#: Policies that each trick really breaks; a person who is asked finds so.
_GUILTY: Final[Mapping[str, frozenset[str]]] = {
    "score_farming": frozenset({"self_dealing", "brushing"}),
    "late_cancelling": frozenset({"seller_cancellation"}),
    "split_shop": frozenset({"linked_accounts", "probation_evasion"}),
    "appeal_spam": frozenset({"off_platform_diversion"}),
}
_decode: Final = Decoder(Output).decode


class _Note(Struct, frozen=True):
    """A shop's credit at a time; ``rank`` of its tier, 0 for the standard."""

    points: int | None
    rank: int
    probability: float


class _Shop(Struct):
    """What happened to a shop; times in ms."""

    notes: list[_Note] = field(default_factory=list)
    decisions: int = 0
    #: By decision: when a restriction of the shop itself began, and when it ends.
    restricted: dict[str, tuple[int, int]] = field(default_factory=dict)


class _Watch:
    """Notes the credit of some shops, and lets those who spam appeals know of decisions."""

    def __init__(self, onsets: Mapping[str, int], policies: PolicySet, answers: Answers, end: int) -> None:
        self.shops = {merchant: _Shop() for merchant in onsets}
        self._onsets = onsets
        credit = policies.credit["merchant"]
        self._ranks = {name: credit.rank(name) for name in credit.names()}
        self._policies = {rule.id: rule.policy for rule in policies.rules.values()}
        self._answers = answers
        self._end = end
        self._next = min(onsets.values()) + _FROM_DAYS * DAY_MS
        self._cores: Sequence[Core] = ()

    def begun(self, cores: Sequence[Core]) -> None:
        """The cores of the run."""
        self._cores = cores

    def event(self, _: InputEvent, time: int) -> None:
        """Take notes when a week has passed."""
        while time >= self._next:
            for merchant, shop in self.shops.items():
                if self._onsets[merchant] + _FROM_DAYS * DAY_MS <= self._next:
                    self._note(merchant, shop)
            self._next += _EVERY_DAYS * DAY_MS

    def _note(self, merchant_id: str, shop: _Shop) -> None:
        for core in self._cores:
            merchant = core.state.merchants.get(merchant_id)
            credit = None if merchant is None else merchant.record.credit
            if credit is not None and credit.tier:
                shop.notes.append(_Note(credit.score, self._ranks[credit.tier], credit.probability))

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """Remember restrictions, and pass decisions on."""
        for emit in emits:
            if emit.stream != "events" or emit.value is None or b'"shopwarden.enforcement.' not in emit.value:
                continue
            output = _decode(emit.value)
            shop = self.shops.get(output.merchant_id) if isinstance(output, _ENFORCEMENT) else None
            if shop is None:
                continue
            if isinstance(output, EnforcementDecided):
                shop.decisions += 1
                self._answers.decided(output.merchant_id, output.decision_id, time)
                if output.requires_review or output.action == "require_review":
                    policy = self._policies.get(output.policy.id, "")
                    self._answers.asked(output.merchant_id, output.decision_id, policy, time)
                restricts = HARSHNESS[output.action] > HARSHNESS["require_review"] and not output.requires_review
                if restricts and output.subject.kind == "merchant":
                    shop.restricted[output.decision_id] = output.starts_at, output.expires_at or self._end
                if output.supersedes in shop.restricted:
                    shop.restricted[output.supersedes] = shop.restricted[output.supersedes][0], time
            elif isinstance(output, EnforcementReversed) and output.reverses in shop.restricted:
                begun, until = shop.restricted[output.reverses]
                shop.restricted[output.reverses] = begun, min(until, time)

    def restricted_days(self, merchant: str) -> float:
        """Days on which the shop itself was restricted in any way."""
        total = 0
        last = 0
        for begun, until in sorted(self.shops[merchant].restricted.values()):
            part = min(until, self._end) - max(begun, last)
            if part > 0:
                total += part
                last = until
        return total / DAY_MS


_ENFORCEMENT: Final = (EnforcementDecided, EnforcementReversed)


def evaluate_pair(name: str, seed: int, stealth: float = USUAL_STEALTH, quick: bool = False) -> dict[str, Any]:
    """The shops' figures with a trick and without it, in one seed; no other trick is played there."""
    played, left = (_run(name, seed, stealth, quick=quick, gaming=gaming) for gaming in (True, False))
    return {"shops": len(played), "played": _summary(played), "left": _summary(left)}


def _run(name: str, seed: int, stealth: float, *, quick: bool, gaming: bool) -> list[dict[str, float | None]]:
    """The figures of each operator."""
    size = (_QUICK_SIZE if quick else _SIZE) | {name: Plan(1 if quick else _SHOPS, stealth=stealth)}
    simulation = Simulation(SimulatorConfig(seed=seed, gaming=gaming, **size))
    episode = simulation.truth.gaming[name]
    judge = evaluation_judge(Settings())
    guilty = dict.fromkeys(episode.merchants, _GUILTY[name]) if gaming else {}
    answers = Answers(episode.merchants if gaming and name == "appeal_spam" else (), guilty, seed)
    watch = _Watch(episode.onsets, judge.policies, answers, simulation.config.end)
    run_archive(_with_answers(simulation, answers), judge, watch, begun=watch.begun)
    ring = RING_SIZES.get(name, 1)
    accounts = [episode.merchants[place : place + ring] for place in range(0, len(episode.merchants), ring)]
    # Without the trick the second account is not the operator's.
    return [_operator(watch, each if gaming else each[:1]) for each in accounts]


def _with_answers(simulation: Simulation, answers: Answers) -> Iterator[ArchiveRecord]:
    """The records of both in the order of their times."""
    for record in simulation:
        for answer in answers.take(record.timestamp + 1):
            yield ArchiveRecord(answer.topic, answer.key, answer.value, answer.timestamp)
        yield ArchiveRecord(record.topic, record.key, record.value, record.timestamp)


def _operator(watch: _Watch, accounts: Sequence[str]) -> dict[str, float | None]:
    notes = [note for merchant in accounts for note in watch.shops[merchant].notes]
    points = [note.points for note in notes if note.points is not None]
    return {
        "points": fmean(points) if points else None,
        "rank": fmean(note.rank for note in notes) if notes else None,
        "probability": fmean(note.probability for note in notes) if notes else None,
        "restricted_days": fmean(watch.restricted_days(merchant) for merchant in accounts),
        "decisions": float(sum(watch.shops[merchant].decisions for merchant in accounts)),
    }


_FIGURES: Final = ("points", "rank", "probability", "restricted_days", "decisions")


def _summary(operators: Sequence[Mapping[str, float | None]]) -> dict[str, list[float | None]]:
    return {name: [each[name] for each in operators] for name in _FIGURES}


def summarise(pairs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """By scenario, over all its runs: ``gains`` in points as a number each, and ``details`` with the rest.

    Each figure has its mean with the trick (``played``) and without (``left``), the mean difference over shops
    (``gain``) and its standard error. It is a gain of the shop's where points or rank rise, and where harm, restricted
    days or decisions fall.
    """
    details: dict[str, Any] = {}
    gains: dict[str, float | None] = {}
    for name, runs in pairs.items():
        found: dict[str, Any] = {"shops": sum(run["shops"] for run in runs)}
        for figure in _FIGURES:
            shops = [
                (played, left)
                for run in runs
                for played, left in zip(run["played"][figure], run["left"][figure], strict=True)
                if played is not None and left is not None
            ]
            differences = [played - left for played, left in shops]
            found[figure] = {
                "played": fmean(played for played, _ in shops) if shops else None,
                "left": fmean(left for _, left in shops) if shops else None,
                "gain": fmean(differences) if shops else None,
                "error": stdev(differences) / sqrt(len(differences)) if len(differences) > 1 else None,
            }
        details[name] = found
        gains[name] = found["points"]["gain"]
    return {"gains": gains, "details": details}


def as_text(found: Mapping[str, Any]) -> list[str]:
    """The figures as lines."""
    lines = [f"{'':16}{'shops':>6}" + "".join(f"{figure:>30}" for figure in _FIGURES)]
    for name, each in found["details"].items():
        cells = []
        for figure in _FIGURES:
            value = each[figure]
            if value["gain"] is None:
                cells.append("-")
                continue
            error = "" if value["error"] is None else f" ({value['error']:.2f})"
            cells.append(f"{value['left']:.2f} {value['gain']:+.2f}{error}")
        lines.append(f"{name:16}{each['shops']:6}" + "".join(f"{cell:>30}" for cell in cells))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some seeds and print what each trick gains: the figure without it, and what changes with it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.gaming")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS[USUAL_STEALTH])))
    parser.add_argument("--stealth", type=float, default=USUAL_STEALTH)
    parser.add_argument("--only", choices=GAMING_NAMES, help="one trick alone")
    given = parser.parse_args(arguments)
    try:
        seeds = [int(each) for each in given.seeds.split(",")]
        Plan(1, stealth=given.stealth)
    except ValueError as error:
        parser.error(str(error))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        running = {
            name: [pool.submit(evaluate_pair, name, seed, given.stealth) for seed in seeds]
            for name in GAMING_NAMES
            if given.only in (None, name)
        }
        found = {name: [each.result() for each in runs] for name, runs in running.items()}
    print("\n".join(as_text(summarise(found))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
