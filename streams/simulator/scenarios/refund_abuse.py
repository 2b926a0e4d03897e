"""Refund abuse: a few buyers who claim most of what they buy from honest merchants did not come or was not as shown."""

from functools import partial

from features.events import ReturnReason
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.ids import opaque
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.claims import claim
from streams.simulator.shop import Merchant

_REASONS: tuple[ReturnReason, ...] = ("not_received", "not_received", "not_as_described", "damaged", "wrong_item")


class RefundAbuse(Scenario):
    """Three to five buyers, three merchants who send what was ordered, and claims at the sellers' expense.

    The merchants are victims: the truth names them as honest, and the buyers apart. With stealth buyers claim less.
    """

    name = "refund_abuse"

    def stage(self) -> None:
        """Plan one group of buyers."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.5)
        until = onset + self.days(25, 40)
        victims = [found for _ in range(3) if (found := self.bystander(onset, 0.5, 0.95)) is not None]
        if not victims:
            return
        for victim in victims:
            self.episode.join(victim.id, onset)
        for buyer in world.outsiders(self.several(random.randint(3, 5))):
            world.truth.buyers[opaque(buyer, world.buyer_salt)] = self.name
            for _ in range(random.randint(6, 11)):
                world.at(self.waking_time(onset, until), partial(self._order, random.choice(victims), buyer))

    def _order(self, merchant: Merchant, buyer: int, time: int) -> None:
        random, events = self.random, self.events
        if not merchant.is_open(time):
            return
        order = events.open(merchant, time)
        events.created(order, [(merchant.pick_listing(random), 1)], buyer)
        self.episode.count_order(time)
        shipped = time + int((order.ship_by - time) * random.uniform(0.1, 0.9))
        arrives = shipped + int(max(2 * DAY_MS, order.deliver_by - shipped) * random.uniform(0.4, 0.9))
        events.shipped(order, shipped, weight=order.parcel(random))
        self.life_cycle.carry(order, shipped + 2 * HOUR_MS, arrives)
        events.delivered(order, arrives + 300_000)
        if random.random() < self.masked(0.95, 0.6):
            claim(
                self,
                order,
                arrives + self.days(0.2, 5),
                random.choice(_REASONS),
                disputed=0.15,
                refunded=0.9,
                rated=0.15,
            )
