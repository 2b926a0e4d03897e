"""Seasonal edits: an honest shop rewrites most of its listings for a season, and back again afterwards."""

from functools import partial

from streams.simulator.products import picture
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant
from streams.simulator.stock import pretty

_BEFORE = ("Winter", "Gift Idea", "Holiday Edition", "New Season", "Summer")
_AFTER = "Order in time for the season. Gift wrapping on request."


class SeasonalEdits(Scenario):
    """Titles get a word in front, descriptions a sentence, some a new first picture and a slightly other price."""

    name = "seasonal_edits"

    def stage(self) -> None:
        """Plan one shop's season."""
        random, world = self.random, self.world
        onset = self.onset(0.25, 0.7)
        merchant = self.bystander(onset, 0.3, 0.97)
        if merchant is None:
            return
        self.episode.join(merchant.id, onset)
        before: dict[str, tuple[str, str | None]] = {}
        world.at(onset, partial(self._decorate, merchant, before, random.choice(_BEFORE)))
        world.at(onset + self.days(15, 25), partial(self._undo, merchant, before))

    def _decorate(self, merchant: Merchant, before: dict[str, tuple[str, str | None]], word: str, time: int) -> None:
        random = self.random
        for number, listing in enumerate(merchant.listings):
            if random.random() < 0.2:
                continue
            before[listing.id] = listing.name, listing.description
            listing.name = f"{word} {listing.name}"
            listing.description = f"{listing.description} {_AFTER}"
            if random.random() < 0.3:
                listing.images = [picture(random), *listing.images[1:]]
            listing.price = pretty(listing.price * random.uniform(0.93, 1.05))
            self._publish(merchant, listing, time + number * 60_000)

    def _undo(self, merchant: Merchant, before: dict[str, tuple[str, str | None]], time: int) -> None:
        for number, listing in enumerate(merchant.listings):
            if listing.id in before:
                listing.name, listing.description = before[listing.id]
                self._publish(merchant, listing, time + number * 60_000)

    def _publish(self, merchant: Merchant, listing: Listing, time: int) -> None:
        listing.show_list_price(listing.list_price)
        listing.rename()
        self.stock.update(merchant, listing, time)
