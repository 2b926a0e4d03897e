"""What each metric means: for pages, tables and the documentation."""

from typing import Final, Literal

from msgspec import Struct


class Metric(Struct, frozen=True):
    """A metric's title, its definition in a sentence, the group it is shown in, and which way is better, if any is."""

    title: str
    meaning: str
    group: str
    better: Literal["lower", "higher", ""] = ""


ORDERS: Final = "Orders and merchants"
AUDIT: Final = "Prevalence and recall by audit"
DECISIONS: Final = "Decisions"
TIMES: Final = "Time and exposure"
REVIEW: Final = "Review"
FAIRNESS: Final = "Fairness"
DRIFT: Final = "Drift"
GROUPS: Final = (ORDERS, AUDIT, DECISIONS, TIMES, REVIEW, FAIRNESS, DRIFT)

#: By name.
METRICS: Final[dict[str, Metric]] = {
    "bad_order_rate": Metric(
        "Bad-order rate",
        "Orders with a defect (not received, not as described, counterfeit, cancelled by the seller, late, refunded at "
        "the seller's fault, disputed, rated 1 or 2), each once, of the orders whose outcome is known; by the order's "
        "date.",
        ORDERS,
        "lower",
    ),
    "bad_order_rate_by_gmv": Metric(
        "Bad-order rate by GMV", "The same, each order weighed with its total, in the currency with the most.", ORDERS,
        "lower",
    ),
    "bad_seller_onboarding_rate": Metric(
        "Bad-seller onboarding rate",
        "Of the merchants that registered in the period, those that were restricted, or named by a person, within so "
        "many days; decisions taken back as wrong do not count.",
        ORDERS,
        "lower",
    ),
    "creator_violation_rate": Metric(
        "Creator violation rate",
        "Of the creators who drove an order in the period, those with a decision against them in it that restricts "
        "something and was not taken back as wrong.",
        ORDERS,
        "lower",
    ),
    "merchant_restriction_rate": Metric(
        "Restricted merchants",
        "Of the merchants that sold or listed something in the period, those against whom a restriction began.",
        ORDERS,
    ),
    "gmv": Metric("GMV", "What was ordered in the period, by currency.", ORDERS),
    "orders": Metric("Orders", "Orders placed in the period.", ORDERS),
    "listing_violation_rate": Metric(
        "Listing violation rate",
        "Share of the listings created or edited in the period that break a policy, estimated from the audit sample.",
        AUDIT,
        "lower",
    ),
    "violating_order_rate": Metric(
        "Violating order rate",
        "Of the orders of the period, the share that was for listings that break a policy; from the audit sample.",
        AUDIT,
        "lower",
    ),
    "violating_gmv_rate": Metric(
        "Violating GMV rate", "The same by what was paid for them.", AUDIT, "lower",
    ),
    "violating_view_rate": Metric(
        "Violating view rate",
        "Of the views of listings in the period, the share that was of listings that break a policy; from the audit "
        "sample.",
        AUDIT,
        "lower",
    ),
    "order_violation_rate": Metric(
        "Violating orders by audit",
        "Share of the orders in the period that a person would call a violation, from the audit sample of orders.",
        AUDIT,
        "lower",
    ),
    "precision_by_audit": Metric(
        "Precision by audit",
        "Of the sampled subjects with a decision that restricts or asks for review, the share that breaks a policy; "
        "weighed by the chance of having been drawn.",
        AUDIT,
        "higher",
    ),
    "recall_by_audit": Metric(
        "Recall by audit",
        "Of the sampled subjects that break a policy, the share with such a decision; weighed by the chance of having "
        "been drawn.",
        AUDIT,
        "higher",
    ),
    "audit_response": Metric(
        "Audit sample judged", "Share of the drawn subjects that a person has judged.", AUDIT, "higher",
    ),
    "decisions": Metric("Decisions", "Enforcement decisions in the period.", DECISIONS),
    "precision": Metric(
        "Precision of decisions judged",
        "Of the decisions that a person judged or an appeal was decided about, the share that was right. People judge "
        "what asks for them, so it is no estimate of all decisions; precision by audit is.",
        DECISIONS,
        "higher",
    ),
    "appeal_rate": Metric("Appeal rate", "Of the restrictions, those appealed.", DECISIONS),
    "overturn_rate": Metric(
        "Overturn rate", "Of the appeals that were decided, those that the merchant won.", DECISIONS, "lower",
    ),
    "overdue_appeal_rate": Metric(
        "Appeals not decided in time", "Of the appeals filed, those that nobody decided in time.", DECISIONS, "lower",
    ),
    "restored_without_appeal_rate": Metric(
        "Restored without appeal",
        "Of the restrictions, those taken back as wrong without an appeal.",
        DECISIONS,
        "lower",
    ),
    "proactive_rate": Metric(
        "Proactive rate", "Of the restrictions, those whose subject nobody had reported before.", DECISIONS,
        "higher",
    ),
    "automation_rate": Metric(
        "Carried out without a person",
        "Of the restrictions, those that no person took part in.",
        DECISIONS,
    ),
    "withheld": Metric("Held out", "Decisions that were not carried out, by chance and on purpose.", DECISIONS),
    "time_to_detection": Metric(
        "Time to detection",
        "Hours from a listing's violating version, or a merchant's first bad order, to the first decision or "
        "assessment of level high about it; median by Kaplan and Meier, those not found counting as not found yet.",
        TIMES,
        "lower",
    ),
    "time_to_action": Metric(
        "Time to action",
        "The same to the first decision that restricts something without waiting for a person.",
        TIMES,
        "lower",
    ),
    "time_to_review": Metric(
        "Time to review",
        "Hours from a decision that asks for a person to the person's answer; median by Kaplan and Meier.",
        TIMES,
        "lower",
    ),
    "time_to_appeal_decision": Metric(
        "Time to decide appeals", "Hours from an appeal to its decision; median by Kaplan and Meier.", TIMES, "lower",
    ),
    "exposed_orders": Metric(
        "Orders before action",
        "Orders for a listing from its latest version to the decision that restricted it; mean of such decisions.",
        TIMES,
        "lower",
    ),
    "exposed_gmv": Metric("GMV before action", "The same in money, minor units.", TIMES, "lower"),
    "exposed_views": Metric("Views before action", "The same in views.", TIMES, "lower"),
    "bad_orders_before_action": Metric(
        "Bad orders before action",
        "Bad orders of the sixty days before a merchant's first restriction in the period; mean of such merchants.",
        TIMES,
        "lower",
    ),
    "recidivism": Metric(
        "Recidivism",
        "Of the merchants restricted in the period, the share restricted again, by any rule and on new grounds, within "
        "so many days; by Kaplan and Meier.",
        TIMES,
        "lower",
    ),
    "wrong_merchant_days": Metric(
        "Wrongly restricted merchant-days",
        "Days that merchants spent under restrictions of the period that turned out to be wrong.",
        TIMES,
        "lower",
    ),
    "wrong_gmv": Metric(
        "GMV under wrong restrictions",
        "What those merchants sold a day in the four weeks before, times the days under a wrong restriction: what "
        "was at stake, in minor units.",
        TIMES,
        "lower",
    ),
    "review_requests": Metric("Requests for review", "Decisions a day that ask for a person.", REVIEW),
    "reviews": Metric("Reviews", "Requests of the period that were answered, a day.", REVIEW),
    "review_backlog": Metric("Review backlog", "Requests open at the end of the period.", REVIEW, "lower"),
    "precision_at_k": Metric(
        "Precision at k",
        "Of the k requests of a day with the highest scores that were answered, the share that was a violation.",
        REVIEW,
        "higher",
    ),
    "slice_restriction_rate": Metric(
        "Restricted merchants by slice", "Share of the slice's active merchants that were restricted.", FAIRNESS,
    ),
    "slice_restriction_ratio": Metric(
        "Ratio to all others", "That share over the share among all other merchants.", FAIRNESS,
    ),
    "slice_wrong_rate": Metric(
        "Wrongly restricted by slice",
        "Share of the slice's active merchants with a restriction that turned out to be wrong.",
        FAIRNESS,
        "lower",
    ),
    "slice_wrong_ratio": Metric(
        "Wrong restrictions, ratio to all others", "That share over the share among all other merchants.", FAIRNESS,
    ),
    "score_shift": Metric(
        "Shift of risk scores",
        "Population stability index of the scores of the uniform audit sample against the period before.",
        DRIFT,
        "lower",
    ),
    "category_shift": Metric(
        "Shift of categories", "The same of the orders' categories.", DRIFT,
    ),
    "tier_shift": Metric("Shift of credit tiers", "The same of the merchants' tiers at their orders.", DRIFT),
}  # fmt: skip
