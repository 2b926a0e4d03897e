"""What a simulation is made of: its size, its time and its attacks."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
#: 2026-01-01: a fixed end, so that the same seed gives the same bytes on any day.
DEFAULT_END: Final = 1_767_225_600_000
#: 2006-01-01: accounts are up to five years older than the start, and times before 2000 are not valid.
_FIRST_MS: Final = 1_136_073_600_000
_LAST_MS: Final = 4_102_444_800_000
_SPAN_DAYS: Final = (1 / 24, 3650)

#: Share of merchants that each attack takes when the size is given by the number of events. Real platforms turn away
#: most of them at the door; half a per cent each leaves enough to measure recall on.
_ATTACK_SHARE: Final = 0.005
#: Shorter simulations have no time for preparation, attack and outcome.
_SCENARIO_DAYS: Final = 21
#: Largest part of the events that scenarios take when the size is given by the number of events.
_SCENARIO_PART: Final = 0.3

# What `for_events` reckons with: mean numbers of events, as measured. tests/streams/simulator/test_config.py fails when
# they no longer hold. An event is seen only before the end, so what an order adds depends on how long its events take:
# (events, mean days until them).
_ORDER_EVENTS: Final = ((1.25, 0.01), (1.0, 1.0), (3.8, 3.6), (0.95, 5.4), (0.57, 8.6))
_MERCHANT_EVENTS: Final = 10.9
_MERCHANT_EVENTS_PER_DAY: Final = 0.11
#: Makes the median merchant of 90 days have some twenty orders.
_ORDERS_PER_MERCHANT_PER_DAY: Final = 0.52
#: Per occurrence at strength 1.
_SCENARIO_EVENTS: Final = {
    "bust_out": 520.0,
    "counterfeit": 1130.0,
    "fake_tracking": 600.0,
    "brushing": 1850.0,
    "carrier_strike": 0.0,
    "viral_burst": 2050.0,
    "discount_sale": 630.0,
    "bad_luck": 0.0,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a scenario happens and how hard.

    ``count``: number of attackers (rings for brushing, merchants or strikes for honest trouble), 0 to switch it off.
    ``strength``: 1 is typical; scales orders per attacker and the share of them that harm, 0.1 to 10.
    """

    count: int
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"a scenario's count must not be negative, not {self.count}")
        if not 0.1 <= self.strength <= 10:
            raise ValueError(f"a scenario's strength must be between 0.1 and 10, not {self.strength}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Size, time and attacks of a simulated marketplace. The same configuration gives the same bytes.

    ``merchants`` includes the attackers. ``orders_per_day`` is what honest demand brings on an average day; attacks and
    bursts come on top. ``end`` is an exclusive time in ms; the stream covers ``span_days`` before it. Every scenario
    happens as often as its plan says in each of ``seasons`` equal parts of the span.
    """

    seed: int = 7
    merchants: int = 1000
    orders_per_day: float = 520.0
    span_days: float = 90.0
    end: int = DEFAULT_END
    #: Mean number of listings of a merchant, 1 to 200.
    listings_per_merchant: float = 8.0
    currency: str = "USD"
    seasons: int = 1
    bust_out: Plan = field(default=Plan(5))
    counterfeit: Plan = field(default=Plan(5))
    fake_tracking: Plan = field(default=Plan(5))
    brushing: Plan = field(default=Plan(3))
    carrier_strike: Plan = field(default=Plan(1))
    viral_burst: Plan = field(default=Plan(3))
    discount_sale: Plan = field(default=Plan(5))
    bad_luck: Plan = field(default=Plan(5))

    def __post_init__(self) -> None:
        _check("merchants", self.merchants, 1, 5_000_000)
        _check("orders_per_day", self.orders_per_day, 0, 1e9)
        _check("span_days", self.span_days, *_SPAN_DAYS)
        _check("seasons", self.seasons, 1, 1000)
        _check("listings_per_merchant", self.listings_per_merchant, 1, 200)
        _check("end", self.end, _FIRST_MS + int(self.span_days * DAY_MS), _LAST_MS)
        if self.currency not in ("USD", "EUR", "GBP"):
            raise ValueError(f"currency must be USD, EUR or GBP (prices are typical of these), not {self.currency!r}")
        staged = sum(plan.count for plan in self.plans().values())
        season_days = self.span_days / self.seasons
        if staged and season_days < _SCENARIO_DAYS:
            raise ValueError(
                f"attacks and honest bursts need at least {_SCENARIO_DAYS} days to show, not {season_days:g}; "
                "lengthen span_days or set their counts to 0"
            )
        if self.attackers > self.merchants // 2:
            raise ValueError(
                f"{self.attackers} of {self.merchants} merchants would be attackers; at most half may be: "
                "raise merchants or lower the counts"
            )

    @property
    def start(self) -> int:
        """First instant of the simulation, ms."""
        return self.end - int(self.span_days * DAY_MS)

    @property
    def attackers(self) -> int:
        """Number of malicious merchants; a brushing ring has two."""
        each = self.bust_out.count + self.counterfeit.count + self.fake_tracking.count + 2 * self.brushing.count
        return each * self.seasons

    def plans(self) -> dict[str, Plan]:
        """Scenarios by name, attacks and honest trouble alike."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in SCENARIO_NAMES}

    @classmethod
    def for_events(cls, events: int, seed: int = 7, *, span_days: float = 90.0, end: int = DEFAULT_END) -> Self:
        """A marketplace whose stream has about ``events`` events (within a tenth from 20,000 on).

        It is sized so that the median merchant has some twenty orders in 90 days.

        Raises
        ------
        ValueError
            A value is out of range, or fewer than 5,000 events: not enough for a marketplace with attacks.
        """
        if events < 5000:
            raise ValueError(f"a simulation with attacks needs at least 5,000 events, not {events:,}")
        _check("span_days", span_days, *_SPAN_DAYS)
        per_order = _events_per_order(span_days)
        fixed = _MERCHANT_EVENTS + _MERCHANT_EVENTS_PER_DAY * span_days
        per_merchant = fixed + per_order * _ORDERS_PER_MERCHANT_PER_DAY * span_days
        merchants = max(20, round(events / per_merchant))
        counts = _counts(merchants) if span_days >= _SCENARIO_DAYS else dict.fromkeys(SCENARIO_NAMES, 0)
        staged = sum(_SCENARIO_EVENTS[name] * count for name, count in counts.items())
        # In a small marketplace attacks of full strength would be all there is.
        strength = min(1.0, max(0.1, _SCENARIO_PART * events / staged)) if staged else 1.0
        orders = max(0.0, events - merchants * fixed - staged * strength) / per_order
        plans: dict[str, Any] = {name: Plan(count, strength) for name, count in counts.items()}
        size: dict[str, Any] = {"merchants": merchants, "orders_per_day": orders / span_days, "span_days": span_days}
        return cls(seed=seed, end=end, **size, **plans)


#: Attacks, then honest trouble that looks like them.
ATTACK_NAMES: Final = ("bust_out", "counterfeit", "fake_tracking", "brushing")
HARD_NEGATIVE_NAMES: Final = ("carrier_strike", "viral_burst", "discount_sale", "bad_luck")
SCENARIO_NAMES: Final = ATTACK_NAMES + HARD_NEGATIVE_NAMES


def _counts(merchants: int) -> dict[str, int]:
    each = max(1 if merchants < 100 else 2, round(merchants * _ATTACK_SHARE))
    return {
        "bust_out": each,
        "counterfeit": each,
        "fake_tracking": each,
        "brushing": max(1, each // 2),
        "carrier_strike": 1,
        "viral_burst": max(1, each // 2),
        "discount_sale": each,
        "bad_luck": each,
    }


def _events_per_order(span_days: float) -> float:
    """Mean number of an order's events before the end, for orders spread evenly over the span."""
    total = 0.0
    for events, delay in _ORDER_EVENTS:
        # Share of the span after which an event is no longer seen; the exponent bends it where the span is short.
        unseen = delay / span_days * (1 - math.exp(-1.5 * span_days / delay))
        total += events * (1 - unseen)
    return total


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must be between {low:,g} and {high:,g}, not {value:,g}")
