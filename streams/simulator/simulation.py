"""A simulation as a whole: an iterable of records, and the truth about them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from streams.simulator.config import HOUR_MS, SimulatorConfig
from streams.simulator.demand import Demand
from streams.simulator.lifecycle import bad_share
from streams.simulator.plans import SCENARIO_NAMES
from streams.simulator.population import Population
from streams.simulator.scenarios import SCENARIOS
from streams.simulator.schedule import SimulatedRecord
from streams.simulator.truth import GroundTruth
from streams.simulator.world import World


class Simulation:
    """A seeded marketplace. Iterate it once for its records; every iteration starts anew with the same bytes.

    ``truth`` names attackers and onsets from the start; its counts of orders are complete when an iteration has ended.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self.config: Final = config
        self._world = self._build()
        self._fresh = True

    @property
    def truth(self) -> GroundTruth:
        """The ground truth of the latest iteration."""
        return self._world.truth

    def bad_shares(self) -> dict[str, float]:
        """Share of each merchant's ordinary orders that go bad, 0 to 1, by how it serves at the present point of the
        latest iteration. What belongs to an attack is no ordinary order.
        """
        world = self._world
        return {each.id: bad_share(each.quality) for each in (*world.honest, *world.attackers)}

    def _build(self) -> World:
        world = World(self.config)
        population = Population(world)
        population.settle(self.config.merchants - self.config.attackers)
        plans = self.config.plans()
        seasons = self.config.seasons
        borders = [world.start + (world.end - world.start) * i // seasons for i in range(seasons + 1)]
        for name in SCENARIO_NAMES:
            if not plans[name].count:
                continue
            scenario = SCENARIOS[name](world, population, world.random(name), plans[name])
            for start, end in pairwise(borders):
                scenario.begin_season(start, end)
                for _ in range(plans[name].count):
                    scenario.stage()
        world.truth.honest = [merchant.id for merchant in world.honest]
        world.truth.honest_creators += world.creators
        return world

    def __iter__(self) -> Iterator[SimulatedRecord]:
        if not self._fresh:
            self._world = self._build()
        self._fresh = False
        world = self._world
        demand = Demand(world)
        schedule = world.schedule
        for hour, start in enumerate(range(world.start, world.end, HOUR_MS)):
            demand.run_hour(start)
            yield from schedule.take(hour)


def simulate(config: SimulatorConfig) -> Iterator[SimulatedRecord]:
    """The records of a simulation in event-time order; memory grows with merchants and open orders, not with length."""
    return iter(Simulation(config))
