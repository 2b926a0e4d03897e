"""Inputs of the models, extracted in one pass.

Each model has a fixed list of named inputs. Values are plain floats, rounded to what is stored with the order, so
that what is learned weeks later is exactly what was scored.
"""

from collections.abc import Callable
from math import exp, floor
from typing import Final, TypeAlias

from features import merchant as m
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.population import Population
from features.priors import DEFAULT_PRIORS
from features.rounding import nearest
from features.windows import DAY_MS

#: Where the sums of the longest window begin.
_FAR: Final = 3 * m.PLACED_WIDTH

#: Name, lowest and highest value, and whether the model takes the logarithm of 1 + value. Ranges are fixed, so that
#: no outlier can blind a model.
InputRange: TypeAlias = tuple[str, float, float, bool]

#: Inputs of the merchant-behaviour model.
BEHAVIOUR_INPUTS: Final[tuple[InputRange, ...]] = (
    ("orders_burst_1h", 0.0, 60.0, True),
    ("orders_burst_1d", 0.0, 30.0, True),
    ("gmv_burst_1d", 0.0, 30.0, True),
    ("aov_ratio_7d", 0.0, 8.0, True),
    ("cancel_rate_30d_shrunk", 0.0, 0.5, False),
    ("late_ship_rate_30d_shrunk", 0.0, 0.5, False),
    ("not_received_rate_30d_shrunk", 0.0, 0.3, False),
    ("bad_orders_per_order_30d", 0.0, 1.0, False),
    ("overdue_per_order_30d", 0.0, 1.0, False),
    ("listings_created_7d", 0.0, 200.0, True),
    ("buyer_concentration_30d", 0.0, 1.0, False),
    ("log_price_level", -3.0, 3.0, False),
)


def _shrunk(rate: str, window: int) -> Callable[[Merchant, Population], float]:
    """Posterior mean of a rate over the window at that index, with everything looked up beforehand."""
    family = m.RATES[rate][0]
    due, defect, undeliverable = m.rate_positions(rate, window)
    default = DEFAULT_PRIORS[rate]

    # As posterior_mean(), written out: every order asks for several.
    def by_ship_day(merchant: Merchant, population: Population) -> float:
        sums, prior = merchant.ship.sums, population.priors.get(rate, default)
        return (sums[defect] + prior.alpha) / (sums[due] + prior.alpha + prior.beta)

    def by_delivery_day(merchant: Merchant, population: Population) -> float:
        sums, prior = merchant.outcome.sums, population.priors.get(rate, default)
        return (sums[defect] + prior.alpha) / (sums[due] - sums[undeliverable] + prior.alpha + prior.beta)

    def by_outcome_day(merchant: Merchant, population: Population) -> float:
        sums, prior = merchant.outcome.sums, population.priors.get(rate, default)
        return (sums[defect] + prior.alpha) / (sums[due] + prior.alpha + prior.beta)

    return (by_ship_day, by_delivery_day, by_outcome_day)[family]


_cancel_30d = _shrunk("cancel", 1)
_late_ship_30d = _shrunk("late_ship", 1)
_late_delivery_30d = _shrunk("late_delivery", 1)
_not_received_30d = _shrunk("not_received", 1)
_bad_order_90d = _shrunk("bad_order", 3)
low_rating_90d = _shrunk("low_rating", 3)


def behaviour_vector(merchant: Merchant, population: Population) -> list[float | None]:
    """Values of :data:`BEHAVIOUR_INPUTS` for a merchant at its as-of time."""
    record = merchant.record
    now = record.as_of
    placed = merchant.placed.sums
    buyers = merchant.buyers
    orders = placed[m.PLACED_WIDTH + m.ORDERS]
    recent, far = placed[m.GMV], placed[_FAR + m.GMV]
    return [
        *record.activity.bursts(now, now - record.first_seen),
        recent / placed[m.ORDERS] / (far / placed[_FAR + m.ORDERS]) if recent > 0 and far > 0 else None,
        _cancel_30d(merchant, population),
        _late_ship_30d(merchant, population),
        _not_received_30d(merchant, population),
        placed[m.PLACED_WIDTH + m.BAD_ORDERS] / orders if orders else None,
        min(1.0, record.overdue / orders) if orders else None,
        merchant.churn.sums[m.LISTINGS_CREATED],
        # Of a handful of orders, concentration says only that they are few.
        buyers.concentration if buyers.kept >= 5 else None,
        record.level_sum / record.levelled if record.levelled > 0 else None,
    ]


