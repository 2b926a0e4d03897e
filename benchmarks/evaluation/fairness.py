"""What enforcement does to honest merchants, small ones and large ones, and that the circuit breaker holds.

    python -m benchmarks.evaluation.fairness [--seeds 201,202]

On simulations of other seeds than those that credit and detection are measured on. A *severe* action suspends or
closes, or holds payouts for longer than the policies let machines do; it is *before review* where the decision asks no
person. A *false alarm* is a decision about an honest merchant, or something of its, that restricts or asks a person to
look.
"""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import exp, log, sqrt
from multiprocessing import get_context
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.json import Decoder

from benchmarks.evaluation.simulations import simulation_of
from config.policies import load_policies
from config.settings import Settings
from detectors.evaluation.proportions import Z_95, wilson
from detectors.flush import Emit
from detectors.judge import Judge
from features.events import InputEvent, MerchantRegistered, OrderCreated
from features.outputs import EnforcementCapped, EnforcementDecided, Output
from features.windows import DAY_MS
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import Simulation

#: Seeds that neither rules nor credit were measured on before.
SEEDS: Final = tuple(range(201, 211))
#: Severe actions within the breaker's interval, where it is forced.
_FORCED: Final = 1
#: What is counted of honest merchants: how many there are, how many were suspended or closed, of how many a person was
#: asked to suspend them, severe actions that no person was asked about, and how many had payouts held.
_COUNTS: Final = ("honest", "suspended", "suspension_asked", "severe_before_review", "held")
_ENDING: Final = frozenset({"suspend_merchant", "suspend_creator", "close_merchant"})
_decode: Final = Decoder(Output).decode


class _Decision(Struct, frozen=True):
    """A decision as published; times in ms."""

    merchant: str
    action: str
    rule: str
    subject: tuple[str, str]
    time: int
    days: float | None
    reviewed: bool
    #: Whether a person is asked because of the circuit breaker.
    capped: bool

    def severe(self, longest_hold: float) -> bool:
        """Whether machines may not take it; holds are, above so many days."""
        if self.action in _ENDING:
            return True
        return self.action in ("hold_payout", "freeze_commission") and (self.days is None or self.days > longest_hold)


class _Watch:
    """Collects decisions, and who sold how often."""

    def __init__(self) -> None:
        self.decisions: list[_Decision] = []
        self.orders: dict[str, int] = {}
        #: Who registered while it ran.
        self.new: set[str] = set()
        self._start: int | None = None
        self.capped = 0

    def event(self, event: InputEvent, time: int) -> None:
        """Count an order, or see who is new."""
        if self._start is None:
            self._start = time
        if isinstance(event, OrderCreated):
            self.orders[event.merchant_id] = self.orders.get(event.merchant_id, 0) + 1
        elif isinstance(event, MerchantRegistered) and event.registered_at >= self._start:
            self.new.add(event.merchant_id)

    def outputs(self, emits: Sequence[Emit], _: int) -> None:
        """Remember decisions."""
        for emit in emits:
            if emit.stream != "events" or emit.value is None or b'"shopwarden.enforcement.' not in emit.value:
                continue
            output = _decode(emit.value)
            if isinstance(output, EnforcementCapped):
                self.capped += 1
            elif isinstance(output, EnforcementDecided) and output.merchant_id:
                length = None if output.expires_at is None else (output.expires_at - output.starts_at) / DAY_MS
                self.decisions.append(
                    _Decision(
                        merchant=output.merchant_id,
                        action=output.action,
                        rule=output.policy.id,
                        subject=(output.subject.kind, output.subject.id),
                        time=output.starts_at,
                        days=length,
                        reviewed=output.requires_review,
                        capped=output.review_reason == "cap",
                    )
                )


def evaluate_seed(seed: int, quick: bool = False, force: bool = False) -> dict[str, Any]:
    """Counts of one seed; with ``force`` also what the circuit breaker does where it is forced (``breaker``)."""
    judge = evaluation_judge(Settings())
    simulation = simulation_of(seed, quick=quick)
    seen = _run(simulation, judge)
    honest = set(simulation.truth.honest) & seen.orders.keys()
    found = _counts(seen, honest, _longest_hold())
    return found | {"breaker": _forced(seen, judge, seed, quick=quick)} if force else found


