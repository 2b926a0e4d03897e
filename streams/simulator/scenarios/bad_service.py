"""Sellers who serve badly all the time: late and cancelled orders, or goods that are not what was shown."""

from functools import partial
from typing import ClassVar

from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import TYPICAL, Merchant, Quality


class BadService(Scenario):
    """A shop with a past whose service is bad from a day on, for four or five weeks.

    With stealth a smaller share of the orders goes wrong.
    """

    #: How the orders go at stealth 0 and 1.
    worst: ClassVar[Quality]
    hidden: ClassVar[Quality]

    def stage(self) -> None:
        """Plan one seller."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.45)
        merchant = self.recruit(onset - self.days(40, 900), random.randint(5, 14))
        merchant.weight = random.uniform(0.6, 1.4) * self.size_of_median()
        onset = max(onset, merchant.opens + DAY_MS)
        until = onset + self.days(28, 38)
        self.episode.join(merchant.id, onset)
        usual = merchant.quality
        bad = Quality(*(min(0.9, self.masked(a, b)) for a, b in zip(self.worst, self.hidden, strict=True)))
        world.at(onset, lambda _: self._serve(merchant, bad))
        world.at(until, lambda _: merchant.recover(usual))
        for _ in range(self.several(random.uniform(2.5, 4.5) * (until - onset) / DAY_MS, least=15)):
            world.at(self.waking_time(onset, until), partial(self._order, merchant))

    def _serve(self, merchant: Merchant, bad: Quality) -> None:
        merchant.quality = bad
        merchant.watch = lambda _, time: self.episode.count_order(time)

    def _order(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time)


class PoorFulfilment(BadService):
    """Ships late, or says after days that there is nothing to ship."""

    name = "poor_fulfilment"
    worst = TYPICAL._replace(late_ship=0.55, seller_cancel=0.25, late_delivery=0.25, low_rating=0.15)
    hidden = TYPICAL._replace(late_ship=0.2, seller_cancel=0.1, late_delivery=0.12, low_rating=0.05)


class NotAsDescribed(BadService):
    """Sends something else, or of less worth, than the listing shows."""

    name = "not_as_described"
    worst = TYPICAL._replace(not_as_described=0.4, low_rating=0.45)
    hidden = TYPICAL._replace(not_as_described=0.15, low_rating=0.15)
