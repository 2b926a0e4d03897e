"""Empty boxes: parcels that weigh next to nothing are delivered, and buyers say what was in them."""

from functools import partial

from features.events import ReturnReason
from streams.simulator.catalog import CATEGORIES, NOTHING_CAME_TEXTS
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import claim
from streams.simulator.shop import Merchant

#: Goods that weigh something.
_HEAVY = tuple(category for category in CATEGORIES if category.grams >= 600)
_REASONS: tuple[ReturnReason, ...] = ("not_as_described", "not_as_described", "not_received", "wrong_item")


class EmptyBox(Scenario):
    """Letters instead of parcels, with a true number and a true delivery; honest orders go on beside it.

    With stealth the boxes are weighted, and fewer orders are sent empty.
    """

    name = "empty_box"

    def stage(self) -> None:
        """Plan one seller of empty boxes."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.5)
        merchant = self.recruit(onset - self.days(40, 500), random.randint(4, 12), random.choice(_HEAVY))
        del merchant.categories[1:]
        merchant.weight = random.uniform(0.5, 1.2) * self.size_of_median()
        onset = max(onset, merchant.opens + 4 * DAY_MS)
        self.honest_orders(merchant, random.randint(5, 15), merchant.opens, onset)
        self.episode.join(merchant.id, onset)
        until = onset + self.days(20, 35)
        for _ in range(self.several(random.uniform(2.5, 5) * (until - onset) / DAY_MS, least=10)):
            world.at(self.waking_time(onset, until), partial(self._order, merchant))

    def _order(self, merchant: Merchant, time: int) -> None:
        random, events = self.random, self.events
        if not merchant.is_open(time):
            return
        if random.random() < self.masked(0.0, 0.3):
            self.life_cycle.place(merchant, time)
            return
        order = events.open(merchant, time)
        events.created(order, [(merchant.pick_listing(random), 1)], self.anyone())
        self.episode.count_order(time)
        shipped = time + int((order.ship_by - time) * random.uniform(0.1, 0.9))
        arrives = shipped + int(max(2 * DAY_MS, order.deliver_by - shipped) * random.uniform(0.3, 0.95))
        filled = order.grams * random.uniform(0.0, self.masked(0.02, 0.25))
        events.shipped(order, shipped, weight=round(random.randint(15, 60) + filled))
        self.life_cycle.carry(order, shipped + 3 * HOUR_MS, arrives)
        events.delivered(order, arrives + 300_000)
        if random.random() < 0.6:
            reason = random.choice(_REASONS)
            texts = NOTHING_CAME_TEXTS if reason == "not_received" else ("The box was empty.", "Nothing in the parcel.")
            claim(self, order, arrives + self.days(0.1, 6), reason, for_buyer=0.7, texts=texts)
