"""How often intervals of 95 % hold the truth, on streams whose truth is known: ``python -m benchmarks.coverage``.

Writes build/coverage.json: for each estimate how often its interval was to hold the truth, how often it did, and in how
many runs. Each run draws its own marketplace: merchants with orders and views of very different numbers, violations
that cluster by merchant, a score that knows something of them, an audit sample of a random stratum and of strata by
score, and two arms of merchants.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from detectors.evaluation.policy_experiments import Outcome, compare_arms
from detectors.evaluation.sampled_ratios import RatioEstimate, SampledUnit, estimate_ratio

RUNS: Final = 500
SEED: Final = 20_261_129
MERCHANTS: Final = 1_500
#: Chance of an audit at random, and by score: floor, and what a score of 1 adds.
UNIFORM: Final = 0.04
FLOOR, BY_SCORE = 0.02, 0.6
#: Above this score a listing is flagged.
FLAGGED: Final = 0.5
#: Days on which somebody looks at a running experiment, and merchants that join each day and arm.
LOOKS, JOINING = 20, 40
EFFECT: Final = -0.02


class Marketplace:
    """Listings of merchants with views, whether they violate, and a score; the truth is that of the process."""

    def __init__(self, rng: np.random.Generator) -> None:
        listings = rng.integers(1, 8, MERCHANTS)
        self.merchant = np.repeat(np.arange(MERCHANTS), listings)
        count = len(self.merchant)
        # One merchant in twenty has many violations, the others next to none.
        bad = rng.random(MERCHANTS) < 0.05
        rate = np.where(bad, rng.beta(6, 4, MERCHANTS), rng.beta(0.5, 60, MERCHANTS))
        self.violates = rng.random(count) < rate[self.merchant]
        self.views = rng.lognormal(3.0, 1.0, count)
        noise = rng.normal(0, 0.18, count)
        self.score = np.clip(np.where(self.violates, 0.62, 0.2) + noise, 0, 1)
        self.flagged = self.score > FLAGGED

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Which listings are audited, and with which probability each would have been."""
        by_score = FLOOR + BY_SCORE * self.score**2
        probability = 1 - (1 - UNIFORM) * (1 - by_score)
        return rng.random(len(probability)) < probability, probability


def truths(rng: np.random.Generator) -> dict[str, float]:
    """Prevalence by listings and by views, precision and recall of the process, from very many merchants."""
    sums = np.zeros(6)
    for _ in range(400):
        market = Marketplace(rng)
        sums += (
            market.violates.sum(), len(market.violates), market.views[market.violates].sum(), market.views.sum(),
            (market.violates & market.flagged).sum(), market.flagged.sum(),
        )  # fmt: skip
    violating, listings, bad_views, views, found, flagged = sums
    return {
        "prevalence_by_listings": violating / listings,
        "prevalence_by_views": bad_views / views,
        "precision": found / flagged,
        "recall": found / violating,
    }


def estimates(market: Marketplace, rng: np.random.Generator) -> dict[str, RatioEstimate]:
    """The four ratios, as the audit sample of one marketplace has them."""
    drawn, probability = market.sample(rng)
    rows = np.flatnonzero(drawn)

    def units(numerator: np.ndarray, denominator: np.ndarray) -> Iterator[SampledUnit]:
        for row in rows:
            yield SampledUnit(
                cluster=str(market.merchant[row]),
                inclusion_probability=float(probability[row]),
                numerator=float(numerator[row]),
                denominator=float(denominator[row]),
            )

    violates, flagged, views = market.violates, market.flagged, market.views
    one = np.ones(len(violates))
    return {
        "prevalence_by_listings": estimate_ratio(units(violates * one, one)),
        "prevalence_by_views": estimate_ratio(units(violates * views, views)),
        "precision": estimate_ratio(units((violates & flagged) * one, flagged * one)),
        "recall": estimate_ratio(units((violates & flagged) * one, violates * one)),
    }


def experiment(rng: np.random.Generator) -> tuple[bool, bool, bool]:
    """One experiment: whether the interval at its end holds the effect, whether that for all times always does, and
    whether one without an effect would have been stopped by somebody who looks each day at the plain interval.
    """
    total = LOOKS * JOINING

    def arm(shift: float) -> list[Outcome]:
        orders = rng.geometric(0.05, total)
        rate = np.clip(rng.beta(2, 18, total) + shift, 0, 1)
        return [Outcome(float(n), float(k)) for n, k in zip(orders, rng.binomial(orders, rate), strict=True)]

    # Both rates stay clear of zero, so that the shift is not cut off; what is cut off belongs to the truth.
    control, treated, idle = arm(0.05), arm(0.05 + EFFECT), arm(0.05)
    always, peeked = True, False
    effect = compare_arms((), ())
    for look in range(1, LOOKS + 1):
        end = look * JOINING
        effect = compare_arms(treated[:end], control[:end])
        if effect.always_low is not None and effect.always_high is not None:
            always &= effect.always_low <= EFFECT <= effect.always_high
        none = compare_arms(idle[:end], control[:end])
        if none.low is not None and none.high is not None:
            peeked |= not none.low <= 0 <= none.high
    held = effect.low is not None and effect.high is not None and effect.low <= EFFECT <= effect.high
    return held, always, peeked


def measure(runs: int, seed: int, advance: Callable[[], object] = lambda: None) -> dict[str, dict[str, float]]:
    """Share of the runs in which each interval held the truth."""
    rng = np.random.default_rng(seed)
    truth = truths(np.random.default_rng(seed + 1))
    held = dict.fromkeys([*truth, "experiment_effect", "experiment_at_all_times", "false_stops_by_peeking"], 0)
    for _ in range(runs):
        for name, estimate in estimates(Marketplace(rng), rng).items():
            assert estimate.low is not None
            assert estimate.high is not None
            held[name] += estimate.low <= truth[name] <= estimate.high
        once, always, peeked = experiment(rng)
        held["experiment_effect"] += once
        held["experiment_at_all_times"] += always
        held["false_stops_by_peeking"] += peeked
        advance()
    return {name: {"nominal": 0.95, "covered": count / runs, "runs": runs} for name, count in held.items()}


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path("build/coverage.json"))
    given = parser.parse_args()
    found = measure(given.runs, given.seed)
    # Peeking at an interval that was made to be looked at once: what the sequence is for, and no interval of ours.
    peeking = found.pop("false_stops_by_peeking")
    for name, each in found.items():
        print(f"{name:26} {each['covered']:.3f} of {given.runs} runs held the truth")
    print(f"{'':26} {peeking['covered']:.3f} would have stopped on chance, had they peeked at the plain interval")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found | {"peeking_at_plain": peeking}, indent=2) + "\n")


if __name__ == "__main__":
    main()
