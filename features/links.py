"""Links of a merchant: other merchants that use the same account values, images or titles."""

from typing import Final, Literal

from msgspec import Struct

from features.exchange import COMMON_KINDS, CommonKind
from features.linked_counts import CLOSE_VALUES, LinkedCounts

#: Links kept of a merchant; those with the least in common leave.
LINKS_LIMIT: Final = 16
#: Bit of each kind in :attr:`Link.common`.
BITS: Final[dict[CommonKind, int]] = {kind: 1 << index for index, kind in enumerate(COMMON_KINDS)}
#: Those of account values.
ACCOUNT_BITS: Final = BITS["image"] - 1
#: Matches of listings counted per link.
LISTINGS_LIMIT: Final = 99


class Link(Struct, array_like=True, gc=False):
    """Another merchant, its shard, what both have in common, how many of the merchant's listings have title and image
    of one of its, how many of these the other had first, and whether it is under enforcement for malice. Of one that is
    closely linked ``fared`` says how it does, as far as that was told.
    """

    other: str
    shard: int
    common: int = 0
    listings: int = 0
    copied: int = 0
    flagged: bool = False
    fared: LinkedCounts | None = None

    @property
    def close(self) -> bool:
        """Whether both have so much in common that one operator runs them."""
        return (self.common & ACCOUNT_BITS).bit_count() >= CLOSE_VALUES


def link(links: list[Link], other: str, shard: int, kind: CommonKind) -> tuple[Link, bool]:
    """Note that something is in common with another merchant; returns the link, and whether it is a new one."""
    bit = BITS[kind]
    found = next((each for each in links if each.other == other), None)
    new = found is None
    if found is None:
        if len(links) >= LINKS_LIMIT:
            links.remove(min(links, key=_worth))
        found = Link(other, shard)
        links.append(found)
    found.common |= bit
    return found, new


def unlink(links: list[Link], others: list[str], kind: CommonKind) -> bool:
    """Take back what means nothing any more; true if anything changed."""
    bit = BITS[kind]
    changed = False
    for each in links:
        if each.other in others and each.common & bit:
            each.common &= ~bit
            changed = True
    links[:] = [each for each in links if each.common]
    return changed


def _worth(each: Link) -> tuple[bool, int, int, str]:
    return each.flagged, (each.common & ACCOUNT_BITS).bit_count(), each.listings, each.other


#: Matches kept of a listing.
MATCHES_LIMIT: Final = 8


class Match(Struct, array_like=True, gc=False):
    """A listing that looks like this one: of another merchant (empty: the same), what is alike, and whether it was
    there before.
    """

    other: str
    listing: str
    common: int
    first: bool


def note_match(
    matches: list[Match], other: str, listing: str, kind: CommonKind, first: bool
) -> Literal["known", "more", "new"]:
    """Note that a listing looks like another one; says whether that was known, or is one more thing in common."""
    bit = BITS[kind]
    for each in matches:
        if each.other == other and each.listing == listing:
            if each.common & bit:
                return "known"
            each.common |= bit
            return "more"
    if len(matches) >= MATCHES_LIMIT:
        return "known"
    matches.append(Match(other, listing, bit, first))
    return "new"
