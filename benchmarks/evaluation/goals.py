"""What is aimed at, and whether a run's figures reach it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from streams.simulator import ATTACK_NAMES, GAMING_NAMES
from streams.simulator.plans import LISTING_ATTACKS


class Goal(NamedTuple):
    """A figure by its place in the report, and the value it must have at least or at most."""

    place: tuple[str, ...]
    words: str
    limit: float
    at_most: bool = False


class Verdict(NamedTuple):
    """A goal with the figure that was measured, ``None`` where it was not."""

    goal: Goal
    value: float | None

    @property
    def met(self) -> bool | None:
        """Whether it is reached; ``None`` where nothing was measured."""
        if self.value is None:
            return None
        return self.value <= self.goal.limit if self.goal.at_most else self.value >= self.goal.limit

    @property
    def words(self) -> str:
        """In a word."""
        return {True: "met", False: "missed", None: "not measured"}[self.met]


_PURCHASE: Final = ("olist", "late_at_purchase")
_REVIEW: Final = ("olist", "negative_review_after_delivery")
GOALS: Final[Sequence[Goal]] = (
    *(Goal(("simulator", name, "recall"), f"simulator: recall, {name}", 0.9) for name in ATTACK_NAMES),
    *(
        Goal(("simulator", name, "listing_recall"), f"simulator: recall of listings, {name}", 0.9)
        for name in LISTING_ATTACKS
    ),
    Goal(("simulator", "honest", "high_or_above_share"), "simulator: honest merchants named", 0.01, at_most=True),
    Goal(
        ("simulator", "honest", "trapped_high_or_above_share"),
        "simulator: the same in trouble that looks like an attack",
        0.01,
        at_most=True,
    ),
    Goal(("simulator", "honest", "suspended"), "simulator: honest merchants suspended", 0, at_most=True),
    Goal(("credit", "simulator", "gini"), "credit, simulator: Gini of who attacks", 0.45),
    Goal(("credit", "simulator", "orders", "gini"), "credit, simulator: Gini of the next 60 days' bad orders", 0.45),
    Goal(("credit", "simulator", "orders", "monotone"), "credit, simulator: bad rate monotone over tiers", 1),
    Goal(("credit", "olist", "gini_above_raw_late"), "credit, Olist: Gini above the seller's own late rate", 0),
    Goal(("credit", "olist", "monotone"), "credit, Olist: bad rate monotone over tiers", 1),
    Goal(("fairness", "suspended"), "fairness: honest merchants suspended", 0, at_most=True),
    Goal(("fairness", "severe_before_review"), "fairness: severe actions before review", 0, at_most=True),
    Goal(("fairness", "small_to_large", "value"), "fairness: false alarms of small to large", 1.5, at_most=True),
    Goal(
        ("fairness", "breaker", "beyond_cap"), "circuit breaker forced: severe actions beyond the cap", 0, at_most=True
    ),
    Goal(("fairness", "breaker", "dropped"), "circuit breaker forced: decisions dropped", 0, at_most=True),
    Goal(("creators", "bad", "found_share", "value"), "creators: recall of those who live off counterfeiters", 0.9),
    Goal(("creators", "honest", "found"), "creators: honest ones accused", 0, at_most=True),
    Goal(("creators", "deceived", "acted_on"), "creators: deceived ones restricted", 0, at_most=True),
    *(Goal(("gaming", name), f"gaming: points gained, {name}", 0, at_most=True) for name in GAMING_NAMES),
    Goal((*_PURCHASE, "auc"), "Olist, late at purchase: AUC, last 20 %", 0.72),
    Goal((*_PURCHASE, "ap"), "Olist, late at purchase: AP, last 20 %", 0.18),
    Goal((*_PURCHASE, "auc_60"), "Olist, late at purchase: AUC, last 60 %", 0.65),
    Goal((*_PURCHASE, "four_shards", "auc"), "the same with four shards: AUC, last 20 %", 0.72),
    Goal((*_PURCHASE, "four_shards", "ap"), "the same with four shards: AP, last 20 %", 0.18),
    Goal((*_PURCHASE, "four_shards", "auc_60"), "the same with four shards: AUC, last 60 %", 0.65),
    Goal(
        (*_PURCHASE, "shards_difference"),
        "AUC of one and four shards apart, last 20 %",
        0.01,
        at_most=True,
    ),
    Goal(
        (*_PURCHASE, "shards_difference_60"),
        "AUC of one and four shards apart, last 60 %",
        0.01,
        at_most=True,
    ),
    Goal((*_PURCHASE, "ece"), "Olist, late at purchase: ECE, last 20 %", 0.03, at_most=True),
    Goal((*_PURCHASE, "ece_60"), "Olist, late at purchase: ECE, last 60 %", 0.03, at_most=True),
    Goal((*_REVIEW, "auc"), "Olist, negative review after delivery: AUC, last 20 %", 0.8),
    Goal((*_REVIEW, "auc_60"), "Olist, negative review after delivery: AUC, last 60 %", 0.8),
    Goal((*_REVIEW, "ece"), "Olist, negative review after delivery: ECE, last 20 %", 0.03, at_most=True),
    Goal(("anomaly", "shuttle", "auc_mean"), "anomaly: mean AUC, shuttle", 0.975),
    Goal(("anomaly", "cover", "auc_mean"), "anomaly: mean AUC, cover", 0.9),
    Goal(("anomaly", "cover_shuffled", "auc_mean"), "anomaly: mean AUC, cover shuffled", 0.9),
    Goal(("anomaly", "mammography", "auc_mean"), "anomaly: mean AUC, mammography", 0.86),
    Goal(("pricerunner", "category_swapped_ap"), "PriceRunner: AP of swapped categories", 0.85),
    Goal(("pricerunner", "duplicates_precision"), "PriceRunner: precision of duplicates", 0.9),
    Goal(("pricerunner", "duplicates_recall"), "PriceRunner: recall of duplicates", 0.9),
    Goal(
        ("pricerunner", "untouched_text_alarm_share"),
        "PriceRunner: untouched titles named by a rule on text",
        0.001,
        at_most=True,
    ),
    Goal(("obfuscation", "recall"), "obfuscated terms: recall", 0.97),
    Goal(
        ("obfuscation", "false_alarm_share"), "obfuscated terms: false alarms on untouched titles", 0.001, at_most=True
    ),
)


def judge(figures: Mapping[str, Any]) -> list[Verdict]:
    """Every goal with what was measured."""
    return [Verdict(goal, _look_up(figures, goal.place)) for goal in GOALS]


def with_differences(figures: dict[str, Any]) -> dict[str, Any]:
    """Add how far the figures with one shard and with four lie apart, and credit from the raw rate of late orders."""
    purchase = figures.get("olist", {}).get("late_at_purchase", {})
    split = purchase.get("four_shards")
    if split:
        for suffix in ("", "_60"):
            one, four = purchase.get(f"auc{suffix}"), split.get(f"auc{suffix}")
            purchase[f"shards_difference{suffix}"] = None if one is None or four is None else abs(one - four)
    olist = figures.get("credit", {}).get("olist", {})
    ours, raw = olist.get("gini"), olist.get("raw_late", {}).get("gini")
    if ours is not None and raw is not None:
        olist["gini_above_raw_late"] = ours - raw
    return figures


def _look_up(figures: Mapping[str, Any], place: tuple[str, ...]) -> float | None:
    found: Any = figures
    for name in place:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, int | float) else None
