"""Every packaged rule on a hand-made example and on near misses."""

from typing import TypeAlias

import pytest

from detectors.policy import PolicySet
from detectors.rules import RuleGroup
from features.registry import FEATURES

Values: TypeAlias = dict[str, float | None]

#: Rule -> (values on which it fires, changes each of which alone makes it a near miss). What isn't given is null.
CASES: dict[str, tuple[Values, list[Values]]] = {
    "creator-harm": (
        {"creator_harm_rate_90d_lower": 0.16, "creator_harm_rate_90d": 0.25, "creator_harming_merchants_90d": 3,
         "creator_mature_orders_90d": 30, "creator_harmed_orders_90d": 8, "creator_harmed_buyers_90d": 8},
        [{"creator_harm_rate_90d_lower": 0.15}, {"creator_harming_merchants_90d": 2},
         {"creator_mature_orders_90d": 29}, {"creator_harmed_orders_90d": 7}, {"creator_harmed_buyers_90d": 7}],
    ),
    "creator-harm-severe": (
        {"creator_harm_rate_90d_lower": 0.31, "creator_harm_rate_90d": 0.5, "creator_harming_merchants_90d": 3,
         "creator_mature_orders_90d": 30, "creator_harmed_orders_90d": 12, "creator_harmed_buyers_90d": 12},
        [{"creator_harm_rate_90d_lower": 0.3}, {"creator_harming_merchants_90d": 2}, {"creator_harmed_buyers_90d": 11}],
    ),
    "creator-counterfeits": (
        {"creator_counterfeit_rate_90d_lower": 0.06, "creator_counterfeits_90d": 8, "creator_mature_orders_90d": 20,
         "creator_harmed_buyers_90d": 8, "creator_harming_merchants_90d": 2},
        [{"creator_counterfeit_rate_90d_lower": 0.05}, {"creator_counterfeits_90d": 7},
         {"creator_harming_merchants_90d": 1}, {"creator_harmed_buyers_90d": 7}],
    ),
    "creator-repeated-violation": (
        {"creator_same_violations_90d": 6, "creator_violated_merchants_90d": 2},
        [{"creator_same_violations_90d": 5}, {"creator_violated_merchants_90d": 1}],
    ),
    "creator-violations": (
        {"creator_violations_90d": 3, "creator_violated_merchants_90d": 2},
        [{"creator_violations_90d": 2}, {"creator_violated_merchants_90d": 1}],
    ),
    "joint-merchant": (
        {"creator_joint_merchants": 1, "creator_malicious_share": 0.25, "creator_orders_90d": 10},
        [{"creator_joint_merchants": 0}, {"creator_malicious_share": 0.24}, {"creator_orders_90d": 9},
         {"creator_malicious_share": None}],
    ),
    "joint-merchants": (
        {"creator_joint_merchants": 2, "creator_malicious_share": 0.3, "creator_orders_90d": 20},
        [{"creator_joint_merchants": 1}, {"creator_malicious_share": 0.2}, {"creator_orders_90d": 19}],
    ),
    "joint-suspended-merchant": (
        {"creator_suspended_merchants": 1},
        [{"creator_suspended_merchants": 0}],
    ),
    "joint-creator": (
        {"flagged_creator_share": 0.5, "orders_30d": 10, "distinct_buyers_30d": 5, "bad_orders_30d": 2},
        [{"flagged_creator_share": 0.49}, {"orders_30d": 9}, {"bad_orders_30d": 1}, {"flagged_creator_share": None}],
    ),
    "late-dispatch": (
        {"late_ship_rate_30d_lower": 0.041, "late_ship_rate_30d": 0.1, "mature_ship_orders_30d": 50,
         "late_shipments_30d": 5, "distinct_buyers_30d": 4},
        [{"late_ship_rate_30d_lower": 0.04}, {"mature_ship_orders_30d": 19}, {"late_shipments_30d": 4},
         {"distinct_buyers_30d": 3}, {"late_ship_rate_30d_lower": None}],
    ),
    "late-dispatch-severe": (
        {"late_ship_rate_7d_lower": 0.25, "late_ship_rate_7d": 0.4, "mature_ship_orders_7d": 20,
         "late_shipments_30d": 8, "distinct_buyers_30d": 8},
        [{"late_ship_rate_7d_lower": 0.2}, {"mature_ship_orders_7d": 19}, {"distinct_buyers_30d": 7}],
    ),
    "cancelled-before-late": (
        {"late_buyer_cancels_30d": 6, "seller_cancels_30d": 2, "orders_30d": 40, "distinct_buyers_30d": 8},
        [{"seller_cancels_30d": 0}, {"late_buyer_cancels_30d": 4, "seller_cancels_30d": 9}, {"orders_30d": 54},
         {"distinct_buyers_30d": 7}],
    ),
    "failed-value": (
        {"failed_value_share_30d": 0.35, "late_ship_rate_30d_lower": 0.02, "cancel_rate_30d_lower": 0.011,
         "late_ship_rate_30d": 0.06, "mature_ship_orders_30d": 80, "bad_orders_30d": 10, "distinct_buyers_30d": 8,
         "orders_30d": 90},
        [{"failed_value_share_30d": 0.3}, {"orders_30d": 57}, {"cancel_rate_30d_lower": 0.01},
         {"mature_ship_orders_30d": 19}, {"bad_orders_30d": 9}, {"distinct_buyers_30d": 7},
         {"failed_value_share_30d": None}],
    ),
    "seller-cancellation": (
        {"cancel_rate_30d_lower": 0.03, "cancel_rate_30d": 0.1, "mature_ship_orders_30d": 40, "seller_cancels_30d": 4,
         "distinct_buyers_30d": 4},
        [{"cancel_rate_30d_lower": 0.025}, {"seller_cancels_30d": 3}],
    ),
    "seller-cancellation-severe": (
        {"cancel_rate_30d_lower": 0.16, "cancel_rate_30d": 0.3, "mature_ship_orders_30d": 40, "seller_cancels_30d": 12,
         "distinct_buyers_30d": 10},
        [{"cancel_rate_30d_lower": 0.15}, {"seller_cancels_30d": 9}],
    ),
    "poor-fulfilment": (
        {"late_ship_rate_30d_lower": 0.13, "cancel_rate_30d_lower": 0.08, "late_ship_rate_30d": 0.2,
         "cancel_rate_30d": 0.13, "mature_ship_orders_30d": 20, "late_shipments_30d": 5, "distinct_buyers_30d": 8},
        [{"late_ship_rate_30d_lower": 0.12}, {"mature_ship_orders_30d": 19}, {"late_shipments_30d": 4},
         {"distinct_buyers_30d": 7}],
    ),
    "not-as-described-early": (
        {"not_as_described_30d": 6, "orders_30d": 50, "distinct_buyers_30d": 8},
        [{"not_as_described_30d": 5}, {"orders_30d": 60}, {"distinct_buyers_30d": 7}],
    ),
    "overdue-orders": (
        {"unshipped_overdue_orders": 10, "orders_30d": 30, "distinct_buyers_30d": 20},
        [{"unshipped_overdue_orders": 9}, {"orders_30d": 34}, {"orders_30d": 0}, {"distinct_buyers_30d": 7}],
    ),
    "not-received": (
        {"not_received_rate_60d_lower": 0.03, "not_received_rate_60d": 0.08, "mature_orders_60d": 50,
         "not_received_90d": 3, "distinct_buyers_30d": 9},
        [{"not_received_rate_60d_lower": 0.02}, {"not_received_90d": 2}, {"mature_orders_60d": 19}],
    ),
    "not-received-severe": (
        {"not_received_rate_60d_lower": 0.1, "not_received_rate_60d": 0.2, "mature_orders_60d": 50,
         "not_received_90d": 5, "distinct_buyers_30d": 5},
        [{"not_received_rate_60d_lower": 0.08}, {"not_received_90d": 4}, {"distinct_buyers_30d": 4}],
    ),
    "not-as-described-severe": (
        {"not_as_described_rate_60d_lower": 0.1, "not_as_described_rate_60d": 0.2, "mature_orders_60d": 60,
         "not_as_described_90d": 8, "distinct_buyers_30d": 8},
        [{"not_as_described_rate_60d_lower": 0.08}, {"not_as_described_90d": 7}, {"mature_orders_60d": 19}],
    ),
    "not-as-described": (
        {"not_as_described_rate_60d_lower": 0.03, "not_as_described_rate_60d": 0.1, "mature_orders_60d": 60,
         "not_as_described_90d": 5, "distinct_buyers_30d": 5},
        [{"not_as_described_rate_60d_lower": 0.019}, {"not_as_described_90d": 4}, {"distinct_buyers_30d": 3}],
    ),
    "counterfeit-claims": (
        {"counterfeit_rate_90d_lower": 0.006, "counterfeit_claims_90d": 3, "orders_90d": 300, "distinct_buyers_30d": 3},
        [{"counterfeit_rate_90d_lower": 0.005}, {"counterfeit_claims_90d": 2}, {"orders_90d": 9}],
    ),
    "disputes": (
        {"dispute_rate_60d_lower": 0.011, "dispute_rate_60d": 0.04, "mature_orders_60d": 80, "disputes_60d": 3,
         "distinct_buyers_30d": 3},
        [{"dispute_rate_60d_lower": 0.01}, {"disputes_60d": 2}],
    ),
    "seller-fault-refunds": (
        {"refund_rate_60d_lower": 0.07, "refund_rate_60d": 0.12, "mature_orders_60d": 90, "refunds_60d": 11,
         "distinct_buyers_30d": 4},
        [{"refund_rate_60d_lower": 0.06}, {"mature_orders_60d": 29}],
    ),
    "bad-order-rate": (
        {"bad_order_rate_60d_lower": 0.55, "bad_order_rate_60d": 0.7, "mature_orders_60d": 30, "bad_orders_60d": 21,
         "distinct_buyers_30d": 15},
        [{"bad_order_rate_60d_lower": 0.5}, {"bad_orders_60d": 9}],
    ),
    "low-ratings": (
        {"low_rating_rate_60d_lower": 0.03, "low_rating_rate_60d": 0.09, "mature_orders_60d": 70, "low_ratings_60d": 6,
         "distinct_buyers_30d": 6},
        [{"low_rating_rate_60d_lower": 0.02}, {"low_ratings_60d": 5}],
    ),
    "bust-out-suspected": (
        {"account_age_days": 20, "dormant_days": 0, "orders_burst_1d": 3, "gmv_burst_1d": None, "aov_ratio_7d": None,
         "price_level": None, "listings_created_7d": 10, "price_cuts_7d": 5, "orders_7d": 12,
         "distinct_buyers_30d": 10},
        [{"account_age_days": 90}, {"orders_burst_1d": 2.5}, {"listings_created_7d": 9}, {"orders_7d": 11},
         {"price_cuts_7d": 4}, {"distinct_buyers_30d": 9}, {"orders_burst_1d": 2.5, "gmv_burst_1d": 6}],
    ),
    "bust-out": (
        {"account_age_days": 500, "dormant_days": 80, "orders_burst_1d": 4, "gmv_burst_1d": None, "aov_ratio_7d": None,
         "unshipped_overdue_orders": 8, "orders_30d": 50, "distinct_buyers_30d": 40},
        [{"dormant_days": 13}, {"orders_burst_1d": 2}, {"unshipped_overdue_orders": 7}, {"distinct_buyers_30d": 9}],
    ),
    "bust-out-prepared": (
        {"days_since_payout_change": 2, "account_age_days": 20, "dormant_days": 0, "orders_burst_1d": 2,
         "price_cuts_7d": 8, "orders_7d": 5, "distinct_buyers_30d": 5},
        [{"days_since_payout_change": 10}, {"days_since_payout_change": None}, {"account_age_days": 90},
         {"orders_burst_1d": 1.5}, {"price_cuts_7d": 7}, {"orders_7d": 4}, {"distinct_buyers_30d": 4}],
    ),
    "bust-out-unshipped": (
        {"account_age_days": 20, "dormant_days": 0, "orders_burst_1d": 3, "gmv_burst_1d": None, "ship_shortfall": 0.9,
         "price_cuts_7d": 4, "listings_created_7d": 4, "ship_backlog": 5, "orders_7d": 20, "distinct_buyers_30d": 10},
        [{"account_age_days": 90}, {"orders_burst_1d": 2}, {"ship_shortfall": 0.85}, {"price_cuts_7d": 3},
         {"ship_backlog": 4.9}, {"orders_7d": 19}, {"distinct_buyers_30d": 9}, {"ship_shortfall": None}],
    ),
    "account-takeover": (
        {"days_since_takeover_sign": 1, "account_age_days": 300, "dormant_days": 0, "gmv_burst_1d": None,
         "new_categories_7d": 2, "listings_created_7d": 0, "other_origin_orders_30d": 0, "price_cuts_7d": 5,
         "orders_30d": 1, "distinct_buyers_30d": 1},
        [{"days_since_takeover_sign": 7}, {"days_since_takeover_sign": None}, {"new_categories_7d": 1},
         {"account_age_days": 89}, {"dormant_days": 14}, {"price_cuts_7d": 4}, {"orders_30d": 0}],
    ),
    "empty-boxes": (
        {"light_parcels_30d": 4, "light_claims_30d": 2, "orders_30d": 30, "distinct_buyers_30d": 3},
        [{"light_parcels_30d": 3}, {"light_claims_30d": 1}, {"distinct_buyers_30d": 2}, {"orders_30d": 40}],
    ),
    "self-dealing": (
        {"own_device_orders_30d": 4, "orders_30d": 30, "distinct_buyers_30d": 2},
        [{"own_device_orders_30d": 3}, {"orders_30d": 40}, {"distinct_buyers_30d": 1}],
    ),
    "shared-devices": (
        {"shared_device_orders_30d": 8, "excused_claims_30d": 0, "orders_30d": 20, "distinct_buyers_30d": 4},
        [{"shared_device_orders_30d": 7}, {"excused_claims_30d": 2}, {"orders_30d": 27}, {"distinct_buyers_30d": 3}],
    ),
    "triangulation": (
        {"other_origins": 4, "other_origin_orders_30d": 8, "orders_30d": 12, "distinct_buyers_30d": 8,
         "account_age_days": 40},
        [{"other_origins": 3}, {"other_origin_orders_30d": 7}, {"orders_30d": 16}, {"account_age_days": 365},
         {"distinct_buyers_30d": 7}],
    ),
    "triangulation-disputed": (
        {"disputes_60d": 3, "orders_60d": 50, "late_deliveries_60d": 5, "other_origin_orders_30d": 9,
         "other_origins": 3, "orders_30d": 25, "distinct_buyers_30d": 5},
        [{"disputes_60d": 2}, {"orders_60d": 100}, {"late_deliveries_60d": 15}, {"orders_30d": 30},
         {"other_origins": 2}, {"other_origin_orders_30d": 4}],
    ),
    "probation-evasion": (
        {"account_age_days": 5, "busiest_day_7d": 25, "live_listings": 10, "linked_merchants": 2, "linked_values": 2,
         "orders_7d": 20, "distinct_buyers_30d": 10},
        [{"account_age_days": 60}, {"busiest_day_7d": 24}, {"linked_merchants": 1}, {"linked_values": 1},
         {"orders_7d": 19}, {"distinct_buyers_30d": 9}],
    ),
    "linked-accounts": (
        {"account_age_days": 5, "linked_values": 2, "linked_merchants": 1},
        [{"account_age_days": 90}, {"linked_values": 1}],
    ),
    "joint-poor-fulfilment": (
        {"joint_late_ship_rate_30d_lower": 0.13, "joint_cancel_rate_30d_lower": 0.08, "late_ship_rate_30d": 0.08,
         "cancel_rate_30d": 0.03, "joint_mature_ship_orders_30d": 20, "late_shipments_30d": 3,
         "distinct_buyers_30d": 4},
        [{"joint_late_ship_rate_30d_lower": 0.12}, {"cancel_rate_30d": 0.01}, {"joint_mature_ship_orders_30d": 19},
         {"joint_mature_ship_orders_30d": None}, {"late_shipments_30d": 2}, {"distinct_buyers_30d": 3}],
    ),
    "joint-not-as-described": (
        {"joint_not_as_described_rate_60d_lower": 0.09, "not_as_described_rate_60d": 0.05,
         "joint_mature_orders_60d": 20, "not_as_described_90d": 4, "distinct_buyers_30d": 4},
        [{"joint_not_as_described_rate_60d_lower": 0.08}, {"not_as_described_rate_60d": 0.04},
         {"joint_mature_orders_60d": 19}, {"not_as_described_90d": 3}, {"distinct_buyers_30d": 3}],
    ),
    "linked-to-restricted": (
        {"account_age_days": 5, "linked_restricted_days": 3, "linked_restrictions": 1},
        [{"account_age_days": 90}, {"linked_restricted_days": 0}, {"linked_restrictions": 0}],
    ),
    "linked-to-enforced": (
        {"linked_to_enforced": 1, "linked_values": 1, "catalogue_of_enforced": 2},
        [{"linked_to_enforced": 0}, {"catalogue_of_enforced": 1}],
    ),
    "catalogue-of-enforced": (
        {"account_age_days": 5, "catalogue_of_enforced": 3},
        [{"account_age_days": 90}, {"catalogue_of_enforced": 2}],
    ),
    "probation-recall": (
        {"days_since_first_order": 30, "account_age_days": 40, "cancel_rate_30d_lower": 0.06, "cancel_rate_30d": 0.12,
         "late_ship_rate_30d_lower": 0.1, "late_ship_rate_30d": 0.15, "mature_ship_orders_30d": 20, "bad_orders_30d": 8,
         "distinct_buyers_30d": 8},
        [{"days_since_first_order": 91}, {"account_age_days": 121}, {"cancel_rate_30d_lower": 0.05},
         {"mature_ship_orders_30d": 19},
         {"bad_orders_30d": 7}, {"days_since_first_order": None}],
    ),
    "fake-tracking": (
        {"implausible_scans_30d": 4, "orders_30d": 50, "distinct_buyers_30d": 30},
        [{"implausible_scans_30d": 3}, {"orders_30d": 80}, {"orders_30d": 19}],
    ),
    "delivered-not-received": (
        {"delivered_not_received_30d": 5, "orders_30d": 40, "distinct_buyers_30d": 30},
        [{"delivered_not_received_30d": 3}, {"orders_30d": 50}],
    ),
    "brushing": (
        {"orders_30d": 40, "distinct_buyers_30d": 8, "repeat_order_share_30d": 0.95, "buyer_concentration_30d": 0.15},
        [{"orders_30d": 24}, {"distinct_buyers_30d": 14}, {"repeat_order_share_30d": 0.6},
         {"buyer_concentration_30d": 0.02}, {"repeat_order_share_30d": None}],
    ),
    "behaviour-anomaly": (
        {"behaviour_anomaly": 0.9996, "orders_30d": 20},
        [{"behaviour_anomaly": 0.9995}, {"behaviour_anomaly": None}, {"orders_30d": 19}],
    ),
    "trader-information-missing": ({"duties_unmet": 1}, [{"duties_unmet": 0}]),
    "price-level": (
        {"price_level": 0.3, "account_age_days": 10, "live_listings": 5},
        [{"price_level": 0.4}, {"account_age_days": 90}, {"live_listings": 4}, {"price_level": None}],
    ),
    "bad-order-probability": (
        {"bad_order_probability": 0.8},
        [{"bad_order_probability": 0.7}, {"bad_order_probability": None}],
    ),
    "scan-before-order": (
        {"scan_before_order_hours": 3},
        [{"scan_before_order_hours": 2}, {"scan_before_order_hours": -5}, {"scan_before_order_hours": None}],
    ),
    "tracking-reused": (
        {"tracking_reused": 1, "implausible_scans_30d": 2},
        [{"tracking_reused": 0}, {"implausible_scans_30d": 1}],
    ),
    "delivered-then-not-received": (
        {"delivered_then_not_received": 1, "delivered_not_received_30d": 2, "orders_30d": 40},
        [{"delivered_then_not_received": 0}, {"delivered_not_received_30d": 1}, {"orders_30d": 100}],
    ),
    "delivered-too-fast": (
        {"delivered_too_fast": 1, "implausible_scans_30d": 3},
        [{"delivered_too_fast": 0}, {"implausible_scans_30d": 2}],
    ),
    "light-parcel": ({"light_parcel": 1}, [{"light_parcel": 0}]),
    "empty-box-order": (
        {"light_parcel_claimed": 1, "light_parcels_30d": 3, "light_claims_30d": 3, "orders_30d": 30},
        [{"light_parcel_claimed": 0}, {"light_claims_30d": 2}, {"light_parcels_30d": 2}, {"orders_30d": 38}],
    ),
    "own-device-order": (
        {"own_device": 1, "own_device_orders_30d": 3},
        [{"own_device": 0}, {"own_device_orders_30d": 2}],
    ),
    "refund-abuse": ({"claim_excused": 1}, [{"claim_excused": 0}]),
    "self-dealing-order": (
        {"buyer_orders_at_merchant_30d": 5, "repeat_order_share_30d": 0.9, "distinct_buyers_30d": 8, "orders_30d": 40},
        [{"buyer_orders_at_merchant_30d": 3}, {"repeat_order_share_30d": 0.6}, {"orders_30d": 24}],
    ),
    "brand-unauthorised": ({"brand_unauthorised": 1}, [{"brand_unauthorised": 0}]),
    "counterfeit-listing": (
        {"brand_unauthorised": 1, "replica_terms": 0, "price_to_category": 0.4, "price_to_brand": None},
        [{"brand_unauthorised": 0}, {"price_to_category": 0.5}, {"price_to_category": None}],
    ),
    "counterfeit-lookalike": (
        {"brand_lookalike": 1, "replica_terms": 1},
        [{"brand_lookalike": 0}, {"replica_terms": 0}],
    ),
    "brand-lookalike": ({"brand_lookalike": 1}, [{"brand_lookalike": 0}]),
    "disguised-terms": ({"disguised_terms": 1}, [{"disguised_terms": 0}]),
    "replica-vocabulary": ({"replica_terms": 2}, [{"replica_terms": 1}]),
    "replica-word": ({"replica_terms": 1, "brand_unauthorised": 0}, [{"replica_terms": 0}, {"brand_unauthorised": 1}]),
    "prohibited-category": ({"category_prohibited": 1}, [{"category_prohibited": 0}]),
    "copied-listing": (
        {"copied_listing_merchants": 1, "catalogue_copied": 4},
        [{"copied_listing_merchants": 0}, {"catalogue_copied": 3}],
    ),
    "duplicate-listing": ({"own_duplicates": 2}, [{"own_duplicates": 1}]),
    "repeated-title": (
        {"own_title_repeats": 3, "own_duplicates": 0},
        [{"own_title_repeats": 2}, {"own_duplicates": 2}],
    ),
    "category-mismatch": ({"category_mismatch": 0.97}, [{"category_mismatch": 0.94}, {"category_mismatch": None}]),
    "prohibited-terms": ({"prohibited_terms": 1}, [{"prohibited_terms": 0}]),
    "restricted-category": ({"category_restricted": 1}, [{"category_restricted": 0}]),
    "misleading-claim": ({"claim_terms": 1}, [{"claim_terms": 0}]),
    "off-platform-contact": ({"contact_terms": 1}, [{"contact_terms": 0}]),
    "price-far-below-category": (
        {"price_to_category": 0.05, "listing_price": 100},
        [{"price_to_category": 0.1}, {"price_to_category": None}, {"listing_price": 0}],
    ),
    "fake-discount": (
        {"list_price_raise": 1.5, "discount_share": 0.4, "price_to_lowest_30d": 1.0, "listing_edits": 1},
        [{"list_price_raise": 1.3}, {"discount_share": 0.3}, {"price_to_lowest_30d": 0.7}, {"list_price_raise": None}],
    ),
    "discount-not-real": (
        {"discount_share": 0.2, "price_to_lowest_30d": 1.3, "listing_edits": 1},
        [{"discount_share": 0.05}, {"price_to_lowest_30d": 1.0}, {"price_to_lowest_30d": None}],
    ),
    "switched-listing": (
        {"sold_title_similarity": 0.2, "sold_as_other": 1, "listing_edits": 1, "listing_orders": 9},
        [{"sold_as_other": 0}, {"sold_title_similarity": 0.3}, {"listing_orders": 4}, {"sold_title_similarity": None}],
    ),
    "price-far-below-brand": (
        {"price_to_brand": 0.2, "price_to_category_p05": 0.8, "listing_price": 100},
        [{"price_to_brand": 0.3}, {"price_to_category_p05": 1.0}, {"price_to_brand": None}],
    ),
    # -- second thresholds, from which a person is asked
    "overdue-orders-review": (
        {"unshipped_overdue_orders": 5, "orders_30d": 30, "distinct_buyers_30d": 20},
        [{"unshipped_overdue_orders": 4}, {"orders_30d": 34}, {"distinct_buyers_30d": 4}],
    ),
    "counterfeit-claims-review": (
        {"counterfeit_claims_90d": 2, "orders_90d": 100, "distinct_buyers_30d": 2},
        [{"counterfeit_claims_90d": 1}, {"orders_90d": 200}, {"distinct_buyers_30d": 1}],
    ),
    "fake-tracking-review": (
        {"implausible_scans_30d": 3, "orders_30d": 100, "distinct_buyers_30d": 30},
        [{"implausible_scans_30d": 2}, {"orders_30d": 150}, {"orders_30d": 19}],
    ),
    "empty-boxes-review": (
        {"light_parcels_30d": 3, "light_claims_30d": 1, "orders_30d": 50, "distinct_buyers_30d": 3},
        [{"light_parcels_30d": 2}, {"light_claims_30d": 0}, {"orders_30d": 60}],
    ),
    "absurd-list-price": ({"discount_share": 0.95, "listing_price": 100}, [{"discount_share": 0.85}]),
}  # fmt: skip


