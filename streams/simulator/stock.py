"""Listings as events: what merchants offer, change and take down."""

from random import Random

from features.events import (
    ListingCreated,
    ListingExposed,
    ListingRemoved,
    ListingUpdated,
)
from streams.simulator.accounts import DETAILS, Accounts
from streams.simulator.catalog import BRAND_MULTIPLE, COLOURS, SIZES, Category
from streams.simulator.products import (
    Product,
    describe,
    draw_grams,
    draw_size,
    like,
    other_colour,
    own_name,
    picture,
)
from streams.simulator.shop import Listing, Merchant
from streams.simulator.world import World

#: Share of an honest merchant's listings that are genuine goods of a protected brand, where it may sell one.
_BRANDED_SHARE = 0.3
_ACCESSORY_SHARE = 0.05
#: Of the rest, goods of makers that other shops sell too.
_RESOLD_SHARE = 0.35
#: Share of listings that are another size or colour of one that the shop has.
_VARIANT_SHARE = 0.15


class Stock:
    """Draws listings and puts what happens to them into the stream."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._accounts = Accounts(world, random)

    # -- drawing ------------------------------------------------------------------------------------------------------

    def draw(self, merchant: Merchant, category: Category | None = None) -> Listing:
        """A listing as an honest merchant would make it; not yet in the stream."""
        random = self._random
        if category is None and merchant.listings and random.random() < _VARIANT_SHARE:
            of = random.choice(merchant.listings)
            # A variant of a listing that breaks a rule would break it too, and nobody would have labelled it.
            if of.id not in self._world.truth.listings:
                return self.variant(of)
        if category is None:
            categories = merchant.categories
            category = categories[0] if len(categories) == 1 or random.random() < 0.8 else random.choice(categories[1:])
        branded = [b for b in category.protected if f"brand:{b.lower()}" in merchant.authorizations]
        if branded and random.random() < _BRANDED_SHARE:
            listing = self._own(category, random.choice(branded))
            price = category.median * BRAND_MULTIPLE[listing.brand or ""] * random.lognormvariate(0.0, 0.25)
        elif random.random() < _RESOLD_SHARE:
            listing, price = self._resold(category)
        else:
            listing = self._own(category, random.choice(category.brands))
            price = category.median * merchant.price_level * random.lognormvariate(0.0, category.sigma)
        listing.price = pretty(price)
        listing.authorizations = merchant.authorizations or None
        if random.random() < 0.45:
            listing.show_list_price(pretty(listing.price / (1 - random.uniform(0.05, 0.3))))
        return listing

    def resell(self, product: Product) -> Listing:
        """A maker's goods as a shop offers them: the maker's words and picture, mostly beside photos of its own."""
        random = self._random
        images = [like(product.images[0], random, random.choice((0, 0, 1, 2)))]
        if random.random() < 0.3:
            images.append(product.images[1])
        else:
            images += [picture(random) for _ in range(random.randint(1, 2))]
        listing = Listing(self._world.new_listing_id(), product.category, product.name, pretty(product.price))
        listing.brand, listing.images, listing.grams = product.brand, images, product.grams
        self._finish(listing, product.name.removeprefix(f"{product.brand} "))
        return listing

    def variant(self, of: Listing) -> Listing:
        """The same goods in another size with the same pictures, or in another colour with another first one."""
        random = self._random
        listing = Listing(self._world.new_listing_id(), of.category, of.name, of.price)
        listing.brand, listing.description, listing.grams = of.brand, of.description, of.grams
        listing.quantity, listing.authorizations = random.randint(3, 400), of.authorizations
        listing.colour, listing.size, listing.images = of.colour, of.size, list(of.images)
        if of.size and random.random() < 0.6:
            listing.size = random.choice([size for size in SIZES if size != of.size])
        else:
            listing.colour = other_colour(of.colour, random)
            listing.images[0] = like(of.images[0], random, random.randint(8, 16))
        listing.show_list_price(of.list_price)
        listing.rename()
        return listing

    def _own(self, category: Category, brand: str) -> Listing:
        random = self._random
        noun = random.choice(category.nouns)
        name = own_name(brand, noun, random)
        if category.protected and category.name.startswith("electronics/") and random.random() < _ACCESSORY_SHARE:
            name = f"{name} compatible with {category.protected[0]}"
        listing = Listing(self._world.new_listing_id(), category, name, 0)
        listing.brand, listing.grams = brand, draw_grams(category, random)
        listing.images = [picture(random) for _ in range(random.randint(1, 4))]
        self._finish(listing, noun)
        return listing

    def _resold(self, category: Category) -> tuple[Listing, float]:
        product = self._world.makers.draw(category, self._random)
        return self.resell(product), product.price * self._random.lognormvariate(0.0, 0.1)

    def _finish(self, listing: Listing, what: str) -> None:
        random = self._random
        listing.colour, listing.size = random.choice(COLOURS), draw_size(listing.category, random)
        listing.description = describe(what, listing.brand or "us", random)
        listing.quantity = random.randint(3, 400)
        listing.rename()

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
                image_hashes=[f"{image:016x}" for image in listing.images],
                ship_from=merchant.country,
                authorizations=listing.authorizations,
                list_price=listing.list_price,
                attributes=_attributes(listing),
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
            self._accounts.change(merchant, time, random.choice((*DETAILS, "email")))
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


def _attributes(listing: Listing) -> dict[str, str] | None:
    found = {"colour": listing.colour, "size": listing.size}
    return {name: value for name, value in found.items() if value} or None


def pretty(price: float) -> int:
    """A price as shops write it: ending in 99 (49 below five units), in minor units."""
    if price < 500:
        return max(49, round(price / 50) * 50 - 1)
    return max(99, round(price / 100) * 100 - 1)
