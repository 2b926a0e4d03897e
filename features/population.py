"""What a shard knows of all its merchants together: priors for small ones, price levels, how segments fare.

Kept for a whole shard, so that a small merchant can be judged against its peers without reading their states.
"""

from collections.abc import Sequence
from math import log
from typing import Final

from msgspec import Struct, field

from features.claimants import Claimant
from features.delivery_times import DeliveryTimes, duration_keys
from features.figures import Tally
from features.parcels import Parcels
from features.room import make_room
from features.shrinkage import BetaPrior, fit_beta
from features.way_rates import WayRate
from features.windows import DAY_MS

_LN2: Final = log(2.0)
#: Half-life of a segment's late and bad rates.
SEGMENT_LIFE_MS: Final = 14 * DAY_MS
#: Pseudo-orders with which a segment starts from the overall rate.
SEGMENT_STRENGTH: Final = 20.0
#: Segments kept per kind; more than this is noise or abuse, and the stalest leave.
SEGMENT_LIMIT: Final = 4_096
#: Version of the stored population; absent means 1, for good.
POPULATION_VERSION: Final = 1
#: Width of a price bin in natural log units: a bin is about 10 % wide.
_PRICE_BIN: Final = 0.1
#: Rates with a prior, and which count of due orders each is a share of: 0 to ship, 1 for delivery, 2 for an outcome.
PRIOR_FAMILIES: Final = {
    "cancel": 0,
    "late_ship": 0,
    "late_delivery": 1,
    "refund": 2,
    "not_as_described": 2,
    "not_received": 2,
    "counterfeit": 2,
    "dispute": 2,
    "low_rating": 2,
    "bad_order": 2,
}
#: The rates of each family, and where a contribution holds their defects; due orders stand at the number of the family.
#: What is left out of a contribution at its end is zero.
_CONTRIBUTED: Final = tuple(
    tuple((rate, index) for index, (rate, family) in enumerate(PRIOR_FAMILIES.items(), 3) if family == each)
    for each in range(3)
)
_NOTHING: Final = [0] * (len(PRIOR_FAMILIES) + 3)
#: Listings a category needs before it has a median.
PRICE_MINIMUM: Final = 10
#: Brands with prices in a category that are kept; those with the fewest leave. (All are written at each checkpoint.)
BRAND_LIMIT: Final = 1_024
#: The quantile from which on a price is low, and listings that a category needs before it is known.
LOW_QUANTILE: Final = 0.05
LOW_MINIMUM: Final = 40


def _bin_of(price: int) -> int:
    return int(log(price) / _PRICE_BIN)


class Moments(Struct, array_like=True, gc=False):
    """Sums over merchants of orders n, defects k, n(n-1) and k(k-1): enough to fit a Beta-Binomial by moments."""

    orders: int = 0
    defects: int = 0
    order_pairs: int = 0
    defect_pairs: int = 0

    def prior(self, default: BetaPrior) -> BetaPrior:
        """The Beta prior that these moments give; ``default`` while there is too little to fit."""
        return fit_beta(self.orders, self.defects, self.order_pairs, self.defect_pairs, default)


class Segment(Struct, array_like=True, gc=False):
    """Decayed orders and bad outcomes of a segment, as of ``at`` (ms)."""

    at: int = 0
    orders: float = 0.0
    bad: float = 0.0

    def add(self, time: int, bad: float, orders: float = 1.0) -> None:
        """Count an order (or several, ``bad`` of them late) whose outcome became known at ``time``; a late one decays
        like the others.
        """
        elapsed = time - self.at
        if elapsed > 0:
            if self.at:
                factor = 0.5 ** (elapsed / SEGMENT_LIFE_MS)
                self.orders *= factor
                self.bad *= factor
            self.at = time
            weight = 1.0
        else:
            weight = 0.5 ** (-elapsed / SEGMENT_LIFE_MS) if elapsed else 1.0
        self.orders += weight * orders
        if bad:
            self.bad += weight * bad


