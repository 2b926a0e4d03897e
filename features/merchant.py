"""One merchant: what is stored, and the running figures kept beside it while it is in use.

:class:`MerchantRecord` is what Redis holds, one readable JSON value. :class:`Merchant` wraps it with the running sums
that follow from it, so that reading a feature costs a list access.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from features import order as flags
from features.activity import Activity
from features.bucket_text import unpack_buckets
from features.buyers import BuyerCounts
from features.credit import CreditState
from features.duty_state import DutyState
from features.enforcement_state import EnforcementState
from features.inform import Sales
from features.keys import key_prefix
from features.links import Link
from features.order import OUTCOME_DAYS, OrderRecord, delivery_due_day, flags_of, ship_due_day
from features.population import PRIOR_FAMILIES
from features.promoters import Promoter
from features.windows import DAY_MS, WINDOWS, DayCounters

#: Version of the stored record; a worker refuses a newer one. From version 2 on every merchant has a timer, unless it
#: was laid to rest.
STATE_VERSION: Final = 2

# Counters by the day of the order.
ORDERS, GMV, CANCELS, LATE_SHIPS, LATE_DELIVERIES, REFUNDS, NOT_AS_DESCRIBED, NOT_RECEIVED = range(8)
COUNTERFEITS, DISPUTES, LOW_RATINGS, BAD_ORDERS, IMPLAUSIBLE_SCANS, DELIVERED_NOT_RECEIVED = range(8, 14)
LIGHT_PARCELS, LIGHT_CLAIMS, OTHER_ORIGINS, SHARED_DEVICES, OWN_DEVICES, EXCUSED_CLAIMS = range(14, 20)
LATE_CANCELS, FAILED_GMV = range(20, 22)
PLACED_WIDTH: Final = 22
# Counters by ship-due day.
SHIP_DUE, SHIP_CANCELLED, SHIP_LATE = range(3)
SHIP_WIDTH: Final = 3
# Counters by delivery-due day; all but the first two are read with a lag of OUTCOME_DAYS.
OUTCOME_DUE, DELIVERY_LATE, OUTCOME_BAD, OUTCOME_LOW_RATING, OUTCOME_REFUND = range(5)
OUTCOME_NOT_AS_DESCRIBED, OUTCOME_NOT_RECEIVED, OUTCOME_COUNTERFEIT, OUTCOME_DISPUTE = range(5, 9)
#: Orders due for an outcome but never for delivery, as they were cancelled before they were shipped.
UNDELIVERABLE: Final = 9
OUTCOME_WIDTH: Final = 10
# Counters by the day of a listing's change.
LISTINGS_CREATED, LISTING_EDITS, LISTINGS_REMOVED, PRICE_CUTS, NEW_CATEGORIES = range(5)
CHURN_WIDTH: Final = 5

#: What each flag of an order adds to: counter by order day, and by ship-due day (-1: none).
_EFFECTS: Final[dict[int, tuple[int, int]]] = {
    flags.ORDERED: (ORDERS, -1),
    flags.SHIP_DUE: (-1, SHIP_DUE),
    flags.SELLER_CANCEL: (CANCELS, SHIP_CANCELLED),
    flags.LATE_SHIP: (LATE_SHIPS, SHIP_LATE),
    flags.LATE_DELIVERY: (LATE_DELIVERIES, -1),
    flags.REFUND: (REFUNDS, -1),
    flags.NOT_AS_DESCRIBED: (NOT_AS_DESCRIBED, -1),
    flags.NOT_RECEIVED: (NOT_RECEIVED, -1),
    flags.COUNTERFEIT: (COUNTERFEITS, -1),
    flags.DISPUTE: (DISPUTES, -1),
    flags.LOW_RATING: (LOW_RATINGS, -1),
    flags.BAD: (BAD_ORDERS, -1),
    flags.IMPLAUSIBLE_SCAN: (IMPLAUSIBLE_SCANS, -1),
    flags.DELIVERED_NOT_RECEIVED: (DELIVERED_NOT_RECEIVED, -1),
    flags.LIGHT_PARCEL: (LIGHT_PARCELS, -1),
    flags.LIGHT_CLAIM: (LIGHT_CLAIMS, -1),
    flags.OTHER_ORIGIN: (OTHER_ORIGINS, -1),
    flags.SHARED_DEVICE: (SHARED_DEVICES, -1),
    flags.OWN_DEVICE: (OWN_DEVICES, -1),
    flags.EXCUSED: (EXCUSED_CLAIMS, -1),
    flags.LATE_CANCEL: (LATE_CANCELS, -1),
}
#: What it adds to by delivery-due day, where the order counts as due for an outcome.
_OUTCOME_EFFECTS: Final[dict[int, int]] = {
    flags.OUTCOME_DUE: OUTCOME_DUE,
    flags.UNDELIVERABLE: UNDELIVERABLE,
    flags.LATE_DELIVERY: DELIVERY_LATE,
    flags.REFUND: OUTCOME_REFUND,
    flags.NOT_AS_DESCRIBED: OUTCOME_NOT_AS_DESCRIBED,
    flags.NOT_RECEIVED: OUTCOME_NOT_RECEIVED,
    flags.COUNTERFEIT: OUTCOME_COUNTERFEIT,
    flags.DISPUTE: OUTCOME_DISPUTE,
    flags.LOW_RATING: OUTCOME_LOW_RATING,
    flags.BAD: OUTCOME_BAD,
}
#: What makes the value of an order count as failed: all that is the seller's doing.
_FAILING: Final = flags.SELLER_CANCEL | flags.LATE_SHIP | flags.BUYER_CLAIMS | flags.LATE_CANCEL
_COUNTED: Final = sum(_EFFECTS)
_COUNTED_AS_OUTCOME: Final = sum(_OUTCOME_EFFECTS)

#: Rates whose prior is fitted on all merchants, with where their (orders, defects) of 90 days stand: family,
#: denominator, numerator. Families: 0 ship, 1 delivery without lag, 2 outcome.
RATES: Final[dict[str, tuple[int, int, int]]] = {
    rate: (family, OUTCOME_DUE if family else SHIP_DUE, defect)
    for (rate, family), defect in zip(
        PRIOR_FAMILIES.items(),
        (
            SHIP_CANCELLED,
            SHIP_LATE,
            DELIVERY_LATE,
            OUTCOME_REFUND,
            OUTCOME_NOT_AS_DESCRIBED,
            OUTCOME_NOT_RECEIVED,
            OUTCOME_COUNTERFEIT,
            OUTCOME_DISPUTE,
            OUTCOME_LOW_RATING,
            OUTCOME_BAD,
        ),
        strict=True,
    )
}


def rate_positions(rate: str, window: int) -> tuple[int, int, int]:
    """Where a rate's due orders, its defects and the undeliverable orders stand among the sums of its counters.

    Those are the counters by ship-due day for family 0, by delivery-due day for the others; only the due orders of
    family 1 are less the undeliverable ones.
    """
    family, due, defect = RATES[rate]
    width, lag = ((SHIP_WIDTH, 0), (OUTCOME_WIDTH, 0), (OUTCOME_WIDTH, 1))[family]
    start = (lag * len(WINDOWS) + window) * width
    return start + due, start + defect, start + UNDELIVERABLE


class _Moves(NamedTuple):
    """What changed flags of an order add to its merchant's counters, as (counter, 1 or -1), and to single figures."""

    placed: tuple[tuple[int, int], ...]
    ship: tuple[tuple[int, int], ...]
    outcome: tuple[tuple[int, int], ...]
    failing: int
    overdue: int
    open: int


