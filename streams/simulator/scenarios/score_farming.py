"""Score farming: a shop of bad service buys from itself, small things that always arrive, to be seen to do well."""

from functools import partial
from math import exp, log

from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.fake_orders import TEMPLATES, fake_order, offer_bait
from streams.simulator.scenarios.gaming import Gaming
from streams.simulator.shop import Listing, Merchant


class ScoreFarming(Gaming):
    """Three tiny orders of its own for each real one, of six names on two devices; with stealth of more names on more
    devices, at last of another one each time.
    """

    name = "score_farming"

    def play(self, merchant: Merchant, time: int) -> None:
        """Plan the orders that the shop places with itself."""
        random, world = self.random, self.world
        count = self.several(3 * self.per_day * (self.season_end - time) / DAY_MS, least=30)
        names = _between(6, count, self.stealth)
        buyers = world.outsiders(names)
        devices = [world.new_device() for _ in range(_between(2, names, self.stealth))]
        words = random.sample(TEMPLATES, 3)
        bait = offer_bait(self, merchant, time)
        # Nobody else orders it: what others buy must not depend on the trick.
        merchant.listings.remove(bait)
        for number in range(count):
            buyer, device = buyers[number % names], devices[number % len(devices)]
            world.at(self.waking_time(time, self.season_end), partial(self._farm, merchant, bait, buyer, device, words))

    def _farm(self, merchant: Merchant, bait: Listing, buyer: int, device: str, words: list[str], time: int) -> None:
        if merchant.is_open(time):
            fake_order(self, merchant, bait, time, buyer, device, words)


def _between(few: int, many: int, stealth: float) -> int:
    """A number by stealth, ``few`` at 0 and ``many`` at 1; evenly as powers, as every further name takes as much."""
    return min(many, round(exp((1 - stealth) * log(few) + stealth * log(many))))
