"""Account change: the owner of an honest shop has a new phone and a new bank, and goes on as before."""

from functools import partial
from typing import Final

from streams.simulator.accounts import Detail
from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant

#: What the marketplace looks at anew after a change.
_SHOWN: Final[dict[Detail, tuple[str, ...]]] = {"bank": ("bank",), "phone": ("contact",)}


class AccountChange(Scenario):
    """What a takeover begins with, and then a few new listings and a small sale instead of a burst."""

    name = "account_change"

    def stage(self) -> None:
        """Plan one owner's change."""
        random, world = self.random, self.world
        onset = self.onset(0.25, 0.75)
        merchant = self.bystander(onset, 0.3, 0.95)
        if merchant is None:
            return
        self.episode.join(merchant.id, onset)
        details: tuple[Detail, ...] = ("device", "bank", "phone")
        for what in details:
            world.at(onset + self.days(0, 1), partial(self._change, merchant, what))
        for _ in range(random.randint(2, 6)):
            world.at(onset + self.days(0.2, 4), partial(self._offer, merchant))
        world.at(onset + self.days(1, 4), partial(self._reduce, merchant))

    def _change(self, merchant: Merchant, what: Detail, time: int) -> None:
        self.accounts.change(merchant, time, what)
        self.population.verify(merchant, _SHOWN.get(what, ()), time, 5 * DAY_MS)

    def _offer(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.stock.create(merchant, self.stock.draw(merchant), time)

    def _reduce(self, merchant: Merchant, time: int) -> None:
        for listing in self.random.sample(merchant.listings, len(merchant.listings) // 3):
            self.stock.discount(merchant, listing, time, self.random.uniform(0.8, 0.92))
