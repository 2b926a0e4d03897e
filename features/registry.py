"""The registry of named features: what policies may name, what outputs show, what docs/features.md is made from.

A feature is a function of a :class:`Context`: a merchant at its as-of time, the shard's population, and the order or
listing at hand. ``None`` means null: not known, or not defined for this merchant; a rule that names a null feature
does not fire.
"""

from collections.abc import Callable
from math import exp
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from features import merchant as m
from features.activity import Activity
from features.listing import ListingRecord
from features.merchant import RATES, Merchant
from features.order import DELIVERED_NOT_RECEIVED, OUTCOME_DAYS, OrderRecord
from features.population import Population
from features.shrinkage import BetaPrior, credible_lower, posterior_mean
from features.windows import DAY_MS, WINDOWS

#: Version of the feature contract: raised when a definition changes.
FEATURES_VERSION: Final = "1"

HOUR_MS: Final = 3_600_000

#: Rates that a merchant is taken to have before the shard has seen any orders: (mean, strength in pseudo-orders).
#: Means are the usual standing limits of marketplaces (late dispatch 4 %, cancellation 2.5 %, not received 2 %;
#: GOVERNANCE sections 1.3 and 1.7), the rest its order of magnitude.
DEFAULT_PRIORS: Final[dict[str, BetaPrior]] = {
    "cancel": BetaPrior(1.25, 48.75),
    "late_ship": BetaPrior(2.0, 48.0),
    "late_delivery": BetaPrior(4.0, 46.0),
    "refund": BetaPrior(1.5, 48.5),
    "not_as_described": BetaPrior(1.0, 49.0),
    "not_received": BetaPrior(1.0, 49.0),
    "counterfeit": BetaPrior(0.1, 49.9),
    "dispute": BetaPrior(0.5, 49.5),
    "low_rating": BetaPrior(4.0, 46.0),
    "bad_order": BetaPrior(7.5, 42.5),
}


class Context:
    """What a feature is computed from."""

    __slots__ = ("listing", "merchant", "order", "population")

    def __init__(
        self,
        merchant: Merchant,
        population: Population,
        order: OrderRecord | None = None,
        listing: ListingRecord | None = None,
    ) -> None:
        self.merchant = merchant
        self.population = population
        self.order = order
        self.listing = listing


Entity: TypeAlias = Literal["merchant", "order", "listing"]
Getter: TypeAlias = Callable[[Context], float | None]


class Feature(Struct, frozen=True):
    """A named figure: whose it is, over which window, in what unit, how it is defined and when it is null."""

    name: str
    entity: Entity
    unit: str
    window: str
    definition: str
    null: str
    get: Getter


FEATURES: Final[dict[str, Feature]] = {}


def _feature(entity: Entity, name: str, unit: str, window: str, definition: str, null: str, get: Getter) -> None:
    FEATURES[name] = Feature(name, entity, unit, window, definition, null, get)


