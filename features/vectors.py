"""Inputs of the models, extracted in one pass.

Each model has a fixed list of named inputs. Values are plain floats, rounded to what is stored with the order, so that what is learned weeks
later is exactly what was scored.
"""

from math import log, log1p
from typing import Final

from features import merchant as m
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.population import Population
from features.registry import DEFAULT_PRIORS
from features.shrinkage import posterior_mean
from features.windows import DAY_MS

#: Inputs of the merchant-behaviour model with their fixed ranges: name, lowest, highest. Ranges are fixed so that no outlier can blind the model.
BEHAVIOUR_INPUTS: Final[tuple[tuple[str, float, float], ...]] = (
    ("log_orders_burst_1h", 0.0, 4.0),
    ("log_orders_burst_1d", 0.0, 4.0),
    ("log_gmv_burst_1d", 0.0, 4.0),
    ("log_aov_ratio_7d", -2.0, 2.0),
    ("cancel_rate_30d_shrunk", 0.0, 0.5),
    ("late_ship_rate_30d_shrunk", 0.0, 0.5),
    ("not_received_rate_30d_shrunk", 0.0, 0.3),
    ("bad_orders_per_order_30d", 0.0, 1.0),
    ("overdue_per_order_30d", 0.0, 1.0),
    ("log_listings_created_7d", 0.0, 5.0),
    ("buyer_concentration_30d", 0.0, 1.0),
    ("log_price_level", -2.0, 2.0),
)


def _clip(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value


def behaviour_vector(merchant: Merchant, population: Population) -> list[float]:
    """Values of :data:`BEHAVIOUR_INPUTS` for a merchant at its as-of time."""
    record = merchant.record
    now = record.as_of
    activity = record.activity
    active_ms = now - record.first_seen
    placed = merchant.placed.sums[0]
    month = m.PLACED_WIDTH
    far = 3 * m.PLACED_WIDTH
    orders = placed[month + m.ORDERS]
    aov = 0.0
    if placed[m.GMV] > 0 and placed[far + m.GMV] > 0:
        aov = log(placed[m.GMV] / placed[m.ORDERS] / (placed[far + m.GMV] / placed[far + m.ORDERS]))
    priors = population.priors
    rates = []
    for rate in ("cancel", "late_ship", "not_received"):
        n, k = merchant.orders_and_defects(rate, 1)
        rates.append(posterior_mean(k, n, priors.get(rate, DEFAULT_PRIORS[rate])))
    return [
        log1p(activity.burst_hour(now, active_ms)),
        log1p(activity.burst_day(now, active_ms)),
        log1p(activity.gmv_burst_day(now, active_ms) or 0.0),
        _clip(aov, -2.0, 2.0),
        *rates,
        placed[month + m.BAD_ORDERS] / orders if orders else 0.0,
        min(1.0, record.overdue / orders) if orders else 0.0,
        log1p(merchant.churn.sums[0][m.LISTINGS_CREATED]),
        (merchant.buyers.concentration or 0.0) if merchant.buyers.kept >= 5 else 0.0,
        record.level_sum / record.levelled if record.levelled > 0 else 0.0,
    ]


#: Inputs of the bad-order model, in order.
ORDER_INPUTS: Final[tuple[str, ...]] = (
    "log_total",
    "log_quantity",
    "promised_days",
    "handling_days",
    "slack_days",
    "weekday_sin",
    "weekday_cos",
    "overall_late_rate",
    "region_late_rate",
    "route_late_rate",
    "category_late_rate",
    "late_ship_rate_30d_shrunk",
    "late_delivery_rate_30d_shrunk",
    "bad_order_rate_90d_shrunk",
    "overdue_per_order_30d",
    "log_orders_30d",
    "log_orders_burst_1d",
    "log_account_age_days",
    "log_unit_price_to_category",
    "log_buyer_orders",
    "log_listing_age_days",
)
_WEEKDAY: Final = ((0.0, 1.0), (0.78, 0.62), (0.97, -0.22), (0.43, -0.9), (-0.43, -0.9), (-0.97, -0.22), (-0.78, 0.62))


def order_vector(
    order: OrderRecord, merchant: Merchant, listing: ListingRecord | None, population: Population
) -> list[float]:
    """Values of :data:`ORDER_INPUTS` for an order as it is placed, rounded as stored."""
    record = merchant.record
    created = order.created or 0
    priors = population.priors
    rates = []
    for rate, window in (("late_ship", 1), ("late_delivery", 1), ("bad_order", 3)):
        n, k = merchant.orders_and_defects(rate, window)
        rates.append(posterior_mean(k, n, priors.get(rate, DEFAULT_PRIORS[rate])))
    orders = merchant.placed.sums[0][m.PLACED_WIDTH + m.ORDERS]
    promised = (order.deliver_by - created) / DAY_MS
    handling = (order.ship_by - created) / DAY_MS
    weekday = _WEEKDAY[(created // DAY_MS + 3) % 7]
    price = 0.0
    if order.category and order.gmv > 0 and order.quantity:
        level = population.prices.get(f"{record.currency}/{order.category}")
        median = None if level is None else level.median_log()
        if median is not None:
            price = log(order.gmv / order.quantity) - median
    age = created - listing.created if listing is not None and listing.created else 0
    values = (
        log1p(order.total),
        log1p(order.quantity),
        _clip(promised, 0.0, 90.0),
        _clip(handling, 0.0, 60.0),
        _clip(promised - handling, -30.0, 90.0),
        *weekday,
        population.segment_rate("", ""),
        population.segment_rate("region/", order.ship_to),
        population.segment_rate("route/", f"{order.ship_from}>{order.ship_to}" if order.ship_from else ""),
        population.segment_rate("category/", order.category),
        *rates,
        min(1.0, record.overdue / orders) if orders else 0.0,
        log1p(orders),
        log1p(record.activity.burst_day(record.as_of, record.as_of - record.first_seen)),
        log1p(max(0, record.as_of - (record.registered or record.first_seen)) / DAY_MS),
        _clip(price, -3.0, 3.0),
        log1p(merchant.buyers.orders_of(order.buyer)),
        log1p(max(0, age) / DAY_MS),
    )
    return [round(value, 4) for value in values]
