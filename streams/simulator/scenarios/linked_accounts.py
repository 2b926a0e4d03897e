"""Re-registration: a seller of counterfeits, found out, opens a new account and goes on with the same goods."""

from functools import partial
from random import Random

from streams.simulator.accounts import DETAILS
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.plans import Plan
from streams.simulator.population import Population
from streams.simulator.products import retouched
from streams.simulator.scenarios.base import Scenario
from streams.simulator.scenarios.counterfeit import FAKES, Counterfeit, disguise
from streams.simulator.shop import Listing, Merchant
from streams.simulator.truth import Episode
from streams.simulator.world import World


class LinkedAccounts(Scenario):
    """The first account is one of the pattern ``counterfeit`` and closes; the second one, which is labelled here from
    its registration on, has bank, device, address or phone in common with it, and its pictures and titles.

    With stealth fewer details are shared, and the brand is no longer named.
    """

    name = "linked_accounts"

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        world.truth.attacks.setdefault(Counterfeit.name, Episode())
        super().__init__(world, population, random, plan)
        self._first = Counterfeit(world, population, random, plan)

    def stage(self) -> None:
        """Plan one seller with two accounts."""
        random, world = self.random, self.world
        onset = self.onset(0.15, 0.4)
        closes = onset + self.days(10, 18)
        first, fakes = self._first.stage_seller(onset, closes)
        again = closes + self.days(0.5, 6)
        second = self.recruit(again, 0, first.categories[0])
        second.country, second.warehouse, second.authorizations = first.country, first.warehouse, first.authorizations
        second.handling, second.transit = first.handling, first.transit
        for what in DETAILS:
            first.account[what] = self.accounts.new_value(what)
        for what in self.shared_details():
            second.account[what] = first.account[what]
        self.episode.join(second.id, again)
        # Each of the two is linked to the other, and sells what it should not.
        world.truth.also[first.id] = [self.name]
        world.truth.also[second.id] = [Counterfeit.name]
        goods: list[Listing] = []
        world.at(closes, partial(self._close, first, fakes, goods))
        for number in range(self.several(12)):
            world.at(again + 2 * HOUR_MS + self.days(0, 2), partial(self._offer, second, goods, number))
        until = again + self.days(20, 35)
        for _ in range(self.several(random.uniform(2.5, 5) * (until - again) / DAY_MS, least=10)):
            world.at(self.waking_time(again + 12 * HOUR_MS, until), partial(self._order, second))

    def _close(self, merchant: Merchant, fakes: list[Listing], goods: list[Listing], time: int) -> None:
        goods += fakes
        self.population.close(merchant, time)

    def _offer(self, merchant: Merchant, goods: list[Listing], number: int, time: int) -> None:
        if number >= len(goods):
            return
        old, random = goods[number], self.random
        new = Listing(self.world.new_listing_id(), old.category, old.title, old.price)
        new.description, new.colour, new.grams = old.description, old.colour, old.grams
        new.quantity, new.list_price, new.brand = old.quantity, old.list_price, old.brand
        new.images, new.authorizations = retouched(old.images, random), old.authorizations
        if old.brand and random.random() < self.masked(0.2, 0.9):
            new.brand, new.title = None, new.title.replace(old.brand, disguise(old.brand)[:3])
        self.world.truth.listings[new.id] = self.name
        self.stock.create(merchant, new, time)

    def _order(self, merchant: Merchant, time: int) -> None:
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time, quality=FAKES)
            self.episode.count_order(time)
