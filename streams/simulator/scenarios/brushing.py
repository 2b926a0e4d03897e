"""Brushing ring: merchants who order from themselves through a few accounts, for sales figures and five stars."""

from dataclasses import dataclass
from functools import partial

from streams.simulator.config import DAY_MS
from streams.simulator.plans import RING_SIZES
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.fake_orders import TEMPLATES, fake_order, offer_bait
from streams.simulator.shop import Listing, Merchant


@dataclass(frozen=True, slots=True)
class Ring:
    """The accounts and devices behind the orders, and what they write."""

    buyers: list[int]
    devices: list[str]
    templates: list[str]


class Brushing(Scenario):
    """Two young shops, about a dozen buyers on two or three devices: one cheap article again and again, light parcels
    that arrive at once, five stars with near-identical words.
    """

    name = "brushing"

    def stage(self) -> None:
        """Plan one ring."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.55)
        until = onset + self.days(20, 40)
        ring = Ring(
            buyers=world.outsiders(round(random.randint(8, 14) * self.masked(0.6, 1.4))),
            devices=[world.new_device() for _ in range(random.randint(2, 3))],
            templates=random.sample(TEMPLATES, 3),
        )
        for _ in range(RING_SIZES[self.name]):
            merchant = self.recruit(onset - self.days(5, 60), random.randint(3, 10))
            merchant.weight = random.uniform(0.2, 0.8) * self.size_of_median()
            begins = max(onset, merchant.opens + DAY_MS)
            self.episode.join(merchant.id, begins)
            bait: list[Listing] = []
            world.at(begins, partial(self._offer, merchant, bait))
            for _ in range(max(20, round(random.uniform(2.5, 5) * self.intensity * (until - begins) / DAY_MS))):
                world.at(self.waking_time(begins, until), partial(self._order, merchant, bait, ring))

    def _offer(self, merchant: Merchant, bait: list[Listing], time: int) -> None:
        bait.append(offer_bait(self, merchant, time))

    def _order(self, merchant: Merchant, bait: list[Listing], ring: Ring, time: int) -> None:
        if not bait or bait[0] not in merchant.listings:
            bait.clear()
            self._offer(merchant, bait, time)
        buyer, device = self.random.choice(ring.buyers), self.random.choice(ring.devices)
        fake_order(self, merchant, bait[0], time, buyer, device, ring.templates)
