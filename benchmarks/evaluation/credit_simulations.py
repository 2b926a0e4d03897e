"""The credit of simulated merchants: against how their orders turned out, and against who attacks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.credit_figures import attackers, figures
from benchmarks.evaluation.credit_snapshots import CreditSnapshots, Snapshot
from config.policies import load_policies
from config.settings import Settings
from detectors.evaluation.scorecard import gini
from detectors.policy import compile_policies
from features.registry import FEATURES
from streams.simulator import Simulation

#: When credit is noted in a simulation of 90 days: most attacks begin in its second and third quarter.
FIRST_DAYS: Final = 30
EVERY_DAYS: Final = 15
_EVERY_MONTHS: Final = EVERY_DAYS / 30


class SimulatedCredit(Struct, frozen=True):
    """Credit in one simulation: ``onsets`` of those who attack, ms, and with what (``attacks``), who is honest, and how
    many changes of credit were ``told``.
    """

    snapshots: list[Snapshot]
    onsets: dict[str, int]
    attacks: dict[str, str]
    honest: frozenset[str]
    told: int


def simulated_credit(seen: CreditSnapshots, simulation: Simulation) -> SimulatedCredit:
    """What was seen of a simulation that has run, with its truth."""
    truth = simulation.truth
    return SimulatedCredit(
        snapshots=seen.snapshots(),
        onsets={merchant: onset for each in truth.attacks.values() for merchant, onset in each.onsets.items()},
        attacks=truth.attackers(),
        honest=frozenset(truth.honest),
        told=seen.told,
    )


def summarise(seeds: Mapping[int, SimulatedCredit]) -> dict[str, Any]:
    """Figures of all simulations together.

    ``gini`` is that of who attacks, since here the truth says who does harm; ``orders`` has the figures of the orders
    of the next 60 days, as on real data, beside what the truth itself would give (``ceiling``).
    """
    runs = list(seeds.values())
    snapshots = [each for run in runs for each in run.snapshots]
    onsets = {merchant: onset for run in runs for merchant, onset in run.onsets.items()}
    attacks = {merchant: pattern for run in runs for merchant, pattern in run.attacks.items()}
    honest = frozenset[str]().union(*(run.honest for run in runs))
    policy = compile_policies(load_policies(Settings().policies_path), FEATURES).credit["merchant"]
    orders = figures(snapshots, policy) | {
        "ceiling": ceiling(snapshots, onsets, attacks),
        "told_per_month": sum(run.told for run in runs) / (len(snapshots) * _EVERY_MONTHS) if snapshots else None,
    }
    return attackers(snapshots, onsets, honest) | {"seeds": list(seeds), "orders": orders}


def ceiling(
    snapshots: Sequence[Snapshot], onsets: Mapping[str, int], attacks: Mapping[str, str]
) -> dict[str, float | None]:
    """Gini of bad orders that the simulator's own truth gives: no score can do better but by luck.

    ``service``: ranked by how well each merchant serves at that time. ``known``: whose attack has begun is ranked by
    the bad rate of such attacks. ``future``: likewise who will attack later, which nobody can know before.
    """
    used = [each for each in snapshots if each.row.orders and each.truth is not None]
    kinds = [_kind(each, onsets, attacks) for each in used]
    totals: dict[tuple[str, bool], list[int]] = {}
    for each, kind in zip(used, kinds, strict=True):
        if kind is not None:
            total = totals.setdefault(kind, [0, 0])
            total[0] += each.row.bad
            total[1] += each.row.orders
    rates = {kind: bad / orders for kind, (bad, orders) in totals.items()}
    bad, orders = [float(each.row.bad) for each in used], [float(each.row.orders) for each in used]
    service = [each.truth or 0.0 for each in used]
    known = [rates[kind] if kind is not None and kind[1] else own for kind, own in zip(kinds, service, strict=True)]
    future = [own if kind is None else rates[kind] for kind, own in zip(kinds, service, strict=True)]
    return {
        name: gini(scores, bad, orders) for name, scores in (("service", service), ("known", known), ("future", future))
    }


def _kind(each: Snapshot, onsets: Mapping[str, int], attacks: Mapping[str, str]) -> tuple[str, bool] | None:
    """A merchant's attack, and whether it had begun; None of those who never attack."""
    pattern = attacks.get(each.row.party)
    return None if pattern is None else (pattern, onsets[each.row.party] <= each.row.at)
