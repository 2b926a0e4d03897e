"""What is stored of a merchant, an order or a listing, put so that it can be read without the code."""

from typing import Any, Final

from features import order as flags
from features.duty_state import DUE, MET, OVERDUE, DutyState
from features.enforcement_state import EnforcementState
from features.feature import Context
from features.inform import Sales, day_text
from features.links import BITS
from features.listing import ListingRecord
from features.merchant import RATES, Merchant, MerchantRecord
from features.order import OrderRecord
from features.outputs import LEVELS
from features.population import Population
from features.priors import DEFAULT_PRIORS
from features.rate_features import RATE_WORDS
from features.registry import FEATURES
from features.shrinkage import credible_lower, posterior_mean
from features.windows import WINDOWS
from streams.explain.story import Rate, moment

#: The window of which rates are shown: the longest.
_WINDOW: Final = len(WINDOWS) - 1
_FLAG_WORDS: Final = {
    flags.SELLER_CANCEL: "cancelled by the seller",
    flags.LATE_SHIP: "shipped late",
    flags.LATE_DELIVERY: "delivered late",
    flags.REFUND: "refunded at the seller's fault",
    flags.NOT_AS_DESCRIBED: "returned as not as described",
    flags.NOT_RECEIVED: "claimed not received",
    flags.COUNTERFEIT: "claimed counterfeit",
    flags.DISPUTE: "disputed",
    flags.LOW_RATING: "rated 1 or 2",
    flags.IMPLAUSIBLE_SCAN: "scanned before it was ordered, or under a number used before",
    flags.DELIVERED_NOT_RECEIVED: "delivered by the carrier's record and claimed not received",
    flags.OVERDUE: "overdue and not shipped",
}
#: Fields of a listing that are kept for the program alone.
_LISTING_INTERNAL: Final = frozenset({"version", "seen", "timer", "asked", "look", "judged"})
#: Fields whose names say something else among those of other subjects.
_LISTING_NAMES: Final = {"level": "price_level"}
_LISTING_TIMES: Final = frozenset({"created", "version_at", "active_at"})


def merchant_state(merchant: Merchant) -> dict[str, Any]:
    """Level, account, activity and enforcement of a merchant."""
    record = merchant.record
    return {
        "level": LEVELS[record.level],
        "rules_standing": record.fired,
        "bad_order_share": record.probability,
        "anomaly_percentile": record.anomaly,
        "last_assessment": record.assessment or None,
        "account": _account(record),
        "orders": {f"{days}d": merchant.placed.sum(0, window) for window, days in enumerate(WINDOWS)},
        "turnover_minor_units": {f"{days}d": merchant.placed.sum(1, window) for window, days in enumerate(WINDOWS)},
        "currency": record.currency or None,
        "twelve_months": _twelve_months(record.sales),
        "duties_of_the_law": _duties(record.duties),
        "unshipped_overdue_orders": record.overdue,
        "live_listings": record.live_listings,
        "linked_merchants": [
            {
                "merchant": each.other,
                "in_common": _in_common(each.common),
                "listings_alike": each.listings,
                "of_these_theirs_first": each.copied,
                "under_enforcement": each.flagged,
            }
            for each in record.links
        ],
        "enforcement": enforcement_state(record.enforcement, record.as_of),
        "feedback": {
            "reports": record.reports,
            "violations_found": record.violations,
            "cleared": record.cleared,
            "appeals": record.appeals,
        },
        "events_published": record.sequence,
    }


def _account(record: MerchantRecord) -> dict[str, Any]:
    return {
        "kind": record.kind or None,
        "country": record.country or None,
        "registered": _time(record.registered),
        "first_seen": _time(record.first_seen),
        "last_order": _time(record.last_order),
        "quiet_days_before_present_activity": round(record.quiet_ms / 86_400_000, 1),
        "verified": record.verified,
        "changes": [moment(time) for time in record.changes],
        "closed": _time(record.closed),
    }


def _twelve_months(sales: Sales | None) -> dict[str, Any]:
    """What is counted of sales in a currency that a law counts."""
    if sales is None:
        return {}
    return {
        "up_to": day_text(sales.day),
        "sales": sales.count,
        "revenue_minor_units": sales.revenue,
        "only_since": day_text(sales.dropped) if sales.dropped else None,
    }


def _duties(duties: DutyState | None) -> dict[str, Any]:
    if duties is None:
        return {}
    words = {DUE: "due", OVERDUE: "overdue", MET: "met"}
    return {
        "given_but_not_verified": duties.unverified,
        **{
            name: {
                "since": moment(law.since),
                **{duty: f"{words[clock.state]} {moment(clock.at)}" for duty, clock in law.clocks.items()},
                "notice_ends": _time(law.notice),
            }
            for name, law in duties.laws.items()
        },
    }


