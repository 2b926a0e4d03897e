"""Brand resellers: several honest shops list the same goods of a maker, with the maker's pictures and words."""

from functools import partial

from streams.simulator.products import Product
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant

_SHOPS = 4


class BrandResellers(Scenario):
    """Four shops take up a maker's line within weeks: to the letter alike, and nobody copied from anybody."""

    name = "brand_resellers"

    def stage(self) -> None:
        """Plan one line of goods and its shops."""
        random, world = self.random, self.world
        onset = self.onset(0.15, 0.6)
        line: list[Product] = []
        for _ in range(_SHOPS):
            merchant = self.bystander(onset, 0.2, 0.95)
            if merchant is None:
                return
            if not line:
                line += self._line(merchant)
            self.episode.join(merchant.id, onset)
            begins = onset + self.days(0, 15)
            for product in random.sample(line, max(1, len(line) - 2)):
                world.at(begins + self.days(0, 1), partial(self._offer, merchant, product))

    def _line(self, merchant: Merchant) -> list[Product]:
        found: dict[str, Product] = {}
        for _ in range(40):
            product = self.world.makers.draw(merchant.categories[0], self.random)
            found.setdefault(product.name, product)
        return list(found.values())[: self.several(10, least=3)]

    def _offer(self, merchant: Merchant, product: Product, time: int) -> None:
        if merchant.is_open(time):
            listing = self.stock.resell(product)
            listing.authorizations = merchant.authorizations or None
            self.stock.create(merchant, listing, time)