@lru_cache(maxsize=4_096)
def _moves(old: int, new: int) -> _Moves:
    """What follows from flags that were ``old`` and are ``new``: orders go a few ways only, so it is mostly known."""
    placed, ship = [], []
    for bit in _bits((old ^ new) & _COUNTED):
        by_order_day, by_ship_day = _EFFECTS[bit]
        sign = 1 if new & bit else -1
        if by_order_day >= 0:
            placed.append((by_order_day, sign))
        if by_ship_day >= 0:
            ship.append((by_ship_day, sign))
    # A rate counts the defects of those orders alone that it counts as due.
    due, before = (each if each & flags.OUTCOME_DUE else 0 for each in (new, old))
    outcome = [(_OUTCOME_EFFECTS[bit], 1 if due & bit else -1) for bit in _bits((due ^ before) & _COUNTED_AS_OUTCOME)]
    failing, overdue, opened = (bool(new & mask) - bool(old & mask) for mask in (_FAILING, flags.OVERDUE, flags.OPEN))
    return _Moves(tuple(placed), tuple(ship), tuple(outcome), failing, overdue, opened)


def _bits(flags: int) -> Iterator[int]:
    """The single bits of flags, from the lowest."""
    while flags:
        bit = flags & -flags
        yield bit
        flags ^= bit


