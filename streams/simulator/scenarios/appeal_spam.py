"""Spamming appeals: a shop of bad service, with contact data in its listings, contests every decision, again and again.

What it contests is known only when the decisions are: :mod:`streams.simulator.answers` files the appeals.
"""

from functools import partial

from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.gaming import Gaming
from streams.simulator.shop import Merchant


class AppealSpam(Gaming):
    """Beside bad service, every five days or so a listing that leads buyers away."""

    name = "appeal_spam"

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Plan the listings."""
        random = self.random
        time = onset + self.days(1, 5)
        while time < self.season_end:
            words = f"Order on WhatsApp +1 555 {random.randint(200, 899)} {random.randint(0, 9999):04d} for 10 % off."
            self.world.at(time, partial(self._offer, merchant, words))
            time += max(DAY_MS, self.days(3, 7))

    def _offer(self, merchant: Merchant, words: str, time: int) -> None:
        listing = self.stock.draw(merchant, merchant.categories[0])
        listing.description = f"{listing.description} {words}"
        self.world.truth.listings[listing.id] = "off_platform"
        self.stock.create(merchant, listing, time)
