"""Switched listings: one that sold well is edited into another product, and keeps its sales and stars."""

from functools import partial

from streams.simulator.catalog import HOT_CATEGORIES
from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant


class SwitchedListings(BadListings):
    """Two to five listings with a dozen orders each become other goods; with stealth in two edits, the
    first of which changes only words.
    """

    name = "switched_listings"
    listings = 3.0
    between = (0.35, 0.6)

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Orders of what is going to be switched, in the weeks before."""
        low = max(merchant.opens, onset - 25 * DAY_MS)
        for _ in range(45 if onset > low else 0):
            self.world.at(self.waking_time(low, onset), partial(self._sell, merchant))

    def _sell(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            first = merchant.listings[: max(1, min(4, len(merchant.listings)))]
            self.life_cycle.place(merchant, time, listing=self.random.choice(first))

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """Turn one listing into something else."""
        labelled = self.world.truth.listings
        old = next((each for each in merchant.listings[:5] if each.id not in labelled), None)
        if old is None:
            return None
        new = self.stock.draw(merchant, self.random.choice(HOT_CATEGORIES))
        if self.random.random() < self.masked(0.0, 0.6):
            # In between: half of the words of each.
            half = old.name.split()[:2] + new.name.split()[-3:]
            old.name = " ".join(half)
            old.rename()
            self.stock.update(merchant, old, time)
            self.world.at(time + self.days(0.2, 2), partial(self._finish, merchant, old, new))
        else:
            self._finish(merchant, old, new, time)
        return old

    def _finish(self, merchant: Merchant, old: Listing, new: Listing, time: int) -> None:
        if old not in merchant.listings:
            return
        old.name, old.colour, old.size, old.category = new.name, new.colour, new.size, new.category
        old.brand, old.description, old.images = new.brand, new.description, new.images
        old.price, old.grams = new.price, new.grams
        old.list_price = None
        old.rename()
        self.stock.update(merchant, old, time)
