"""Prohibited goods: what may not be sold at all, or not without a permit, in the open or in disguise."""

from streams.simulator.catalog import CATEGORIES, DISGUISES
from streams.simulator.scenarios.bad_listings import BadListings
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty

_GOODS = (
    "Disposable Vape 600 Puffs", "THC Gummies 20 pcs", "Lock Pick Set 24 pcs", "Signal Jammer 4 Band",
    "Brass Knuckles Steel", "Anabolic Steroids 100 Tabs", "Kratom Powder 250 g", "Switchblade Knife Black",
    "Nicotine Pouches 10 Cans", "Novelty Driver License Card",
)  # fmt: skip
_RESTRICTED = tuple(category for category in CATEGORIES if category.permit)


class ProhibitedGoods(BadListings):
    """Listings of such goods in a category that looks harmless, or of restricted goods without the permit.

    With stealth letters are replaced or spaced out.
    """

    name = "prohibited_goods"
    listings = 8.0

    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """List one thing that may not be sold."""
        random = self.random
        if random.random() < 0.3:
            category = random.choice(_RESTRICTED)
            listing = self.stock.draw(merchant, category)
            kept = [name for name in merchant.authorizations if name != category.permit]
            listing.authorizations = kept or None
        else:
            listing = self.stock.draw(merchant, random.choice(merchant.categories))
            goods = random.choice(_GOODS)
            if random.random() < self.masked(0.0, 0.8):
                goods = random.choice((_leet, _spaced, _dotted))(goods)
            listing.name, listing.brand, listing.size = goods, None, None
            listing.description = f"{goods}. Discreet packaging, ships fast."
            listing.price = pretty(random.uniform(1500, 6000))
            listing.list_price = None
            listing.rename()
        self.stock.create(merchant, listing, time)
        return listing


def _leet(words: str) -> str:
    return "".join(DISGUISES.get(letter, letter) for letter in words)


def _spaced(words: str) -> str:
    first, *rest = words.split()
    return "  ".join((" ".join(first), " ".join(rest[0]), *rest[1:]))


def _dotted(words: str) -> str:
    first, *rest = words.split()
    return " ".join((".".join(first), ".".join(rest[0]), *rest[1:]))
