"""Features of a merchant beyond counts and rates: activity, buyers, account, listings."""

from collections.abc import Callable
from math import exp
from typing import Final

from features import merchant as m
from features.activity import Activity
from features.feature import Attribute, Context, Element, Feature, Getter
from features.windows import DAY_MS

#: Days after which who was dormant has become a seller like others.
AWAKE_DAYS: Final = 30


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
    sums = c.merchant.placed.sums
    far = 3 * m.PLACED_WIDTH
    if not sums[m.ORDERS] or not sums[far + m.GMV]:
        return None
    return (sums[m.GMV] / sums[m.ORDERS]) / (sums[far + m.GMV] / sums[far + m.ORDERS])


def _failed_value_share(c: Context) -> float | None:
    sums = c.merchant.placed.sums
    gmv = sums[m.PLACED_WIDTH + m.GMV]
    return min(1.0, max(0.0, sums[m.PLACED_WIDTH + m.FAILED_GMV] / gmv)) if gmv > 0 else None


def _dormant(c: Context) -> float:
    merchant = c.merchant
    record = merchant.record
    return record.quiet_ms / DAY_MS if merchant.day - record.woke_day <= AWAKE_DAYS else 0.0


def _set_up(record: m.MerchantRecord) -> int:
    """Until when, ms, changes of the account are its set-up."""
    return record.registered + DAY_MS if record.registered else 0


def _changes_30d(c: Context) -> float:
    record = c.merchant.record
    since = max(record.as_of - 30 * DAY_MS, _set_up(record))
    return sum(1 for time in record.changes if time > since)


def _since(record: m.MerchantRecord, time: int) -> float | None:
    return (record.as_of - time) / DAY_MS if time and time > _set_up(record) else None


def _since_change(c: Context) -> float | None:
    record = c.merchant.record
    return _since(record, record.changes[-1]) if record.changes else None


def _since_takeover(c: Context) -> float | None:
    """Days since the earlier of the last changes of payout and device; of one, where there is one alone."""
    record = c.merchant.record
    known = [
        since for time in (record.payout_changed, record.device_changed) if (since := _since(record, time)) is not None
    ]
    return min(known) if known else None


def _ship_shortfall(c: Context) -> float | None:
    merchant = c.merchant
    due = merchant.backlog()
    shipped = merchant.record.activity.shipped_in_day(merchant.record.as_of)
    return due / (due + shipped) if due else None


def _busiest_day_7d(c: Context) -> float:
    merchant = c.merchant
    buckets = merchant.placed.buckets
    days = range(merchant.day - 6, merchant.day + 1)
    return max(buckets[day][m.ORDERS] if day in buckets else 0 for day in days)


