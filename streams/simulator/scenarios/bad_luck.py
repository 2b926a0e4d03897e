"""Bad luck: a good merchant has two weeks in which much goes wrong, and recovers."""

from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Merchant


class BadLuck(Scenario):
    """Illness, a flooded store room, a lost pallet: late shipments and lost parcels for a while, no intent."""

    name = "bad_luck"

    def stage(self) -> None:
        """Plan one bad spell."""
        world = self.world
        onset = self.onset(0.25, 0.7)
        merchant = self.bystander(onset, 0.85, 0.98)
        if merchant is None:
            return
        self.episode.join(merchant.id, onset)
        world.at(onset, lambda _: self._begin(merchant))
        usual = merchant.quality
        world.at(onset + self.days(10, 16), lambda _: merchant.recover(usual))

    def _begin(self, merchant: Merchant) -> None:
        usual, much = merchant.quality, self.intensity
        merchant.quality = usual._replace(
            late_ship=min(0.6, max(usual.late_ship, 0.4 * much)),
            late_delivery=min(0.5, max(usual.late_delivery, 0.15 * much)),
            not_received=min(0.3, max(usual.not_received, 0.05 * much)),
            low_rating=min(0.5, max(usual.low_rating, 0.12 * much)),
        )
        merchant.watch = lambda _, time: self.episode.count_order(time)
