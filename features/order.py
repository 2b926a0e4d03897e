"""One order: what happened so far, and what follows from it for the merchant's counts.

Events of an order may be missing, repeated, late or out of order, so the record keeps facts (times, fault, ratings)
and the flags are a pure function of them: whatever the order of arrival, the same facts give the same flags. When an
event changes the flags, the difference is applied to the merchant's day counters; a correction is nothing special.

Definitions (docs/features.md has them for readers):

- *ship-due day*: the day after ``ship_by``; from then on the order can be said to have shipped late or not.
- *delivery-due day*: the day after ``deliver_by``. *Outcome-due day*: :data:`OUTCOME_DAYS` later, when refunds,
  claims and ratings have come in.
- An order cancelled by the buyer or the platform before it was due to ship counts in no rate; one cancelled before it
  was shipped never counts as due for delivery.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Raw, Struct
from msgspec.json import Decoder, Encoder

from features.remedy import Remedy
from features.windows import DAY_MS

#: What a buyer is taken to be promised where the event says nothing: two business days to hand over and six to deliver
#: (TikTok Shop US fulfilment policy, 2025-10-23), here in calendar days.
DEFAULT_SHIP_MS: Final = 3 * DAY_MS
DEFAULT_DELIVER_MS: Final = 10 * DAY_MS
#: Longest promise that is believed. No marketplace promises half a year, and an order is kept until its promises and
#: its retention have passed: a date in 2099 would keep it for ever.
LONGEST_PROMISE_DAYS: Final = 180
LONGEST_PROMISE_MS: Final = LONGEST_PROMISE_DAYS * DAY_MS
#: Days between the delivery date and the day on which an order's outcome is taken as known.
OUTCOME_DAYS: Final = 14

ORDERED: Final = 1 << 0
SHIP_DUE: Final = 1 << 1
UNDELIVERABLE: Final = 1 << 2
OUTCOME_DUE: Final = 1 << 3
SELLER_CANCEL: Final = 1 << 4
LATE_SHIP: Final = 1 << 5
LATE_DELIVERY: Final = 1 << 6
REFUND: Final = 1 << 7
NOT_AS_DESCRIBED: Final = 1 << 8
NOT_RECEIVED: Final = 1 << 9
COUNTERFEIT: Final = 1 << 10
DISPUTE: Final = 1 << 11
LOW_RATING: Final = 1 << 12
BAD: Final = 1 << 13
IMPLAUSIBLE_SCAN: Final = 1 << 14
DELIVERED_NOT_RECEIVED: Final = 1 << 15
OVERDUE: Final = 1 << 16
#: Not shipped, delivered or cancelled, and not known to be overdue.
OPEN: Final = 1 << 17
LIGHT_PARCEL: Final = 1 << 18
#: A parcel far too light, and a claim that it did not hold what was ordered.
LIGHT_CLAIM: Final = 1 << 19
OTHER_ORIGIN: Final = 1 << 20
SHARED_DEVICE: Final = 1 << 21
OWN_DEVICE: Final = 1 << 22
#: A claim by a buyer who claims of most orders: no defect of the seller's.
EXCUSED: Final = 1 << 23
#: Cancelled in the buyer's name when more than half of the time to ship had passed, and not shipped. It is no defect,
#: as the buyer may mean it; but a seller who has its late orders cancelled so would never be late.
LATE_CANCEL: Final = 1 << 24

#: What makes an order bad, each order counted once (the union behind Amazon's order defect rate, with lateness).
DEFECTS: Final = (
    SELLER_CANCEL
    | LATE_SHIP
    | LATE_DELIVERY
    | REFUND
    | NOT_AS_DESCRIBED
    | NOT_RECEIVED
    | COUNTERFEIT
    | DISPUTE
    | LOW_RATING
)

#: Claims of a buyer at all merchants of all shards in 180 days from which on they are held against the buyer: twice as
#: many as where the buyer's orders are known too (features/claimants.py), as those who buy a lot claim more.
CLAIMS_EVERYWHERE: Final = 6
#: Defects that rest on the buyer's word; those of an excused order are not held against the seller.
BUYER_CLAIMS: Final = REFUND | NOT_AS_DESCRIBED | NOT_RECEIVED | COUNTERFEIT | DISPUTE

#: Claims of a return request that are the seller's to answer, by flag.
RETURN_FLAGS: Final = {
    "not_received": NOT_RECEIVED,
    "not_as_described": NOT_AS_DESCRIBED,
    "damaged": NOT_AS_DESCRIBED,
    "wrong_item": NOT_AS_DESCRIBED,
    "counterfeit": COUNTERFEIT,
    "no_longer_needed": 0,
    "other": 0,
}

#: Version of the stored record.
ORDER_VERSION: Final = 1
#: Event ids kept per order to drop repeats; an order with more events than this is no order any more.
SEEN_LIMIT: Final = 64

#: Absent inputs: false, and left out of what is stored.
NOT_SCORED: Final = Raw()
_encode = Encoder().encode
_decode = Decoder(list[float | None]).decode


class OrderRecord(Struct, omit_defaults=True, gc=False, rename={"version": "v"}):
    """Facts of one order as stored; times in ms, money in minor units. Absent fields are not known (yet)."""

    #: Absent means 1, for good.
    version: int = 1
    created: int | None = None
    buyer: int = 0
    total: int = 0
    gmv: int = 0
    items: int = 0
    quantity: int = 0
    ship_by: int = 0
    deliver_by: int = 0
    ship_to: str = ""
    ship_from: str = ""
    category: str = ""
    shipped: int | None = None
    first_scan: int | None = None
    delivered: int | None = None
    #: Digests of its tracking numbers: a parcel may be replaced, and an event may come again under another id.
    tracking: list[int] = []
    tracking_reused: bool = False
    cancelled: int | None = None
    cancelled_by: str = ""
    claims: int = 0
    refunded: int = 0
    seller_refund: bool = False
    disputed: bool = False
    dispute_lost: bool | None = None
    dispute_resolved: int = 0
    rating: int = 0
    rated_at: int = 0
    ship_overdue: bool = False
    delivery_overdue: bool = False
    flags: int = 0
    #: When the order's next timer fires, ms.
    timer: int = 0
    matured: bool = False
    #: Whether the segments have learned if this order came late.
    segment_known: bool = False
    #: Digests of the events applied, so that a repeated event counts once.
    seen: list[int] = []
    #: Inputs of the bad-order model as scored (see :func:`encode_scored`), and what was judged then.
    scored: Raw = NOT_SCORED
    probability: float | None = None
    level: int = 0
    assessment: str = ""
    #: The buyer's pseudonym as other shards know it, and how many claims that buyer made of late, on the orders of how
    #: many merchants; 0 while few.
    buyer_key: int = 0
    buyer_claims: int = 0
    buyer_claim_merchants: int = 0
    #: What the buyer paid at the checkout, other merchants' parts included; 0 where that is not more than the total.
    checkout_total: int = 0
    #: Inputs as scored when it was shipped and when it had arrived, and what was judged then.
    scored_dispatch: Raw = NOT_SCORED
    probability_dispatch: float | None = None
    scored_delivery: Raw = NOT_SCORED
    probability_delivery: float | None = None
    #: Two bits a stage (purchase, dispatch, delivery): whether its outcome was learned, and whether as bad.
    learned: int = 0
    #: Whether the challenger learns it, and its probability at purchase. Where that was the one published, the
    #: champion's is kept beside.
    sampled: bool = False
    challenged: float | None = None
    linear: float | None = None
    #: Where it was shipped from, if that is not where its listing ships from.
    shipped_from: str = ""
    #: Whether a weight was declared, and the weight, grams, while its order is not known.
    weighed: bool = False
    grams: int = 0
    #: What was found when it was placed, shipped, delivered: see features/parcels.py and features/devices.py.
    light: bool = False
    too_fast: bool = False
    shared_device: bool = False
    own_device: bool = False
    #: Whether its buyer's claim was counted, and whether it is held against the buyer: features/claimants.py.
    claimed: bool = False
    excused: bool = False
    #: Remedies recommended, one for each cause; its currency, where that is not the merchant's.
    remedies: list[Remedy] = []
    currency: str = ""
    #: Flags that an appeal showed to be wrong, and the rules that are not to find the same again: a digest of what they
    #: saw, by id.
    pardoned: int = 0
    pardons: dict[str, int] = {}
    #: The creator who drove it, and what the creator's shard was told of its flags (features/driven.py).
    creator: str = ""
    told: int = 0


def encode_scored(values: Sequence[float | None]) -> Raw:
    """The inputs that an order was scored by, kept as long as the order is: its outcome comes late and may change.

    They are encoded once and stay so: an order is stored with each of its events, and they are most of it.
    """
    return Raw(_encode(values))


def scored_values(order: OrderRecord, stage: int = 0) -> list[float | None] | None:
    """The inputs that an order was scored by at purchase (0), dispatch (1) or delivery (2), or ``None``."""
    kept = (order.scored, order.scored_dispatch, order.scored_delivery)[stage]
    return _decode(kept) if kept else None


def flags_of(order: OrderRecord) -> int:
    """Flags that follow from an order's facts; 0 before the order itself is known."""
    created = order.created
    if created is None:
        return 0
    cancelled = order.cancelled
    if cancelled is not None and (order.shipped is None or cancelled < order.shipped):
        flags = _cancelled_flags(order, cancelled)
    else:
        flags = _delivery_flags(order)
    flags |= order.claims
    if order.seller_refund:
        flags |= REFUND
    if order.disputed and order.dispute_lost is not False:
        flags |= DISPUTE
    if 0 < order.rating <= 2:
        flags |= LOW_RATING
    if order.tracking_reused or order.too_fast or (order.first_scan is not None and order.first_scan < created):
        flags |= IMPLAUSIBLE_SCAN
    if order.light:
        claimed = flags & DELIVERED_NOT_RECEIVED or order.claims & NOT_AS_DESCRIBED
        flags |= LIGHT_PARCEL | LIGHT_CLAIM if claimed else LIGHT_PARCEL
    if order.shipped_from and order.ship_from and order.shipped_from != order.ship_from:
        flags |= OTHER_ORIGIN
    if order.shared_device:
        flags |= SHARED_DEVICE
    if order.own_device:
        flags |= OWN_DEVICE
    if (order.excused or order.buyer_claims) and held_against_buyer(order):
        flags = flags & ~(BUYER_CLAIMS | DELIVERED_NOT_RECEIVED | LIGHT_CLAIM) | EXCUSED
    if order.pardoned:
        flags &= ~order.pardoned
    if flags & DEFECTS:
        flags |= BAD
    return flags