def fires(packaged: PolicySet, rule_id: str, values: Values) -> bool:
    """Whether a rule alone fires on some values."""
    rule = packaged.rules[rule_id]
    group = RuleGroup([rule])
    unknown = set(values) - set(group.features)
    assert not unknown, f"the case names features that the rule does not use: {unknown}"
    return group.fired([values.get(name) for name in group.features]) == [rule]


def test_every_packaged_rule_has_a_case(packaged: PolicySet) -> None:
    """The table below has every rule and no other."""
    assert set(CASES) == set(packaged.rules)


@pytest.mark.parametrize("rule_id", CASES)
def test_rules_fire_on_their_example_and_not_on_near_misses(packaged: PolicySet, rule_id: str) -> None:
    """Each rule fires on its example, and on none of the changes to it that put it just out of reach."""
    values, misses = CASES[rule_id]
    assert fires(packaged, rule_id, values)
    assert misses
    for miss in misses:
        assert not fires(packaged, rule_id, values | miss), f"fires although {miss}"


@pytest.mark.parametrize("rule_id", CASES)
def test_reasons_are_sentences_with_figures(packaged: PolicySet, rule_id: str) -> None:
    """The reason of a fired rule has no placeholder and no unknown value left, and shows what was observed."""
    rule = packaged.rules[rule_id]
    values = dict.fromkeys(rule.features, 1.0) | CASES[rule_id][0]
    texts = dict.fromkeys(rule.reason.texts, "home/kitchen")
    reason = rule.explain({name: 0.5 if value is None else value for name, value in values.items()}, texts)
    assert "{" not in reason.text
    assert "unknown" not in reason.text
    assert reason.code == rule_id
    assert rule.observed is None or reason.observed is not None
    assert 0 <= reason.weight <= 1


