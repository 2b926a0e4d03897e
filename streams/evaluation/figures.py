"""A score as figures for programs and as a table for people."""

from collections.abc import Mapping
from typing import Any

from detectors.evaluation.governance import GovernanceScore, HonestScore, PatternScore
from detectors.evaluation.proportions import Share


def figures(score: GovernanceScore) -> dict[str, Any]:
    """The score as a JSON object; shares between 0 and 1, null where there was nothing to measure."""
    return {
        "patterns": {name: _pattern(pattern) for name, pattern in score.patterns.items()},
        "overall": {**_share("recall", score.recall), **_share("precision", score.precision)},
        "honest": _honest(score.honest),
        "listings": {
            "patterns": {
                name: {**_share("recall", each.recall), **_share("precision", each.precision)}
                for name, each in score.listings.items()
            },
            **_share("precision", score.listing_precision),
        },
        "buyers": {
            name: {**_share("recall", each.recall), **_share("precision", each.precision)}
            for name, each in score.buyers.items()
        },
    }


def table(score: GovernanceScore) -> list[str]:
    """The score as lines of text."""
    heads = f"{'merchants':>9}  {'recall':<17}  {'by its rules':<17}  {'precision':<17}  {'hours':>6}  {'GMV lost':>8}"
    lines = [f"{'':22} {heads}"]
    for name, each in score.patterns.items():
        hours = each.median_hours_to_detection
        lost = each.gmv_share_lost
        lines.append(
            f"{name:22} {each.recall.total:9,}  {percent(each.recall):<17}  {percent(each.attributed_recall):<17}  "
            f"{percent(each.precision):<17}  {'-' if hours is None else f'{hours:,.1f}':>6}  "
            f"{'-' if lost is None else f'{lost:.1%}':>8}"
        )
    lines.append(
        f"{'all malicious':22} {score.recall.total:9,}  {percent(score.recall):<17}  {'':<17}  "
        f"{percent(score.precision)}"
    )
    honest = score.honest
    lines.append(
        f"{'honest':22} {honest.high_or_above.total:9,}  named at level high or above {percent(honest.high_or_above)}, "
        f"reviewed or restricted {percent(honest.acted_on)}, "
        f"own level high {percent(honest.own_level_high)}, suspended {honest.suspended} "
        f"(without asking a person {honest.suspended_at_once})"
    )
    lines += [
        f"  of these {name:15} {each.total:9,}  named at level high or above {percent(each)}"
        for name, each in honest.traps.items()
    ]
    for name, listing in score.listings.items():
        lines.append(
            f"{'listings: ' + name:30} {listing.recall.total:7,}  found {percent(listing.recall):<17}  "
            f"precision {percent(listing.precision)}"
        )
    for name, buyer in score.buyers.items():
        lines.append(
            f"{'buyers: ' + name:30} {buyer.recall.total:7,}  found {percent(buyer.recall):<17}  "
            f"precision {percent(buyer.precision)}"
        )
    if score.listings:
        lines.append(
            f"{'listings at high: forbidden':30} {score.listing_precision.total:7,}  {percent(score.listing_precision)}"
        )
    return lines


def percent(share: Share) -> str:
    """A share with its interval: ``90 % [74, 97]``."""
    if share.value is None or share.low is None or share.high is None:
        return "-"
    digits = 0 if share.total < 200 else 1
    value, low, high = (f"{100 * each:.{digits}f}" for each in (share.value, share.low, share.high))
    return f"{value} % [{low}, {high}]"


def _pattern(each: PatternScore) -> dict[str, Any]:
    return {
        "merchants": each.recall.total,
        **_share("recall", each.recall),
        **_share("recall_high", each.recall_high),
        **_share("attributed_recall", each.attributed_recall),
        **_share("precision", each.precision),
        **_share("honest_accused_share", each.honest_accused),
        "median_hours_to_detection": each.median_hours_to_detection,
        "gmv_share_lost": each.gmv_share_lost,
    }


def _honest(each: HonestScore) -> dict[str, Any]:
    return {
        "merchants": each.high_or_above.total,
        **_share("high_or_above_share", each.high_or_above),
        **_share("own_level_high_share", each.own_level_high),
        **_share("acted_on_share", each.acted_on),
        "suspended": each.suspended,
        "suspended_at_once": each.suspended_at_once,
        "traps": {name: _share("high_or_above_share", trap) for name, trap in each.traps.items()},
    }


def _share(name: str, each: Share) -> Mapping[str, Any]:
    return {
        name: each.value,
        f"{name}_interval": None if each.value is None else [each.low, each.high],
        f"{name}_of": [each.hits, each.total],
    }