#: Inputs of the bad-order model, in order.
ORDER_INPUTS: Final[tuple[InputRange, ...]] = (
    ("order_total", 0.0, 1_000_000.0, True),
    ("order_quantity", 0.0, 100.0, True),
    ("promised_days", 0.0, 60.0, False),
    ("promise_margin", -3.0, 3.0, False),
    ("handling_days", 0.0, 30.0, False),
    ("slack_days", -10.0, 60.0, False),
    ("weekday_sin", -1.0, 1.0, False),
    ("weekday_cos", -1.0, 1.0, False),
    ("overall_late_rate", 0.0, 1.0, False),
    ("region_late_rate", 0.0, 1.0, False),
    ("route_late_rate", 0.0, 1.0, False),
    ("category_late_rate", 0.0, 1.0, False),
    ("late_ship_rate_30d_shrunk", 0.0, 1.0, False),
    ("late_delivery_rate_30d_shrunk", 0.0, 1.0, False),
    ("bad_order_rate_90d_shrunk", 0.0, 1.0, False),
    ("overdue_per_order_30d", 0.0, 1.0, False),
    ("orders_30d", 0.0, 10_000.0, True),
    ("orders_burst_1d", 0.0, 30.0, True),
    ("account_age_days", 0.0, 3_650.0, True),
    ("unit_price_to_category", 0.0, 20.0, True),
    ("buyer_orders_at_merchant_30d", 0.0, 50.0, True),
    ("listing_age_days", 0.0, 1_000.0, True),
)
_WEEKDAY: Final = ((0.0, 1.0), (0.78, 0.62), (0.97, -0.22), (0.43, -0.9), (-0.43, -0.9), (-0.97, -0.22), (-0.78, 0.62))


def order_vector(
    order: OrderRecord, merchant: Merchant, listing: ListingRecord | None, population: Population
) -> list[float | None]:
    """Values of :data:`ORDER_INPUTS` for an order as it is placed, rounded to what is stored."""
    record = merchant.record
    created = order.created or 0
    as_of, first_seen = record.as_of, record.first_seen
    orders = merchant.placed.sums[m.PLACED_WIDTH + m.ORDERS]
    promised = (order.deliver_by - created) / DAY_MS
    handling = (order.ship_by - created) / DAY_MS
    category = order.category
    price = None
    if category and order.gmv > 0 and order.quantity:
        level = population.prices.get(f"{record.currency}/{category}")
        median = None if level is None else level.median_log()
        if median is not None:
            price = nearest(order.gmv / order.quantity / exp(median), 1e4)
    region = order.ship_to
    route = f"{order.ship_from}>{region}" if order.ship_from and region else ""
    margin = population.deliveries.promise_margin(created, order.deliver_by, region, route)
    overall, by_region, by_route, by_category = population.segment_rates(region, route, category)
    weekday_sin, weekday_cos = _WEEKDAY[(created // DAY_MS + 3) % 7]
    # Rounded as by nearest(), written out: a dozen calls less for each order.
    return [
        # Floats all: stored and read again, they must be the same bytes.
        float(order.total),
        float(order.quantity),
        floor(promised * 1e2 + 0.5) / 1e2,
        floor(margin * 1e4 + 0.5) / 1e4,
        floor(handling * 1e2 + 0.5) / 1e2,
        floor((promised - handling) * 1e2 + 0.5) / 1e2,
        weekday_sin,
        weekday_cos,
        floor(overall * 1e4 + 0.5) / 1e4,
        floor(by_region * 1e4 + 0.5) / 1e4,
        floor(by_route * 1e4 + 0.5) / 1e4,
        floor(by_category * 1e4 + 0.5) / 1e4,
        floor(_late_ship_30d(merchant, population) * 1e4 + 0.5) / 1e4,
        floor(_late_delivery_30d(merchant, population) * 1e4 + 0.5) / 1e4,
        floor(_bad_order_90d(merchant, population) * 1e4 + 0.5) / 1e4,
        floor(min(1.0, record.overdue / orders) * 1e4 + 0.5) / 1e4 if orders else None,
        float(orders),
        floor(record.activity.burst_day(as_of, as_of - first_seen) * 1e3 + 0.5) / 1e3,
        floor((max(0, as_of - (record.registered or first_seen)) / DAY_MS) * 1e1 + 0.5) / 1e1,
        price,
        float(merchant.buyers.orders_of(order.buyer)),
        floor((max(0, created - listing.created) / DAY_MS) * 1e2 + 0.5) / 1e2
        if listing is not None and listing.created
        else None,
    ]
