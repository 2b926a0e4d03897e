"""Copied listings: other shops' pictures, titles and descriptions, offered a little cheaper."""

from random import Random

from streams.simulator.plans import Plan
from streams.simulator.population import Population
from streams.simulator.products import picture, retouched
from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty
from streams.simulator.world import World


class CopiedListings(BadListings):
    """Everything of some listings of two to four honest shops; with stealth words change and a picture is replaced."""

    name = "copied_listings"
    listings = 16.0

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        super().__init__(world, population, random, plan)
        self._victims: dict[str, list[Merchant]] = {}
        self._copied: set[str] = set()

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Choose the victims."""
        honest = [m for m in self.world.honest if m.opens < onset and m.slots >= 5 and not m.authorizations]
        self._victims[merchant.id] = self.random.sample(honest, min(self.random.randint(2, 4), len(honest)))

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """Copy one listing that was not copied yet."""
        random = self.random
        victims = [victim for victim in self._victims[merchant.id] if victim.listings]
        if not victims:
            return None
        # What needs a permit or a brand's authorisation, and the same goods twice, are other violations.
        free = [
            listing
            for victim in victims
            for listing in victim.listings
            if not listing.authorizations and listing.name not in self._copied
        ]
        if not free:
            return None
        old = random.choice(free)
        self._copied.add(old.name)
        new = Listing(self.world.new_listing_id(), old.category, old.name, pretty(old.price * random.uniform(0.7, 0.9)))
        new.brand, new.description, new.colour, new.size = old.brand, old.description, old.colour, old.size
        new.quantity, new.grams = random.randint(20, 300), old.grams
        new.images = retouched(old.images, random)
        if len(new.images) > 1 and random.random() < self.masked(0.0, 0.6):
            new.images[-1] = picture(random)
        if random.random() < self.masked(0.0, 0.7):
            new.name = f"{new.name} {random.choice(('New', 'Hot', 'Best', 'Sale'))}"
        new.rename()
        self.stock.create(merchant, new, time)
        return new
