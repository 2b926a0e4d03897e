"""Brushing ring: merchants who order from themselves through a few accounts, for sales figures and five stars."""

from dataclasses import dataclass
from functools import partial

from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant, draw_quality
from streams.simulator.stock import pretty

#: Merchants of a ring.
RING_SIZE = 2
_TEMPLATES = (
    "Super nice {noun}, five stars, will buy again!",
    "Best {noun} ever, fast shipping, highly recommended!",
    "Very good {noun}, very good seller!",
    "Perfect {noun}, love it so much!",
    "Great {noun} and great price, thank you seller!",
)


@dataclass(frozen=True, slots=True)
class Ring:
    """The accounts and devices behind the orders, and what they write."""

    buyers: list[int]
    devices: list[int]
    templates: list[str]


class Brushing(Scenario):
    """Two young shops, about a dozen buyers on two or three devices: one cheap article again and again, light parcels
    that arrive at once, five stars with near-identical words.
    """

    name = "brushing"

    def stage(self) -> None:
        """Plan one ring."""
        random, world = self.random, self.world
        onset = self.moment(0.2, 0.55)
        until = onset + self.days(20, 40)
        ring = Ring(
            buyers=world.outsiders(random.randint(8, 14)),
            devices=world.outsiders(random.randint(2, 3)),
            templates=random.sample(_TEMPLATES, 3),
        )
        for _ in range(RING_SIZE):
            merchant = self.recruit(onset - self.days(5, 60), random.randint(3, 10))
            merchant.quality = draw_quality(random)
            merchant.weight = random.uniform(0.2, 0.8) * sorted(m.weight for m in world.honest)[len(world.honest) // 2]
            begins = max(onset, merchant.opens + DAY_MS)
            self.episode.join(merchant.id, begins)
            bait: list[Listing] = []
            world.at(begins, partial(self._offer, merchant, bait))
            for _ in range(max(20, round(random.uniform(2.5, 5) * self.strength * (until - begins) / DAY_MS))):
                world.at(self.waking_time(begins, until), partial(self._order, merchant, bait, ring))

    def _offer(self, merchant: Merchant, bait: list[Listing], time: int) -> None:
        listing = self.stock.draw(merchant)
        listing.price = pretty(self.random.uniform(150, 900))
        listing.list_price = None
        bait.append(listing)
        self.stock.create(merchant, listing, time)

    def _order(self, merchant: Merchant, bait: list[Listing], ring: Ring, time: int) -> None:
        random, events = self.random, self.events
        if not bait or bait[0] not in merchant.listings:
            self._offer(merchant, bait := [], time)
        order = events.open(merchant, time)
        events.created(order, [(bait[0], 1)], random.choice(ring.buyers), device=random.choice(ring.devices))
        self.episode.count_order(time)
        shipped = time + int(HOUR_MS * random.uniform(1, 10))
        arrives = shipped + self.days(0.9, 2.2)
        events.shipped(order, shipped, weight=random.randint(15, 60))
        self.life_cycle.carry(order, shipped + int(HOUR_MS * random.uniform(1, 5)), arrives)
        events.delivered(order, arrives + 300_000)
        if random.random() < 0.9:
            noun = bait[0].title.split(",")[0]
            text = random.choice(ring.templates).format(noun=noun) if random.random() < 0.8 else None
            events.reviewed(order, arrives + int(HOUR_MS * random.uniform(0.5, 12)), 5, text)
