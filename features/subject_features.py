"""Features of an order and of a listing."""

from collections.abc import Callable
from math import exp
from typing import Final

from features.feature import Attribute, Context, Feature, Getter
from features.listing import ListingRecord
from features.order import DELIVERED_NOT_RECEIVED, LIGHT_CLAIM, OTHER_ORIGIN, OrderRecord, held_against_buyer
from features.stage_vectors import checkout_ratio
from features.windows import DAY_MS, HOUR_MS


def _of_order(figure: str | Callable[[Context, OrderRecord], float | None]) -> Getter:
    """A getter for an attribute of the order, or for what a function makes of it."""
    if isinstance(figure, str):
        return Attribute(("order", figure))

    def get(c: Context) -> float | None:
        return None if c.order is None or c.order.created is None else figure(c, c.order)

    return get


def _of_listing(figure: str | Callable[[ListingRecord], float | None]) -> Getter:
    """A getter for an attribute of the listing, or for what a function makes of it."""
    if isinstance(figure, str):
        return Attribute(("listing", figure))
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


_ORDER: Final[tuple[tuple[str, str, str, str, str | Callable[[Context, OrderRecord], float | None]], ...]] = (
    ("order_total", "minor units", "what the buyer pays", "never", "total"),
    ("order_items", "lines", "lines of the order", "never", "items"),
    ("order_quantity", "units", "units ordered", "never", "quantity"),
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
        "probability",
    ),
    (
        "bad_order_probability_dispatch",
        "probability, 0 to 1",
        "that it comes late or goes wrong afterwards, judged when it was shipped",
        "not shipped, or only when its promise had passed",
        "probability_dispatch",
    ),
    (
        "bad_order_probability_delivery",
        "probability, 0 to 1",
        "that its buyer claims, disputes or rates it 1 or 2, judged when it had arrived or its promise had passed",
        "not arrived and not overdue",
        "probability_delivery",
    ),
    (
        "checkout_ratio",
        "ratio, 1 or more",
        "what the buyer paid at the checkout over this order's total: above 1, other merchants' parcels belong to it",
        "never",
        lambda _, o: checkout_ratio(o),
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
        "tracking_reused",
    ),
    (
        "delivered_too_fast",
        "0 or 1",
        "delivered sooner after the hand-over than parcels of its route can be (see Parcels)",
        "never",
        "too_fast",
    ),
    (
        "light_parcel",
        "0 or 1",
        "declared far too light for its category (see Parcels)",
        "never",
        "light",
    ),
    (
        "light_parcel_claimed",
        "0 or 1",
        "a parcel too light, and delivered and claimed not received, or claimed not as described",
        "never",
        lambda _, o: float(bool(o.flags & LIGHT_CLAIM)),
    ),
    (
        "other_origin",
        "0 or 1",
        "shipped from another country than its listing names",
        "never",
        lambda _, o: float(bool(o.flags & OTHER_ORIGIN)),
    ),
    (
        "shared_device",
        "0 or 1",
        "from a device that another buyer of this merchant used in the 14 days before (of the last 16 devices)",
        "never",
        "shared_device",
    ),
    ("own_device", "0 or 1", "from a device of the merchant's own account", "never", "own_device"),
    (
        "buyer_claims",
        "claims",
        "claims and disputes of its buyer in this shard, an order once, half-life 60 days",
        "never",
        lambda c, o: 0.0 if (known := c.population.claimants.get(o.buyer)) is None else known.claims,
    ),
    (
        "claim_excused",
        "0 or 1",
        "claimed by a buyer who claims of most orders: held against the buyer (see Claims)",
        "never",
        lambda _, o: float(held_against_buyer(o)),
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
#: All features of an order.
ORDER_FEATURES: Final = tuple(
    Feature(name, "order", unit, "", words, null, _of_order(figure)) for name, unit, words, null, figure in _ORDER
)

_LISTING: Final[tuple[tuple[str, str, str, str, str | Callable[[ListingRecord], float | None]], ...]] = (
    ("listing_price", "minor units", "price of this version", "never", "price"),
    (
        "price_to_category",
        "ratio",
        "price over the category's running median when this version was seen",
        "under 10 prices in the category",
        lambda x: None if x.level is None else exp(x.level),
    ),
    (
        "price_to_brand",
        "ratio",
        "price over the running median of the brand's listings in the category when this version was seen",
        "no brand, or under 10 prices of it in the category",
        lambda x: None if x.brand_level is None else exp(x.brand_level),
    ),
    (
        "price_to_category_p05",
        "ratio",
        "price over the category's running 5 % quantile when this version was seen; below 1: among the lowest prices",
        "under 40 prices in the category",
        lambda x: None if x.low_level is None else exp(x.low_level),
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
        "price_to_lowest_30d",
        "ratio",
        "price over the lowest one asked in the 30 days before this version; 1 or more: no reduction",
        "first version, or not on sale in those 30 days",
        lambda x: x.price / x.asked[1] if x.asked and x.asked[1] else None,
    ),
    (
        "list_price_change",
        "ratio",
        "list price over that of the previous version",
        "no list price before or now",
        lambda x: x.list_price / x.previous_list_price if x.previous_list_price and x.list_price else None,
    ),
    (
        "list_price_raise",
        "ratio",
        "list price over the lowest list price (where none was shown, price) of the 30 days before this version",
        "first version, no list price now, or not on sale in those 30 days",
        lambda x: x.list_price / x.shown[1] if x.list_price and x.shown and x.shown[1] else None,
    ),
    (
        "sold_title_similarity",
        "0 to 1",
        "likeness of the title to the one under which most of the orders were won; 1: no other one",
        "first version",
        lambda x: x.sold_similarity if x.edits else None,
    ),
    (
        "sold_as_other",
        "0 or 1",
        "category or brand are not those under which most of the orders were won",
        "never",
        lambda x: float(
            bool(x.sold_title or x.sold_category) and (x.sold_category, x.sold_brand) != (x.category, x.brand)
        ),
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
        "category_changed",
    ),
    ("brand_changed", "0 or 1", "this edit changed the brand", "never", "brand_changed"),
    (
        "category_mismatch",
        "probability, 0 to 1",
        "that title and description belong to another category, if it is the likeliest other one or the declared one",
        "the category is new to the shard (under 20 listings), or the shard to the model (under 200)",
        "category_mismatch",
    ),
    (
        "replica_terms",
        "terms",
        "distinct words of the replica trade, disguised or not; hints (oem, aaa) beside one or an unauthorised brand",
        "never",
        "replica_terms",
    ),
    (
        "contact_terms",
        "terms",
        "distinct kinds of contact details and messengers named, disguised, written out or not",
        "never",
        "contact_terms",
    ),
    (
        "prohibited_terms",
        "terms",
        "distinct terms of prohibited goods, disguised or not",
        "never",
        "prohibited_terms",
    ),
    (
        "claim_terms",
        "terms",
        "distinct misleading or medical claims, disguised or not",
        "never",
        "claim_terms",
    ),
    (
        "disguised_terms",
        "terms",
        "terms of the four lists above that are only there in disguise (features/disguise.py)",
        "never",
        "disguised_terms",
    ),
    (
        "brand_unauthorised",
        "0 or 1",
        "a protected brand without an authorisation for it",
        "never",
        "brand_unauthorised",
    ),
    (
        "brand_lookalike",
        "0 or 1",
        "a disguised protected brand, or a word one letter from it, without an authorisation for it",
        "never",
        "brand_lookalike",
    ),
    (
        "category_prohibited",
        "0 or 1",
        "the category may not be sold",
        "never",
        "category_prohibited",
    ),
    (
        "category_restricted",
        "0 or 1",
        "the category needs a permit and none is given",
        "never",
        "category_restricted",
    ),
    ("listing_edits", "edits", "versions after the first", "never", "edits"),
    (
        "listing_age_days",
        "days",
        "from creation to this version",
        "never",
        lambda x: (x.version_at - x.created) / DAY_MS,
    ),
    ("listing_orders", "orders", "orders of this listing so far", "never", "orders"),
)
#: All features of a listing.
LISTING_FEATURES: Final = tuple(
    Feature(name, "listing", unit, "", words, null, _of_listing(look)) for name, unit, words, null, look in _LISTING
)
