"""Features of a merchant: counts by the day of the order, and rates over orders old enough to have failed."""

from collections.abc import Callable, Iterator
from typing import Final

from features import merchant as m
from features.feature import Context, Element, Feature, Getter
from features.merchant import RATES
from features.order import OUTCOME_DAYS
from features.priors import DEFAULT_PRIORS
from features.shrinkage import BetaPrior, credible_lower, posterior_mean
from features.windows import WINDOWS

_COUNTS: Final = (
    ("orders", m.ORDERS, "orders", "orders placed"),
    ("gmv", m.GMV, "minor units", "turnover of orders in the merchant's currency, cancelled ones included"),
    ("seller_cancels", m.CANCELS, "orders", "orders that the seller cancelled before shipping"),
    ("late_shipments", m.LATE_SHIPS, "orders", "orders shipped after ship-by, or overdue"),
    ("late_deliveries", m.LATE_DELIVERIES, "orders", "orders delivered after deliver-by, or overdue"),
    ("refunds", m.REFUNDS, "orders", "orders refunded at the seller's fault"),
    (
        "not_as_described",
        m.NOT_AS_DESCRIBED,
        "orders",
        "orders returned as not as described, damaged or wrong",
    ),
    ("not_received", m.NOT_RECEIVED, "orders", "orders claimed not received"),
    ("counterfeit_claims", m.COUNTERFEITS, "orders", "orders claimed counterfeit"),
    ("disputes", m.DISPUTES, "orders", "orders disputed, unless resolved in the seller's favour"),
    ("low_ratings", m.LOW_RATINGS, "orders", "orders whose first rating was 1 or 2"),
    ("bad_orders", m.BAD_ORDERS, "orders", "orders with any of these defects, an order once"),
)
#: What the defect of each rate is, in words.
RATE_WORDS: Final = {
    "cancel": "cancelled by the seller",
    "late_ship": "shipped late or overdue",
    "late_delivery": "delivered late or overdue",
    "refund": "refunded at the seller's fault",
    "not_as_described": "returned as not as described",
    "not_received": "claimed not received",
    "counterfeit": "claimed counterfeit",
    "dispute": "disputed",
    "low_rating": "rated 1 or 2",
    "bad_order": "bad in any way",
}
_MATURE_WORDS: Final = (
    "whose ship-due day lies in the window",
    "whose delivery-due day lies in the window",
    f"whose outcome-due day, {OUTCOME_DAYS} days after the delivery-due day, lies in the window",
)


def _placed(index: int) -> Getter:
    return Element(("merchant", "placed", "sums"), index)


def _counts(rate: str, window: int) -> Callable[[Context], tuple[int, int]]:
    """Orders old enough to have failed, and those that did: ``orders_and_defects`` without its look-ups."""
    family = RATES[rate][0]
    due, defect, undeliverable = m.rate_positions(rate, window)

    def shipping(c: Context) -> tuple[int, int]:
        sums = c.merchant.ship.sums
        return sums[due], sums[defect]

    def delivery(c: Context) -> tuple[int, int]:
        sums = c.merchant.outcome.sums
        return sums[due] - sums[undeliverable], sums[defect]

    def outcome(c: Context) -> tuple[int, int]:
        sums = c.merchant.outcome.sums
        return sums[due], sums[defect]

    return (shipping, delivery, outcome)[family]


def _mature(rate: str, window: int) -> Getter:
    family = RATES[rate][0]
    if family != 1:
        return Element(("merchant", "outcome" if family else "ship", "sums"), m.rate_positions(rate, window)[0])
    counts = _counts(rate, window)
    return lambda c: counts(c)[0]


def _rate(rate: str, window: int) -> Getter:
    counts = _counts(rate, window)

    def get(c: Context) -> float | None:
        orders, defects = counts(c)
        return defects / orders if orders else None

    return get


def _posterior(rate: str, window: int, figure: Callable[[int, int, BetaPrior], float]) -> Getter:
    default = DEFAULT_PRIORS[rate]
    counts = _counts(rate, window)

    def get(c: Context) -> float | None:
        orders, defects = counts(c)
        return figure(defects, orders, c.population.priors.get(rate, default))

    return get


def _features() -> Iterator[Feature]:
    for at, days in enumerate(WINDOWS):
        window = f"{days} d"
        for name, counter, unit, words in _COUNTS:
            yield Feature(
                f"{name}_{days}d",
                "merchant",
                unit,
                window,
                f"{words}, by the day of the order",
                "never",
                _placed(at * m.PLACED_WIDTH + counter),
            )
        for rate_name, family, mature_name in (
            ("late_ship", 0, "mature_ship_orders"),
            ("late_delivery", 1, "mature_delivery_orders"),
            ("bad_order", 2, "mature_orders"),
        ):
            yield Feature(
                f"{mature_name}_{days}d",
                "merchant",
                "orders",
                window,
                f"orders {_MATURE_WORDS[family]}",
                "never",
                _mature(rate_name, at),
            )
        for rate_name, (family, _, _) in RATES.items():
            base = f"share of orders {RATE_WORDS[rate_name]}, of those {_MATURE_WORDS[family]}"
            yield Feature(
                f"{rate_name}_rate_{days}d",
                "merchant",
                "0 to 1",
                window,
                base,
                "no such order",
                _rate(rate_name, at),
            )
            yield Feature(
                f"{rate_name}_rate_{days}d_shrunk",
                "merchant",
                "0 to 1",
                window,
                f"empirical-Bayes posterior mean of {rate_name}_rate over the same window",
                "never",
                _posterior(rate_name, at, posterior_mean),
            )
            yield Feature(
                f"{rate_name}_rate_{days}d_lower",
                "merchant",
                "0 to 1",
                window,
                f"5 % credible lower bound of {rate_name}_rate over the same window",
                "never",
                _posterior(rate_name, at, credible_lower),
            )


#: All of them.
RATE_FEATURES: Final = tuple(_features())