def held_against_buyer(order: OrderRecord) -> bool:
    """Whether the claims about an order are held against its buyer and not against the seller."""
    return order.excused or (
        order.buyer_claims >= CLAIMS_EVERYWHERE
        and order.buyer_claim_merchants > 1
        and (order.claims != 0 or order.disputed)
    )


def _cancelled_flags(order: OrderRecord, cancelled: int) -> int:
    """Flags of an order that was cancelled before it was shipped: it counts where somebody failed."""
    late = cancelled > order.ship_by
    if order.cancelled_by == "seller":
        return ORDERED | SHIP_DUE | OUTCOME_DUE | UNDELIVERABLE | SELLER_CANCEL | (LATE_SHIP if late else 0)
    if late:
        return ORDERED | SHIP_DUE | OUTCOME_DUE | UNDELIVERABLE | LATE_SHIP
    created = order.created or cancelled
    waited = order.cancelled_by == "buyer" and 2 * (cancelled - created) > order.ship_by - created
    return ORDERED | LATE_CANCEL if waited else ORDERED


def _delivery_flags(order: OrderRecord) -> int:
    flags = ORDERED | SHIP_DUE | OUTCOME_DUE
    delivered = order.delivered
    if order.shipped is not None:
        if order.shipped > order.ship_by:
            flags |= LATE_SHIP
    elif delivered is None:
        if order.ship_overdue:
            flags |= LATE_SHIP | OVERDUE
        else:
            flags |= OPEN
    if delivered is not None:
        if delivered > order.deliver_by:
            flags |= LATE_DELIVERY
        if order.claims & NOT_RECEIVED:
            flags |= DELIVERED_NOT_RECEIVED
    elif order.cancelled is not None:
        if order.cancelled > order.deliver_by:
            flags |= LATE_DELIVERY
    elif order.delivery_overdue:
        flags |= LATE_DELIVERY
    return flags


