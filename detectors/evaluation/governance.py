"""Precision, recall and delay of judgements about merchants and listings, against who was malicious.

For each pattern, over its merchants whose part had begun when the stream ended (what *named* and *accused* mean:
:mod:`detectors.evaluation.observations`):

- *recall*: share that was found from its start on: named for anything, or accused by a rule about the pattern;
- *recall high*: share that was named; *attributed recall*: share accused by a rule about the pattern;
- *precision*: of the merchants that rules about the pattern accused, the share that runs it; ``None`` where there are
  none. An attacker of another kind is no mistake of a rule that is about its own kind as well, or that fits it;
- *hours to detection*: median from start to when it was found, those not found counting as not found yet;
- *GMV share lost*: of what was ordered from these merchants from their start on, the part before they were found.

A merchant has one pattern; those in ``also`` may be said of it as well.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from detectors.evaluation.observations import NAMING_RANK, Observations
from detectors.evaluation.proportions import Share, share
from detectors.evaluation.survival import median_time
from features.windows import HOUR_MS


class Malicious(Struct, frozen=True):
    """What a merchant does from ``start`` (ms) on, and what else may be said of it."""

    pattern: str
    start: int
    also: frozenset[str] = frozenset()

    @property
    def patterns(self) -> frozenset[str]:
        """All that it is right to accuse it of."""
        return self.also | {self.pattern}


class PatternScore(Struct, frozen=True):
    """How well one pattern was found; GMV in minor units.

    ``honest_accused``: share of honest merchants that rules about the pattern accused.
    """

    recall: Share
    recall_high: Share
    attributed_recall: Share
    precision: Share
    honest_accused: Share
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
    time. ``acted_on``: share with a decision that restricts something or asks a person to look, about whatever is
    theirs. ``suspended`` counts decisions to suspend or close, ``suspended_at_once`` those that no person is asked
    about. ``traps``: share named among those in each kind of honest trouble.
    """

    high_or_above: Share
    own_level_high: Share
    acted_on: Share
    suspended: int
    suspended_at_once: int
    traps: dict[str, Share]


class ListingScore(Struct, frozen=True):
    """Recall: of the listings of a pattern, those at level high or above or accused by a rule about it. Precision: of
    the listings that such rules accused, those of the pattern.
    """

    recall: Share
    precision: Share


class BuyerScore(Struct, frozen=True):
    """Recall: of the buyers of a pattern, those of whom an order was decided upon by a rule about it. Precision: of the
    buyers of such orders, those of the pattern.
    """

    recall: Share
    precision: Share


class GovernanceScore(Struct, frozen=True):
    """All patterns by name, all malicious merchants together, honest ones, listings and abusive buyers.

    ``precision``: of all found or named merchants the share that is malicious. ``listing_precision``: of the listings
    at level high or above, the share that the truth names; empty without any.
    """

    patterns: dict[str, PatternScore]
    recall: Share
    precision: Share
    honest: HonestScore
    listings: dict[str, ListingScore]
    listing_precision: Share
    buyers: dict[str, BuyerScore]


def score(
    seen: Observations,
    malicious: Mapping[str, Malicious],
    honest: Collection[str],
    listings: Mapping[str, str],
    traps: Mapping[str, Collection[str]],
    buyers: Mapping[str, str] | None = None,
) -> GovernanceScore:
    """Score what was seen.

    Parameters
    ----------
    seen
        Observations of a stream that has ended.
    malicious
        Who is, by merchant.
    honest
        Ids of honest merchants; who is named in neither is left out.
    listings
        Pattern by listing.
    traps
        Honest merchants by the trouble they were in.
    buyers
        Pattern by abusive buyer.
    """
    abusive = buyers or {}
    by_pattern: dict[str, dict[str, int]] = {}
    for merchant, what in malicious.items():
        started = by_pattern.setdefault(what.pattern, {})
        if what.start <= seen.last:
            started[merchant] = what.start
    accused = _accused(seen, malicious, honest)
    patterns = {
        pattern: _pattern(pattern, starts, seen, accused.get(pattern, set()), honest)
        for pattern, starts in sorted(by_pattern.items())
    }
    right = sum(each.recall.hits for each in patterns.values())
    wrong = sum(merchant in seen.named for merchant in honest)
    return GovernanceScore(
        patterns=patterns,
        recall=share(right, sum(each.recall.total for each in patterns.values())),
        precision=share(right, right + wrong),
        honest=_honest(seen, honest, traps),
        listings={pattern: _listings(pattern, listings, seen) for pattern in sorted(set(listings.values()))},
        listing_precision=_share_of(seen.listings, listings) if listings else share(0, 0),
        buyers={pattern: _buyers(pattern, abusive, seen) for pattern in sorted(set(abusive.values()))},
    )


