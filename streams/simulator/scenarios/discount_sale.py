"""Discount sale: an honest merchant cuts its prices for a few days, sells several times as much, and ships it."""

from functools import partial

from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant


class DiscountSale(Scenario):
    """Price cuts and a burst of orders as in a bust-out, without the harm; prices go back afterwards."""

    name = "discount_sale"

    def stage(self) -> None:
        """Plan one sale."""
        random, world = self.random, self.world
        onset = self.onset(0.25, 0.75)
        merchant = self.bystander(onset, 0.5, 0.97)
        if merchant is None:
            return
        self.episode.join(merchant.id, onset)
        until = onset + self.days(3, 5)
        before: dict[str, int] = {}
        world.at(onset, partial(self._begin, merchant, before))
        for _ in range(max(10, round(random.randint(40, 120) * self.intensity))):
            world.at(self.waking_time(onset + 60_000, until), partial(self._order, merchant))
        world.at(until, partial(self._end, merchant, before))

    def _begin(self, merchant: Merchant, before: dict[str, int], time: int) -> None:
        factor = self.random.uniform(0.6, 0.8)
        for listing in merchant.listings:
            before[listing.id] = listing.price
            self.stock.discount(merchant, listing, time, factor)

    def _order(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time)
            self.episode.count_order(time)

    def _end(self, merchant: Merchant, before: dict[str, int], time: int) -> None:
        reduced: list[Listing] = [listing for listing in merchant.listings if listing.id in before]
        for listing in reduced:
            listing.price, listing.list_price = before[listing.id], None
            self.stock.update(merchant, listing, time)
