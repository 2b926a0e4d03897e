"""One listing: its last version, so that an edit can be judged as a difference."""

from msgspec import Struct, field


class ListingRecord(Struct, omit_defaults=True):
    """The last version of a listing and a little history; prices in minor units of its currency, times in ms."""

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
    #: Natural logarithm of price over the category's median when this version was seen; null without enough listings.
    level: float | None = None
    edits: int = 0
    orders: int = 0
    views: int = 0
    removed: bool = False
    risk: int = 0
    seen: list[int] = field(default_factory=list)
