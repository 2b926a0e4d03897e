"""Bad promoter: a creator lives off selling counterfeits for several shops, and promotes honest ones beside."""

from functools import partial
from random import Random
from typing import Final

from streams.simulator.plans import RING_SIZES, Plan
from streams.simulator.population import Population
from streams.simulator.scenarios.counterfeit import FAKES, Counterfeit
from streams.simulator.shop import Listing, Merchant
from streams.simulator.world import World

#: Share of the shops' sales that the creator drives.
_DRIVEN: Final = 0.75


class BadPromoter(Counterfeit):
    """A ring of sellers of counterfeits and the creator who drives most of their sales.

    With stealth more of what the creator drives is honest: goods of an ordinary merchant, as ordinary orders.
    """

    name = "bad_promoter"

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        super().__init__(world, population, random, plan)
        #: By the ids of the shops.
        self._creators: dict[str, str] = {}

    def stage(self) -> None:
        """Plan one creator and its shops."""
        onset = self.onset(0.1, 0.3)
        creator = self.world.new_creator_id()
        self.world.truth.label_creator(creator, self.name, onset)
        until = onset + self.days(30, 45)
        for _ in range(RING_SIZES[self.name]):
            merchant, _ = self.stage_seller(onset + self.days(0, 5), until)
            self._creators[merchant.id] = creator
        friend = self.bystander(onset, 0.5, 0.9)
        if friend is not None:
            for _ in range(self.several(self.masked(10, 120))):
                self.world.at(self.waking_time(onset, until), partial(self._honest, friend, creator))

    def _order(self, merchant: Merchant, fakes: list[Listing], time: int) -> None:
        if not fakes or not merchant.is_open(time):
            return
        listing = self.random.choice(fakes)
        if self.random.random() < _DRIVEN:
            creator = self._creators[merchant.id]
            self.life_cycle.place(merchant, time, listing=listing, quality=FAKES, channel="video", creator=creator)
        else:
            self.life_cycle.place(merchant, time, listing=listing, quality=FAKES)
        self.episode.count_order(time)

    def _honest(self, merchant: Merchant, creator: str, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time, channel="video", creator=creator)
