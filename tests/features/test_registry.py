from itertools import product
from math import isfinite

import pytest

from features.creator import Creator, CreatorRecord
from features.listing import ListingRecord
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import PRIOR_FAMILIES, Population
from features.registry import DEFAULT_PRIORS, FEATURES, Context, of_creator
from features.shrinkage import BetaPrior
from features.windows import DAY_MS, WINDOWS

START = 1_704_067_200_000

COUNTS = [
    *("orders", "gmv", "seller_cancels", "late_shipments", "late_deliveries", "refunds", "not_as_described"),
    *("not_received", "counterfeit_claims", "disputes", "low_ratings", "bad_orders"),
    *("mature_ship_orders", "mature_delivery_orders", "mature_orders"),
]
RATES = [
    *("cancel", "late_ship", "late_delivery", "refund", "not_as_described", "not_received", "counterfeit", "dispute"),
    *("low_rating", "bad_order"),
]
MERCHANT = [
    *("orders_1h", "orders_1d", "orders_burst_1h", "orders_burst_1d", "gmv_burst_1d", "aov_ratio_7d"),
    *("distinct_buyers_30d", "buyer_concentration_30d", "repeat_order_share_30d", "account_age_days", "dormant_days"),
    *("listings_created_7d", "listing_edits_7d", "listings_removed_7d", "live_listings", "price_level"),
    *("account_changes_30d", "days_since_account_change", "unshipped_overdue_orders", "implausible_scans_30d"),
    *("delivered_not_received_30d", "behaviour_anomaly"),
    *("days_since_payout_change", "days_since_takeover_sign", "ship_backlog", "ship_shortfall", "price_cuts_7d"),
    *("new_categories_7d", "light_parcels_30d", "light_claims_30d", "other_origin_orders_30d", "other_origins"),
    *("shared_device_orders_30d", "own_device_orders_30d", "excused_claims_30d", "busiest_day_7d"),
    *("late_buyer_cancels_30d", "failed_value_share_30d"),
    *("days_since_first_order", "duties_open", "duties_unmet", "credit_score", "in_probation"),
    *("linked_merchants", "linked_values", "linked_to_enforced", "linked_restrictions", "linked_restricted_days"),
    *("joint_mature_ship_orders_30d", "joint_mature_orders_60d", "joint_late_ship_rate_30d_lower"),
    *("joint_cancel_rate_30d_lower", "joint_not_as_described_rate_60d_lower"),
    *("catalogue_shared", "catalogue_copied", "catalogue_of_enforced", "flagged_creator_share"),
]
ORDER = [
    *("order_total", "order_items", "order_quantity", "unit_price_to_category", "promised_days", "handling_days"),
    *("buyer_orders_at_merchant_30d", "bad_order_probability", "bad_order_probability_dispatch"),
    *("bad_order_probability_delivery", "checkout_ratio", "scan_before_order_hours", "tracking_reused"),
    *("delivered_then_not_received", "refund_share", "late_ship_days", "late_delivery_days"),
    *("delivered_too_fast", "light_parcel", "light_parcel_claimed", "other_origin", "shared_device", "own_device"),
    *("buyer_claims", "claim_excused", "buyer_claims_180d", "buyer_claim_merchants_180d"),
]
LISTING = [
    *("listing_price", "price_to_category", "price_to_brand", "price_to_category_p05", "discount_share"),
    *("price_change", "price_to_lowest_30d"),
    *(
        "list_price_change",
        "list_price_raise",
        "sold_title_similarity",
        "sold_as_other",
        "title_similarity",
        "category_mismatch",
    ),
    *("category_changed", "brand_changed", "replica_terms", "contact_terms", "prohibited_terms", "claim_terms"),
    *("disguised_terms", "brand_unauthorised", "brand_lookalike", "category_prohibited", "category_restricted"),
    *("listing_edits", "listing_age_days", "listing_orders"),
    *("own_duplicates", "own_title_repeats"),
    *("copied_title_merchants", "copied_image_merchants", "copied_listing_merchants"),
]
CREATOR_COUNTS = ["orders", "gmv", "harmed_orders", "counterfeits", "mature_orders"]
CREATOR = [
    *("creator_merchants_90d", "creator_harming_merchants_90d", "creator_harmed_buyers_90d"),
    "creator_distinct_buyers_30d",
    *("creator_top_merchant_share", "creator_violations_90d", "creator_same_violations_90d"),
    *("creator_violated_merchants_90d", "creator_joint_merchants", "creator_malicious_share"),
    *("creator_suspended_merchants", "creator_age_days", "creator_credit_score"),
]


def merchant() -> Merchant:
    """A merchant without any history."""
    made = Merchant("m", MerchantRecord())
    made.advance(START)
    return made


def empty(entity: str) -> Context:
    """A merchant without history, and an order or listing of which nothing but its creation is known."""
    order = OrderRecord(created=START, ship_by=START, deliver_by=START) if entity == "order" else None
    if entity == "creator":
        made = Creator("c", CreatorRecord())
        made.advance(START)
        return of_creator(made, Population())
    return Context(merchant(), Population(), order, ListingRecord() if entity == "listing" else None)


