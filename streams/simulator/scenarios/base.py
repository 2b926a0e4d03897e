"""The one shape of all scenarios, attacks and honest trouble alike."""

from abc import ABC, abstractmethod
from functools import partial
from random import Random
from typing import ClassVar, Final

from streams.simulator.accounts import DETAILS, Accounts, Detail
from streams.simulator.catalog import Category
from streams.simulator.config import DAY_MS
from streams.simulator.demand import intensity
from streams.simulator.lifecycle import LifeCycle
from streams.simulator.orders import OrderEvents
from streams.simulator.plans import Plan
from streams.simulator.population import Population
from streams.simulator.shop import Merchant, draw_quality
from streams.simulator.stock import Stock
from streams.simulator.truth import Episode
from streams.simulator.world import World

#: The busiest hour has not quite this many times the average demand.
_PEAK: Final = 2.2


class Scenario(ABC):
    """Stages occurrences of one thing that happens to or through merchants, and records the truth about them."""

    name: ClassVar[str]

    def __init__(self, world: World, population: Population, random: Random, plan: Plan) -> None:
        self.world = world
        self.population = population
        self.random = random
        self.intensity = plan.intensity
        self.stealth = plan.stealth
        self._starts_after = plan.start
        self.events = OrderEvents(world, random)
        self.life_cycle = LifeCycle(world, random)
        self.stock = Stock(world, random)
        self.accounts = Accounts(world, random)
        truth = world.truth
        episodes = truth.attacks | truth.hard_negatives | truth.gaming | truth.promotions
        self.episode = episodes.get(self.name, Episode())
        self.begin_season(world.start, world.end)

    def begin_season(self, start: int, end: int) -> None:
        """From now on, stage between two times, ms."""
        self.season_start = start
        self.season_end = end

    @abstractmethod
    def stage(self) -> None:
        """Plan one more occurrence: choose or make its merchants and schedule what they will do."""

    # -- who ----------------------------------------------------------------------------------------------------------

    def recruit(self, registered_at: int, slots: int, category: Category | None = None) -> Merchant:
        """A merchant of this scenario's own, with ``slots`` ordinary listings and no demand but what is given to it."""
        merchant = self.population.make(self.random, registered_at, category)
        merchant.slots = slots
        merchant.quality = draw_quality(self.random)
        self.world.attackers.append(merchant)
        return merchant

    def size_of_median(self) -> float:
        """Share of honest demand of the median honest merchant."""
        weights = sorted(merchant.weight for merchant in self.world.honest)
        return weights[len(weights) // 2] if weights else 0.0

    def bystander(self, time: int, low: float, high: float) -> Merchant | None:
        """An honest merchant between two quantiles (0..1) of size that is in business at ``time``, if there is one."""
        ranked = sorted(self.world.honest, key=lambda merchant: merchant.weight)
        wanted = ranked[int(len(ranked) * low) : int(len(ranked) * high)]
        free = [m for m in wanted if m.opens < time - 3 * DAY_MS and m.id not in self.world.involved]
        if not free:
            return None
        chosen = self.random.choice(free)
        self.world.involved.add(chosen.id)
        return chosen

    # -- how much -----------------------------------------------------------------------------------------------------

    def masked(self, in_the_open: float, hidden: float) -> float:
        """A figure by stealth: ``in_the_open`` at 0, ``hidden`` at 1, evenly between."""
        return in_the_open + (hidden - in_the_open) * self.stealth

    def several(self, mean: float, least: int = 1) -> int:
        """A whole number of about ``mean`` times the intensity."""
        return max(least, round(mean * self.intensity))

    def shared_details(self) -> list[Detail]:
        """What accounts of one operator have in common, the fewer the stealthier."""
        return self.random.sample(DETAILS, round(self.masked(4, 1.6)))

    # -- when ---------------------------------------------------------------------------------------------------------

    def onset(self, low: float, high: float) -> int:
        """When it happens, ms: at the time that the plan names, or between two shares (0..1) of the season."""
        if self._starts_after is not None:
            return self.season_start + int(self._starts_after * DAY_MS)
        return self.season_start + int((self.season_end - self.season_start) * self.random.uniform(low, high))

    def days(self, low: float, high: float) -> int:
        """A random duration, ms."""
        return int(DAY_MS * self.random.uniform(low, high))

    def waking_time(self, low: int, high: int, shape: float = 1.0) -> int:
        """A time between two (ms), more likely when people shop; towards the end with ``shape`` below 1."""
        while True:
            time = low + int((high - low) * self.random.random() ** shape)
            if self.random.random() * _PEAK < intensity(time):
                return time

    def honest_orders(self, merchant: Merchant, count: int, low: int, high: int) -> None:
        """Ordinary orders between two times, ms, to have a history; none if there is no time between."""
        for _ in range(count if high > low else 0):
            self.world.at(self.waking_time(low, high), partial(self.honest_order, merchant))

    def honest_order(self, merchant: Merchant, time: int) -> None:
        """An ordinary order."""
        if merchant.is_open(time):
            self.life_cycle.place(merchant, time)

    def anyone(self) -> int:
        """The number of an ordinary buyer."""
        return self.random.randrange(self.world.buyers)
