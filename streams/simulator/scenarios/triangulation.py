"""Triangulation: goods bought elsewhere with stolen cards, and sent to the buyer by a shop that knows nothing."""

from functools import partial

from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant
from streams.simulator.stock import pretty

#: Where the shops are that the goods are bought from.
_ORIGINS = ("US", "CA", "MX", "GB", "DE", "FR", "NL", "PL")


class Triangulation(Scenario):
    """Makers' goods far under the market, no stock: parcels come at once and from anywhere, buyers are happy, and weeks
    later the cards' owners take their money back.

    With stealth prices are nearer to the market, and fewer payments come back.
    """

    name = "triangulation"

    def stage(self) -> None:
        """Plan one seller."""
        random, world = self.random, self.world
        onset = self.onset(0.1, 0.35)
        merchant = self.recruit(onset - self.days(8, 60), random.randint(2, 4))
        merchant.country = merchant.warehouse = "US"
        onset = max(onset, merchant.opens + DAY_MS)
        self.episode.join(merchant.id, onset)
        for _ in range(self.several(random.randint(8, 16))):
            world.at(onset + self.days(0, 3), partial(self._offer, merchant))
        until = onset + self.days(25, 40)
        for _ in range(self.several(random.uniform(3, 5.5) * (until - onset) / DAY_MS, least=15)):
            world.at(self.waking_time(onset + 12 * HOUR_MS, until), partial(self._order, merchant))

    def _offer(self, merchant: Merchant, time: int) -> None:
        random = self.random
        product = self.world.makers.draw(random.choice(merchant.categories), random)
        listing = self.stock.resell(product)
        listing.price = pretty(product.price * random.uniform(0.5, 0.7) * self.masked(0.85, 1.15))
        listing.authorizations = merchant.authorizations or None
        self.stock.create(merchant, listing, time)

    def _order(self, merchant: Merchant, time: int) -> None:
        random, events = self.random, self.events
        if not merchant.is_open(time):
            return
        order = events.open(merchant, time)
        events.created(
            order, [(merchant.listings[-1 - int(random.random() * len(merchant.listings))], 1)], self.anyone()
        )
        self.episode.count_order(time)
        shipped = time + int(HOUR_MS * random.uniform(5, 36))
        arrives = min(order.deliver_by - HOUR_MS, shipped + self.days(1.8, 4))
        events.shipped(order, shipped, weight=order.parcel(random), ship_from=random.choice(_ORIGINS))
        self.life_cycle.carry(order, shipped + 2 * HOUR_MS, max(arrives, shipped + 20 * HOUR_MS))
        events.delivered(order, max(arrives, shipped + 20 * HOUR_MS) + 300_000)
        if random.random() < 0.4:
            events.reviewed(order, arrives + self.days(1, 4), random.choice((5, 5, 5, 4)))
        if random.random() < self.masked(0.3, 0.14):
            opened = arrives + self.days(9, 28)
            events.disputed(order, opened, "chargeback")
            events.dispute_resolved(order, opened + self.days(4, 10), "buyer")
            events.refunded(order, opened + self.days(10, 11), "seller")