_TURNOVER: Final = WINDOWS.index(30) * PLACED_WIDTH + GMV
_FAR: Final = len(WINDOWS) - 1
_FAR_SHIP_DUE: Final = rate_positions("late_ship", _FAR)[0]
_FAR_DELIVERY_DUE, _, _FAR_UNDELIVERABLE = rate_positions("late_delivery", _FAR)
_FAR_OUTCOME_DUE: Final = rate_positions("refund", _FAR)[0]
#: The defects of 90 days, in the order of RATES: those by ship-due day come first.
_far_ship_defects: Final = itemgetter(*[rate_positions(rate, _FAR)[1] for rate in RATES if RATES[rate][0] == 0])
_far_outcome_defects: Final = itemgetter(*[rate_positions(rate, _FAR)[1] for rate in RATES if RATES[rate][0] != 0])

#: Event ids of merchant-level events kept to drop repeats, and tracking numbers kept to see reuse.
SEEN_LIMIT: Final = 32
TRACKING_LIMIT: Final = 5
CHANGES_LIMIT: Final = 8
VERIFIED_LIMIT: Final = 24
#: Devices of its own, categories and origins of parcels kept of a merchant.
OWN_DEVICES_LIMIT: Final = 4
CATEGORIES_LIMIT: Final = 12
ORIGINS_LIMIT: Final = 8

_MINUTE_MS: Final = 60_000
#: Shortest time to ship that the backlog reckons with, minutes. An order is known to be overdue only when the watermark
#: has passed its promise, and until then one of a few minutes would count many times.
_LEAST_HANDLING: Final = 360
#: Parts of an order in which the backlog is kept: whole numbers, so that what was added can be taken out exactly.
_BACKLOG_PARTS: Final = 10_000_000


#: Short names in the stored JSON for fields that every merchant has.
_STORED_AS: Final = {
    "first_seen": "since",
    "last_order": "ordered",
    "quiet_ms": "quiet",
    "live_listings": "live",
    "levelled": "levels",
    "contributed": "prior",
    "assessed_at": "assessed",
    "probability": "bad",
    "registered": "opened",
    "backlog": "open",
    "first_order_day": "sold",
    "woke_day": "woke",
    "categories": "cats",
    "turnover": "trade",
}


