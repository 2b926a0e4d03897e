"""Inputs of the models, extracted in one pass.

Each model has a fixed list of named inputs. Values are plain floats, rounded to what is stored with the order, so
that what is learned weeks later is exactly what was scored.
"""

from math import exp
from typing import Final, TypeAlias

from features import merchant as m
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.population import Population
from features.priors import DEFAULT_PRIORS
from features.shrinkage import posterior_mean
from features.windows import DAY_MS

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


def behaviour_vector(merchant: Merchant, population: Population) -> list[float | None]:
    """Values of :data:`BEHAVIOUR_INPUTS` for a merchant at its as-of time."""
    record = merchant.record
    now = record.as_of
    activity = record.activity
    active_ms = now - record.first_seen
    placed = merchant.placed.sums[0]
    far = 3 * m.PLACED_WIDTH
    orders = placed[m.PLACED_WIDTH + m.ORDERS]
    aov = None
    if placed[m.GMV] > 0 and placed[far + m.GMV] > 0:
        aov = placed[m.GMV] / placed[m.ORDERS] / (placed[far + m.GMV] / placed[far + m.ORDERS])
    rates = [_shrunk(merchant, population, rate, 1) for rate in ("cancel", "late_ship", "not_received")]
    return [
        activity.burst_hour(now, active_ms),
        activity.burst_day(now, active_ms),
        activity.gmv_burst_day(now, active_ms),
        aov,
        *rates,
        placed[m.PLACED_WIDTH + m.BAD_ORDERS] / orders if orders else None,
        min(1.0, record.overdue / orders) if orders else None,
        merchant.churn.sums[0][m.LISTINGS_CREATED],
        # Of a handful of orders, concentration says only that they are few.
        merchant.buyers.concentration if merchant.buyers.kept >= 5 else None,
        record.level_sum / record.levelled if record.levelled > 0 else None,
    ]


def _shrunk(merchant: Merchant, population: Population, rate: str, window: int) -> float:
    orders, defects = merchant.orders_and_defects(rate, window)
    return posterior_mean(defects, orders, population.priors.get(rate, DEFAULT_PRIORS[rate]))


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
    orders = merchant.placed.sums[0][m.PLACED_WIDTH + m.ORDERS]
    promised = (order.deliver_by - created) / DAY_MS
    handling = (order.ship_by - created) / DAY_MS
    price = None
    if order.category and order.gmv > 0 and order.quantity:
        level = population.prices.get(f"{record.currency}/{order.category}")
        median = None if level is None else level.median_log()
        if median is not None:
            price = round(order.gmv / order.quantity / exp(median), 4)
    age = None
    if listing is not None and listing.created:
        age = round(max(0, created - listing.created) / DAY_MS, 2)
    overall = population.segment_rate("", "")
    region = order.ship_to
    route = f"{order.ship_from}>{region}" if order.ship_from and region else ""
    margin = population.deliveries.promise_margin(created, order.deliver_by, region, route)
    return [
        # Floats all: stored and read again, they must be the same bytes.
        float(order.total),
        float(order.quantity),
        round(promised, 2),
        round(margin, 4),
        round(handling, 2),
        round(promised - handling, 2),
        *_WEEKDAY[(created // DAY_MS + 3) % 7],
        round(overall, 4),
        round(population.segment_rate("region/", region), 4),
        round(population.segment_rate("route/", route), 4),
        round(population.segment_rate("category/", order.category), 4),
        round(_shrunk(merchant, population, "late_ship", 1), 4),
        round(_shrunk(merchant, population, "late_delivery", 1), 4),
        round(_shrunk(merchant, population, "bad_order", 3), 4),
        round(min(1.0, record.overdue / orders), 4) if orders else None,
        float(orders),
        round(record.activity.burst_day(record.as_of, record.as_of - record.first_seen), 3),
        round(max(0, record.as_of - (record.registered or record.first_seen)) / DAY_MS, 1),
        price,
        float(merchant.buyers.orders_of(order.buyer)),
        age,
    ]
