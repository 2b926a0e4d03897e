"""How a merchant fares, as those are told whom it is closely linked to."""

from typing import Final

from msgspec import Struct

from features.windows import WINDOWS

#: Kinds of account values (bank, address, phone, e-mail, owner, device) in common from which on two merchants are taken
#: to be run by one operator. One may be a landlord's or an accountant's; values of many are hubs and mean nothing.
CLOSE_VALUES: Final = 2
#: Rates that are counted over all accounts of an operator, each with the days of its window.
JOINT_RATES: Final = (("late_ship", 30), ("cancel", 30), ("not_as_described", 60))
#: Counts are of windows of 30 days and more: those of a merchant that was not heard of for as long are of the past.
STALE_DAYS: Final = 30


class LinkedCounts(Struct, frozen=True, array_like=True, gc=False):
    """A merchant's figures as of a day.

    Attributes
    ----------
    day
        Days since the epoch.
    counts
        By rate of :data:`JOINT_RATES`: orders old enough to have failed, and those that did.
    restrictions
        Restrictions of the merchant itself that count as strikes and do not rest on links.
    restricted_until
        When the last of those in force ends, ms; 0 where none is.
    """

    day: int
    counts: list[int]
    restrictions: int = 0
    restricted_until: int = 0


def window_index(days: int) -> int:
    """Index of a window in the sums of a merchant's counters."""
    return WINDOWS.index(days)
