"""Splitting a shop: an operator of bad service sends half of the orders to a second account, so that there is half of
the evidence against each.
"""

from random import Random
from typing import ClassVar

from streams.simulator.plans import Plan
from streams.simulator.population import Population
from streams.simulator.scenarios.gaming import Gaming
from streams.simulator.shop import Merchant
from streams.simulator.world import World


class SplitShop(Gaming):
    """Accounts with details in common, the fewer the more stealth there is.

    Without the trick the second account is there as well, but somebody else's: it has no orders, and nothing in common
    with the first.
    """

    name = "split_shop"
    per_day: ClassVar[float] = 4.0

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        super().__init__(world, population, random, plan)
        self._seconds: dict[str, Merchant] = {}

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Open the second account."""
        second = self.recruit(onset - self.days(2, 5), merchant.slots, merchant.categories[0])
        second.quality = self.quality
        self.episode.join(second.id, onset)
        self._seconds[merchant.id] = second
        for what in self.shared_details():
            if self.world.config.gaming:
                merchant.account[what] = second.account[what] = self.accounts.new_value(what)

    def trade(self, merchant: Merchant, fate: int, time: int) -> None:
        """Every other order goes to the second account."""
        second = self._seconds[merchant.id]
        there = self.world.config.gaming and fate % 2 and second.is_open(time)
        super().trade(second if there else merchant, fate, time)
