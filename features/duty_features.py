"""Features of the law's duties about a merchant."""

from typing import Final

from features.feature import Context, Feature


def _open(c: Context) -> float:
    duties = c.merchant.record.duties
    return 0 if duties is None else duties.open


def _unmet(c: Context) -> float:
    duties = c.merchant.record.duties
    return 0 if duties is None else duties.unmet


#: Features of merchants.
DUTY_FEATURES: Final = (
    Feature(
        "duties_open",
        "merchant",
        "duties",
        "now",
        "duties of the law about the merchant (collect, verify, recertify, disclose, suspend) that are due or overdue",
        "never",
        _open,
    ),
    Feature(
        "duties_unmet",
        "merchant",
        "laws",
        "now",
        "laws under which the merchant is to be suspended: what they ask for was not given within the time of a notice",
        "never",
        _unmet,
    ),
)
