"""Self-dealing: a seller orders from itself under many names, from its own device and one or two more."""

from functools import partial

from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.fake_orders import TEMPLATES, fake_order, offer_bait
from streams.simulator.shop import Listing, Merchant


class SelfDealing(Scenario):
    """Many buyers, few devices, the account's own among them; small orders of one article, repeated, five stars.

    With stealth there are more names and fewer orders from the account's own device.
    """

    name = "self_dealing"

    def stage(self) -> None:
        """Plan one seller."""
        random, world = self.random, self.world
        onset = self.onset(0.2, 0.5)
        merchant = self.recruit(onset - self.days(20, 300), random.randint(4, 10))
        merchant.weight = random.uniform(0.3, 0.9) * self.size_of_median()
        merchant.account["device"] = world.new_device()
        devices = [world.new_device() for _ in range(random.randint(1, 2))]
        onset = max(onset, merchant.opens + DAY_MS)
        until = onset + self.days(20, 35)
        self.episode.join(merchant.id, onset)
        buyers = world.outsiders(round(random.randint(24, 40) * self.masked(0.6, 1.4)))
        words = random.sample(TEMPLATES, 3)
        bait: list[Listing] = []
        per_day = random.uniform(2.5, 5)
        for _ in range(self.several(per_day * (until - onset) / DAY_MS, least=20)):
            world.at(self.waking_time(onset, until), partial(self._order, merchant, bait, buyers, devices, words))

    def _order(
        self,
        merchant: Merchant,
        bait: list[Listing],
        buyers: list[int],
        devices: list[str],
        words: list[str],
        time: int,
    ) -> None:
        random = self.random
        if not bait or bait[0] not in merchant.listings:
            bait[:] = [offer_bait(self, merchant, time)]
        own = random.random() < self.masked(0.7, 0.3)
        device = merchant.account["device"] if own else random.choice(devices)
        fake_order(self, merchant, bait[0], time, random.choice(buyers), device, words)
