"""Merchants, their listings and how well they serve."""

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple, TypeAlias

from streams.simulator.catalog import Category

#: Buyers that a merchant remembers, of whom some come back.
_REMEMBERED: Final = 24


class Quality(NamedTuple):
    """Probabilities per order (``low_rating``: per review of an order that went well)."""

    late_ship: float
    seller_cancel: float
    late_delivery: float
    not_received: float
    not_as_described: float
    low_rating: float
    counterfeit: float = 0.0002


#: Means over honest merchants. Platforms tolerate 4 % late dispatch, 2.5 % cancellations by the seller and about 1 % of
#: orders with a claim (docs/design figures of TikTok Shop and Amazon); honest merchants stay below on average.
TYPICAL: Final = Quality(
    late_ship=0.041,
    seller_cancel=0.012,
    late_delivery=0.045,
    not_received=0.012,
    not_as_described=0.017,
    low_rating=0.02,
)
#: Pseudo-orders of the Beta distribution of each rate over merchants: small means that merchants differ much.
_STRENGTH: Final = 40.0


def draw_quality(random: Random) -> Quality:
    """How well one honest merchant serves: Beta-distributed rates around :data:`TYPICAL`.

    A common factor makes a merchant that ships late also one that cancels and disappoints more often.
    """
    care = random.betavariate(2.0, 8.0) / 0.2
    return Quality(*(_beta(random, min(0.5, mean * care)) for mean in TYPICAL[:6]))


def _beta(random: Random, mean: float) -> float:
    mean = max(mean, 1e-4)
    return random.betavariate(mean * _STRENGTH, (1 - mean) * _STRENGTH)


class Listing:
    """A live listing."""

    __slots__ = (
        "authorizations", "brand", "category", "colour", "description", "grams", "id", "images", "list_price", "name",
        "price", "quantity", "size", "title",
    )  # fmt: skip

    def __init__(self, listing_id: str, category: Category, title: str, price: int) -> None:
        self.id = listing_id
        self.category = category
        self.title = title
        self.price = price
        self.list_price: int | None = None
        self.brand: str | None = None
        self.description: str | None = None
        #: The title without colour and size.
        self.name = title
        self.colour: str | None = None
        self.size: str | None = None
        self.quantity = 0
        #: Hashes of its pictures, the first one foremost.
        self.images: list[int] = []
        #: Weight of one piece.
        self.grams = 0.0
        self.authorizations: list[str] | None = None

    def rename(self) -> None:
        """Write the title from name, colour and size."""
        parts = [self.name, self.colour, self.size and f"Size {self.size}"]
        self.title = ", ".join(part for part in parts if part)

    def show_list_price(self, price: int | None) -> None:
        """Show a price crossed out beside the present one; none that is not higher."""
        self.list_price = price if price is not None and price > self.price else None


#: Called with a merchant and a time, ms.
OrderWatch: TypeAlias = Callable[["Merchant", int], None]


class Merchant:
    """A merchant as the simulator sees it; what others may know of it is in the events alone."""

    __slots__ = (
        "account", "authorizations", "buyers", "carrier", "categories", "closes", "country", "handling", "id", "key",
        "listings", "numbers", "opens", "price_level", "quality", "registered_at", "repeat_share", "slots", "transit",
        "warehouse", "watch", "weight",
    )  # fmt: skip

    def __init__(self, merchant_id: str, categories: list[Category], registered_at: int) -> None:
        self.id = merchant_id
        self.key = merchant_id.encode()
        self.categories = categories
        self.registered_at = registered_at
        self.quality = TYPICAL
        self.listings: list[Listing] = []
        #: Listings that it starts with.
        self.slots = 1
        #: Share of honest demand, in arbitrary units.
        self.weight = 0.0
        #: Times between which it takes orders, ms.
        self.opens = registered_at
        self.closes: int | None = None
        #: Promised time to hand over, and from then to deliver, ms.
        self.handling = 0
        self.transit = 0
        self.carrier = ""
        self.country = "US"
        #: Country that its parcels leave from.
        self.warehouse = "US"
        #: Hashed values of what the account holds: bank, address, phone, email, device.
        self.account: dict[str, str] = {}
        self.price_level = 1.0
        self.repeat_share = 0.0
        self.authorizations: list[str] = []
        self.buyers: list[int] = []
        #: Tracking numbers that a dishonest merchant keeps for use again.
        self.numbers: list[str] = []
        #: Called with the time of every order placed here, while someone wants to know.
        self.watch: OrderWatch | None = None

    def is_open(self, time: int) -> bool:
        """Whether it takes orders."""
        return self.opens <= time and bool(self.listings) and (self.closes is None or time < self.closes)

    def pick_listing(self, random: Random) -> Listing:
        """A listing to order, the first ones more often."""
        u = random.random()
        return self.listings[int(len(self.listings) * u * u)]

    def recover(self, quality: Quality) -> None:
        """Go back to the usual quality; nobody watches any more."""
        self.quality = quality
        self.watch = None

    def remember(self, buyer: int, random: Random) -> None:
        """Keep a buyer who may come back."""
        if len(self.buyers) < _REMEMBERED:
            self.buyers.append(buyer)
        else:
            self.buyers[int(random.random() * _REMEMBERED)] = buyer
