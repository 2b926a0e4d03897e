"""One listing: its last version, so that an edit can be judged as a difference."""

from typing import Final

from msgspec import Struct, field

from features.windows import DAY_MS

#: Version of the stored record.
LISTING_VERSION: Final = 2


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


def listing_end(listing: ListingRecord, removed_days: int, idle_days: int) -> int:
    """Time, ms, at which a listing is forgotten, as far as is known: so many days after its removal, or after its
    latest event or order.
    """
    if listing.removed:
        return listing.version_at + removed_days * DAY_MS
    return listing.active_at + idle_days * DAY_MS