class MerchantRecord(Struct, omit_defaults=True, rename=_STORED_AS):
    """A merchant as stored. Times in ms, money in minor units of ``currency`` (that of its first order or listing)."""

    #: Absent means 1, for good: defaults are left out, and a later version must show in what is stored.
    version: int = 1
    first_seen: int = 0
    #: Highest event time seen, timers included: the merchant's as-of time.
    as_of: int = 0
    registered: int = 0
    kind: str = ""
    country: str = ""
    verified: list[str] = []
    closed: int = 0
    currency: str = ""
    #: Day buckets in the form of :func:`features.bucket_text.pack_buckets`: by the day of the order, by ship-due day,
    #: by delivery-due day, and listing changes by their day. In use they live in the :class:`Merchant`.
    placed: str = ""
    ship: str = ""
    outcome: str = ""
    churn: str = ""
    activity: Activity = field(default_factory=Activity)
    #: Buyers' pseudonyms by day of order, packed alike, and how far the sample of buyers is thinned.
    buyers: str = ""
    buyer_level: int = 0
    #: Time of the latest order, and how long it had been quiet before the present activity.
    last_order: int = 0
    quiet_ms: int = 0
    overdue: int = 0
    live_listings: int = 0
    #: Listings with a price level, and the sum of their levels.
    levelled: int = 0
    level_sum: float = 0.0
    changes: list[int] = []
    tracking: list[int] = []
    seen: list[int] = []
    #: What this merchant contributes to the shard's priors, from its last 90 days: orders due to ship, for delivery and
    #: for an outcome, then the defects of each rate in the order of RATES, without trailing zeros.
    contributed: list[int] = []
    sequence: int = 0
    #: Index of the risk level, probability of a bad order as last assessed, and anomaly percentile.
    level: int = 0
    probability: float = 0.0
    anomaly: float | None = None
    assessed_at: int = 0
    assessment: str = ""
    #: Rules that stood against the merchant at the last assessment.
    fired: list[str] = []
    enforcement: EnforcementState | None = None
    timer: int = 0
    #: Orders in another currency than the merchant's, left out of GMV.
    foreign_orders: int = 0
    #: Feedback: reports about the merchant, review verdicts, appeal events.
    reports: int = 0
    violations: int = 0
    cleared: int = 0
    appeals: int = 0
    #: Merchants with whom it has something in common, and whether these were told that it is under enforcement for
    #: malice.
    links: list[Link] = []
    flagged: bool = False
    #: Day and end of its restrictions as those were told last whom it is closely linked to.
    linked_told: list[int] = []
    #: Orders open to be shipped: their number, the parts of an order that fall due each minute, and the same by the
    #: minutes at which the orders were placed, counted from ``first_seen``.
    backlog: list[int] = []
    #: Day of its first order.
    first_order_day: int = 0
    #: Day on which it sold again after it had been quiet.
    woke_day: int = 0
    #: Latest change of where its money goes (bank, owner) and of its device, ms.
    payout_changed: int = 0
    device_changed: int = 0
    #: Pseudonyms of its own devices, the latest last; devices of its orders, see features/devices.py.
    own_devices: list[int] = []
    devices: str = ""
    #: Digests of the categories it has offered.
    categories: list[int] = []
    #: Origins of parcels other than those its listings name.
    origins: list[str] = []
    #: A bit for each kind of account value that was heard of (features.exchange.COMMON_KINDS).
    values: int = 0
    credit: CreditState | None = None
    #: Sales of two years by day, in a currency that a law counts; the law's duties.
    sales: Sales | None = None
    duties: DutyState | None = None
    #: GMV of 30 days as it is contained in the shard's turnover (features/population.py has why it is stored so).
    turnover: int = 0
    #: Creators who drive its turnover.
    promoters: list[Promoter] = []
    #: What their shards were told last: 1 under enforcement for malice, 2 suspended, or both.
    shop_told: int = 0
    #: Creators who were told so and have left ``promoters`` since.
    promoters_left: list[str] = []


