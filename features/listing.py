"""One listing: its last version, so that an edit can be judged as a difference."""

from typing import Final

from msgspec import Struct, field

from features.links import Match
from features.promoters import ListingPromoter
from features.text import title_similarity
from features.windows import DAY_MS

#: Version of the stored record.
LISTING_VERSION: Final = 2
#: What a reduction is announced from must be the lowest price of this many days before it (Directive 98/6/EC, Article
#: 6a).
PRIOR_PRICE_DAYS: Final = 30
#: Prices kept for it; only a steadily rising one needs more than two or three.
PRIOR_PRICES_KEPT: Final = 16


class ListingRecord(Struct, omit_defaults=True, rename={"version": "v", "active_at": "active"}):
    """The last version of a listing and a little history; prices in minor units of its currency, times in ms."""

    #: Absent means 1, for good. Version 2 has ``active_at`` and ``timer``.
    version: int = 1
    created: int = 0
    version_at: int = 0
    title: str = ""
    category: str = ""
    brand: str = ""
    currency: str = ""
    price: int = 0
    list_price: int = 0
    ship_from: str = ""
    previous_price: int = 0
    previous_list_price: int = 0
    #: Prices that were asked in the 30 days before this version, as far as one may become the lowest: end, price, …,
    #: both rising. The first is the lowest.
    asked: list[int] = field(default_factory=list)
    title_similarity: float = 1.0
    category_changed: bool = False
    brand_changed: bool = False
    replica_terms: int = 0
    contact_terms: int = 0
    prohibited_terms: int = 0
    claim_terms: int = 0
    brand_unauthorised: bool = False
    category_prohibited: bool = False
    category_restricted: bool = False
    #: Terms of these lists that are there in disguise alone, and whether a brand is spelt nearly right.
    disguised_terms: int = 0
    brand_lookalike: bool = False
    #: Natural logarithm of price over the category's median when this version was seen; null without enough listings.
    level: float | None = None
    edits: int = 0
    orders: int = 0
    views: int = 0
    removed: bool = False
    risk: int = 0
    #: Latest event or order of it.
    active_at: int = 0
    #: When its timer fires: not after the end of its retention; or features.timers.UNKNOWN.
    timer: int = 0
    seen: list[int] = field(default_factory=list)
    #: Digest of title and images as the other shards know them, and listings that look like this one.
    look: int = 0
    matches: list[Match] = field(default_factory=list)
    #: The same over the median of its brand's listings in the category, and over the category's 5 % quantile.
    brand_level: float | None = None
    low_level: float | None = None
    #: List prices, or prices where none was shown, of the 30 days before this version, kept as ``asked`` is.
    shown: list[int] = field(default_factory=list)
    #: Title, category and brand with which most of the orders were won, if they are others than now; and the orders
    #: before the last such change.
    sold_title: str = ""
    sold_category: str = ""
    sold_brand: str = ""
    sold_orders: int = 0
    sold_similarity: float = 1.0
    #: Probability that the text belongs to another category than the declared one; null while that is not known.
    category_mismatch: float | None = None
    #: The likeliest other category, if it is likelier.
    category_suggested: str = ""
    #: Digest of the text, category and policies that the signals of the text follow from; 0: not known.
    judged: int = 0
    #: Rules that an appeal showed to be wrong: a digest of what they saw, by id.
    pardons: dict[str, int] = field(default_factory=dict)
    #: Creators who drove orders of it, and those who were told of a decision against it, by the decision's id.
    promoters: list[ListingPromoter] = field(default_factory=list)
    blamed: dict[str, list[str]] = field(default_factory=dict)


def end_price(listing: ListingRecord, ended: int, at: int) -> None:
    """Note until when, ms, the price of a listing's version was asked, and forget those that ended more than
    PRIOR_PRICE_DAYS before a time. (A monotonic queue: a lower price that ended later rules a higher one out for good.)
    """
    _end(listing.asked, listing.price, ended, at)
    _end(listing.shown, max(listing.price, listing.list_price), ended, at)


def _end(kept: list[int], price: int, ended: int, at: int) -> None:
    while kept and kept[-1] >= price:
        del kept[-2:]
    kept += (ended, price)
    while kept and kept[0] < at - PRIOR_PRICE_DAYS * DAY_MS:
        del kept[:2]
    # Prices that fall and rise again each minute: the oldest is let go.
    del kept[: -2 * PRIOR_PRICES_KEPT]


def note_sold(listing: ListingRecord, title: str, category: str, brand: str) -> None:
    """Before a version gets another title, category or brand: note under which ones the listing won its orders.

    These stand until later ones have won at least as many orders as all before; so a listing that is turned into
    another product in small steps is compared with what was bought.
    """
    present = listing.title, listing.category, listing.brand
    sold = listing.sold_title, listing.sold_category, listing.sold_brand
    if not any(sold) or 2 * (listing.orders - listing.sold_orders) >= listing.orders:
        sold = present
    following = title, category, brand
    if following != present:
        listing.sold_orders = listing.orders
    if following == sold or not listing.orders:
        listing.sold_title = listing.sold_category = listing.sold_brand = ""
        listing.sold_similarity = 1.0
    else:
        listing.sold_title, listing.sold_category, listing.sold_brand = sold
        listing.sold_similarity = round(title_similarity(sold[0], title), 4)


def listing_end(listing: ListingRecord, removed_days: int, idle_days: int) -> int:
    """Time, ms, at which a listing is forgotten, as far as is known: so many days after its removal, or after its
    latest event or order.
    """
    if listing.removed:
        return listing.version_at + removed_days * DAY_MS
    return listing.active_at + idle_days * DAY_MS
