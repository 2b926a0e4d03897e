"""Facts since the last time that something was enforced: what a repeat of it must rest on.

A rule counts over windows, and a window still holds what was enforced before. So each decision against a merchant
begins a count of its own, of the kinds of facts that it rests on: orders that went wrong since, and of how many buyers.
A fact that is taken back (a claim that was the buyer's abuse, a late order that was not late) is counted out again.
"""

import re
from typing import Final

from msgspec import Struct

from features import order as flags

#: Flag of an order by the name of what it is a case of: the features that count it are called so, with their window
#: (``late_shipments_30d``).
FACT_FLAGS: Final[dict[str, int]] = {
    "orders": flags.ORDERED,
    "seller_cancels": flags.SELLER_CANCEL,
    "late_buyer_cancels": flags.LATE_CANCEL,
    "late_shipments": flags.LATE_SHIP,
    "late_deliveries": flags.LATE_DELIVERY,
    "refunds": flags.REFUND,
    "not_as_described": flags.NOT_AS_DESCRIBED,
    "not_received": flags.NOT_RECEIVED,
    "counterfeit_claims": flags.COUNTERFEIT,
    "disputes": flags.DISPUTE,
    "low_ratings": flags.LOW_RATING,
    "bad_orders": flags.BAD,
    "implausible_scans": flags.IMPLAUSIBLE_SCAN,
    "delivered_not_received": flags.DELIVERED_NOT_RECEIVED,
    "light_parcels": flags.LIGHT_PARCEL,
    "light_claims": flags.LIGHT_CLAIM,
    "other_origin_orders": flags.OTHER_ORIGIN,
    "shared_device_orders": flags.SHARED_DEVICE,
    "own_device_orders": flags.OWN_DEVICE,
}
#: Kinds of facts of creators, likewise the names of the features that count them. What shards tell each other are sums,
#: so these are counted as they are told.
CREATOR_FACTS: Final = frozenset(
    ("creator_harmed_orders", "creator_counterfeits", "creator_violations", "creator_same_violations")
)
#: Features that count cases without a window of days, and the kind of fact they count.
_WITHOUT_WINDOW: Final = {"unshipped_overdue_orders": "late_shipments"}
_WINDOW: Final = re.compile(r"_(\d+)d$")
#: What orders of other buyers would have to be told apart by; more are never asked for.
BUYERS_LIMIT: Final = 16


def fact_kind(feature: str) -> str | None:
    """The kind of fact that a feature counts, or None if it counts none."""
    kind = _WITHOUT_WINDOW.get(feature) or _WINDOW.sub("", feature)
    return kind if kind in FACT_FLAGS or kind in CREATOR_FACTS else None


def window_days(feature: str) -> int | None:
    """The days that a feature looks back, as its name says; None if it says none."""
    found = _WINDOW.search(feature)
    return int(found[1]) if found else None


class FreshFacts(Struct, array_like=True, gc=False):
    """What happened since a decision.

    ``scope`` says what may not be decided again on the same facts: a policy, or a single rule. ``counts`` is by kind of
    fact; ``buyers`` are the pseudonyms of the buyers of the orders counted, up to :data:`BUYERS_LIMIT`; ``levels`` are
    the values, at the decision, of features that tell a state and count no cases.
    """

    scope: str
    decision_id: str
    at: int
    counts: dict[str, int]
    buyers: list[int] = []
    levels: dict[str, float] = {}

    def add(self, kind: str, number: int) -> None:
        """Count so many facts of a kind, if it is asked for; a negative number is taken back."""
        if kind in self.counts:
            self.counts[kind] += number

    def note(self, raised: int, cleared: int, buyer: int) -> None:
        """Count the flags of an order that were raised, or cleared."""
        counts = self.counts
        counted = False
        for kind in counts:
            flag = FACT_FLAGS[kind]
            if raised & flag:
                counts[kind] += 1
                counted = True
            elif cleared & flag:
                counts[kind] -= 1
        if counted and len(self.buyers) < BUYERS_LIMIT and buyer not in self.buyers:
            self.buyers = [*self.buyers, buyer]
