"""Real listing titles (PriceRunner): swapped categories, duplicates across merchants, and how often each rule on
listings fires where nothing is wrong.

python -m benchmarks.evaluation.pricerunner [--data DIR] [--seeds 5]
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from benchmarks.evaluation.pricerunner_categories import evaluate_categories
from benchmarks.evaluation.pricerunner_duplicates import evaluate_duplicates
from benchmarks.evaluation.pricerunner_rows import Offer, load_offers, place
from config.settings import Settings
from detectors.apply import Core
from detectors.flush import Emit
from detectors.judge import Judge
from features.events import InputEvent
from features.outputs import RiskAssessed
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive

#: Seeds of the order of listings and of which are swapped.
SEEDS: Final = 5
#: Rules that compare a listing with others, and do not judge its text by itself.
COMPARING: Final = frozenset({"duplicate-listing", "copied-listing"})
_START_MS: Final = 1_750_000_000_000
_MINUTE_MS: Final = 60_000


def evaluate(offers: Sequence[Offer], seeds: int = SEEDS) -> dict[str, Any]:
    """All figures of the set."""
    return (
        evaluate_categories(offers, range(1, seeds + 1))
        | evaluate_duplicates(offers)
        | untouched(offers)
        | {"offers": len(offers), "categories": len({offer.category for offer in offers})}
    )


def untouched(offers: Sequence[Offer]) -> dict[str, Any]:
    """How many of the titles each rule names when all are listed rightly, through the whole core."""
    seen = _Named()
    settings = Settings()
    judge = evaluation_judge(settings)
    # All that is found is published, and nothing by chance.
    settings_of_run = msgspec.structs.replace(judge.settings, publish_level=1, audit_rate=0.0)
    judge = Judge(settings_of_run, judge.policies, judge.pseudonyms, judge.signer)
    cores: list[Core] = []
    run_archive(_records(offers), judge, seen, seed=settings.worker.seed, begun=cores.extend)
    counts = Counter(rule for rules in seen.rules.values() for rule in rules)
    by_text = sum(bool(rules - COMPARING) for rules in seen.rules.values())
    return {
        "untouched_alarms": dict(counts.most_common()),
        "untouched_shadow": dict(sorted(cores[0].state.statistics.shadow.items())),
        "untouched_text_alarm_share": by_text / max(1, len(offers)),
    }


class _Named:
    """The rules that named each listing."""

    def __init__(self) -> None:
        self.rules: dict[str, set[str]] = defaultdict(set)

    def event(self, event: InputEvent, time: int) -> None:
        """Nothing is to be seen of inputs."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """Note the reasons of what was published."""
        for emit in emits:
            if emit.stream == "events" and emit.value and b"risk.assessed" in emit.value:
                assessed = msgspec.json.decode(emit.value, type=RiskAssessed)
                if assessed.subject.kind == "listing":
                    self.rules[assessed.subject.id].update(reason.code for reason in assessed.reasons)


def _records(offers: Sequence[Offer]) -> Iterable[ArchiveRecord]:
    """One listing a minute, under the brand that the product's name begins with; all at one price, as none is given."""
    for number, placed in enumerate(place(offers, 1, 0.0)):
        offer = placed.offer
        listing = {
            "type": "listing.created",
            "event_id": f"e{number}",
            "occurred_at": _START_MS + number * _MINUTE_MS,
            "merchant_id": f"m{offer.merchant}",
            "listing_id": f"l{number}",
            "title": offer.title,
            "category": offer.category,
            "brand": offer.product_name.partition(" ")[0] or None,
            "price": 10_000,
            "currency": "GBP",
        }
        key = str(listing["merchant_id"]).encode()
        yield ArchiveRecord("listings", key, orjson.dumps(listing), int(listing["occurred_at"]))  # type: ignore[call-overload]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Real titles: swapped categories, duplicates, alarms.")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    offers = load_offers(given.data / "pricerunner" / "pricerunner_aggregate.csv.gz")
    print(json.dumps(evaluate(offers, given.seeds), indent=2))


if __name__ == "__main__":
    main()
