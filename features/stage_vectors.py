"""Inputs of the bad-order models of later stages: when an order is shipped, and when it has arrived or should have.

What was known at purchase enters as one input, the log-odds judged then; the others are what has happened since. So
these vectors are short: an order is scored three times and stored with each of its events. They are rounded as by
:func:`~features.rounding.nearest`, written out.
"""

from math import floor, log
from typing import Final

from features.merchant import Merchant
from features.order import OrderRecord
from features.population import Population
from features.rounding import nearest
from features.vectors import InputRange, low_rating_90d
from features.windows import DAY_MS

#: Probabilities are stored with five digits, so log-odds end here.
_RAREST: Final = 1e-5
_SHORTEST_DAYS: Final = 0.5
_MARGIN: Final = 3.0

#: Inputs at dispatch, in order. Margins are natural logarithms of days over the days that a delivery takes at present.
DISPATCH_INPUTS: Final[tuple[InputRange, ...]] = (
    ("purchase_log_odds", -8.0, 8.0, False),
    ("dispatch_days", 0.0, 30.0, True),
    ("ship_slack_days", -20.0, 20.0, False),
    ("promised_days", 0.0, 60.0, False),
    ("days_left_margin", -3.0, 3.0, False),
    ("promise_margin_at_dispatch", -3.0, 3.0, False),
    ("region_late_rate", 0.0, 1.0, False),
    ("route_late_rate", 0.0, 1.0, False),
)
#: Inputs at delivery, in order.
DELIVERY_INPUTS: Final[tuple[InputRange, ...]] = (
    ("purchase_log_odds", -8.0, 8.0, False),
    ("late_days", 0.0, 60.0, True),
    ("late", 0.0, 1.0, False),
    ("undelivered", 0.0, 1.0, False),
    ("delivery_days", 0.0, 90.0, True),
    ("ship_late_days", 0.0, 60.0, True),
    ("order_quantity", 0.0, 100.0, True),
    ("checkout_ratio", 1.0, 3.0, False),
    ("low_rating_rate_90d_shrunk", 0.0, 1.0, False),
)


def purchase_log_odds(probability: float | None) -> float | None:
    """Log-odds of the probability judged at purchase, as stored."""
    if probability is None:
        return None
    likely = min(max(probability, _RAREST), 1.0 - _RAREST)
    return nearest(log(likely / (1.0 - likely)), 1e3)


def dispatch_vector(order: OrderRecord, population: Population) -> list[float | None]:
    """Values of :data:`DISPATCH_INPUTS` for an order as it is shipped, rounded to what is stored."""
    created, shipped = order.created or 0, order.shipped or 0
    region = order.ship_to
    route = f"{order.ship_from}>{region}" if order.ship_from and region else ""
    promised = (order.deliver_by - created) / DAY_MS
    expected = population.deliveries.expected_log_days(shipped, region, route)
    _, by_region, by_route, _ = population.segment_rates(region, route, "")
    return [
        purchase_log_odds(order.probability),
        floor(((shipped - created) / DAY_MS) * 1e2 + 0.5) / 1e2,
        floor(((order.ship_by - shipped) / DAY_MS) * 1e2 + 0.5) / 1e2,
        floor(promised * 1e2 + 0.5) / 1e2,
        _margin((order.deliver_by - shipped) / DAY_MS, expected),
        _margin(promised, expected),
        floor(by_region * 1e4 + 0.5) / 1e4,
        floor(by_route * 1e4 + 0.5) / 1e4,
    ]


def delivery_vector(order: OrderRecord, merchant: Merchant, population: Population, now: int) -> list[float | None]:
    """Values of :data:`DELIVERY_INPUTS` for an order that has arrived, or has not by ``now`` (ms)."""
    created = order.created or 0
    delivered = order.delivered
    at = now if delivered is None else delivered
    shipped = order.shipped if order.shipped is not None and order.shipped <= at else at
    late = max(0, at - order.deliver_by) / DAY_MS
    return [
        purchase_log_odds(order.probability),
        floor(late * 1e2 + 0.5) / 1e2,
        1.0 if late else 0.0,
        1.0 if delivered is None else 0.0,
        floor(((at - created) / DAY_MS) * 1e2 + 0.5) / 1e2,
        floor((max(0, shipped - order.ship_by) / DAY_MS) * 1e2 + 0.5) / 1e2,
        float(order.quantity),
        checkout_ratio(order),
        floor(low_rating_90d(merchant, population) * 1e4 + 0.5) / 1e4,
    ]


def checkout_ratio(order: OrderRecord) -> float:
    """What the buyer paid at the checkout over this merchant's part of it: above 1, others have parcels to deliver."""
    if order.total <= 0 or order.checkout_total <= order.total:
        return 1.0
    return nearest(order.checkout_total / order.total, 1e2)


def _margin(days: float, expected_log_days: float) -> float:
    margin = log(max(days, _SHORTEST_DAYS)) - expected_log_days
    return nearest(min(max(margin, -_MARGIN), _MARGIN), 1e4)
