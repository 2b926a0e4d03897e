"""Probation evasion: one operator runs several young shops, each just under what a new shop may sell."""

from functools import partial
from typing import Final

from streams.simulator.catalog import CATEGORIES
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.plans import RING_SIZES
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import TYPICAL, Merchant

#: What a new shop may sell: orders a day and listings (TikTok Shop, beginners).
ORDER_CAP: Final = 50
LISTING_CAP: Final = 100
#: Nobody packs so many parcels well.
_CARELESS: Final = TYPICAL._replace(
    late_ship=0.3, seller_cancel=0.14, late_delivery=0.12, not_received=0.07, not_as_described=0.07, low_rating=0.15
)


class ProbationEvasion(Scenario):
    """Three accounts, registered within days, with details of the account in common; each sells near the caps for two
    or three days, when the next one takes over. Many orders are late or cancelled.

    With stealth fewer details are shared, and sales stay further below the caps.
    """

    name = "probation_evasion"

    def stage(self) -> None:
        """Plan one operator."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.65)
        category = random.choice(CATEGORIES)
        shared: dict[str, str] = {what: self.accounts.new_value(what) for what in self.shared_details()}
        for number in range(RING_SIZES[self.name]):
            registered = onset + self.days(0, 2.5)
            merchant = self.recruit(registered, 0, category)
            merchant.quality = _CARELESS
            merchant.account.update(shared)
            self.episode.join(merchant.id, registered)
            begins = onset + self.days(3, 4) + number * self.days(2, 3)
            for _ in range(min(LISTING_CAP - 2, self.several(random.randint(70, 95) * self.masked(1.1, 0.9)))):
                world.at(registered + 2 * HOUR_MS + self.days(0, 2.5), partial(self._offer, merchant))
            days = random.randint(2, 3)
            per_day = min(ORDER_CAP - 1, self.several(random.uniform(38, 48) * self.masked(1.1, 0.9)))
            for day in range(days):
                for _ in range(per_day):
                    start = begins + day * DAY_MS
                    world.at(self.waking_time(start, start + DAY_MS), partial(self._order, merchant))

    def _offer(self, merchant: Merchant, time: int) -> None:
        self.stock.create(merchant, self.stock.draw(merchant), time)

    def _order(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time)
            self.episode.count_order(time)