class PriceLevel(Struct, array_like=True):
    """Prices of a category as counts per logarithmic bin; the median is exact to a bin (10 %)."""

    total: int = 0
    bins: dict[int, int] = field(default_factory=dict)
    #: Cached median bin, and how many prices came and went since it was computed.
    median_bin: int = 0
    changes: int = 0
    #: Cached bin of the low quantile, as of the same time.
    low_bin: int = 0

    def add(self, price: int) -> None:
        """Count a price (minor units, at least 1)."""
        at = _bin_of(price)
        self.bins[at] = self.bins.get(at, 0) + 1
        self.total += 1
        self.changes += 1

    def remove(self, price: int) -> None:
        """Take a price back; one from before its category was forgotten is no longer here to be taken."""
        at = _bin_of(price)
        count = self.bins.get(at, 0)
        if not count:
            return
        if count > 1:
            self.bins[at] = count - 1
        else:
            del self.bins[at]
        self.total -= 1
        self.changes += 1

    def median_log(self) -> float | None:
        """Natural logarithm of the median price; ``None`` below :data:`PRICE_MINIMUM` listings."""
        if self.total < PRICE_MINIMUM:
            return None
        # The median of many moves slowly: recomputed when 2 % of the prices are others.
        if self.changes * 50 >= self.total:
            half, low = self.total / 2, self.total * LOW_QUANTILE
            seen = 0
            for at in sorted(self.bins):
                if seen < low:
                    self.low_bin = at
                seen += self.bins[at]
                if seen >= half:
                    self.median_bin = at
                    break
            self.changes = 0
        return (self.median_bin + 0.5) * _PRICE_BIN

    def low_log(self) -> float | None:
        """Natural logarithm of the price that a twentieth lie below; ``None`` below :data:`LOW_MINIMUM` listings. As of
        the last time that the median was asked for.
        """
        return None if self.total < LOW_MINIMUM else (self.low_bin + 0.5) * _PRICE_BIN


