"""What shops have in common that try to look better than they are: a shop of bad service, and a trick.

With ``gaming`` switched off in the configuration, the same shop does the same but for its trick: it gets the same
orders at the same times, and each of them goes the same way. Two runs of one seed show what the trick gains.
"""

from functools import partial
from random import Random
from typing import ClassVar, Final

from streams.simulator.config import DAY_MS
from streams.simulator.lifecycle import LifeCycle
from streams.simulator.plans import Plan
from streams.simulator.population import Population
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import TYPICAL, Merchant, Quality
from streams.simulator.world import World

#: A shop that should have little credit: late and cancelled orders, some not as described.
POOR: Final = TYPICAL._replace(late_ship=0.25, seller_cancel=0.06, late_delivery=0.1, not_as_described=0.06)


class Gaming(Scenario):
    """A shop with a past that trades until the end of the season, and from a day on plays its trick, or does not.

    Everything but the trick is drawn when the shop is planned, so that the trick, which draws as it goes, changes none
    of it.
    """

    #: How its own orders go.
    quality: ClassVar[Quality] = POOR
    #: Ordinary orders a day.
    per_day: ClassVar[float] = 2.5

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        super().__init__(world, population, random, plan)
        # Seeded anew for each order, so that no order depends on what became of those before it.
        self._fate: Final = Random()
        self._trade: Final = LifeCycle(world, self._fate)

    def stage(self) -> None:
        """Plan one shop."""
        world = self.world
        onset = self.onset(0.08, 0.2)
        merchant = self.recruit(onset - self.days(60, 600), self.random.randint(5, 12))
        merchant.quality = self.quality
        onset = max(onset, merchant.opens + DAY_MS)
        self.episode.join(merchant.id, onset)
        days = (self.season_end - onset) / DAY_MS
        for _ in range(self.several(self.random.uniform(0.8, 1.2) * self.per_day * days, least=10)):
            fate = self.random.getrandbits(64)
            world.at(self.waking_time(onset, self.season_end), partial(self.trade, merchant, fate))
        self.prepare(merchant, onset)
        if world.config.gaming:
            world.at(onset, partial(self.play, merchant))

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Plan what else there is, trick or no trick."""

    def play(self, merchant: Merchant, time: int) -> None:
        """Begin with the trick."""

    def trade(self, merchant: Merchant, fate: int, time: int) -> None:
        """An ordinary order; the same ``fate`` (64 bits) goes the same way."""
        if merchant.is_open(time):
            self._fate.seed(fate)
            self._trade.place(merchant, time)
            self.episode.count_order(time)
