"""Fake tracking: parcels that were somebody else's, so that the platform takes orders as delivered."""

from functools import partial

from streams.simulator.catalog import NOTHING_CAME_TEXTS, REGIONS
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.orders import Order
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant, draw_quality

#: Numbers that are used again, of the last so many.
_KEPT = 6


class FakeTracking(Scenario):
    """A seller enters tracking numbers of other parcels: scans lie before the order, numbers come back, delivery takes
    hours, and buyers say that nothing came. Honest orders go on beside it.
    """

    name = "fake_tracking"

    def stage(self) -> None:
        """Plan one seller with fake tracking."""
        random, world = self.random, self.world
        onset = self.moment(0.2, 0.55)
        merchant = self.recruit(onset - self.days(30, 600), random.randint(4, 15))
        merchant.quality = draw_quality(random)
        merchant.weight = random.uniform(0.5, 1.5) * sorted(m.weight for m in world.honest)[len(world.honest) // 2]
        onset = max(onset, merchant.opens + DAY_MS)
        self.episode.join(merchant.id, onset)
        until = onset + self.days(20, 40)
        for _ in range(max(10, round(random.uniform(2.5, 5) * self.strength * (until - onset) / DAY_MS))):
            world.at(self.waking_time(onset, until), partial(self._plan, merchant))

    def _plan(self, merchant: Merchant, time: int) -> None:
        random, world = self.random, self.world
        way = random.random()
        if way >= 0.45:
            self._order(self.events.open(merchant, time), time, number=self._number(merchant, again=way < 0.85))
            return
        # The parcel was on its way before the order was placed.
        order = self.events.open(merchant, time + int(HOUR_MS * random.uniform(12, 60)))
        number = order.tracking = self._number(merchant, again=random.random() < 0.3)
        self.events.scanned(order, time, "accepted", random.choice(REGIONS))
        self.events.scanned(order, time + int(HOUR_MS * random.uniform(2, 10)), "in_transit", random.choice(REGIONS))
        world.at(order.created, lambda created: self._order(order, created, number=number))

    def _number(self, merchant: Merchant, *, again: bool) -> str:
        if again and merchant.numbers:
            return self.random.choice(merchant.numbers)
        number = self.events.tracking_number()
        merchant.numbers.append(number)
        del merchant.numbers[:-_KEPT]
        return number

    def _order(self, order: Order, time: int, number: str) -> None:
        random, events, merchant = self.random, self.events, order.merchant
        if not merchant.is_open(time):
            return
        events.created(order, [(merchant.pick_listing(random), 1)], self.anyone())
        self.episode.count_order(time)
        shipped = time + int(HOUR_MS * random.uniform(0.3, 4))
        arrived = shipped + int(HOUR_MS * random.uniform(3, 28))
        events.shipped(order, shipped, number)
        events.scanned(order, arrived, "delivered", random.choice(REGIONS))
        events.delivered(order, arrived + 600_000)
        if random.random() < 0.5:
            self._claim(order, arrived)
        elif random.random() < 0.15:
            events.reviewed(order, arrived + self.days(0.5, 5), random.choice((3, 4, 5)))

    def _claim(self, order: Order, arrived: int) -> None:
        random, events = self.random, self.events
        claimed = arrived + self.days(1, 9)
        events.return_requested(order, claimed, "not_received")
        if random.random() < 0.3:
            opened = claimed + self.days(1, 4)
            resolved = opened + self.days(3, 10)
            for_buyer = random.random() < 0.6  # "delivered" helps the seller
            events.disputed(order, opened, "not_received")
            events.dispute_resolved(order, resolved, "buyer" if for_buyer else "seller")
            if for_buyer:
                events.refunded(order, resolved + HOUR_MS, "seller")
        elif random.random() < 0.6:
            events.refunded(order, claimed + self.days(1, 6), "seller")
        if random.random() < 0.4:
            events.reviewed(order, claimed + self.days(0.1, 3), 1, random.choice(NOTHING_CAME_TEXTS))