def ship_due_day(order: OrderRecord) -> int:
    """Day from which the order can be said to have shipped late or not."""
    return order.ship_by // DAY_MS + 1


def delivery_due_day(order: OrderRecord) -> int:
    """Day from which the order can be said to have been delivered late or not."""
    return order.deliver_by // DAY_MS + 1


def outcome_due(order: OrderRecord) -> int:
    """Time, ms, from which the order's outcome is taken as known: the beginning of a day."""
    return (order.deliver_by // DAY_MS + 1 + OUTCOME_DAYS) * DAY_MS


def retention_end(order: OrderRecord, retention_days: int) -> int:
    """Time, ms, at which an order whose creation is known is forgotten: so many days after its outcome is due, or after
    the day of ``ship_by`` where that is later still.
    """
    return max(outcome_due(order), ship_due_day(order) * DAY_MS) + retention_days * DAY_MS


def next_timer(order: OrderRecord, retention_days: int) -> int:
    """When the order must be looked at next, ms: ship-by, deliver-by, outcome due, or the end of its retention.

    An order whose creation is unknown is kept for the retention alone; the caller sets its timer.
    """
    if order.cancelled is None and order.delivered is None:
        unshipped = order.shipped is None and not order.ship_overdue
        if not order.delivery_overdue:
            # Comes before the outcome is due in any case.
            return (min(order.deliver_by, order.ship_by) if unshipped else order.deliver_by) + 1
        if unshipped:
            end = retention_end(order, retention_days) if order.matured else outcome_due(order)
            return min(order.ship_by + 1, end)
    return retention_end(order, retention_days) if order.matured else outcome_due(order)
