"""Creators as a merchant's shard knows them: who drives its turnover, and who promoted a listing."""

from typing import Final

from msgspec import Struct

from features.activity import BASE_LIFE

#: Creators kept of a merchant and of a listing; of a merchant's those who drive least leave, of a listing's those who
#: were last heard of longest ago.
PROMOTERS_LIMIT: Final = 8
LISTING_PROMOTERS_LIMIT: Final = 6
#: Creators who left a merchant's places while they knew it to be under enforcement, and are still to hear of its end.
LEFT_LIMIT: Final = 32
#: Days for which a creator is answerable for a listing after the last order that it drove.
ANSWERABLE_DAYS: Final = 30


class Promoter(Struct, array_like=True, gc=False):
    """A creator who drives orders to a merchant.

    ``gmv`` is the turnover (minor units of the merchant's currency) as of ``at`` (ms), decayed with the half-life of
    the merchant's own base, so that the two can be compared. ``flagged``: the creator is under enforcement for malice.
    """

    creator: str
    at: int
    gmv: float = 0.0
    flagged: bool = False


class ListingPromoter(Struct, array_like=True, gc=False):
    """A creator who drove an order of a listing, the latest one at ``at`` (ms)."""

    creator: str
    at: int


def decayed(value: float, elapsed: int) -> float:
    """What is left of a turnover after a time, ms: half of it after 28 days."""
    return value * 0.5 ** (elapsed / BASE_LIFE) if elapsed > 0 else value


def note_promoter(
    promoters: list[Promoter], creator: str, time: int, amount: int
) -> tuple[Promoter, bool, Promoter | None]:
    """Count an order of ``amount`` minor units that a creator drove; returns the creator's place, whether it is a new
    one, and who had to leave for it.
    """
    for found in promoters:
        if found.creator == creator:
            if time >= found.at:
                found.gmv = float(round(decayed(found.gmv, time - found.at) + amount))
                found.at = time
            else:
                found.gmv = float(round(found.gmv + decayed(amount, found.at - time)))
            return found, False, None
    least = None
    if len(promoters) >= PROMOTERS_LIMIT:
        least = min(promoters, key=lambda each: (each.flagged, decayed(each.gmv, time - each.at), each.creator))
        promoters.remove(least)
    found = Promoter(creator, time, float(amount))
    promoters.append(found)
    return found, True, least


def note_listing_promoter(promoters: list[ListingPromoter], creator: str, time: int) -> None:
    """Note that a creator drove an order of a listing."""
    for found in promoters:
        if found.creator == creator:
            found.at = max(found.at, time)
            return
    if len(promoters) >= LISTING_PROMOTERS_LIMIT:
        promoters.remove(min(promoters, key=lambda each: (each.at, each.creator)))
    promoters.append(ListingPromoter(creator, time))
