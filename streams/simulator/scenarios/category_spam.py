"""Category spam: goods listed where they do not belong, to be seen by more buyers."""

from streams.simulator.catalog import CATEGORIES
from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant


class CategorySpam(BadListings):
    """New listings of the shop's own goods in other categories, with stealth in ones that are near."""

    name = "category_spam"
    listings = 14.0

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """List goods in a wrong category that needs no permit."""
        random = self.random
        listing = self.stock.draw(merchant, random.choice(merchant.categories))
        own = listing.category.name
        others = [each for each in CATEGORIES if each.name != own and each.permit is None]
        near = [each for each in others if each.name.split("/")[0] == own.split("/")[0]]
        far = [each for each in others if each not in near]
        listing.category = random.choice(near if near and random.random() < self.masked(0.0, 0.4) else far)
        listing.size = None
        listing.rename()
        self.stock.create(merchant, listing, time)
        return listing
