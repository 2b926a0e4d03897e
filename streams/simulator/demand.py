"""Honest demand: when buyers order and from whom."""

import math
from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Final

from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.lifecycle import LifeCycle
from streams.simulator.shop import Merchant
from streams.simulator.stock import Stock
from streams.simulator.world import World

# Share (per cent) of a day's orders in each hour: a trough before morning and a peak in the evening, as shops see it.
_LOCAL_HOURS: Final = (
    1.6, 0.9, 0.6, 0.4, 0.4, 0.7, 1.4, 2.4, 3.6, 4.6, 5.3, 5.6,
    5.6, 5.3, 5.1, 5.1, 5.2, 5.4, 5.9, 6.7, 7.5, 7.6, 6.1, 3.6,
)  # fmt: skip
#: Most buyers live on the east coast of North America, five hours behind UTC.
_HOURS: Final = tuple(_LOCAL_HOURS[(hour - 5) % 24] * 24 / sum(_LOCAL_HOURS) for hour in range(24))
#: Monday to Sunday; 1970-01-01 was a Thursday.
_WEEKDAYS: Final = (1.02, 0.99, 0.97, 0.96, 0.94, 1.02, 1.10)
#: Changes that a merchant makes to its shop per day.
_CHANGES_PER_DAY: Final = 0.12


def intensity(time: int) -> float:
    """Demand at a time (ms) over the average, 1 being the average."""
    day = time // DAY_MS
    return _HOURS[time // HOUR_MS % 24] * _WEEKDAYS[(day + 3) % 7]


def poisson(random: Random, mean: float) -> int:
    """A Poisson-distributed number; the normal approximation above 200."""
    if mean > 200:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


class Demand:
    """Draws the orders and the shop changes of honest merchants, hour by hour."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = world.random("demand")
        self._life_cycle = LifeCycle(world, world.random("orders"))
        self._stock = Stock(world, world.random("changes"))
        self._merchants = [m for m in (*world.honest, *world.attackers) if m.weight > 0]
        self._cumulative = list(accumulate(m.weight for m in self._merchants))
        self._orders_per_hour = world.config.orders_per_day / 24 if self._merchants else 0.0
        self._changes_per_hour = len(self._merchants) * _CHANGES_PER_DAY / 24

    def run_hour(self, start: int) -> None:
        """Let an hour happen, from ``start`` ms on, together with what is scheduled in it."""
        random, schedule = self._random, self._world.schedule
        level = intensity(start)
        peak = max((factor for low, until, factor in self._world.peaks if low <= start < until), default=1.0)
        orders = poisson(random, self._orders_per_hour * level * peak)
        changes = poisson(random, self._changes_per_hour * level)
        end = min(start + HOUR_MS, self._world.end)
        times = [(start + int(random.random() * (end - start)), False) for _ in range(orders)]
        times += [(start + int(random.random() * (end - start)), True) for _ in range(changes)]
        times.sort()
        for time, is_change in times:
            schedule.run_until(time)
            if is_change:
                merchant = random.choice(self._merchants)
                if merchant.is_open(time):
                    self._stock.tend(merchant, time)
            elif (chosen := self._pick(time)) is not None:
                self._life_cycle.place(chosen, time)
        schedule.run_until(end)

    def _pick(self, time: int) -> Merchant | None:
        """A merchant by size among those open; none if a few tries find none."""
        total = self._cumulative[-1]
        for _ in range(8):
            merchant = self._merchants[bisect(self._cumulative, self._random.random() * total)]
            if merchant.is_open(time):
                return merchant
        return None
