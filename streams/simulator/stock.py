"""Listings as events: what merchants offer, change and take down."""

from random import Random

from features.events import (
    ListingCreated,
    ListingExposed,
    ListingRemoved,
    ListingUpdated,
    MerchantAccountChanged,
)
from streams.simulator.catalog import BRAND_MULTIPLE, COLOURS, PRAISE, QUALITIES, Category
from streams.simulator.shop import Listing, Merchant
from streams.simulator.world import World

#: Share of an honest merchant's listings that are genuine goods of a protected brand, where it may sell one.
_BRANDED_SHARE = 0.3
_ACCESSORY_SHARE = 0.05


class Stock:
    """Draws listings and puts what happens to them into the stream."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random

    # -- drawing ------------------------------------------------------------------------------------------------------

    def draw(self, merchant: Merchant, category: Category | None = None) -> Listing:
        """A listing as an honest merchant would make it; not yet in the stream."""
        random = self._random
        if category is None:
            categories = merchant.categories
            category = categories[0] if len(categories) == 1 or random.random() < 0.8 else random.choice(categories[1:])
        price = category.median * merchant.price_level * random.lognormvariate(0.0, category.sigma)
        branded = [b for b in category.protected if f"brand:{b.lower()}" in merchant.authorizations]
        if branded and random.random() < _BRANDED_SHARE:
            brand = random.choice(branded)
            price = category.median * BRAND_MULTIPLE[brand] * random.lognormvariate(0.0, 0.25)
        else:
            brand = random.choice(category.brands)
        colour = random.choice(COLOURS)
        noun = random.choice(category.nouns)
        title = f"{brand} {random.choice(QUALITIES)} {noun}, {colour}"
        if category.protected and category.name.startswith("electronics/") and random.random() < _ACCESSORY_SHARE:
            title = f"{title}, compatible with {category.protected[0]}"
        listing = Listing(self._world.new_listing_id(), category, title, pretty(price))
        listing.brand = brand
        listing.colour = colour
        listing.description = f"{noun} by {brand}. {random.choice(PRAISE)} {random.choice(PRAISE)}"
        listing.quantity = random.randint(3, 400)
        listing.images = [f"{random.getrandbits(64):016x}" for _ in range(random.randint(1, 4))]
        listing.authorizations = merchant.authorizations or None
        if random.random() < 0.45:
            listing.show_list_price(pretty(listing.price / (1 - random.uniform(0.05, 0.3))))
        return listing

    # -- events -------------------------------------------------------------------------------------------------------

    def create(self, merchant: Merchant, listing: Listing, time: int) -> None:
        """Put a listing on sale. It is ordered from now on, so its time must not lie in the future."""
        merchant.listings.append(listing)
        self._put_version(ListingCreated, merchant, listing, time)

    def update(self, merchant: Merchant, listing: Listing, time: int) -> None:
        """Publish the listing as it is now."""
        self._put_version(ListingUpdated, merchant, listing, time)

    def remove(self, merchant: Merchant, listing: Listing, time: int) -> None:
        """Take a listing down."""
        merchant.listings.remove(listing)
        self._world.put(
            "listings",
            merchant.key,
            ListingRemoved(event_id=self._event_id(), occurred_at=time, merchant_id=merchant.id, listing_id=listing.id),
        )

    def expose(self, merchant: Merchant, listing: Listing, time: int, views: int) -> None:
        """Report a batch of impressions."""
        self._world.put(
            "listings",
            merchant.key,
            ListingExposed(
                event_id=self._event_id(),
                occurred_at=time,
                merchant_id=merchant.id,
                listing_id=listing.id,
                views=views,
            ),
        )

    def discount(self, merchant: Merchant, listing: Listing, time: int, factor: float) -> None:
        """Cut the price to ``factor`` of what it was and show the old one beside it."""
        before = listing.price
        listing.price = pretty(before * factor)
        listing.show_list_price(before)
        self.update(merchant, listing, time)

    def _put_version(
        self, kind: type[ListingCreated] | type[ListingUpdated], merchant: Merchant, listing: Listing, time: int
    ) -> None:
        self._world.put(
            "listings",
            merchant.key,
            kind(
                event_id=self._event_id(),
                occurred_at=time,
                merchant_id=merchant.id,
                listing_id=listing.id,
                title=listing.title,
                category=listing.category.name,
                price=listing.price,
                currency=self._world.currency,
                description=listing.description,
                brand=listing.brand,
                quantity=listing.quantity,
                image_hashes=listing.images,
                ship_from=merchant.country,
                authorizations=listing.authorizations,
                list_price=listing.list_price,
                attributes={"colour": listing.colour} if listing.colour else None,
            ),
        )

    def _event_id(self) -> str:
        return f"{self._random.getrandbits(64):016x}"

    # -- honest change ------------------------------------------------------------------------------------------------

    def tend(self, merchant: Merchant, time: int) -> None:
        """One change that an honest merchant makes to its shop: mostly a price or the quantity."""
        random = self._random
        u = random.random()
        if u < 0.03:
            self.change_account(merchant, time, random.choice(("bank", "address", "phone", "email", "email", "device")))
            return
        listing = random.choice(merchant.listings)
        if u < 0.2:
            self.create(merchant, self.draw(merchant), time)
        elif u < 0.33 and len(merchant.listings) > 2:
            self.remove(merchant, listing, time)
        elif u < 0.5:
            listing.quantity = random.randint(3, 400)
            self.update(merchant, listing, time)
        elif u < 0.6:
            self.discount(merchant, listing, time, random.uniform(0.75, 0.95))
        else:
            listing.price = pretty(listing.price * random.uniform(0.92, 1.1))
            listing.show_list_price(listing.list_price)
            self.update(merchant, listing, time)

    def change_account(self, merchant: Merchant, time: int, what: str) -> None:
        """Change one of bank, address, phone, email, owner, device."""
        self._world.put(
            "merchants",
            merchant.key,
            MerchantAccountChanged(
                event_id=self._event_id(),
                occurred_at=time,
                merchant_id=merchant.id,
                what=what,  # type: ignore[arg-type]
                value_hash=f"{self._random.getrandbits(128):032x}",
            ),
        )


def pretty(price: float) -> int:
    """A price as shops write it: ending in 99 (49 below five units), in minor units."""
    if price < 500:
        return max(49, round(price / 50) * 50 - 1)
    return max(99, round(price / 100) * 100 - 1)
