"""What is stored of a creator, put so that it can be read without the code."""

from typing import Any

from features import driven
from features.creator import Creator
from features.outputs import LEVELS
from features.windows import WINDOWS
from streams.explain.state import enforcement_state
from streams.explain.story import moment


def creator_state(creator: Creator) -> dict[str, Any]:
    """Level, orders driven, the merchants it works with, and enforcement of a creator."""
    record = creator.record
    return {
        "level": LEVELS[record.level],
        "rules_standing": record.fired,
        "share_of_harm": record.probability,
        "last_assessment": record.assessment or None,
        "first_told_of": moment(record.first_seen),
        "orders": _sums(creator, driven.ORDERS),
        "turnover_minor_units": _sums(creator, driven.GMV),
        "harmed_orders": _sums(creator, driven.HARMED),
        "currency": record.currency or None,
        "merchants": [
            {
                "merchant": name,
                "orders": shop.orders,
                "harmed": shop.harmed,
                "under_enforcement": shop.flagged,
                "suspended": shop.suspended,
                "share_of_its_turnover_then": shop.share if shop.flagged_at else None,
            }
            for name, shop in sorted(record.shops.items(), key=lambda each: (-each[1].gmv, each[0]))
        ],
        "violations_of_promoted_goods": [
            {"policy": each.policy, "merchant": each.merchant, "listing": each.listing, "at": moment(each.at)}
            for each in record.violations
        ],
        "enforcement": enforcement_state(record.enforcement, record.as_of),
        "feedback": {
            "reports": record.reports,
            "violations_found": record.found,
            "cleared": record.cleared,
            "appeals": record.appeals,
        },
        "events_published": record.sequence,
    }


def _sums(creator: Creator, counter: int) -> dict[str, int]:
    return {f"{days}d": creator.placed.sum(counter, window) for window, days in enumerate(WINDOWS)}