# -- merchant: counts and rates
# -----------------------------------------------------------------------------------------

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
_RATE_WORDS: Final = {
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
    return lambda c: c.merchant.placed.sums[0][index]


def _counts(rate: str, window: int) -> Callable[[Context], tuple[int, int]]:
    """Orders old enough to have failed, and those that did: ``orders_and_defects`` without its look-ups."""
    family, due, defect = RATES[rate]
    start = window * (m.SHIP_WIDTH if family == 0 else m.OUTCOME_WIDTH)
    due, defect, undeliverable = start + due, start + defect, start + m.UNDELIVERABLE

    def shipping(c: Context) -> tuple[int, int]:
        sums = c.merchant.ship.sums[0]
        return sums[due], sums[defect]

    def delivery(c: Context) -> tuple[int, int]:
        sums = c.merchant.outcome.sums[0]
        return sums[due] - sums[undeliverable], sums[defect]

    def outcome(c: Context) -> tuple[int, int]:
        sums = c.merchant.outcome.sums[1]
        return sums[due], sums[defect]

    return (shipping, delivery, outcome)[family]


def _mature(rate: str, window: int) -> Getter:
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


for _w, _days in enumerate(WINDOWS):
    _window = f"{_days} d"
    for _name, _counter, _unit, _words in _COUNTS:
        _feature(
            "merchant",
            f"{_name}_{_days}d",
            _unit,
            _window,
            f"{_words}, by the day of the order",
            "never",
            _placed(_w * m.PLACED_WIDTH + _counter),
        )
    for _rate_name, _family, _mature_name in (
        ("late_ship", 0, "mature_ship_orders"),
        ("late_delivery", 1, "mature_delivery_orders"),
        ("bad_order", 2, "mature_orders"),
    ):
        _feature(
            "merchant",
            f"{_mature_name}_{_days}d",
            "orders",
            _window,
            f"orders {_MATURE_WORDS[_family]}",
            "never",
            _mature(_rate_name, _w),
        )
    for _rate_name, (_family, _, _) in RATES.items():
        _base = f"share of orders {_RATE_WORDS[_rate_name]}, of those {_MATURE_WORDS[_family]}"
        _feature(
            "merchant",
            f"{_rate_name}_rate_{_days}d",
            "0 to 1",
            _window,
            _base,
            "no such order",
            _rate(_rate_name, _w),
        )
        _feature(
            "merchant",
            f"{_rate_name}_rate_{_days}d_shrunk",
            "0 to 1",
            _window,
            f"empirical-Bayes posterior mean of {_rate_name}_rate over the same window",
            "never",
            _posterior(_rate_name, _w, posterior_mean),
        )
        _feature(
            "merchant",
            f"{_rate_name}_rate_{_days}d_lower",
            "0 to 1",
            _window,
            f"5 % credible lower bound of {_rate_name}_rate over the same window",
            "never",
            _posterior(_rate_name, _w, credible_lower),
        )

# -- merchant: activity, buyers, account, listings
# ----------------------------------------------------------------------


def _age_ms(c: Context) -> int:
    record = c.merchant.record
    return max(0, record.as_of - (record.registered or record.first_seen))


def _activity(figure: Callable[[Activity, int, int], float | None]) -> Getter:
    """A figure of the decayed counters, given the as-of time and how long the merchant has been active."""

    def get(c: Context) -> float | None:
        record = c.merchant.record
        return figure(record.activity, record.as_of, record.as_of - record.first_seen)

    return get


def _aov_ratio(c: Context) -> float | None:
    sums = c.merchant.placed.sums[0]
    far = 3 * m.PLACED_WIDTH
    if not sums[m.ORDERS] or not sums[far + m.GMV]:
        return None
    return (sums[m.GMV] / sums[m.ORDERS]) / (sums[far + m.GMV] / sums[far + m.ORDERS])


def _changes_30d(c: Context) -> float:
    record = c.merchant.record
    return sum(1 for time in record.changes if time > record.as_of - 30 * DAY_MS)


def _since_change(c: Context) -> float | None:
    record = c.merchant.record
    return (record.as_of - max(record.changes)) / DAY_MS if record.changes else None


def _price_level(c: Context) -> float | None:
    record = c.merchant.record
    return exp(record.level_sum / record.levelled) if record.levelled > 0 else None


_MERCHANT: Final[tuple[tuple[str, str, str, str, str, Getter], ...]] = (
    (
        "orders_1h",
        "orders",
        "half-life 1 h",
        "decayed count of orders",
        "never",
        _activity(lambda a, now, _: a.orders_in_hour(now)),
    ),
    (
        "orders_1d",
        "orders",
        "half-life 1 d",
        "decayed count of orders",
        "never",
        _activity(lambda a, now, _: a.orders_in_day(now)),
    ),
    (
        "orders_burst_1h",
        "ratio",
        "half-life 1 h",
        "order rate over the merchant's own base (half-life 28 d, plus 2 orders a day); 1 is as usual",
        "never",
        _activity(Activity.burst_hour),
    ),
    (
        "orders_burst_1d",
        "ratio",
        "half-life 1 d",
        "order rate over the merchant's own base; 1 is as usual",
        "never",
        _activity(Activity.burst_day),
    ),
    (
        "gmv_burst_1d",
        "ratio",
        "half-life 1 d",
        "turnover over the merchant's own base; 1 is as usual",
        "no turnover yet",
        _activity(Activity.gmv_burst_day),
    ),
    (
        "aov_ratio_7d",
        "ratio",
        "7 d over 90 d",
        "average order value over that of the longer window",
        "no orders",
        _aov_ratio,
    ),
    (
        "distinct_buyers_30d",
        "buyers",
        "30 d",
        "distinct buyers; an estimate where there are more than 512 pairs of buyer and day",
        "never",
        lambda c: c.merchant.buyers.distinct,
    ),
    (
        "buyer_concentration_30d",
        "0 to 1",
        "30 d",
        "Herfindahl index of orders over buyers",
        "no orders",
        lambda c: c.merchant.buyers.concentration,
    ),
    (
        "repeat_order_share_30d",
        "0 to 1",
        "30 d",
        "share of orders from buyers with two or more",
        "no orders",
        lambda c: c.merchant.buyers.repeat_share,
    ),
    (
        "account_age_days",
        "days",
        "",
        "time since registration, or since first seen where that is unknown",
        "never",
        lambda c: _age_ms(c) / DAY_MS,
    ),
    (
        "dormant_days",
        "days",
        "",
        "how long the merchant had no orders before its present activity (a pause of 14 days or more ends an activity)",
        "never",
        lambda c: c.merchant.record.quiet_ms / DAY_MS,
    ),
    (
        "listings_created_7d",
        "listings",
        "7 d",
        "listings created",
        "never",
        lambda c: c.merchant.churn.sums[0][m.LISTINGS_CREATED],
    ),
    (
        "listing_edits_7d",
        "edits",
        "7 d",
        "listings edited",
        "never",
        lambda c: c.merchant.churn.sums[0][m.LISTING_EDITS],
    ),
    (
        "listings_removed_7d",
        "listings",
        "7 d",
        "listings taken down",
        "never",
        lambda c: c.merchant.churn.sums[0][m.LISTINGS_REMOVED],
    ),
    ("live_listings", "listings", "", "listings live now", "never", lambda c: c.merchant.record.live_listings),
    (
        "price_level",
        "ratio",
        "",
        "geometric mean of own prices over the medians of their categories",
        "no listing in a category with 10 prices",
        _price_level,
    ),
    (
        "account_changes_30d",
        "changes",
        "30 d",
        "changes of bank, address, phone, e-mail, owner or device; at most the last 8 are kept",
        "never",
        _changes_30d,
    ),
    ("days_since_account_change", "days", "", "time since the last such change", "no change known", _since_change),
    (
        "unshipped_overdue_orders",
        "orders",
        "",
        "orders past ship-by, not shipped and not cancelled, now",
        "never",
        lambda c: c.merchant.record.overdue,
    ),
    (
        "implausible_scans_30d",
        "orders",
        "30 d",
        "orders scanned before they were placed, or with a tracking number used before, by the day of the order",
        "never",
        lambda c: c.merchant.placed.sums[0][m.PLACED_WIDTH + m.IMPLAUSIBLE_SCANS],
    ),
    (
        "delivered_not_received_30d",
        "orders",
        "30 d",
        "orders delivered by record and claimed not received, by the day of the order",
        "never",
        lambda c: c.merchant.placed.sums[0][m.PLACED_WIDTH + m.DELIVERED_NOT_RECEIVED],
    ),
    (
        "behaviour_anomaly",
        "percentile, 0 to 1",
        "",
        "share of merchant snapshots seen lately that were less unusual than this merchant's last one",
        "model not warm, or merchant not assessed yet",
        lambda c: c.merchant.record.anomaly,
    ),
)
for _name, _unit, _window, _words, _null, _get in _MERCHANT:
    _feature("merchant", _name, _unit, _window, _words, _null, _get)


# -- order and listing
# --------------------------------------------------------------------------------------------------


def _of_order(figure: Callable[[Context, OrderRecord], float | None]) -> Getter:
    def get(c: Context) -> float | None:
        return None if c.order is None or c.order.created is None else figure(c, c.order)

    return get


def _of_listing(figure: Callable[[ListingRecord], float | None]) -> Getter:
    return lambda c: None if c.listing is None else figure(c.listing)


def _unit_price_level(c: Context, order: OrderRecord) -> float | None:
    if not order.category or not order.quantity or not order.gmv:
        return None
    level = c.population.prices.get(f"{c.merchant.record.currency}/{order.category}")
    median = None if level is None else level.median_log()
    return None if median is None else order.gmv / order.quantity / exp(median)


def _lateness(actual: int | None, promised: int, now: int, open_: bool) -> float | None:
    if actual is not None:
        return max(0, actual - promised) / DAY_MS
    return max(0, now - promised) / DAY_MS if open_ else None


_ORDER: Final[tuple[tuple[str, str, str, str, Callable[[Context, OrderRecord], float | None]], ...]] = (
    ("order_total", "minor units", "what the buyer pays", "never", lambda _, o: o.total),
    ("order_items", "lines", "lines of the order", "never", lambda _, o: o.items),
    ("order_quantity", "units", "units ordered", "never", lambda _, o: o.quantity),
    (
        "unit_price_to_category",
        "ratio",
        "average unit price over the median listing price of the category",
        "category unknown, under 10 prices, or another currency",
        _unit_price_level,
    ),
    (
        "promised_days",
        "days",
        "from the order to deliver-by",
        "never",
        lambda _, o: (o.deliver_by - (o.created or 0)) / DAY_MS,
    ),
    (
        "handling_days",
        "days",
        "from the order to ship-by",
        "never",
        lambda _, o: (o.ship_by - (o.created or 0)) / DAY_MS,
    ),
    (
        "buyer_orders_at_merchant_30d",
        "orders",
        "orders of this buyer at this merchant, this one included",
        "never",
        lambda c, o: c.merchant.buyers.orders_of(o.buyer),
    ),
    (
        "bad_order_probability",
        "probability, 0 to 1",
        "that the order turns out bad, judged when it was placed",
        "not scored",
        lambda _, o: o.probability,
    ),
    (
        "scan_before_order_hours",
        "hours",
        "how long before the order its first carrier scan lies; negative: after",
        "no scan yet",
        lambda _, o: None if o.first_scan is None else ((o.created or 0) - o.first_scan) / HOUR_MS,
    ),
    (
        "tracking_reused",
        "0 or 1",
        "the tracking number was used for another of the merchant's last 5 shipments",
        "never",
        lambda _, o: float(o.tracking_reused),
    ),
    (
        "delivered_then_not_received",
        "0 or 1",
        "delivered by record and claimed not received",
        "never",
        lambda _, o: float(bool(o.flags & DELIVERED_NOT_RECEIVED)),
    ),
    (
        "refund_share",
        "ratio",
        "refunded over total",
        "total is 0",
        lambda _, o: o.refunded / o.total if o.total else None,
    ),
    (
        "late_ship_days",
        "days",
        "shipped after ship-by, or overdue by now; 0 in time",
        "cancelled before shipping",
        lambda c, o: _lateness(o.shipped, o.ship_by, c.merchant.record.as_of, o.cancelled is None),
    ),
    (
        "late_delivery_days",
        "days",
        "delivered after deliver-by, or overdue by now; 0 in time",
        "cancelled",
        lambda c, o: _lateness(o.delivered, o.deliver_by, c.merchant.record.as_of, o.cancelled is None),
    ),
)
for _name, _unit, _words, _null, _figure in _ORDER:
    _feature("order", _name, _unit, "", _words, _null, _of_order(_figure))

_LISTING: Final[tuple[tuple[str, str, str, str, Callable[[ListingRecord], float | None]], ...]] = (
    ("listing_price", "minor units", "price of this version", "never", lambda x: x.price),
    (
        "price_to_category",
        "ratio",
        "price over the category's running median when this version was seen",
        "under 10 prices in the category",
        lambda x: None if x.level is None else exp(x.level),
    ),
    (
        "discount_share",
        "0 to 1",
        "1 - price over list price",
        "no list price",
        lambda x: 1 - x.price / x.list_price if x.list_price else None,
    ),
    (
        "price_change",
        "ratio",
        "price over that of the previous version",
        "first version",
        lambda x: x.price / x.previous_price if x.previous_price else None,
    ),
    (
        "list_price_change",
        "ratio",
        "list price over that of the previous version",
        "no list price before or now",
        lambda x: x.list_price / x.previous_list_price if x.previous_list_price and x.list_price else None,
    ),
    (
        "title_similarity",
        "0 to 1",
        "likeness of the title to that of the previous version",
        "first version",
        lambda x: x.title_similarity if x.edits else None,
    ),
    (
        "category_changed",
        "0 or 1",
        "this edit moved the listing to another category",
        "never",
        lambda x: float(x.category_changed),
    ),
    ("brand_changed", "0 or 1", "this edit changed the brand", "never", lambda x: float(x.brand_changed)),
    (
        "replica_terms",
        "terms",
        "distinct words of the replica trade in title and description",
        "never",
        lambda x: x.replica_terms,
    ),
    ("contact_terms", "terms", "distinct contact details or messengers named", "never", lambda x: x.contact_terms),
    ("prohibited_terms", "terms", "distinct terms of prohibited goods", "never", lambda x: x.prohibited_terms),
    ("claim_terms", "terms", "distinct misleading or medical claims", "never", lambda x: x.claim_terms),
    (
        "brand_unauthorised",
        "0 or 1",
        "a protected brand without an authorisation for it",
        "never",
        lambda x: float(x.brand_unauthorised),
    ),
    (
        "category_prohibited",
        "0 or 1",
        "the category may not be sold",
        "never",
        lambda x: float(x.category_prohibited),
    ),
    (
        "category_restricted",
        "0 or 1",
        "the category needs a permit and none is given",
        "never",
        lambda x: float(x.category_restricted),
    ),
    ("listing_edits", "edits", "versions after the first", "never", lambda x: x.edits),
    (
        "listing_age_days",
        "days",
        "from creation to this version",
        "never",
        lambda x: (x.version_at - x.created) / DAY_MS,
    ),
    ("listing_orders", "orders", "orders of this listing so far", "never", lambda x: x.orders),
)
for _name, _unit, _words, _null, _look in _LISTING:
    _feature("listing", _name, _unit, "", _words, _null, _of_listing(_look))
