"""What a simulation is made of: its size, its time and its attacks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from streams.simulator.plans import SCENARIO_NAMES, Plan, attackers_of, default_counts

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
#: 2026-01-01: a fixed end, so that the same seed gives the same bytes on any day.
DEFAULT_END: Final = 1_767_225_600_000
#: 2006-01-01: accounts are up to five years older than the start, and times before 2000 are not valid.
_FIRST_MS: Final = 1_136_073_600_000
_LAST_MS: Final = 4_102_444_800_000
_SPAN_DAYS: Final = (1 / 24, 3650)
_NONE: Final = Plan(0)

#: Shorter simulations have no time for preparation, attack and outcome.
_SCENARIO_DAYS: Final = 21
#: Largest part of the events that scenarios take when the size is given by the number of events.
_SCENARIO_PART: Final = 0.3

# What `for_events` reckons with: mean numbers of events, as measured. tests/streams/simulator/test_config.py fails when
# they no longer hold. An event is seen only before the end, so what an order adds depends on how long its events take:
# (events, mean days until them).
_ORDER_EVENTS: Final = ((1.25, 0.01), (1.0, 1.0), (3.8, 3.6), (0.95, 5.4), (0.57, 8.6))
_MERCHANT_EVENTS: Final = 16.0
_MERCHANT_EVENTS_PER_DAY: Final = 0.11
#: Makes the median merchant of 90 days have some twenty orders.
_ORDERS_PER_MERCHANT_PER_DAY: Final = 0.52
#: Additional days of average demand that a holiday peak of intensity 1 has.
HOLIDAY_DAYS: Final = 6.6
#: Per occurrence at intensity 1, beyond what its merchants have anyway.
_SCENARIO_EVENTS: Final = {
    "bust_out": 630,
    "counterfeit": 1170,
    "fake_tracking": 750,
    "brushing": 1380,
    "account_takeover": 250,
    "self_dealing": 790,
    "empty_box": 700,
    "triangulation": 970,
    "linked_accounts": 1380,
    "probation_evasion": 2520,
    "poor_fulfilment": 610,
    "not_as_described": 980,
    "copied_listings": 100,
    "duplicate_listings": 150,
    "category_spam": 190,
    "switched_listings": 490,
    "fake_discount": 170,
    "off_platform": 210,
    "prohibited_goods": 160,
    "carrier_strike": 0,
    "viral_burst": 1940,
    "discount_sale": 530,
    "bad_luck": 0,
    "refund_abuse": 300,
    "holiday_peak": 0,
    "fast_newcomer": 930,
    "shared_hub": 0,
    "account_change": 10,
    "brand_resellers": 30,
    "seasonal_edits": 10,
    "score_farming": 6100,
    "late_cancelling": 1400,
    "split_shop": 2100,
    "appeal_spam": 1600,
    "bad_promoter": 3500,
    "deceived_creator": 1400,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Size, time and attacks of a simulated marketplace. The same configuration gives the same bytes.

    ``merchants`` includes the attackers. ``orders_per_day`` is what honest demand brings on an average day; attacks and
    bursts come on top. ``end`` is an exclusive time in ms; the stream covers ``span_days`` before it. Every scenario
    happens as often as its plan says in each of ``seasons`` equal parts of the span; one that is not named does not.
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
    bust_out: Plan = _NONE
    counterfeit: Plan = _NONE
    fake_tracking: Plan = _NONE
    brushing: Plan = _NONE
    account_takeover: Plan = _NONE
    self_dealing: Plan = _NONE
    empty_box: Plan = _NONE
    triangulation: Plan = _NONE
    linked_accounts: Plan = _NONE
    probation_evasion: Plan = _NONE
    poor_fulfilment: Plan = _NONE
    not_as_described: Plan = _NONE
    copied_listings: Plan = _NONE
    duplicate_listings: Plan = _NONE
    category_spam: Plan = _NONE
    switched_listings: Plan = _NONE
    fake_discount: Plan = _NONE
    off_platform: Plan = _NONE
    prohibited_goods: Plan = _NONE
    carrier_strike: Plan = _NONE
    viral_burst: Plan = _NONE
    discount_sale: Plan = _NONE
    bad_luck: Plan = _NONE
    refund_abuse: Plan = _NONE
    holiday_peak: Plan = _NONE
    fast_newcomer: Plan = _NONE
    shared_hub: Plan = _NONE
    account_change: Plan = _NONE
    brand_resellers: Plan = _NONE
    seasonal_edits: Plan = _NONE
    score_farming: Plan = _NONE
    late_cancelling: Plan = _NONE
    split_shop: Plan = _NONE
    appeal_spam: Plan = _NONE
    bad_promoter: Plan = _NONE
    deceived_creator: Plan = _NONE
    #: Whether shops that could play tricks to look better do; without, they are what to compare them with.
    gaming: bool = True

    def __post_init__(self) -> None:
        _check("merchants", self.merchants, 1, 5_000_000)
        _check("orders_per_day", self.orders_per_day, 0, 1e9)
        _check("span_days", self.span_days, *_SPAN_DAYS)
        _check("seasons", self.seasons, 1, 1000)
        _check("listings_per_merchant", self.listings_per_merchant, 1, 200)
        _check("end", self.end, _FIRST_MS + int(self.span_days * DAY_MS), _LAST_MS)
        if self.currency not in ("USD", "EUR", "GBP"):
            raise ValueError(f"currency must be USD, EUR or GBP (prices are typical of these), not {self.currency!r}")
        plans = self.plans()
        staged = sum(plan.count for plan in plans.values())
        season_days = self.span_days / self.seasons
        if staged and season_days < _SCENARIO_DAYS:
            raise ValueError(
                f"attacks and honest bursts need at least {_SCENARIO_DAYS} days to show, not {season_days:g}; "
                "lengthen span_days or set their counts to 0"
            )
        for name, plan in plans.items():
            if plan.count and plan.start is not None and plan.start >= season_days:
                raise ValueError(f"{name} is to start after {plan.start:g} days, but there are {season_days:g}")
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
        """Number of malicious merchants."""
        return self.seasons * sum(attackers_of(name, plan.count) for name, plan in self.plans().items())

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
        counts = default_counts(merchants) if span_days >= _SCENARIO_DAYS else dict.fromkeys(SCENARIO_NAMES, 0)
        staged, intensity = staged_events(counts, events)
        orders = max(0.0, events - merchants * fixed - staged) / per_order
        orders /= 1 + counts["holiday_peak"] * intensity * HOLIDAY_DAYS / span_days
        plans: dict[str, Any] = {name: Plan(count, intensity) for name, count in counts.items()}
        size: dict[str, Any] = {"merchants": merchants, "orders_per_day": orders / span_days, "span_days": span_days}
        return cls(seed=seed, end=end, **size, **plans)


def staged_events(counts: Mapping[str, int], events: float) -> tuple[float, float]:
    """Events that scenarios add to about ``events``, but for a holiday's, and the intensity with which they happen.

    In a small marketplace attacks of full intensity would be all there is.
    """
    staged = sum(_SCENARIO_EVENTS[name] * count for name, count in counts.items())
    intensity = min(1.0, max(0.1, _SCENARIO_PART * events / staged)) if staged else 1.0
    return staged * intensity, intensity


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
