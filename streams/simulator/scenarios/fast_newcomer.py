"""Fast newcomer: a new shop that does everything right and grows within weeks."""

from functools import partial

from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant, draw_quality


class FastNewcomer(Scenario):
    """Registered lately, two dozen listings in the first weeks, and orders that grow to ten or more a day."""

    name = "fast_newcomer"

    def stage(self) -> None:
        """Plan one newcomer among the honest merchants."""
        random, world = self.random, self.world
        low, high = self.season_start + 2 * DAY_MS, self.season_end - 25 * DAY_MS
        wanted = [m for m in world.honest if low <= m.registered_at < high and m.id not in world.involved]
        if not wanted:
            return
        merchant = random.choice(wanted)
        world.involved.add(merchant.id)
        opened = merchant.opens
        self.episode.join(merchant.id, opened)
        while merchant.quality.late_ship > 0.08 or merchant.quality.seller_cancel > 0.03:
            merchant.quality = draw_quality(random)
        for _ in range(self.several(random.randint(15, 30))):
            world.at(opened + self.days(0.5, 16), partial(self._offer, merchant))
        for _ in range(self.several(random.randint(90, 170), least=20)):
            # More and more: the square root of an even draw.
            world.at(self.waking_time(opened + DAY_MS, opened + 22 * DAY_MS, 0.5), partial(self._order, merchant))

    def _offer(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.stock.create(merchant, self.stock.draw(merchant), time)

    def _order(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time)
            self.episode.count_order(time)
