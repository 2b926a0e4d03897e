"""The one shape of attacks that are in the listings: a shop like others, some of whose listings break a rule."""

from abc import abstractmethod
from functools import partial

from streams.simulator.catalog import Category
from streams.simulator.config import DAY_MS
from streams.simulator.scenarios.base import Scenario
from streams.simulator.shop import Listing, Merchant


class BadListings(Scenario):
    """About a dozen such listings within some days, and orders of them for some weeks."""

    #: Mean number of the listings, and in how many days they come.
    listings: float = 12.0
    within_days: float = 4.0
    #: Shares of the season between which it begins.
    between: tuple[float, float] = (0.2, 0.6)

    def stage(self) -> None:
        """Plan one shop."""
        random, world = self.random, self.world
        onset = self.onset(*self.between)
        merchant = self.recruit(onset - self.days(20, 700), random.randint(5, 14), self.category())
        merchant.weight = random.uniform(0.4, 1.2) * self.size_of_median()
        onset = max(onset, merchant.opens + DAY_MS)
        self.episode.join(merchant.id, onset)
        self.prepare(merchant, onset)
        bad: list[Listing] = []
        for number in range(self.several(self.listings * random.uniform(0.7, 1.3), least=2)):
            # The first one is what the attack begins with.
            time = onset + (self.days(0, self.within_days * self.masked(0.5, 1.5)) if number else 0)
            world.at(time, partial(self._offer, merchant, bad))
        until = onset + self.days(15, 30)
        for _ in range(self.several(random.uniform(0.8, 1.6) * (until - onset) / DAY_MS, least=5)):
            world.at(self.waking_time(onset, until), partial(self._order, merchant, bad))

    def category(self) -> Category | None:
        """Category of the shop; ``None`` for any."""
        return None

    def prepare(self, merchant: Merchant, onset: int) -> None:
        """Plan what comes before or beside the listings."""

    @abstractmethod
    def offer(self, merchant: Merchant, time: int) -> Listing | None:
        """Put one more bad listing into the stream, or make one bad; ``None`` if there is nothing to do it with."""

    def forbid(self, listing: Listing) -> None:
        """Note in the truth that the listing breaks a rule."""
        self.world.truth.listings[listing.id] = self.name

    def _offer(self, merchant: Merchant, bad: list[Listing], time: int) -> None:
        listing = self.offer(merchant, time)
        if listing is not None:
            self.forbid(listing)
            bad.append(listing)

    def _order(self, merchant: Merchant, bad: list[Listing], time: int) -> None:
        on_sale = [listing for listing in bad if listing in merchant.listings]
        if on_sale and merchant.is_open(time):
            self.life_cycle.place(merchant, time, listing=self.random.choice(on_sale))
            self.episode.count_order(time)
