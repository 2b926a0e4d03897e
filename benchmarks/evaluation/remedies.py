"""Remedies on labelled simulations: are claims of buyers who abuse refunds told from honest ones, and who waits?

python -m benchmarks.evaluation.remedies [--seeds 1,2] prints, for what was recommended after claims, how good the
probability of abuse is, and how much honest and abusive buyers are refunded at once.
"""

import argparse
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct

from config.settings import Settings
from detectors.evaluation.ranking import roc_auc
from detectors.flush import Emit
from features.events import InputEvent, OrderCreated
from features.outputs import RemedyRecommended
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import Simulation, SimulatorConfig

_CLAIMS: Final = frozenset({"not_received", "not_as_described", "damaged", "wrong_item", "counterfeit"})
_EDGES: Final = (0.0, 0.1, 0.2, 0.3, 0.6, 0.9, 1.0)
_TYPE: Final = b"shopwarden.remedy.recommended.v1"
_decode = msgspec.json.Decoder(RemedyRecommended).decode


class Claimed(Struct, frozen=True):
    """A recommendation after a claim, and whether its buyer abuses refunds."""

    probability: float
    abusive: bool
    amount: int
    #: Refunded without a person and without the goods coming back.
    instant: bool
    review: bool


class _Witness:
    """Keeps what was recommended, and whose each order was."""

    def __init__(self) -> None:
        self.buyers: dict[str, str] = {}
        self.recommended: list[RemedyRecommended] = []

    def event(self, event: InputEvent, time: int) -> None:
        """Note the buyer of an order."""
        if type(event) is OrderCreated:
            self.buyers[event.order_id] = event.buyer_id

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """Keep recommendations."""
        for emit in emits:
            if ("ce_type", _TYPE) in emit.headers:
                self.recommended.append(_decode(emit.value or b""))


def claimed_of(simulation: Simulation) -> list[Claimed]:
    """What was recommended after claims in a simulation."""
    witness = _Witness()
    records = (ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation)
    run_archive(records, evaluation_judge(Settings()), witness)
    abusive = simulation.truth.buyers
    return [
        Claimed(
            each.buyer_abuse_probability,
            witness.buyers.get(each.order_id) in abusive,
            each.amount,
            each.kind == "instant_refund" and not each.requires_review,
            each.requires_review,
        )
        for each in witness.recommended
        if each.cause in _CLAIMS
    ]


def figures(found: Sequence[Claimed]) -> dict[str, Any]:
    """How good the probabilities are, and what becomes of the claims of either kind of buyer."""
    labels = [each.abusive for each in found]
    return {
        "claims": len(found),
        "abusive": sum(labels),
        "auc": roc_auc(labels, [each.probability for each in found]),
        "brier": sum((each.probability - each.abusive) ** 2 for each in found) / len(found),
        "bins": [
            (low, high, len(inside), _mean(each.probability for each in inside), _mean(each.abusive for each in inside))
            for low, high in pairwise(_EDGES)
            if (inside := [each for each in found if low <= each.probability < high])
        ],
        "honest": _treated([each for each in found if not each.abusive]),
        "abusers": _treated([each for each in found if each.abusive]),
    }


def _treated(found: Sequence[Claimed]) -> dict[str, float]:
    amount = sum(each.amount for each in found)
    return {
        "reviewed": _mean(each.review for each in found),
        "instant": _mean(each.instant for each in found),
        "instant_of_amount": sum(each.amount for each in found if each.instant) / amount if amount else 0.0,
    }


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def lines(found: dict[str, Any]) -> list[str]:
    """The figures, for a person."""
    shown = [
        f"{found['claims']:,} recommendations after claims, {found['abusive']:,} of buyers who abuse refunds",
        f"AUC {found['auc']:.3f}, Brier score {found['brier']:.4f}",
        "probability   claims   mean   abusive",
    ]
    shown += [
        f"{low:.1f} to {high:.1f}   {n:8,}   {mean:.3f}   {share:.3f}" for low, high, n, mean, share in found["bins"]
    ]
    for who in ("honest", "abusers"):
        each = found[who]
        shown.append(
            f"{who}: {each['reviewed']:.1%} wait for a person, {each['instant']:.1%} are refunded at once "
            f"({each['instant_of_amount']:.1%} of the amount)"
        )
    return shown


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101,102,103,104", help="of the simulations, by commas")
    parser.add_argument("--events", type=int, default=60_000, help="of each simulation, about")
    options = parser.parse_args()
    found = [
        claimed
        for seed in options.seeds.split(",")
        for claimed in claimed_of(Simulation(SimulatorConfig.for_events(options.events, seed=int(seed))))
    ]
    print("\n".join(lines(figures(found))))


if __name__ == "__main__":
    main()