def enforcement_state(standing: EnforcementState | None, now: int) -> dict[str, Any]:
    """Actions in force against a merchant or creator, and the history that later decisions go by."""
    standing = standing or EnforcementState()
    return {
        "in_force": [
            {
                "decision_id": each.decision_id,
                "action": each.action,
                "rule": each.rule,
                "policy": each.policy,
                "subject": f"{each.subject_kind} {each.subject_id}",
                "starts_at": moment(each.starts_at),
                "expires_at": _time(each.expires_at),
                "requires_review": each.requires_review,
            }
            for each in standing.active
        ],
        "strikes": {
            policy: {"count": len(strikes), "last": moment(strikes[-1].at)}
            for policy, strikes in standing.strikes.items()
        },
        "appeals": {
            decision: {
                "appeals": each.number,
                "to_be_decided_by": _time(each.due_at),
                "overdue": each.overdue,
            }
            for decision, each in standing.appeals.items()
        },
        "set_aside": [
            {"decision_id": each.action.decision_id, "action": each.action.action, "until": moment(each.until)}
            for each in standing.lifted
        ],
        "left_alone_by": {name: moment(until) for name, until in standing.exempt.items() if until > now},
        "pardoned_for": {rule: moment(at) for rule, at in standing.pardons.items()},
        "quiet_until": {key: moment(until) for key, until in standing.quiet.items() if until > now},
    }


def merchant_rates(merchant: Merchant, population: Population) -> list[Rate]:
    """Each rate over the longest window, with its peers."""
    found = []
    for name in RATES:
        orders, defects = merchant.orders_and_defects(name, _WINDOW)
        prior = population.priors.get(name, DEFAULT_PRIORS[name])
        worth = prior.alpha + prior.beta
        found.append(
            Rate(
                rate=name,
                words=RATE_WORDS[name],
                days=WINDOWS[_WINDOW],
                defects=defects,
                orders=orders,
                observed=round(defects / orders, 5) if orders else None,
                usual=round(prior.alpha / worth, 5),
                worth=round(worth, 1),
                estimate=round(posterior_mean(defects, orders, prior), 5),
                at_least=round(credible_lower(defects, orders, prior), 5),
            )
        )
    return found


def order_state(order: OrderRecord) -> dict[str, Any]:
    """The life of an order, as far as it is known."""
    return {
        "level": LEVELS[order.level],
        "bad_order_probability": order.probability,
        "probability_at_dispatch": order.probability_dispatch,
        "probability_at_delivery": order.probability_delivery,
        "assessment": order.assessment or None,
        "placed": _time(order.created),
        "buyer": buyer_name(order.buyer) if order.created is not None else None,
        "total_minor_units": order.total,
        "quantity": order.quantity,
        "category": order.category or None,
        "ship_from": order.ship_from or None,
        "ship_to": order.ship_to or None,
        "ship_by": _time(order.ship_by),
        "deliver_by": _time(order.deliver_by),
        "shipped": _time(order.shipped),
        "first_scan": _time(order.first_scan),
        "delivered": _time(order.delivered),
        "cancelled": _time(order.cancelled),
        "cancelled_by": order.cancelled_by or None,
        "refunded_minor_units": order.refunded,
        "disputed": order.disputed,
        "dispute_lost": order.dispute_lost,
        "rating": order.rating or None,
        "tracking_reused": order.tracking_reused,
        "lighter_than_such_goods": order.light,
        "faster_than_possible": order.too_fast,
        "device_used_by_other_buyers": order.shared_device,
        "device_of_the_merchant": order.own_device,
        "claim_held_against_the_buyer": order.excused,
        "claims_of_the_buyer_180d": order.buyer_claims or None,
        "remedies": [
            {"cause": each.cause, "row": each.row, "remedy_id": each.id or None, "unpaid_minor_units": each.unpaid}
            for each in order.remedies
        ],
        "defects": [words for flag, words in _FLAG_WORDS.items() if order.flags & flag],
        "outcome_known": order.matured,
    }


def listing_state(listing: ListingRecord) -> dict[str, Any]:
    """The last version of a listing and its history, every field that the program does not keep for itself."""
    state: dict[str, Any] = {"level": LEVELS[listing.risk]}
    for name in listing.__struct_fields__:
        if name in _LISTING_INTERNAL or name == "risk":
            continue
        value = getattr(listing, name)
        if name in _LISTING_TIMES:
            value = _time(value)
        elif name == "matches":
            value = [
                {
                    "merchant": each.other or "the same",
                    "listing": each.listing,
                    "alike": _in_common(each.common),
                    "there_before": each.first,
                }
                for each in listing.matches
            ]
        elif name == "promoters":
            value = [{"creator": each.creator, "at": moment(each.at)} for each in value]
        if value in ("", [], {}):
            continue
        state[_LISTING_NAMES.get(name, name)] = value
    return state


def feature_values(context: Context, kind: str) -> dict[str, float]:
    """Every feature of a kind of subject that is not null."""
    return {
        name: float(f"{value:.6g}")
        for name, feature in FEATURES.items()
        if feature.entity == kind and (value := feature.get(context)) is not None
    }


def buyer_name(pseudonym: int) -> str:
    """What a buyer is called: the keyed hash that the state knows.

    >>> buyer_name(0xAB)
    'buyer-0000ab'
    """
    return f"buyer-{pseudonym:06x}"


def _in_common(bits: int) -> list[str]:
    return [kind for kind, bit in BITS.items() if bits & bit]


def _time(time: int | None) -> str | None:
    return moment(time) if time else None