class Merchant:
    """A merchant in use: the stored record and the running figures that follow from it.

    Attributes
    ----------
    prefix
        What the keys of its orders and listings begin with.
    day_end
        When the day of its as-of time ends, ms.
    """

    __slots__ = ("buyers", "churn", "day", "day_end", "id", "outcome", "placed", "prefix", "record", "ship")

    def __init__(self, merchant_id: str, record: MerchantRecord) -> None:
        self.id = merchant_id
        self.record = record
        self.prefix = key_prefix(merchant_id)
        self.day = day = record.as_of // DAY_MS
        self.day_end = (day + 1) * DAY_MS
        self.placed = DayCounters(PLACED_WIDTH, day, unpack_buckets(record.placed))
        self.ship = DayCounters(SHIP_WIDTH, day, unpack_buckets(record.ship))
        self.outcome = DayCounters(OUTCOME_WIDTH, day, unpack_buckets(record.outcome), (0, OUTCOME_DAYS))
        self.churn = DayCounters(CHURN_WIDTH, day, unpack_buckets(record.churn))
        self.buyers = BuyerCounts(day, unpack_buckets(record.buyers), record.buyer_level)

    @property
    def kind(self) -> Literal["merchant"]:
        """That it is a merchant, not a creator."""
        return "merchant"

    def packed(self) -> MerchantRecord:
        """The record with everything in it, ready to be stored."""
        record = self.record
        record.version = STATE_VERSION
        # Most events of a merchant change one of these or none, and all are a good part of what a checkpoint costs.
        record.placed = self.placed.packed(record.placed)
        record.ship = self.ship.packed(record.ship)
        record.outcome = self.outcome.packed(record.outcome)
        record.churn = self.churn.packed(record.churn)
        record.buyers = self.buyers.packed(record.buyers)
        record.buyer_level = self.buyers.level
        return record

    def advance(self, time: int) -> bool:
        """Move the as-of time on to ``time``; true when that began a new day."""
        record = self.record
        if time <= record.as_of:
            return False
        if not record.as_of:
            record.first_seen = time
        record.as_of = time
        day = time // DAY_MS
        if day == self.day:
            return False
        self.day = day
        self.day_end = (day + 1) * DAY_MS
        self.placed.advance(day)
        self.ship.advance(day)
        self.outcome.advance(day)
        self.churn.advance(day)
        self.buyers.advance(day)
        return True

    def reflag(self, order: OrderRecord) -> int:
        """Recompute an order's flags after its facts changed, and apply the difference to the counters.

        Returns the bits that changed.
        """
        new = flags_of(order)
        old = order.flags
        changed = new ^ old
        if not changed:
            return 0
        order.flags = new
        created = order.created
        if created is None:
            return changed
        moves = _moves(old, new)
        for counter, sign in moves.placed:
            self.placed.add(created // DAY_MS, counter, sign)
        for counter, sign in moves.ship:
            self.ship.add(ship_due_day(order), counter, sign)
        if moves.failing:
            self.placed.add(created // DAY_MS, FAILED_GMV, moves.failing * order.gmv)
        for counter, sign in moves.outcome:
            self.outcome.add(delivery_due_day(order), counter, sign)
        if moves.overdue:
            self.record.overdue += moves.overdue
        if moves.open:
            self._wait_for(order, created, moves.open)
        enforcement = self.record.enforcement
        if enforcement is not None and enforcement.facts:
            enforcement.note(changed & new, changed & old, order.buyer)
        return changed

    def _wait_for(self, order: OrderRecord, created: int, sign: int) -> None:
        """Take an order into the backlog, or out of it."""
        record = self.record
        parts = sign * (_BACKLOG_PARTS // max(_LEAST_HANDLING, (order.ship_by - created) // _MINUTE_MS))
        placed = parts * ((created - record.first_seen) // _MINUTE_MS)
        if not record.backlog:
            record.backlog = [sign, parts, placed]
            return
        record.backlog[0] += sign
        record.backlog[1] += parts
        record.backlog[2] += placed
        if not record.backlog[0]:
            record.backlog = []

    def release(self, order: OrderRecord) -> None:
        """An order is forgotten: it is overdue, or waited for, no longer."""
        if order.flags & flags.OVERDUE:
            self.record.overdue -= 1
        if order.flags & flags.OPEN and order.created is not None:
            self._wait_for(order, order.created, -1)

    def backlog(self) -> float:
        """Orders that would have been shipped by now if shipping were spread evenly over the time promised for it.

        Each open order counts with the share of that time that has passed, an overdue one as 1.
        """
        record = self.record
        if not record.backlog:
            return float(record.overdue)
        minutes = (record.as_of - record.first_seen) // _MINUTE_MS
        return record.overdue + max(0, minutes * record.backlog[1] - record.backlog[2]) / _BACKLOG_PARTS

    def turnover(self) -> int:
        """GMV of the orders of 30 days, minor units."""
        return self.placed.sums[_TURNOVER]

    def orders_and_defects(self, rate: str, window: int) -> tuple[int, int]:
        """Orders old enough to have failed, and those of them that did, in the window at that index."""
        due, defect, undeliverable = rate_positions(rate, window)
        family = RATES[rate][0]
        sums = self.outcome.sums if family else self.ship.sums
        return sums[due] - (sums[undeliverable] if family == 1 else 0), sums[defect]

    def contributions(self) -> list[int]:
        """What the shard's priors are fitted on: see :attr:`MerchantRecord.contributed`."""
        ship = self.ship.sums
        outcome = self.outcome.sums
        flat = [
            ship[_FAR_SHIP_DUE],
            outcome[_FAR_DELIVERY_DUE] - outcome[_FAR_UNDELIVERABLE],
            outcome[_FAR_OUTCOME_DUE],
            *_far_ship_defects(ship),
            *_far_outcome_defects(outcome),
        ]
        while flat and not flat[-1]:
            flat.pop()
        return flat