def _since_first_order(c: Context) -> float | None:
    merchant = c.merchant
    first = merchant.record.first_order_day
    return max(0, merchant.day - first) if first else None


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
        "how long the merchant had no orders before its present activity, if that began in 30 days (see Account)",
        "never",
        _dormant,
    ),
    (
        "listings_created_7d",
        "listings",
        "7 d",
        "listings created",
        "never",
        Element(("merchant", "churn", "sums"), m.LISTINGS_CREATED),
    ),
    (
        "listing_edits_7d",
        "edits",
        "7 d",
        "listings edited",
        "never",
        Element(("merchant", "churn", "sums"), m.LISTING_EDITS),
    ),
    (
        "listings_removed_7d",
        "listings",
        "7 d",
        "listings taken down",
        "never",
        Element(("merchant", "churn", "sums"), m.LISTINGS_REMOVED),
    ),
    ("live_listings", "listings", "", "listings live now", "never", Attribute(("merchant", "record", "live_listings"))),
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
        (
            "changes of bank, address, phone, e-mail, owner or device after the first day; where the registration was "
            "seen, the first value of a kind is none; at most the last 8 are kept"
        ),
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
        Attribute(("merchant", "record", "overdue")),
    ),
    (
        "implausible_scans_30d",
        "orders",
        "30 d",
        "orders scanned before they were placed, with a number used before or delivered too fast, by the day of order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.IMPLAUSIBLE_SCANS),
    ),
    (
        "delivered_not_received_30d",
        "orders",
        "30 d",
        "orders delivered by record and claimed not received, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.DELIVERED_NOT_RECEIVED),
    ),
    (
        "days_since_payout_change",
        "days",
        "",
        "time since the bank or the owner was last changed, after the first day",
        "no such change known",
        lambda c: _since(c.merchant.record, c.merchant.record.payout_changed),
    ),
    (
        "days_since_takeover_sign",
        "days",
        "",
        "time since bank, owner or device was last changed, after the first day",
        "no such change known",
        _since_takeover,
    ),
    (
        "ship_backlog",
        "orders",
        "",
        "orders that even shipping over the time promised would have shipped by now (see Shipping)",
        "never",
        lambda c: c.merchant.backlog(),
    ),
    (
        "ship_shortfall",
        "0 to 1",
        "half-life 1 d",
        "ship_backlog over itself and the decayed count of orders shipped; 1 for who ships nothing",
        "no order open or overdue",
        _ship_shortfall,
    ),
    (
        "price_cuts_7d",
        "versions",
        "7 d",
        "versions of listings offered below 65 % of their list price or of the price before",
        "never",
        Element(("merchant", "churn", "sums"), m.PRICE_CUTS),
    ),
    (
        "new_categories_7d",
        "versions",
        "7 d",
        "listings put into a category that the merchant never had (see Account)",
        "never",
        Element(("merchant", "churn", "sums"), m.NEW_CATEGORIES),
    ),
    (
        "light_parcels_30d",
        "orders",
        "30 d",
        "orders whose parcel was declared far too light for its category, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.LIGHT_PARCELS),
    ),
    (
        "light_claims_30d",
        "orders",
        "30 d",
        "of those, orders delivered and claimed not received, or claimed not as described",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.LIGHT_CLAIMS),
    ),
    (
        "other_origin_orders_30d",
        "orders",
        "30 d",
        "orders shipped from another country than their listing names, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.OTHER_ORIGINS),
    ),
    (
        "other_origins",
        "countries",
        "",
        "countries that parcels came from although no listing of the order named them; at most 8 are kept",
        "never",
        lambda c: len(c.merchant.record.origins),
    ),
    (
        "shared_device_orders_30d",
        "orders",
        "30 d",
        "orders from a device that another buyer had used here lately, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.SHARED_DEVICES),
    ),
    (
        "own_device_orders_30d",
        "orders",
        "30 d",
        "orders from a device of the merchant's own account (of its last 4), by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.OWN_DEVICES),
    ),
    (
        "excused_claims_30d",
        "orders",
        "30 d",
        "orders whose claim is held against the buyer and not counted as a defect, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.EXCUSED_CLAIMS),
    ),
    (
        "late_buyer_cancels_30d",
        "orders",
        "30 d",
        "orders cancelled in the buyer's name, unshipped, after half of the time to ship, by the day of the order",
        "never",
        Element(("merchant", "placed", "sums"), m.PLACED_WIDTH + m.LATE_CANCELS),
    ),
    (
        "failed_value_share_30d",
        "0 to 1",
        "30 d",
        "share of gmv_30d in orders shipped late, cancelled by the seller or late for the buyer, claimed or refunded",
        "no turnover",
        _failed_value_share,
    ),
    (
        "busiest_day_7d",
        "orders",
        "7 d",
        "orders of the busiest day",
        "never",
        _busiest_day_7d,
    ),
    (
        "days_since_first_order",
        "days",
        "",
        "days since that of the first order known",
        "no order yet",
        _since_first_order,
    ),
    (
        "behaviour_anomaly",
        "percentile, 0 to 1",
        "",
        "share of merchant snapshots seen lately that were less unusual than this merchant's last one",
        "model not warm, or merchant not assessed yet",
        Attribute(("merchant", "record", "anomaly")),
    ),
)
#: All of them.
MERCHANT_FEATURES: Final = tuple(
    Feature(name, "merchant", unit, window, words, null, get) for name, unit, window, words, null, get in _MERCHANT
)
