"""The models' inputs as a person says them, for reasons."""

import re
from typing import Final

from features.registry import FEATURES

_WORDS: Final = {
    # -- behaviour of a merchant
    "orders_burst_1h": "orders of the last hour against the usual pace",
    "orders_burst_1d": "orders of the last day against the usual pace",
    "gmv_burst_1d": "turnover of the last day against the usual",
    "aov_ratio_7d": "the average order of 7 days against that of 90",
    "cancel_rate_30d_shrunk": "the share of orders that the seller cancels",
    "late_ship_rate_30d_shrunk": "the share of orders shipped late",
    "late_delivery_rate_30d_shrunk": "the share of orders delivered late",
    "not_received_rate_30d_shrunk": "the share of orders claimed not received",
    "bad_order_rate_90d_shrunk": "the share of orders that went wrong",
    "bad_orders_per_order_30d": "bad orders per order",
    "overdue_per_order_30d": "overdue orders per order",
    "listings_created_7d": "new listings",
    "buyer_concentration_30d": "the concentration of buyers",
    "log_price_level": "the price level against the categories' medians (logarithm)",
    # -- an order at purchase
    "order_total": "the order's total",
    "order_quantity": "the number of pieces",
    "promised_days": "the days until the promised delivery",
    "promise_margin": "the time to spare in the promise (logarithm of promised over expected days)",
    "handling_days": "the days promised for dispatch",
    "slack_days": "the days promised between dispatch and delivery",
    "weekday_sin": "the day of the week",
    "weekday_cos": "the day of the week",
    "overall_late_rate": "the share of all orders that come late",
    "region_late_rate": "the share of orders into the region that come late",
    "route_late_rate": "the share of orders on the route that come late",
    "category_late_rate": "the share of orders of the category that come late",
    "orders_30d": "the merchant's orders",
    "account_age_days": "the age of the account (days)",
    "unit_price_to_category": "the price of a piece against the category's median",
    "buyer_orders_at_merchant_30d": "the buyer's orders at the merchant",
    "listing_age_days": "the age of the listing (days)",
    "bad_order_forest": "what the adaptive forest makes of it beyond that (its probability against the linear model's)",
    # -- an order at dispatch and at delivery
    "purchase_log_odds": "what was judged at purchase (log-odds)",
    "dispatch_days": "the days until dispatch",
    "ship_slack_days": "the days left for dispatch",
    "days_left_margin": "the time left for delivery (logarithm of days left over expected days)",
    "promise_margin_at_dispatch": "the time to spare in the promise, as seen at dispatch (logarithm)",
    "late_days": "the days of delay",
    "late": "the delay",
    "undelivered": "that it has not arrived",
    "delivery_days": "the days since the order",
    "ship_late_days": "the delay of dispatch",
    "checkout_ratio": "other merchants' parcels of the same checkout",
    "low_rating_rate_90d_shrunk": "the share of orders rated 1 or 2",
}
_WINDOW: Final = re.compile(r"_(\d+)(h|d)(?:_|$)")


def input_words(name: str) -> str:
    """What an input is; one without words is its name without underscores.

    >>> input_words("listings_created_7d"), input_words("something_new")
    ('new listings', 'something new')
    """
    return _WORDS.get(name) or name.replace("_", " ")


def input_window(name: str) -> str | None:
    """The window of the feature of that name, else the one that the name says, if any.

    >>> input_window("late_ship_rate_30d_shrunk"), input_window("orders_burst_1h"), input_window("order_total")
    ('30 d', 'half-life 1 h', None)
    """
    feature = FEATURES.get(name)
    if feature is not None and feature.window:
        return feature.window
    found = _WINDOW.search(name)
    return f"{found[1]} {found[2]}" if found else None