def test_names_are_the_contract() -> None:
    """Exactly these names, for rules and for consumers; renaming one breaks them."""
    windowed = [f"{name}_{days}d" for name, days in product(COUNTS, WINDOWS)]
    rates = [
        f"{name}_rate_{days}d{figure}" for name, days in product(RATES, WINDOWS) for figure in ("", "_shrunk", "_lower")
    ]
    counts = [f"creator_{name}_{days}d" for name, days in product(CREATOR_COUNTS, WINDOWS)]
    shares = [
        f"creator_{name}_rate_{days}d{figure}"
        for name, days in product(("harm", "counterfeit"), WINDOWS)
        for figure in ("", "_shrunk", "_lower")
    ]
    by_entity = {
        "merchant": [*windowed, *rates, *MERCHANT],
        "order": ORDER,
        "listing": LISTING,
        "creator": [*counts, *shares, *CREATOR],
    }
    for entity, names in by_entity.items():
        assert {name for name, feature in FEATURES.items() if feature.entity == entity} == set(names)
    assert all(name == feature.name for name, feature in FEATURES.items())


@pytest.mark.parametrize("name", FEATURES)
def test_null_rules_hold_where_nothing_is_known(name: str) -> None:
    """Without history a feature that is never null has a value, and every other one has none."""
    feature = FEATURES[name]
    value = feature.get(empty(feature.entity))
    if feature.null == "never":
        assert value is not None and isfinite(value)
    elif name not in ("late_ship_days", "late_delivery_days"):
        assert value is None


@pytest.mark.parametrize("name", [*ORDER, *LISTING, *CREATOR])
def test_features_of_what_is_not_at_hand_are_null(name: str) -> None:
    """A rule on a merchant that names an order's feature finds nothing, and so does one on an unknown order."""
    assert FEATURES[name].get(Context(merchant(), Population())) is None
    if FEATURES[name].entity == "order":
        assert FEATURES[name].get(Context(merchant(), Population(), OrderRecord())) is None


def test_lateness_is_null_once_an_order_is_called_off() -> None:
    """As their null rules say; until then it counts up from the promise."""
    context = empty("order")
    assert context.order is not None
    context.merchant.advance(START + 3 * DAY_MS)
    for name in ("late_ship_days", "late_delivery_days"):
        assert FEATURES[name].get(context) == 3
    context.order.shipped = START - DAY_MS
    assert FEATURES["late_ship_days"].get(context) == 0
    context.order.shipped, context.order.cancelled = None, START
    for name in ("late_ship_days", "late_delivery_days"):
        assert FEATURES[name].get(context) is None


@pytest.mark.parametrize("feature", FEATURES.values(), ids=list(FEATURES))
def test_every_feature_is_documented(feature: object) -> None:
    """Unit, definition and null rule are there, in words that fit a table."""
    unit, definition, null = (getattr(feature, name) for name in ("unit", "definition", "null"))
    assert unit and definition and null
    assert "|" not in unit + definition + null
    assert not definition.endswith(".")


def test_rates_come_from_the_counts_of_orders_that_are_due() -> None:
    """A rate, its shrunk form and its bound are one quotient, with the shard's prior where there is one."""
    busy = merchant()
    for index in range(10):
        order = OrderRecord(created=START, ship_by=START + DAY_MS, deliver_by=START + DAY_MS)
        order.cancelled, order.cancelled_by = (START, "seller") if index < 3 else (None, "")
        busy.reflag(order)
    context = Context(busy, Population())
    assert FEATURES["cancel_rate_7d"].get(context) is None
    busy.advance(START + 2 * DAY_MS)
    assert FEATURES["cancel_rate_7d"].get(context) == 0.3
    prior = DEFAULT_PRIORS["cancel"]
    assert FEATURES["cancel_rate_7d_shrunk"].get(context) == (3 + prior.alpha) / (10 + prior.alpha + prior.beta)
    context.population.priors["cancel"] = BetaPrior(3.0, 7.0)
    shrunk = FEATURES["cancel_rate_7d_shrunk"].get(context)
    lower = FEATURES["cancel_rate_7d_lower"].get(context)
    assert shrunk == 0.3
    assert lower is not None and 0.1 < lower < 0.3


def test_every_rate_has_a_prior_to_begin_with() -> None:
    """Defaults name the same rates as the fits."""
    assert set(DEFAULT_PRIORS) == set(PRIOR_FAMILIES) == set(RATES)


def test_account_age_counts_from_registration_or_first_sight() -> None:
    """And is never negative, even if the registration is said to lie ahead."""
    context = empty("merchant")
    get = FEATURES["account_age_days"].get
    context.merchant.advance(START + 2 * DAY_MS)
    assert get(context) == 2
    context.merchant.record.registered = START - 8 * DAY_MS
    assert get(context) == 10
    context.merchant.record.registered = START + 90 * DAY_MS
    assert get(context) == 0


def test_account_changes_leave_after_thirty_days() -> None:
    """A change counts for thirty days, and how long it is ago goes on."""
    context = empty("merchant")
    context.merchant.record.changes = [START - DAY_MS, START]
    values = []
    for days in (29, 30):
        context.merchant.advance(START + days * DAY_MS)
        values.append(
            (FEATURES["account_changes_30d"].get(context), FEATURES["days_since_account_change"].get(context))
        )
    assert values == [(1, 29), (0, 30)]
