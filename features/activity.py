"""Lazily decayed counters: how busy a merchant is now, against its own base.

A counter with half-life H holds, at time t, the sum over its events of ``0.5 ** ((t - t_i) / H)``. It needs no
timers, doesn't depend on the order of arrival, and decays when it is next touched. A burst is the ratio of two rates:
the recent one (short half-life) over the merchant's own base (long half-life), where the base is corrected for a
young account, which has had no time to fill its long counter.
"""

from math import exp, floor, log
from typing import Final

from msgspec import Struct

from features.rounding import nearest
from features.windows import DAY_MS as _DAY_MS
from features.windows import HOUR_MS

_LN2: Final = log(2.0)
#: Half-lives, ms: an hour, a day, and four weeks for the base.
HOUR_LIFE: Final = HOUR_MS
DAY_LIFE: Final = 24 * HOUR_MS
BASE_LIFE: Final = 28 * 24 * HOUR_MS
#: Orders a day that a merchant without history is taken to have, so that its first few orders are no burst.
_BASE_FLOOR_PER_DAY: Final = 2.0

_HOUR_RATE: Final = _LN2 / HOUR_LIFE
_DAY_RATE: Final = _LN2 / DAY_LIFE
_BASE_RATE: Final = _LN2 / BASE_LIFE


class Activity(Struct, array_like=True, gc=False):
    """Decayed counts of a merchant's orders and turnover (minor units), as of ``at`` (ms)."""

    at: int = 0
    orders_hour: float = 0.0
    orders_day: float = 0.0
    orders_base: float = 0.0
    gmv_day: float = 0.0
    gmv_base: float = 0.0
    #: Orders shipped, half-life a day.
    shipped_day: float = 0.0

    def advance(self, time: int) -> None:
        """Decay every counter to ``time``; an earlier time changes nothing."""
        elapsed = time - self.at
        if elapsed <= 0:
            return
        if self.at:
            day = exp(-_DAY_RATE * elapsed)
            base = exp(-_BASE_RATE * elapsed)
            self.orders_hour *= exp(-_HOUR_RATE * elapsed)
            self.orders_day *= day
            self.gmv_day *= day
            self.shipped_day *= day
            self.orders_base *= base
            self.gmv_base *= base
        self.at = time

    def add_order(self, time: int, amount: int) -> None:
        """Count an order of ``amount`` minor units at ``time``; late ones count what is left of them."""
        self.advance(time)
        age = self.at - time
        if age == 0:
            hour = day = base = 1.0
        else:
            hour, day, base = exp(-_HOUR_RATE * age), exp(-_DAY_RATE * age), exp(-_BASE_RATE * age)
        # Rounded to what matters, so that the stored record stays short; floats also where whole, as when read again.
        # (As by nearest(), written out.)
        self.orders_hour = floor((self.orders_hour + hour) * 1e3 + 0.5) / 1e3
        self.orders_day = floor((self.orders_day + day) * 1e3 + 0.5) / 1e3
        self.orders_base = floor((self.orders_base + base) * 1e3 + 0.5) / 1e3
        self.gmv_day = floor(self.gmv_day + day * amount + 0.5) / 1.0
        self.gmv_base = floor(self.gmv_base + base * amount + 0.5) / 1.0
        self.shipped_day = floor(self.shipped_day * 1e3 + 0.5) / 1e3

    def add_shipment(self, time: int) -> None:
        """Count an order shipped at ``time``; late news counts what is left of it."""
        self.advance(time)
        age = self.at - time
        self.shipped_day = nearest(self.shipped_day + (exp(-_DAY_RATE * age) if age else 1.0), 1e3)
        self._shorten()

    def _shorten(self) -> None:
        """Round what has decayed, so that the stored record stays short."""
        self.orders_hour = floor(self.orders_hour * 1e3 + 0.5) / 1e3
        self.orders_day = floor(self.orders_day * 1e3 + 0.5) / 1e3
        self.orders_base = floor(self.orders_base * 1e3 + 0.5) / 1e3
        self.gmv_day = floor(self.gmv_day + 0.5) / 1.0
        self.gmv_base = floor(self.gmv_base + 0.5) / 1.0

    def shipped_in_day(self, now: int) -> float:
        """Decayed count of orders shipped, half-life a day, as of ``now`` (not before ``at``)."""
        return self.shipped_day * exp(-_DAY_RATE * (now - self.at))

    def orders_in_hour(self, now: int) -> float:
        """Decayed count of orders, half-life an hour, as of ``now`` (not before ``at``)."""
        return self.orders_hour * exp(-_HOUR_RATE * (now - self.at))

    def orders_in_day(self, now: int) -> float:
        """Decayed count of orders, half-life a day."""
        return self.orders_day * exp(-_DAY_RATE * (now - self.at))

    def bursts(self, now: int, active_ms: int) -> tuple[float, float, float | None]:
        """:meth:`burst_hour`, :meth:`burst_day` and :meth:`gmv_burst_day`, for less than the three."""
        elapsed = now - self.at
        day = exp(-_DAY_RATE * elapsed)
        per_day = self._orders_per_day(now, active_ms)
        turnover = None
        if self.orders_base > 0.0 and self.gmv_base > 0.0:
            value = self.gmv_base / self.orders_base
            turnover = self.gmv_day * day * _DAY_RATE * _DAY_MS / (value * per_day)
        return (
            self.orders_hour * exp(-_HOUR_RATE * elapsed) * _HOUR_RATE * _DAY_MS / per_day,
            self.orders_day * day * _DAY_RATE * _DAY_MS / per_day,
            turnover,
        )

    def burst_hour(self, now: int, active_ms: int) -> float:
        """Order rate of the last hour over the merchant's own base rate; 1 is as usual.

        ``active_ms``: time since the merchant was first seen.
        """
        return self.bursts(now, active_ms)[0]

    def burst_day(self, now: int, active_ms: int) -> float:
        """Order rate of the last day over the merchant's own base rate; 1 is as usual."""
        return self.orders_in_day(now) * _DAY_RATE * _DAY_MS / self._orders_per_day(now, active_ms)

    def gmv_burst_day(self, now: int, active_ms: int) -> float | None:
        """Turnover of the last day over the merchant's own base; ``None`` without any turnover."""
        return self.bursts(now, active_ms)[2]

    def _orders_per_day(self, now: int, active_ms: int) -> float:
        """Orders a day that the base counter stands for, given how long it has been filling, with the floor."""
        filled = 1.0 - exp(-_BASE_RATE * max(active_ms, _DAY_MS))
        count = self.orders_base * exp(-_BASE_RATE * (now - self.at))
        return count * _BASE_RATE * _DAY_MS / filled + _BASE_FLOOR_PER_DAY