def _accused(seen: Observations, malicious: Mapping[str, Malicious], honest: Collection[str]) -> dict[str, set[str]]:
    """Merchants that rules accused, by pattern, without what is right to say of an attacker of another pattern."""
    found: dict[str, set[str]] = {}
    for merchant in honest:
        for pattern in seen.patterns_of(merchant):
            found.setdefault(pattern, set()).add(merchant)
    for merchant, what in malicious.items():
        for pattern in seen.patterns_of(merchant, what.patterns) | (seen.patterns_of(merchant) & {what.pattern}):
            found.setdefault(pattern, set()).add(merchant)
    return found


def _pattern(
    pattern: str, starts: Mapping[str, int], seen: Observations, accused: Collection[str], honest: Collection[str]
) -> PatternScore:
    named = {merchant: seen.named_at(merchant, start) for merchant, start in starts.items()}
    attributed = {merchant: seen.accused_at(merchant, pattern, start) for merchant, start in starts.items()}
    found = {merchant: _earliest(named[merchant], attributed[merchant]) for merchant in starts}
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
        recall=_found(found),
        recall_high=_found(named),
        attributed_recall=_found(attributed),
        precision=share(_found(attributed).hits, len(accused)),
        honest_accused=_share_of(honest, accused),
        median_hours_to_detection=None if hours is None else hours / HOUR_MS,
        gmv=gmv,
        gmv_lost=lost,
    )


def _honest(seen: Observations, honest: Collection[str], traps: Mapping[str, Collection[str]]) -> HonestScore:
    high = {merchant for merchant, levels in seen.levels.items() if max(rank for _, rank in levels) >= NAMING_RANK}
    suspended = [merchant for merchant in honest if merchant in seen.suspended]
    return HonestScore(
        high_or_above=_share_of(honest, seen.named),
        own_level_high=_share_of(honest, high),
        acted_on=_share_of(honest, seen.acted_on),
        suspended=len(suspended),
        suspended_at_once=sum(not seen.suspended[merchant] for merchant in suspended),
        traps={name: _share_of(merchants, seen.named) for name, merchants in traps.items()},
    )


def _listings(pattern: str, listings: Mapping[str, str], seen: Observations) -> ListingScore:
    accused = {listing for listing in seen.accused_listings if pattern in seen.listing_patterns(listing)}
    bad = [listing for listing, what in listings.items() if what == pattern]
    # As with merchants: a listing of another pattern is no mistake of a rule that fits that one as well.
    wrong = [
        listing
        for listing in accused - set(bad)
        if listing not in listings or pattern in seen.listing_patterns(listing, {listings[listing]})
    ]
    right = sum(each in accused for each in bad)
    return ListingScore(
        recall=_share_of(bad, accused | seen.listings.keys()), precision=share(right, right + len(wrong))
    )


def _buyers(pattern: str, buyers: Mapping[str, str], seen: Observations) -> BuyerScore:
    accused = {
        buyer
        for buyer, rules in seen.accused_buyers.items()
        if any(pattern in seen.rules[rule].patterns for rule in rules)
    }
    bad = {buyer for buyer, what in buyers.items() if what == pattern}
    return BuyerScore(recall=_share_of(bad, accused), precision=_share_of(accused, bad))


def _earliest(*times: int | None) -> int | None:
    return min((time for time in times if time is not None), default=None)


def _found(times: Mapping[str, int | None]) -> Share:
    return share(sum(time is not None for time in times.values()), len(times))


def _share_of(these: Iterable[str], among: Collection[str]) -> Share:
    ids = list(these)
    return share(sum(each in among for each in ids), len(ids))
