"""Precision, recall and delay of judgements about merchants and listings, against who was malicious.

For each pattern, over its merchants whose part had begun when the stream ended:

- *recall*: share that was named (:mod:`detectors.evaluation.observations`) for anything, from its start on;
- *attributed recall*: share named by a rule about that pattern;
- *precision*: of the merchants named by a rule about the pattern, the share that runs it; ``None`` where no rule is;
- *hours to detection*: median from start to the first naming, those not found counting as not found yet;
- *GMV share lost*: of what was ordered from these merchants from their start on, the part before they were named.

A merchant that several patterns share is not foreseen: the truth names one for each.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from detectors.evaluation.observations import NAMING_RANK, Observations
from detectors.evaluation.proportions import Share, share
from detectors.evaluation.survival import median_time

_HOUR_MS: Final = 3_600_000


class PatternScore(Struct, frozen=True):
    """How well one pattern was found; GMV in minor units."""

    recall: Share
    attributed_recall: Share
    precision: Share
    median_hours_to_detection: float | None
    gmv: int
    gmv_lost: int

    @property
    def gmv_share_lost(self) -> float | None:
        """Share of the pattern's GMV that was ordered before detection."""
        return self.gmv_lost / self.gmv if self.gmv else None


class HonestScore(Struct, frozen=True):
    """What honest merchants went through.

    ``high_or_above``: share named for anything. ``own_level_high``: share whose own level was high or above at any
    time. ``suspended`` counts decisions to suspend or close, ``suspended_at_once`` those that no person is asked
    about. ``traps``: share named among those in each kind of honest trouble.
    """

    high_or_above: Share
    own_level_high: Share
    suspended: int
    suspended_at_once: int
    traps: dict[str, Share]


class ListingScore(Struct, frozen=True):
    """Listings of a pattern judged or enforced against at level high or above."""

    recall: Share


class GovernanceScore(Struct, frozen=True):
    """All patterns by name, all malicious merchants together, honest ones, and listings.

    ``listing_precision``: of the listings at level high or above, the share that the truth names; empty without any.
    """

    patterns: dict[str, PatternScore]
    recall: Share
    precision: Share
    honest: HonestScore
    listings: dict[str, ListingScore]
    listing_precision: Share


def score(
    seen: Observations,
    malicious: Mapping[str, tuple[str, int]],
    honest: Collection[str],
    listings: Mapping[str, str],
    traps: Mapping[str, Collection[str]],
) -> GovernanceScore:
    """Score what was seen.

    Parameters
    ----------
    seen
        Observations of a stream that has ended.
    malicious
        Pattern and start (ms) by merchant.
    honest
        Ids of honest merchants; who is named in neither is left out.
    listings
        Pattern by listing.
    traps
        Honest merchants by the trouble they were in.
    """
    begun = {merchant: what for merchant, what in malicious.items() if what[1] <= seen.last}
    by_pattern: dict[str, dict[str, int]] = {}
    for merchant, (pattern, start) in malicious.items():
        started = by_pattern.setdefault(pattern, {})
        if merchant in begun:
            started[merchant] = start
    judged = set(honest) | malicious.keys()
    named = seen.named.keys() & judged
    right = {merchant for merchant, (_, start) in begun.items() if seen.found_at(merchant, start) is not None}
    wrong = named & set(honest)
    flagged_listings = len(seen.listings)
    return GovernanceScore(
        patterns={pattern: _pattern(pattern, starts, seen, judged) for pattern, starts in sorted(by_pattern.items())},
        recall=share(len(right), len(begun)),
        precision=share(len(right), len(right) + len(wrong)),
        honest=_honest(seen, honest, traps),
        listings={
            pattern: ListingScore(
                _share_of((each for each, what in listings.items() if what == pattern), seen.listings)
            )
            for pattern in sorted(set(listings.values()))
        },
        listing_precision=share(len(seen.listings.keys() & listings.keys()), flagged_listings)
        if listings
        else share(0, 0),
    )


def _pattern(pattern: str, starts: Mapping[str, int], seen: Observations, judged: Collection[str]) -> PatternScore:
    found = {merchant: seen.found_at(merchant, start) for merchant, start in starts.items()}
    accused = {merchant: times for (what, merchant), times in seen.named_for.items() if what == pattern}
    attributed = [merchant for merchant, start in starts.items() if accused.get(merchant, [-1])[-1] >= start]
    gmv = lost = 0
    for merchant, start in starts.items():
        end = found[merchant]
        for time, total in seen.orders.get(merchant, ()):
            if time >= start:
                gmv += total
                if end is None or time < end:
                    lost += total
    waits = [((seen.last if found[m] is None else found[m]) or 0) - start for m, start in starts.items()]
    hours = median_time(waits, [found[merchant] is not None for merchant in starts])
    return PatternScore(
        recall=share(sum(at is not None for at in found.values()), len(starts)),
        attributed_recall=share(len(attributed), len(starts)),
        precision=share(len(attributed), sum(merchant in judged for merchant in accused)),
        median_hours_to_detection=None if hours is None else hours / _HOUR_MS,
        gmv=gmv,
        gmv_lost=lost,
    )


def _honest(seen: Observations, honest: Collection[str], traps: Mapping[str, Collection[str]]) -> HonestScore:
    high = {merchant for merchant, levels in seen.levels.items() if max(rank for _, rank in levels) >= NAMING_RANK}
    suspended = [merchant for merchant in honest if merchant in seen.suspended]
    return HonestScore(
        high_or_above=_share_of(honest, seen.named),
        own_level_high=_share_of(honest, high),
        suspended=len(suspended),
        suspended_at_once=sum(not seen.suspended[merchant] for merchant in suspended),
        traps={name: _share_of(merchants, seen.named) for name, merchants in traps.items()},
    )


def _share_of(these: Iterable[str], among: Collection[str]) -> Share:
    ids = list(these)
    return share(sum(each in among for each in ids), len(ids))
