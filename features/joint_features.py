"""Features of a merchant together with the accounts that are taken to be of the same operator: what is known of all of
them, and which restrictions some are under.
"""

from collections.abc import Callable
from typing import Final

from features.feature import Context, Feature, Getter
from features.linked_counts import JOINT_RATES, STALE_DAYS, LinkedCounts, window_index
from features.merchant import Merchant
from features.priors import DEFAULT_PRIORS
from features.shrinkage import credible_lower
from features.windows import DAY_MS

_CLOSE: Final = "others that have at least two kinds of account values in common with it"


def _fared(merchant: Merchant) -> list[LinkedCounts]:
    """What is known of those that the merchant is closely linked to, as far as it is of late."""
    links = merchant.record.links
    if not links:
        # Nearly always.
        return []
    oldest = merchant.day - STALE_DAYS
    return [each.fared for each in links if each.fared is not None and each.fared.day > oldest and each.close]


def _joint(at: int) -> Callable[[Context], tuple[int, int] | None]:
    """Orders old enough to have failed and those that did, of all accounts; None for a merchant without others."""
    rate, window = JOINT_RATES[at][0], window_index(JOINT_RATES[at][1])

    def get(c: Context) -> tuple[int, int] | None:
        fared = _fared(c.merchant)
        if not fared:
            return None
        orders, defects = c.merchant.orders_and_defects(rate, window)
        return orders + sum(each.counts[2 * at] for each in fared), defects + sum(
            each.counts[2 * at + 1] for each in fared
        )

    return get


def _orders(at: int) -> Getter:
    counts = _joint(at)

    def get(c: Context) -> float | None:
        found = counts(c)
        return None if found is None else found[0]

    return get


def _lower(at: int) -> Getter:
    rate = JOINT_RATES[at][0]
    counts, default = _joint(at), DEFAULT_PRIORS[rate]

    def get(c: Context) -> float | None:
        found = counts(c)
        return None if found is None else credible_lower(found[1], found[0], c.population.priors.get(rate, default))

    return get


def _restricted_days(c: Context) -> float:
    if not c.merchant.record.links:
        return 0.0
    until = max((each.restricted_until for each in _fared(c.merchant)), default=0)
    return max(0.0, (until - c.merchant.record.as_of) / DAY_MS)


def _restrictions(c: Context) -> float:
    if not c.merchant.record.links:
        # Asked at each assessment, and this is nearly always so.
        return 0
    return max((each.restrictions for each in _fared(c.merchant)), default=0)


#: All of them.
JOINT_FEATURES: Final = (
    Feature(
        "joint_mature_ship_orders_30d",
        "merchant",
        "orders",
        "30 d",
        f"mature_ship_orders of the merchant and of {_CLOSE}, together",
        "without such",
        _orders(0),
    ),
    Feature(
        "joint_mature_orders_60d",
        "merchant",
        "orders",
        "60 d",
        f"mature_orders of the merchant and of {_CLOSE}, together",
        "without such",
        _orders(2),
    ),
    *(
        Feature(
            f"joint_{rate}_rate_{days}d_lower",
            "merchant",
            "0 to 1",
            f"{days} d",
            f"5 % credible lower bound of {rate}_rate over the orders of the merchant and of {_CLOSE}, together",
            "without such",
            _lower(at),
        )
        for at, (rate, days) in enumerate(JOINT_RATES)
    ),
    Feature(
        "linked_restrictions",
        "merchant",
        "restrictions",
        "two years",
        f"most restrictions that counted as strikes of one of {_CLOSE}; those that rest on links do not count",
        "never",
        _restrictions,
    ),
    Feature(
        "linked_restricted_days",
        "merchant",
        "days",
        "now",
        f"for how long one of {_CLOSE} is still restricted, the longest; restrictions that rest on links do not count",
        "never",
        _restricted_days,
    ),
)
