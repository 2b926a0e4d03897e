"""Deceived creator: an honest creator drives most of what a shop sells, and the shop turns out to be a bust-out."""

from functools import partial
from math import sqrt
from typing import Final

from streams.simulator.catalog import HOT_CATEGORIES
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import never_shipped
from streams.simulator.shop import TYPICAL, Merchant

#: Share of the shop's sales that the creator drives.
_DRIVEN: Final = 0.7


class DeceivedCreator(Scenario):
    """The creator works with honest shops as well, for the whole season, and drops the bad one a week after it turned.

    It is a victim: the joint rule may have it looked at, and nothing more is right.
    """

    name = "deceived_creator"

    def stage(self) -> None:
        """Plan one shop, one creator and its other shops."""
        random, world = self.random, self.world
        onset = self.onset(0.3, 0.6)
        creator = world.new_creator_id()
        world.truth.label_creator(creator, self.name, onset, honest=True)
        merchant = self.recruit(onset - self.days(20, 60), random.randint(3, 6), random.choice(HOT_CATEGORIES))
        merchant.quality = TYPICAL
        begins = max(merchant.opens + DAY_MS, onset - 20 * DAY_MS)
        self.episode.join(merchant.id, onset)
        for _ in range(self.several(25, least=5) if begins < onset else 0):
            world.at(self.waking_time(begins, onset), partial(self._honest, merchant, creator))
        world.at(onset, partial(self._turn, merchant))
        for _ in range(max(10, round(random.randint(60, 120) * self.intensity))):
            world.at(
                self.waking_time(onset + HOUR_MS, onset + 7 * DAY_MS, 0.8), partial(self._cheat, merchant, creator)
            )
        for _ in range(2):
            other = self.bystander(onset, 0.3, 0.9)
            if other is not None:
                for _ in range(max(5, round(60 * sqrt(self.intensity)))):
                    time = self.waking_time(self.season_start, self.season_end)
                    world.at(time, partial(self._honest, other, creator))

    def _turn(self, merchant: Merchant, time: int) -> None:
        self.accounts.change(merchant, time, "bank")
        for listing in merchant.listings:
            self.stock.discount(merchant, listing, time, self.random.uniform(0.45, 0.65))

    def _honest(self, merchant: Merchant, creator: str, time: int) -> None:
        if merchant.is_open(time):
            driven = self.random.random() < _DRIVEN
            self.life_cycle.place(
                merchant, time, channel="video" if driven else "shop", creator=creator if driven else None
            )

    def _cheat(self, merchant: Merchant, creator: str, time: int) -> None:
        if not merchant.is_open(time):
            return
        order = self.events.open(merchant, time)
        driven = self.random.random() < _DRIVEN
        self.events.created(
            order,
            [(self.random.choice(merchant.listings), 1)],
            self.anyone(),
            channel="video" if driven else "shop",
            creator=creator if driven else None,
        )
        self.episode.count_order(time)
        never_shipped(self, order)
