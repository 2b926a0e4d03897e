"""Pardons: findings that an appeal showed to be wrong are not made again on the same facts.

A rule that was overturned about an order or a listing is pardoned for what it saw there: the values of its conditions'
features. Other values (another title, an earlier scan) are new facts, and are judged as such. About a merchant, a rule
is pardoned until enough new facts have come (:func:`detectors.ladder.fresh`).
"""

from collections.abc import Sequence
from typing import Final

from xxhash import xxh3_64_intdigest

from detectors.rules import Rule
from features.feature import Context
from features.order import (
    COUNTERFEIT,
    DELIVERED_NOT_RECEIVED,
    DISPUTE,
    IMPLAUSIBLE_SCAN,
    LATE_DELIVERY,
    LATE_SHIP,
    LIGHT_CLAIM,
    LIGHT_PARCEL,
    NOT_AS_DESCRIBED,
    NOT_RECEIVED,
    OTHER_ORIGIN,
    OWN_DEVICE,
    REFUND,
    SHARED_DEVICE,
)
from features.registry import FEATURES

_MASK: Final = (1 << 40) - 1
#: Flags of an order that a rule rests on, by the features of its conditions.
FLAGS_BEHIND: Final[dict[str, int]] = {
    "scan_before_order_hours": IMPLAUSIBLE_SCAN,
    "tracking_reused": IMPLAUSIBLE_SCAN,
    "delivered_too_fast": IMPLAUSIBLE_SCAN,
    "light_parcel": LIGHT_PARCEL,
    "light_parcel_claimed": LIGHT_PARCEL | LIGHT_CLAIM | NOT_AS_DESCRIBED | NOT_RECEIVED | DELIVERED_NOT_RECEIVED,
    "delivered_then_not_received": NOT_RECEIVED | DELIVERED_NOT_RECEIVED,
    "refund_share": REFUND | NOT_AS_DESCRIBED | COUNTERFEIT | DISPUTE,
    "late_ship_days": LATE_SHIP,
    "late_delivery_days": LATE_DELIVERY,
    "other_origin": OTHER_ORIGIN,
    "shared_device": SHARED_DEVICE,
    "own_device": OWN_DEVICE,
}


def conditions(rule: Rule) -> tuple[str, ...]:
    """Features that decide whether a rule fires, each once."""
    return tuple(dict.fromkeys((*rule.evidence, *rule.when.names)))


def flags_behind(rule: Rule) -> int:
    """Flags of an order that a rule on orders rests on."""
    mask = 0
    for name in conditions(rule):
        mask |= FLAGS_BEHIND.get(name, 0)
    return mask


def seen_by(rule: Rule, context: Context) -> int:
    """A digest of what a rule saw of its order or listing; what it saw of the merchant changes all the time."""
    seen = [repr(FEATURES[name].get(context)) for name in conditions(rule) if FEATURES[name].entity == rule.subject]
    return xxh3_64_intdigest("|".join(seen).encode()) & _MASK


def unpardoned(fired: Sequence[Rule], pardons: dict[str, int], context: Context) -> list[Rule]:
    """Those of the rules that fired that are not pardoned for what they saw."""
    return [rule for rule in fired if pardons.get(rule.id) != seen_by(rule, context)]
