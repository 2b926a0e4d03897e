"""Viral burst: a creator's video brings an honest merchant hundreds of orders in a few days."""

from functools import partial

from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant


class ViralBurst(Scenario):
    """A burst of orders by new buyers through one creator. The merchant ships, if more slowly than usual."""

    name = "viral_burst"

    def stage(self) -> None:
        """Plan one burst."""
        random, world = self.random, self.world
        onset = self.onset(0.3, 0.75)
        merchant = self.bystander(onset, 0.4, 0.85)
        if merchant is None:
            return
        creator = random.choice(world.creators)
        self.episode.join(merchant.id, onset)
        for _ in range(max(20, round(random.randint(150, 400) * self.intensity))):
            after = int(min(5 * DAY_MS, HOUR_MS + random.expovariate(1 / (18 * HOUR_MS))))
            world.at(onset + after, partial(self._order, merchant, creator))

    def _order(self, merchant: Merchant, creator: str, time: int) -> None:
        if not merchant.is_open(time):
            return
        usual = merchant.quality
        strained = usual._replace(late_ship=min(0.3, usual.late_ship * 2.5 + 0.03))
        self.life_cycle.place(
            merchant,
            time,
            listing=merchant.listings[0],
            quality=strained,
            channel="video" if self.random.random() < 0.75 else "live",
            creator=creator,
        )
        self.episode.count_order(time)
