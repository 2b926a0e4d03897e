"""Orders that creators drove to merchants: what a merchant's shard counts of them and tells the creators' shards.

Sums of differences travel, by creator, merchant and day: an order counts as what its flags say now, less what was told
of it before, so a fact that comes late or is taken back corrects what the creator's shard counted, however often.

Of an order's defects only those that come with the goods are held against who promoted them (*harm*): claimed as not
as described, counterfeit or not received, or disputed. That a merchant ships late or runs out of stock is not the
creator's doing. An order whose outcome is due is *unclean* if it was harm, refunded or cancelled by the seller: a
creator earns from the others alone (TikTok's Creator Health Rating: orders neither cancelled nor refunded).
"""

from typing import Final

from msgspec import Struct, field

from features.bucket_text import Buckets
from features.order import (
    BAD,
    COUNTERFEIT,
    DISPUTE,
    NOT_AS_DESCRIBED,
    NOT_RECEIVED,
    ORDERED,
    OUTCOME_DUE,
    REFUND,
    SELLER_CANCEL,
    OrderRecord,
    delivery_due_day,
)
from features.windows import DAY_MS

#: Defects that are held against who promoted the goods.
HARM: Final = NOT_AS_DESCRIBED | NOT_RECEIVED | COUNTERFEIT | DISPUTE
#: What takes an order off those that a creator earns from.
UNCLEAN: Final = HARM | REFUND | SELLER_CANCEL
#: What is told of an order.
TOLD: Final = ORDERED | OUTCOME_DUE | BAD | UNCLEAN

# Counters by the day of the order.
ORDERS, GMV, BAD_ORDERS, HARMED, COUNTERFEITS, REFUNDS = range(6)
PLACED_WIDTH: Final = 6
# Counters by delivery-due day, read with a lag of OUTCOME_DAYS.
DUE, DUE_BAD, DUE_HARMED, DUE_COUNTERFEIT, DUE_UNCLEAN = range(5)
OUTCOME_WIDTH: Final = 5

#: Changes of orders that wait at most: what is not told yet is stored with each checkpoint.
MOST_WAITING: Final = 512


class DrivenCounts(Struct, array_like=True, omit_defaults=True):
    """What became of the orders that one creator drove to one merchant, as differences to what was told before.

    Attributes
    ----------
    currency
        Of the amounts; orders in other currencies have none.
    placed, outcome
        Counters of this module by the day of the order, and by delivery-due day.
    harmed
        Pseudonym of a buyer -> harmed orders of that buyer.
    buyers
        Day -> pseudonyms of the buyers of its orders, one for each order.
    """

    currency: str = ""
    placed: Buckets = field(default_factory=dict)
    outcome: Buckets = field(default_factory=dict)
    harmed: dict[int, int] = field(default_factory=dict)
    buyers: dict[int, list[int]] = field(default_factory=dict)


class DrivenTally(Struct, omit_defaults=True):
    """What a shard counted and has not told yet.

    Attributes
    ----------
    counts
        Creator -> merchant -> counts.
    waiting
        Changes of orders that they hold.
    tell_at
        Event time, ms, at which they are told; 0 while there is nothing.
    """

    counts: dict[str, dict[str, DrivenCounts]] = field(default_factory=dict)
    waiting: int = 0
    tell_at: int = 0

    def note(self, order: OrderRecord, merchant: str, currency: str) -> bool:
        """Count how an order differs from what was told of it; true if it does."""
        flags = order.flags & TOLD
        if flags == order.told:
            return False
        merchants = self.counts.get(order.creator)
        if merchants is None:
            merchants = self.counts[order.creator] = {}
        counts = merchants.get(merchant)
        if counts is None:
            counts = merchants[merchant] = DrivenCounts(currency)
        self.waiting += 1
        _count(counts, order, order.told, flags)
        order.told = flags
        return True


def _count(counts: DrivenCounts, order: OrderRecord, before: int, now: int) -> None:
    """Add the difference that an order makes."""
    old, new = _by_order_day(before, order.gmv), _by_order_day(now, order.gmv)
    day = (order.created or 0) // DAY_MS
    _add(counts.placed, day, old, new)
    if new[ORDERS] and not old[ORDERS]:
        counts.buyers.setdefault(day, []).append(order.buyer)
    _add(counts.outcome, delivery_due_day(order), _by_due_day(before), _by_due_day(now))
    harmed = new[HARMED] - old[HARMED]
    if harmed:
        known = counts.harmed.get(order.buyer, 0) + harmed
        if known:
            counts.harmed[order.buyer] = known
        else:
            del counts.harmed[order.buyer]


def _add(buckets: Buckets, day: int, old: list[int], new: list[int]) -> None:
    if old == new:
        return
    bucket = buckets.get(day)
    if bucket is None:
        bucket = buckets[day] = [0] * len(new)
    for index, value in enumerate(new):
        bucket[index] += value - old[index]


def _by_order_day(flags: int, gmv: int) -> list[int]:
    if not flags & ORDERED:
        return [0] * PLACED_WIDTH
    return [
        1,
        gmv,
        int(flags & BAD != 0),
        int(flags & HARM != 0),
        int(flags & COUNTERFEIT != 0),
        int(flags & REFUND != 0),
    ]


def _by_due_day(flags: int) -> list[int]:
    if not flags & OUTCOME_DUE:
        return [0] * OUTCOME_WIDTH
    return [
        1,
        int(flags & BAD != 0),
        int(flags & HARM != 0),
        int(flags & COUNTERFEIT != 0),
        int(flags & UNCLEAN != 0),
    ]
