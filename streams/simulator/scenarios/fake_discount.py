"""Fake discounts: a list price that was never asked is shown beside the usual price, as if that were a cut."""

from functools import partial

from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty


class FakeDiscount(BadListings):
    """List prices are raised by half to thrice at an unchanged price; with stealth first the price goes up for some
    days, and then down again beside the high one.
    """

    name = "fake_discount"
    listings = 8.0

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """Show a false discount on one listing."""
        labelled = self.world.truth.listings
        free = [each for each in merchant.listings if each.id not in labelled]
        if not free:
            return None
        random, listing = self.random, self.random.choice(free)
        price = listing.price
        high = pretty(max(price, listing.list_price or 0) * random.uniform(1.6, 2.6) * self.masked(1.2, 0.8))
        if random.random() < self.masked(0.0, 0.7):
            listing.price, listing.list_price = high, None
            self.stock.update(merchant, listing, time)
            self.world.at(time + self.days(1, 5), partial(self._cut, merchant, listing, price, high))
        else:
            self._cut(merchant, listing, price, high, time)
        return listing

    def _cut(self, merchant: Merchant, listing: Listing, price: int, high: int, time: int) -> None:
        if listing in merchant.listings:
            listing.price = price
            listing.show_list_price(high)
            self.stock.update(merchant, listing, time)