def test_the_packaged_set_is_broad_enough(packaged: PolicySet) -> None:
    """At least sixteen rules over all four subjects, at least two in shadow, each with evidence and a source."""
    rules = packaged.rules.values()
    assert len(rules) >= 16
    assert {rule.subject for rule in rules} == {"order", "listing", "merchant", "creator"}
    assert sum(rule.mode == "shadow" for rule in rules) >= 2
    for rule in rules:
        assert rule.evidence, rule.id
        assert rule.source, rule.id


def test_rules_name_registered_features_of_their_subject(packaged: PolicySet) -> None:
    """Rules on merchants and on creators name their own features alone, those on orders and listings their own and
    merchants'.
    """
    for rule in packaged.rules.values():
        entities = {FEATURES[name].entity for name in rule.features}
        known = {rule.subject} if rule.subject == "creator" else {rule.subject, "merchant"}
        assert entities <= known, rule.id


def test_merchant_rules_that_act_ask_for_orders_or_changes(packaged: PolicySet) -> None:
    """What can restrict a merchant rests on a least number of orders and, but for brushing and changes, of buyers."""
    for rule in packaged.rules.values():
        if rule.subject != "merchant" or rule.mode != "enforce" or rule.action in ("review", None):
            continue
        if rule.policy in ("trader_information", "linked_restriction"):
            # What the law asks for is missing or it is not, however much was sold; and what is carried over from
            # another account rests on the orders of that one.
            continue
        assert any("orders" in name for name in rule.evidence), rule.id
        assert "distinct_buyers_30d" in rule.evidence or rule.id == "brushing", rule.id
