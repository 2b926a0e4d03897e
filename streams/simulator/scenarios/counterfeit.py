"""Counterfeit lister: goods under a protected brand, without the brand's authorisation, far below its price."""

from functools import partial

from streams.simulator.catalog import (
    BRAND_MULTIPLE,
    BRANDED_CATEGORIES,
    COLOURS,
    DISGUISES,
    PRAISE,
    QUALITIES,
    REPLICA_PHRASES,
    Category,
)
from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant, Quality
from streams.simulator.stock import pretty

#: Goods of unknown make from far away; buyers of fakes complain to the platform more rarely than they are deceived.
FAKES = Quality(
    late_ship=0.05,
    seller_cancel=0.01,
    late_delivery=0.12,
    not_received=0.02,
    not_as_described=0.08,
    low_rating=0.3,
    counterfeit=0.14,
)


class Counterfeit(Scenario):
    """A merchant lists replicas, some openly, some with a disguised brand, and lists them again when they are old.

    Claims of counterfeit, "not as described" and low ratings follow after delivery.
    """

    name = "counterfeit"

    def stage(self) -> None:
        """Plan one seller of counterfeits."""
        onset = self.onset(0.15, 0.5)
        self.stage_seller(onset, onset + self.days(20, 40))

    def stage_seller(self, onset: int, until: int) -> tuple[Merchant, list[Listing]]:
        """Plan one that sells between two times, ms; the list holds its fakes as they are at the time of looking."""
        random, world = self.random, self.world
        category = random.choice(BRANDED_CATEGORIES)
        brand = random.choice(category.protected)
        merchant = self.recruit(onset - self.days(5, 400), random.randint(2, 6), category)
        merchant.country = "CN" if random.random() < 0.7 else merchant.country
        merchant.authorizations = [name for name in merchant.authorizations if not name.startswith("brand:")]
        merchant.handling, merchant.transit = 3 * DAY_MS, 10 * DAY_MS
        onset = max(onset, merchant.opens + DAY_MS)
        self.honest_orders(merchant, random.randint(4, 20), merchant.opens, onset)
        self.episode.join(merchant.id, onset)
        fakes: list[Listing] = []
        for _ in range(random.randint(8, 20)):
            world.at(onset + self.days(0, 2), partial(self._offer, merchant, category, brand, fakes))
        for day in range(8, (until - onset) // DAY_MS, 6):
            world.at(onset + day * DAY_MS + self.days(0, 1), partial(self._relist, merchant, fakes))
        for _ in range(self.several(random.uniform(2.5, 6) * (until - onset) / DAY_MS, least=10)):
            world.at(self.waking_time(onset, until), partial(self._order, merchant, fakes))
        return merchant, fakes

    def _offer(self, merchant: Merchant, category: Category, brand: str, fakes: list[Listing], time: int) -> None:
        random = self.random
        listing = self.stock.draw(merchant, category)
        noun, phrase = random.choice(category.nouns), random.choice(REPLICA_PHRASES)
        colour, praise = listing.colour, random.choice(PRAISE)
        way, openly = random.random(), self.masked(0.85, 0.35)
        if way < openly:
            listing.title = f"{brand} {noun} {phrase}, {colour}"
            listing.description = f"{noun}, {random.choice(REPLICA_PHRASES)}. {praise}"
        elif way < openly + 0.25:
            listing.title = f"{disguise(brand)} style {noun}, {random.choice(COLOURS)}"
            listing.description = f"{phrase}. {praise}"
        else:
            listing.title = f"{brand} {random.choice(QUALITIES)} {noun}, {colour}"
            listing.description = f"{noun}. {praise}"
        listing.brand = brand if way < openly or way >= openly + 0.25 else None
        listing.price = pretty(category.median * random.uniform(0.22, 0.5) * self.masked(0.8, 1.2))
        listing.list_price = pretty(category.median * BRAND_MULTIPLE[brand]) if random.random() < 0.4 else None
        fakes.append(listing)
        self.world.truth.listings[listing.id] = self.name
        self.stock.create(merchant, listing, time)

    def _relist(self, merchant: Merchant, fakes: list[Listing], time: int) -> None:
        """Take down the oldest fakes and list them as new ones."""
        for old in [listing for listing in fakes if listing in merchant.listings][:3]:
            self.stock.remove(merchant, old, time)
            fakes.remove(old)
            new = Listing(self.world.new_listing_id(), old.category, old.title, old.price)
            new.brand, new.description, new.colour, new.grams = old.brand, old.description, old.colour, old.grams
            new.images, new.quantity, new.list_price = old.images, old.quantity, old.list_price
            new.authorizations = old.authorizations
            fakes.append(new)
            self.world.truth.listings[new.id] = self.name
            self.stock.create(merchant, new, time + 1)

    def _order(self, merchant: Merchant, fakes: list[Listing], time: int) -> None:
        if fakes and merchant.is_open(time):
            self.life_cycle.place(merchant, time, listing=self.random.choice(fakes), quality=FAKES)
            self.episode.count_order(time)


def disguise(brand: str) -> str:
    """The brand spelt so that a plain search does not find it."""
    return "".join(DISGUISES.get(letter, letter) for letter in brand)
