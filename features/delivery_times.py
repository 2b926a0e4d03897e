"""How long deliveries take at present, so that a promise can be judged when an order is placed.

Late rates know of a slow week only when its promises have run out, a month later. What is under way tells at once: by
Little's law the mean time in a system is the number of orders in it over the rate at which they come (J. D. C.
Little, Operations Research 9(3), 1961), whatever the distributions are. Routes differ from that mean by factors which
change slowly and are learned from finished deliveries.
"""

from math import exp, log
from typing import Final

from msgspec import Struct, field

from features.figures import Tally
from features.room import make_room
from features.windows import DAY_MS

_LN2: Final = log(2.0)
#: Half-life of the rate of orders. Longer than a sale, so that a rush shows as more orders under way, not as a higher
#: rate.
RATE_LIFE_MS: Final = 30 * DAY_MS
#: Half-life of what is known of a route.
ROUTE_LIFE_MS: Final = 60 * DAY_MS
#: Pseudo-deliveries with which a route starts from its region, and a region from all.
STRENGTH: Final = 5.0
#: Days a delivery takes as long as nothing is known, and the pseudo-rate (orders a day) that this is worth.
FIRST_GUESS_DAYS: Final = 8.0
_FIRST_RATE: Final = 0.3
_FIRST_GUESS: Final = log(FIRST_GUESS_DAYS)
#: Routes and regions kept; the stalest leave.
LIMIT: Final = 4_096
_SHORTEST_DAYS: Final = 0.5
_LONGEST_DAYS: Final = 90.0


class Durations(Struct, array_like=True, gc=False):
    """Decayed number of finished deliveries and sum of their log days, as of ``at`` (ms)."""

    at: int = 0
    weight: float = 0.0
    log_days: float = 0.0

    def add(self, time: int, log_days: float, deliveries: float = 1.0) -> None:
        """Count a delivery finished at ``time``, or several with the sum of their log days; a late one decays like the
        others.
        """
        elapsed = time - self.at
        weight = 1.0
        if elapsed > 0:
            if self.at:
                factor = exp(-_LN2 * elapsed / ROUTE_LIFE_MS)
                self.weight *= factor
                self.log_days *= factor
            self.at = time
        else:
            weight = exp(_LN2 * elapsed / ROUTE_LIFE_MS)
        self.weight += weight * deliveries
        self.log_days += weight * log_days

    def mean(self, time: int, base: float) -> float:
        """Mean log days, shrunk towards ``base`` with :data:`STRENGTH` pseudo-deliveries; what is old counts less."""
        elapsed = time - self.at
        factor = exp(-_LN2 * elapsed / ROUTE_LIFE_MS) if elapsed > 0 else 1.0
        return (factor * self.log_days + STRENGTH * base) / (factor * self.weight + STRENGTH)


class DeliveryTimes(Struct):
    """Orders under way in a shard, the rate at which they come, and how routes differ.

    Every order counted by :meth:`placed` must be taken out once by :meth:`finished`: when it is delivered, cancelled,
    or its promise has passed.
    """

    under_way: int = 0
    #: When the first order was placed and when ``rate_sum`` was last touched, ms.
    since: int = 0
    at: int = 0
    rate_sum: float = 0.0
    overall: Durations = field(default_factory=Durations)
    routes: dict[str, Durations] = field(default_factory=dict)

    def placed(self, time: int, orders: int = 1) -> None:
        """An order was placed at ``time`` (ms), or several."""
        if not self.since:
            self.since = self.at = time
        elapsed = time - self.at
        if elapsed > 0:
            self.rate_sum = self.rate_sum * exp(-_LN2 * elapsed / RATE_LIFE_MS) + orders
            self.at = time
        else:
            self.rate_sum += orders * exp(_LN2 * elapsed / RATE_LIFE_MS)
        self.under_way += orders

    def finished(self, time: int, region: str, route: str, duration: int | None) -> float | None:
        """An order is under way no longer; returns the natural logarithm of its days, if it teaches anything.

        Parameters
        ----------
        time
            When that was known, ms.
        region, route
            Where it went, and from where to where; empty where not known.
        duration
            From order to delivery, ms; for an order whose promise has passed undelivered the time so far, which is
            known to be too little; ``None`` for a cancelled one, which teaches nothing.
        """
        self.under_way = max(0, self.under_way - 1)
        if duration is None:
            return None
        log_days = log(min(max(duration / DAY_MS, _SHORTEST_DAYS), _LONGEST_DAYS))
        for key in duration_keys(region, route):
            self._segment(key).add(time, log_days)
        return log_days

    def take_in(self, tally: Tally, time: int) -> None:
        """Count what another shard counted up to about ``time`` (ms)."""
        if tally.placed:
            self.placed(time, tally.placed)
        self.under_way = max(0, self.under_way - tally.finished)
        for key, (deliveries, log_days) in tally.durations.items():
            self._segment(key).add(time, log_days, deliveries)

    def expected_log_days(self, time: int, region: str, route: str) -> float:
        """Natural logarithm of the days a delivery placed at ``time`` on a route can be expected to take."""
        base = self.overall.mean(time, _FIRST_GUESS)
        local = base
        routes = self.routes
        if region and (known := routes.get("region/" + region)) is not None:
            local = known.mean(time, local)
        if route and (known := routes.get("route/" + route)) is not None:
            local = known.mean(time, local)
        return self._present(time) + local - base

    def promise_margin(self, time: int, deliver_by: int, region: str, route: str) -> float:
        """Log of the promised over the expected days, cut to -3..3: 0 is just enough time, 0.7 twice as much.

        Parameters
        ----------
        time, deliver_by
            When the order was placed, and the promise, ms.
        region, route
            As in :meth:`finished`.
        """
        promised = log(max((deliver_by - time) / DAY_MS, _SHORTEST_DAYS))
        return min(max(promised - self.expected_log_days(time, region, route), -3.0), 3.0)

    def _present(self, time: int) -> float:
        """Log of the mean days in the system now, by Little's law."""
        if not self.since:
            return _FIRST_GUESS
        # A young shard has had no time to fill its long-lived rate.
        filled = 1.0 - exp(-_LN2 * max(DAY_MS, self.at - self.since) / RATE_LIFE_MS)
        elapsed = time - self.at
        decayed = self.rate_sum * (exp(-_LN2 * elapsed / RATE_LIFE_MS) if elapsed > 0 else 1.0)
        rate = decayed * _LN2 * DAY_MS / RATE_LIFE_MS / filled
        days = (self.under_way + FIRST_GUESS_DAYS * _FIRST_RATE) / (rate + _FIRST_RATE)
        return log(min(max(days, _SHORTEST_DAYS), _LONGEST_DAYS))

    def _segment(self, key: str) -> Durations:
        if not key:
            return self.overall
        known = self.routes.get(key)
        if known is None:
            make_room(self.routes, LIMIT, lambda each: each.at)
            self.routes[key] = known = Durations()
        return known


def duration_keys(region: str, route: str) -> list[str]:
    """What a delivery is counted under: all (empty), and its region and route where they are known."""
    keys = [""]
    if region:
        keys.append(f"region/{region}")
    if route:
        keys.append(f"route/{route}")
    return keys
