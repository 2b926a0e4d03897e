"""Shared hub: an agency, a serviced office and a payment provider that dozens of honest merchants have in common."""

from streams.simulator.accounts import Detail
from streams.simulator.scenarios.base import Scenario

#: What clients of such a hub share, and how many of them.
_SHARED: tuple[tuple[Detail, float], ...] = (("address", 0.9), ("phone", 0.7), ("bank", 0.3))


class SharedHub(Scenario):
    """Some thirty accounts with one address, phone or bank: who takes that for one operator accuses them all."""

    name = "shared_hub"

    def stage(self) -> None:
        """Plan one hub; its clients have had its details since they opened their shops."""
        random, world = self.random, self.world
        values = {what: self.accounts.new_value(what) for what, _ in _SHARED}
        clients = random.sample(world.honest, min(len(world.honest) // 3, self.several(random.randint(24, 36))))
        for merchant in clients:
            self.episode.join(merchant.id, merchant.opens)
            for what, share in _SHARED:
                if random.random() < share:
                    merchant.account[what] = values[what]
