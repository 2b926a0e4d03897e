"""Fake tracking: parcels that were somebody else's, so that the platform takes orders as delivered."""

from functools import partial

from streams.simulator.catalog import NOTHING_CAME_TEXTS, REGIONS
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.orders import Order
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import claim
from streams.simulator.shop import Merchant

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
        onset = self.onset(0.2, 0.55)
        merchant = self.recruit(onset - self.days(30, 600), random.randint(4, 15))
        merchant.weight = random.uniform(0.5, 1.5) * self.size_of_median()
        onset = max(onset, merchant.opens + DAY_MS)
        self.episode.join(merchant.id, onset)
        until = onset + self.days(20, 40)
        for _ in range(max(10, round(random.uniform(2.5, 5) * self.intensity * (until - onset) / DAY_MS))):
            world.at(self.waking_time(onset, until), partial(self._plan, merchant))

    def _plan(self, merchant: Merchant, time: int) -> None:
        random, world = self.random, self.world
        way = random.random()
        early, again = self.masked(0.6, 0.3), self.masked(0.9, 0.8)
        if way >= early:
            self._order(self.events.open(merchant, time), time, number=self._number(merchant, again=way < again))
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
            # "Delivered" helps the seller in a dispute.
            claim(
                self, order, arrived + self.days(1, 9), "not_received", for_buyer=0.6, refunded=0.6,
                texts=NOTHING_CAME_TEXTS,
            )  # fmt: skip
        elif random.random() < 0.15:
            events.reviewed(order, arrived + self.days(0.5, 5), random.choice((3, 4, 5)))
