"""The credit of simulated merchants: against how their orders turned out, and against who attacks."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from benchmarks.evaluation.credit_figures import attackers, figures
from benchmarks.evaluation.credit_snapshots import Snapshot
from config.policies import load_policies
from config.settings import Settings
from detectors.policy import compile_policies
from features.registry import FEATURES

#: When credit is noted in a simulation of 90 days: most attacks begin in its second and third quarter.
FIRST_DAYS: Final = 30
EVERY_DAYS: Final = 15


class SimulatedCredit(Struct, frozen=True):
    """Credit in one simulation: ``onsets`` of those who attack, ms, and who is honest."""

    snapshots: list[Snapshot]
    onsets: dict[str, int]
    honest: frozenset[str]


def summarise(seeds: Mapping[int, SimulatedCredit]) -> dict[str, Any]:
    """Figures of all simulations together.

    ``gini`` is that of who attacks, since here the truth says who does harm; ``orders`` has the figures of the orders
    of the next 60 days, as on real data.
    """
    runs = list(seeds.values())
    snapshots = [each for run in runs for each in run.snapshots]
    onsets = {merchant: onset for run in runs for merchant, onset in run.onsets.items()}
    honest = frozenset[str]().union(*(run.honest for run in runs))
    policy = compile_policies(load_policies(Settings().policies_path), FEATURES).credit["merchant"]
    return attackers(snapshots, onsets, honest) | {"seeds": list(seeds), "orders": figures(snapshots, policy)}