class Population(Struct):
    """Everything a shard keeps across merchants."""

    version: int = POPULATION_VERSION
    moments: dict[str, Moments] = field(default_factory=dict)
    #: Priors as fitted when the shard's day began; fixed for the day, so that a rate means the same all day.
    priors: dict[str, BetaPrior] = field(default_factory=dict)
    prior_day: int = 0
    segments: dict[str, Segment] = field(default_factory=dict)
    prices: dict[str, PriceLevel] = field(default_factory=dict)
    deliveries: DeliveryTimes = field(default_factory=DeliveryTimes)
    #: What other shards have not been told yet; none where there are no others.
    tally: Tally | None = None
    parcels: Parcels = field(default_factory=Parcels)
    #: Buyers who have claimed, by pseudonym.
    claimants: dict[int, Claimant] = field(default_factory=dict)
    #: Prices of a brand's goods in a category.
    brand_prices: dict[str, PriceLevel] = field(default_factory=dict)
    #: Merchants that sold in their last 30 days, and their GMV of that time by currency, minor units. Stored under a
    #: name of their own, as each merchant's part is: earlier versions counted all currencies in one, and what they
    #: stored can't be told apart, so the count begins anew with each merchant's next day.
    sellers: int = field(default=0, name="trading")
    turnovers: dict[str, int] = field(default_factory=dict)
    #: Rates at which the orders of all go bad, by the ways of :mod:`features.merchant_conduct`.
    ways: dict[str, WayRate] = field(default_factory=dict)

    def exchange(self, old: Sequence[int], new: Sequence[int]) -> None:
        """Exchange what a merchant contributes to the priors (:attr:`features.merchant.MerchantRecord.contributed`)."""
        tally = self.tally
        before = [*old, *_NOTHING[len(old) :]]
        after = [*new, *_NOTHING[len(new) :]]
        for family, rates in enumerate(_CONTRIBUTED):
            n0, n1 = before[family], after[family]
            orders, pairs = n1 - n0, n1 * (n1 - 1) - n0 * (n0 - 1)
            for rate, index in rates:
                k0, k1 = before[index], after[index]
                if orders or k0 != k1:
                    added = orders, k1 - k0, pairs, k1 * (k1 - 1) - k0 * (k0 - 1)
                    self._add_moments(rate, added)
                    if tally is not None:
                        tally.moments(rate, added)

    def _add_moments(self, rate: str, added: Sequence[int]) -> None:
        moments = self.moments.get(rate)
        if moments is None:
            moments = self.moments[rate] = Moments()
        orders, defects, order_pairs, defect_pairs = added
        moments.orders += orders
        moments.defects += defects
        moments.order_pairs += order_pairs
        moments.defect_pairs += defect_pairs

    def order_placed(self, time: int) -> None:
        """An order was placed at ``time`` (ms)."""
        self.deliveries.placed(time)
        if self.tally is not None:
            self.tally.placed += 1

    def order_finished(self, time: int, region: str, route: str, duration: int | None) -> None:
        """An order is under way no longer (:meth:`features.delivery_times.DeliveryTimes.finished`)."""
        log_days = self.deliveries.finished(time, region, route, duration)
        tally = self.tally
        if tally is None:
            return
        tally.finished += 1
        if log_days is not None:
            for key in duration_keys(region, route):
                tally.duration(key, log_days)

    def start_tally(self) -> None:
        """Count for the other shards from now on."""
        self.tally = Tally()

    def take_in(self, tally: Tally, time: int) -> None:
        """Count what another shard counted up to about ``time`` (ms)."""
        for key, (orders, bad) in tally.segments.items():
            self._segment(key).add(time, bad, orders)
        self.deliveries.take_in(tally, time)
        for rate, added in tally.priors.items():
            if rate in PRIOR_FAMILIES:
                self._add_moments(rate, added)

    def segment_rates(self, region: str, route: str, category: str) -> tuple[float, float, float, float]:
        """Late shares: overall, and of a region, a route and a category, each shrunk towards the overall one.

        An empty or unknown name has the overall share.
        """
        segments = self.segments
        known = segments.get("all")
        overall = 0.08 if known is None else (known.bad + 1.6) / (known.orders + 20.0)
        pseudo = SEGMENT_STRENGTH * overall
        by_region = by_route = by_category = overall
        if region and (known := segments.get("region/" + region)) is not None:
            by_region = (known.bad + pseudo) / (known.orders + SEGMENT_STRENGTH)
        if route and (known := segments.get("route/" + route)) is not None:
            by_route = (known.bad + pseudo) / (known.orders + SEGMENT_STRENGTH)
        if category and (known := segments.get("category/" + category)) is not None:
            by_category = (known.bad + pseudo) / (known.orders + SEGMENT_STRENGTH)
        return overall, by_region, by_route, by_category

    def learn_segment(self, key: str, time: int, bad: bool) -> None:
        """Count an outcome for a segment, making room when there are too many."""
        segment = self.segments.get(key)
        if segment is None:
            segment = self._segment(key)
        segment.add(time, bad)
        if self.tally is not None:
            self.tally.outcome(key, bad)

    def _segment(self, key: str) -> Segment:
        segment = self.segments.get(key)
        if segment is None:
            make_room(self.segments, SEGMENT_LIMIT, lambda each: each.at)
            self.segments[key] = segment = Segment()
        return segment

    def price_level(self, currency: str, category: str) -> PriceLevel:
        """The price counts of a category in a currency, made when first asked for."""
        return _level(self.prices, f"{currency}/{category}", SEGMENT_LIMIT)

    def brand_level(self, currency: str, category: str, brand: str) -> PriceLevel:
        """The price counts of a brand's goods in a category, in a currency, made when first asked for."""
        return _level(self.brand_prices, f"{currency}/{brand}|{category}", BRAND_LIMIT)

    def remove_price(self, currency: str, category: str, brand: str, price: int) -> None:
        """Take a price back, from its category and from its brand if it has one; what has no prices is not kept."""
        _take_back(self.prices, f"{currency}/{category}", price)
        if brand:
            _take_back(self.brand_prices, f"{currency}/{brand}|{category}", price)


def _level(levels: dict[str, PriceLevel], key: str, limit: int) -> PriceLevel:
    level = levels.get(key)
    if level is None:
        make_room(levels, limit, lambda each: each.total)
        levels[key] = level = PriceLevel()
    return level


def _take_back(levels: dict[str, PriceLevel], key: str, price: int) -> None:
    level = levels.get(key)
    if level is not None:
        level.remove(price)
        if not level.total:
            del levels[key]
