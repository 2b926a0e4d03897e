"""Bust-out (hit and run): sell a lot at once from an account with a clean past, take the money and don't ship."""

from functools import partial
from math import sqrt

from streams.simulator.accounts import Detail
from streams.simulator.catalog import HOT_CATEGORIES
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import never_shipped
from streams.simulator.shop import TYPICAL, Merchant
from streams.simulator.stock import pretty


class BustOut(Scenario):
    """A young or long dormant account changes its bank, floods the shop with cheap, wanted goods and stops shipping.

    Losses show only when delivery was promised: claims of non-receipt, refunds, disputes. Pattern and order of steps:
    hit-and-run sellers in the field's literature.
    """

    name = "bust_out"

    def stage(self) -> None:
        """Plan one bust-out."""
        random, world = self.random, self.world
        onset = self.onset(0.25, 0.7)
        dormant = random.random() < 0.4
        registered = onset - (self.days(200, 900) if dormant else self.days(8, 30))
        merchant = self.recruit(registered, random.randint(2, 5), random.choice(HOT_CATEGORIES))
        merchant.quality = TYPICAL
        first = merchant.opens + DAY_MS
        if dormant:
            quiet_from = self.season_start + (self.season_end - self.season_start) // 8
            self.honest_orders(merchant, random.randint(3, 10), first, min(quiet_from, onset - 10 * DAY_MS))
        else:
            self.honest_orders(merchant, random.randint(6, 20), first, onset - DAY_MS)
        prepares = max(merchant.opens + HOUR_MS, onset - self.days(0.5, 4))
        self.episode.join(merchant.id, prepares)
        world.at(prepares, partial(self._prepare, merchant))
        world.at(onset, partial(self._cut_prices, merchant))
        for _ in range(round(random.randint(12, 30) * sqrt(self.intensity))):
            world.at(onset + self.days(0, 1.3), partial(self._offer, merchant))
        until = onset + self.days(3, 6)
        for _ in range(max(10, round(random.randint(80, 200) * self.intensity))):
            world.at(
                self.waking_time(onset + 4 * HOUR_MS, until, 0.7),
                lambda time: self._order(merchant, time, (time - onset) / (until - onset)),
            )

    def _prepare(self, merchant: Merchant, time: int) -> None:
        self.accounts.change(merchant, time, "bank")
        others: tuple[tuple[Detail, float], ...] = (("device", 0.6), ("email", 0.4), ("phone", 0.3))
        for what, share in others:
            if self.random.random() < share:
                self.accounts.change(merchant, time + self.random.randrange(HOUR_MS), what)

    def _cut_prices(self, merchant: Merchant, time: int) -> None:
        for listing in merchant.listings:
            self.stock.discount(merchant, listing, time, self.random.uniform(0.45, 0.65) * self.masked(0.85, 1.15))

    def _offer(self, merchant: Merchant, time: int) -> None:
        listing = self.stock.draw(merchant, self.random.choice(HOT_CATEGORIES))
        listing.list_price = pretty(listing.price * 1.6)
        listing.price = pretty(listing.list_price * self.random.uniform(0.35, 0.55) * self.masked(0.8, 1.2))
        self.stock.create(merchant, listing, time)

    def _order(self, merchant: Merchant, time: int, progress: float) -> None:
        """``progress``: how much of the burst is over, 0 to 1; the first few orders are still shipped."""
        random, events = self.random, self.events
        if not merchant.is_open(time):
            return
        order = events.open(merchant, time)
        listing = random.choice(merchant.listings)
        creators = self.world.creators
        by_creator = random.random() < 0.5
        events.created(
            order,
            [(listing, 1 if random.random() < 0.8 else 2)],
            self.anyone(),
            channel="video" if by_creator else "shop",
            creator=random.choice(creators) if by_creator else None,
        )
        self.episode.count_order(time)
        if random.random() < max(0.03, self.masked(0.1, 0.5) - 1.5 * progress):
            self.life_cycle.fulfil(order, TYPICAL, listing.category.returns)
            return
        never_shipped(self, order)
