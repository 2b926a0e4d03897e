"""Duplicate listings: the same goods again and again in one shop, to fill the pages of a search."""

from streams.simulator.products import retouched
from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty

_FILLERS = ("New", "Hot", "Sale", "2026", "Best", "Free Shipping", "Top")


class DuplicateListings(BadListings):
    """One to three articles, each many times: words in another order or with fillers, the same pictures.

    With stealth titles and pictures are changed more.
    """

    name = "duplicate_listings"
    listings = 18.0

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """List one article once more; the first listing of it is not labelled."""
        random = self.random
        if not merchant.listings:
            return None
        old = merchant.listings[int(random.random() * min(3, len(merchant.listings)))]
        words = old.name.split()
        if random.random() < self.masked(0.3, 0.8):
            at = random.randrange(len(words) - 1)
            words[at], words[at + 1] = words[at + 1], words[at]
        if random.random() < self.masked(0.2, 0.8):
            words.insert(random.randrange(len(words) + 1), random.choice(_FILLERS))
        new = Listing(
            self.world.new_listing_id(), old.category, " ".join(words), pretty(old.price * random.uniform(0.95, 1.05))
        )
        new.brand, new.description, new.colour, new.size = old.brand, old.description, old.colour, old.size
        new.quantity, new.grams, new.authorizations = old.quantity, old.grams, old.authorizations
        new.images = retouched(old.images, random, round(self.masked(1, 5)))
        new.rename()
        self.stock.create(merchant, new, time)
        return new
