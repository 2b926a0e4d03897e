"""Account takeover: someone else gets into the account of an honest merchant and sells what will not be shipped."""

from functools import partial

from streams.simulator.accounts import Detail
from streams.simulator.catalog import HOT_CATEGORIES
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import never_shipped
from streams.simulator.shop import TYPICAL, Merchant
from streams.simulator.stock import pretty

#: What becomes of the orders of old customers once nobody packs parcels any more.
_LOOTED = TYPICAL._replace(late_ship=0.5, seller_cancel=0.02, not_received=0.75, low_rating=0.3)


class AccountTakeover(Scenario):
    """A shop with a past: a new device and a new bank, then prices fall, listings of other goods appear, parcels are
    said to leave elsewhere, orders burst and hardly any is shipped.

    With stealth the changes come days before, and prices, listings and orders less abruptly.
    """

    name = "account_takeover"

    def stage(self) -> None:
        """Plan one takeover."""
        random, world = self.random, self.world
        onset = self.onset(0.35, 0.7)
        merchant = self.recruit(onset - self.days(150, 1500), random.randint(5, 14))
        merchant.weight = random.uniform(0.9, 2.0) * self.size_of_median()
        onset = max(onset, merchant.opens + 10 * DAY_MS)
        self.episode.join(merchant.id, onset)
        acts = onset + int(HOUR_MS * self.masked(2, 60) * random.uniform(0.5, 1.5))
        details: tuple[Detail, ...] = ("device", "bank", "email")
        for number, what in enumerate(details):
            if what != "email" or random.random() < 0.6:
                world.at(onset + int((acts - onset) * number / 4), partial(self._change, merchant, what))
        world.at(acts, partial(self._cut_prices, merchant))
        for _ in range(self.several(random.randint(10, 20) * self.masked(1.3, 0.7))):
            world.at(acts + self.days(0, self.masked(0.6, 2)), partial(self._offer, merchant))
        until = acts + self.days(3, 5)
        for _ in range(self.several(random.randint(50, 110), least=10)):
            world.at(self.waking_time(acts + 2 * HOUR_MS, until, 0.8), partial(self._order, merchant))

    def _change(self, merchant: Merchant, what: Detail, time: int) -> None:
        self.accounts.change(merchant, time, what)

    def _cut_prices(self, merchant: Merchant, time: int) -> None:
        merchant.quality = _LOOTED
        merchant.country = merchant.warehouse = self.random.choice(("CN", "VN", "MX"))
        for listing in merchant.listings:
            self.stock.discount(merchant, listing, time, self.random.uniform(0.4, 0.6) * self.masked(0.8, 1.2))

    def _offer(self, merchant: Merchant, time: int) -> None:
        listing = self.stock.draw(merchant, self.random.choice(HOT_CATEGORIES))
        listing.list_price = listing.price
        listing.price = pretty(listing.price * self.random.uniform(0.4, 0.6) * self.masked(0.8, 1.2))
        self.stock.create(merchant, listing, time)

    def _order(self, merchant: Merchant, time: int) -> None:
        if not merchant.is_open(time):
            return
        order = self.events.open(merchant, time)
        self.events.created(order, [(self.random.choice(merchant.listings), 1)], self.anyone())
        self.episode.count_order(time)
        if self.random.random() < self.masked(0.02, 0.12):
            self.life_cycle.fulfil(order, TYPICAL, 0.02)
        else:
            never_shipped(self, order)
