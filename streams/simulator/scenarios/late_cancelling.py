"""Cancelling before the late mark: what a shop won't ship in time it cancels a little before it would be late."""

from typing import ClassVar, Final

from streams.simulator.config import HOUR_MS
from streams.simulator.scenarios.gaming import POOR, Gaming
from streams.simulator.shop import Merchant, Quality

_LATE: Final = 0.3


class LateCancelling(Gaming):
    """Three in ten orders can't be shipped in time. With stealth more of them are cancelled in the buyer's name."""

    name = "late_cancelling"
    quality: ClassVar[Quality] = POOR._replace(late_ship=0.0, seller_cancel=0.01)

    def trade(self, merchant: Merchant, fate: int, time: int) -> None:
        """An order that ships in time, or one that would not: late, or cancelled before it is."""
        late = fate < _LATE * 2**64 and merchant.is_open(time)
        if late and self.world.config.gaming:
            self._cancel(merchant, time)
            return
        if late:
            merchant.quality = self.quality._replace(late_ship=1.0)
        super().trade(merchant, fate, time)
        merchant.quality = self.quality

    def _cancel(self, merchant: Merchant, time: int) -> None:
        random, events = self.random, self.events
        order = events.open(merchant, time)
        events.created(order, [(random.choice(merchant.listings), 1)], self.anyone())
        self.episode.count_order(time)
        cancelled = order.ship_by - int(HOUR_MS * random.uniform(0.5, 12))
        if random.random() < self.stealth:
            events.cancelled(order, cancelled, "buyer", "changed_mind")
            events.refunded(order, cancelled + HOUR_MS // 4, "buyer")
        else:
            events.cancelled(order, cancelled, "seller", "out_of_stock")
            events.refunded(order, cancelled + HOUR_MS // 4, "seller")