def _forced(free: _Watch, judge: Judge, seed: int, *, quick: bool) -> dict[str, Any]:
    """The circuit breaker forced: at most one severe action a day, where more are due.

    ``most``: the most that were carried out without a person within an interval. ``dropped``: rules that took a severe
    action against a merchant without the cap, and with it neither took nor asked for one.
    """
    breaker = judge.policies.breaker
    if breaker is None:
        raise ValueError("the policies have no circuit breaker to force")
    forced = msgspec.structs.replace(
        judge.policies, breaker=msgspec.structs.replace(breaker, actions=_FORCED, merchant_share=1.0, gmv_share=1.0)
    )
    capped = _run(simulation_of(seed, quick=quick), Judge(judge.settings, forced, judge.pseudonyms, judge.signer))
    counted = [_unreviewed(seen, breaker.severe) for seen in (free, capped)]
    severe = {(each.rule, each.subject) for each in capped.decisions if each.action in breaker.severe}
    return {
        "cap": _FORCED,
        "severe_without": len(counted[0]),
        "severe_with": len(counted[1]),
        "most_without": _most(counted[0], breaker.interval),
        "most": _most(counted[1], breaker.interval),
        "beyond_cap": max(0, _most(counted[1], breaker.interval) - _FORCED),
        "to_review": sum(each.capped for each in capped.decisions),
        "opened": capped.capped,
        "dropped": len({(each.rule, each.subject) for each in counted[0]} - severe),
    }


def summarise(seeds: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """All seeds together."""
    runs = list(seeds.values())
    found: dict[str, Any] = {
        "seeds": list(seeds),
        **{name: sum(run[name] for run in runs) for name in _COUNTS},
    }
    for name in ("small", "large", "new", "old"):
        hits, total = (sum(run[name][at] for run in runs) for at in (0, 1))
        found[name] = {
            "false_alarms": hits,
            "merchants": total,
            "share": hits / total if total else None,
            "interval": list(wilson(hits, total)) if total else None,
        }
    found["breaker"] = next((run["breaker"] for run in runs if "breaker" in run), None)
    for name, (one, other) in {"small_to_large": ("small", "large"), "new_to_old": ("new", "old")}.items():
        found[name] = _ratio(found[one], found[other])
    return found


def _run(simulation: Simulation, judge: Judge) -> _Watch:
    seen = _Watch()
    run_archive((ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation), judge, seen)
    return seen


def _longest_hold() -> float:
    """Days for which machines may hold payouts."""
    limits = load_policies(Settings().policies_path).limits
    return limits[0].review_hold_payout_above_days if limits is not None else 0.0


def _counts(seen: _Watch, honest: Collection[str], longest_hold: float) -> dict[str, Any]:
    mistakes = [each for each in seen.decisions if each.merchant in honest]
    alarmed = {each.merchant for each in mistakes if each.action != "warn"}
    # By orders; those with the median are small.
    ranked = sorted(honest, key=lambda merchant: (seen.orders[merchant], merchant))
    middle = seen.orders[ranked[len(ranked) // 2]] if ranked else 0
    small = {merchant for merchant in ranked if seen.orders[merchant] <= middle}
    groups = {
        "small": small,
        "large": set(honest) - small,
        "new": set(honest) & seen.new,
        "old": set(honest) - seen.new,
    }
    return {
        "honest": len(honest),
        "suspended": len({each.merchant for each in mistakes if each.action in _ENDING and not each.reviewed}),
        "suspension_asked": len({each.merchant for each in mistakes if each.action in _ENDING and each.reviewed}),
        "severe_before_review": sum(each.severe(longest_hold) and not each.reviewed for each in mistakes),
        "held": len({each.merchant for each in mistakes if each.action == "hold_payout" and not each.reviewed}),
        **{name: [len(group & alarmed), len(group)] for name, group in groups.items()},
    }


def _unreviewed(seen: _Watch, severe: Collection[str]) -> list[_Decision]:
    """What the breaker counts: actions against a merchant itself that no person was asked about."""
    return [
        each
        for each in seen.decisions
        if each.action in severe and not each.reviewed and each.subject[0] in ("merchant", "creator")
    ]


def _most(decisions: Sequence[_Decision], interval: int) -> int:
    """The most decisions within an interval, ms."""
    times = sorted(each.time for each in decisions)
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= interval:
            first += 1
        most = max(most, last - first + 1)
    return most


def _ratio(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Ratio of two rates with an interval of 95 % (D. Katz and others: Biometrics 34, 1978); half an alarm more in each
    where one has none.
    """
    hits, others = one["false_alarms"], other["false_alarms"]
    total, rest = one["merchants"], other["merchants"]
    if not total or not rest:
        return {"value": None, "interval": None}
    if not hits or not others:
        hits, others, total, rest = hits + 0.5, others + 0.5, total + 0.5, rest + 0.5
    value = (hits / total) / (others / rest)
    reach = Z_95 * sqrt(1 / hits - 1 / total + 1 / others - 1 / rest)
    return {"value": value, "interval": [exp(log(value) - reach), exp(log(value) + reach)]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some seeds and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.fairness")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    given = parser.parse_args(arguments)
    try:
        seeds = [int(each) for each in given.seeds.split(",")]
    except ValueError as error:
        parser.error(str(error))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        running = [pool.submit(evaluate_seed, seed, force=seed == seeds[0]) for seed in seeds]
        found = summarise({seed: each.result() for seed, each in zip(seeds, running, strict=True)})
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
