"""Carrier strike: for a week one carrier hardly works, and many honest merchants deliver late."""

from collections import Counter

from streams.simulator.catalog import CARRIERS
from streams.simulator.plans import ATTACK_NAMES
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant
from streams.simulator.world import Strike

#: Merchants with fewer parcels caught in the strike have nothing that could be held against them.
_NOTICEABLE = 5


class CarrierStrike(Scenario):
    """Parcels of one carrier wait for days.

    The truth names honest merchants with at least five parcels in it, which are known only as the simulation runs.
    """

    name = "carrier_strike"

    def stage(self) -> None:
        """Plan one strike."""
        random, world = self.random, self.world
        carrier = random.choice(CARRIERS[:3])[0]
        start = self.onset(0.3, 0.65)
        until = start + self.days(6, 9)
        parcels: Counter[str] = Counter()
        malicious = {merchant for name in ATTACK_NAMES for merchant in self._attackers(name)}

        def caught(merchant: Merchant, ordered: int) -> None:
            if merchant.id in malicious:
                return
            parcels[merchant.id] += 1
            if parcels[merchant.id] == _NOTICEABLE:
                self.episode.join(merchant.id, start)
                self.episode.orders += _NOTICEABLE - 1
            if parcels[merchant.id] >= _NOTICEABLE:
                self.episode.count_order(ordered)

        world.strikes.append(Strike(carrier, start, until, int(self.intensity * 8 * 86_400_000), caught))

    def _attackers(self, name: str) -> list[str]:
        episode = self.world.truth.attacks.get(name)
        return episode.merchants if episode else []
