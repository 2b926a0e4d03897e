"""Features that rest on what shards tell each other: linked merchants, copied listings, buyers who claim everywhere."""

from collections.abc import Callable
from typing import Final

from features.buckets import CLAIM_DAYS
from features.feature import Attribute, Context, Feature, Getter
from features.links import ACCOUNT_BITS, BITS, Link, Match

_TITLE: Final = BITS["title"]
_IMAGE: Final = BITS["image"]


def _most(figure: Callable[[Link], float]) -> Getter:
    """The highest figure of any link of the merchant; 0 without links."""
    return lambda c: max(map(figure, links)) if (links := c.merchant.record.links) else 0


def _linked(c: Context) -> float:
    return len([each for each in c.merchant.record.links if each.common & ACCOUNT_BITS])


def _linked_to_enforced(c: Context) -> float:
    return len([each for each in c.merchant.record.links if each.flagged and each.common & ACCOUNT_BITS])


_MERCHANT: Final[tuple[tuple[str, str, str, Getter], ...]] = (
    (
        "linked_merchants",
        "merchants",
        (
            "others that use one of its values of bank, address, phone, e-mail, owner or device; values that more than "
            "8 use do not count"
        ),
        _linked,
    ),
    (
        "linked_values",
        "kinds of values",
        "most kinds of such values in common with one other merchant",
        _most(lambda each: (each.common & ACCOUNT_BITS).bit_count()),
    ),
    (
        "linked_to_enforced",
        "merchants",
        "of the linked merchants, those under enforcement for malice now (limits: malice_ladders)",
        _linked_to_enforced,
    ),
    (
        "catalogue_shared",
        "listings",
        (
            "most listings whose title and first image one other merchant has in one listing, whoever had it first; "
            "titles and images of more than 6 merchants do not count"
        ),
        _most(lambda each: each.listings),
    ),
    (
        "catalogue_copied",
        "listings",
        "of these, most that one other merchant had first",
        _most(lambda each: each.copied),
    ),
    (
        "catalogue_of_enforced",
        "listings",
        "most listings shared with one merchant under enforcement for malice",
        _most(lambda each: each.listings if each.flagged else 0),
    ),
)
#: All features of a merchant's links.
LINK_FEATURES: Final = tuple(
    Feature(name, "merchant", unit, "", words, "never", get) for name, unit, words, get in _MERCHANT
)


def _matches(figure: Callable[[list[Match]], float]) -> Getter:
    return lambda c: None if c.listing is None else figure(matches) if (matches := c.listing.matches) else 0


def _others_before(bits: int) -> Getter:
    """Other merchants whose listing looks like this one in all of these ways, and was there before."""
    return _matches(lambda found: len({m.other for m in found if m.other and m.first and m.common & bits == bits}))


def _own_before(bits: int) -> Getter:
    """Other listings of the merchant that look like this one in all of these ways, and were there before."""
    return _matches(lambda found: sum(1 for m in found if not m.other and m.first and m.common & bits == bits))


_LISTING: Final[tuple[tuple[str, str, str, Getter], ...]] = (
    (
        "own_duplicates",
        "listings",
        (
            "listings of the same merchant with nearly the same title and image that were there before; at most 8 are "
            "known. Sizes and colours of one article have other titles, though the same image"
        ),
        _own_before(_TITLE | _IMAGE),
    ),
    (
        "own_title_repeats",
        "listings",
        "listings of the same merchant with nearly the same title that were there before, whatever their images",
        _own_before(_TITLE),
    ),
    (
        "copied_title_merchants",
        "merchants",
        "others that had the title, or nearly the same one, before",
        _others_before(_TITLE),
    ),
    (
        "copied_image_merchants",
        "merchants",
        "others that had a first image at most 5 bits from its own before",
        _others_before(_IMAGE),
    ),
    (
        "copied_listing_merchants",
        "merchants",
        "others that had both before, in one listing",
        _others_before(_TITLE | _IMAGE),
    ),
)
#: Features of the listings that look like one.
MATCH_FEATURES: Final = tuple(
    Feature(name, "listing", unit, "", words, "never", get) for name, unit, words, get in _LISTING
)


_ORDER: Final[tuple[tuple[str, str, str, Getter], ...]] = (
    (
        "buyer_claims_180d",
        "orders",
        (
            "orders of this buyer, at all merchants, with a claim or dispute of late, this one included; 0 while they "
            "are fewer than 3 or of one merchant alone"
        ),
        Attribute(("order", "buyer_claims")),
    ),
    (
        "buyer_claim_merchants_180d",
        "merchants",
        "merchants of these orders",
        Attribute(("order", "buyer_claim_merchants")),
    ),
)
#: Features of an order's buyer.
CLAIM_FEATURES: Final = tuple(
    Feature(name, "order", unit, f"{CLAIM_DAYS} d", words, "never", get) for name, unit, words, get in _ORDER
)
