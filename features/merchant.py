"""One merchant: what is stored, and the running figures kept beside it while it is in use.

:class:`MerchantRecord` is what Redis holds, one readable JSON value. :class:`Merchant` wraps it with the running sums
that follow from it, so that reading a feature costs a list access.
"""

from typing import Final

from msgspec import Struct, field

from features import order as flags
from features.activity import Activity
from features.buyers import BuyerCounts, BuyerWindow
from features.enforcement_state import EnforcementState
from features.order import OUTCOME_DAYS, OrderRecord, delivery_due_day, flags_of, ship_due_day
from features.windows import DAY_MS, DayCounters

#: Version of the stored record; a worker refuses a newer one.
STATE_VERSION: Final = 1

# Counters by the day of the order.
ORDERS, GMV, CANCELS, LATE_SHIPS, LATE_DELIVERIES, REFUNDS, NOT_AS_DESCRIBED, NOT_RECEIVED = range(8)
COUNTERFEITS, DISPUTES, LOW_RATINGS, BAD_ORDERS, IMPLAUSIBLE_SCANS, DELIVERED_NOT_RECEIVED = range(8, 14)
PLACED_WIDTH: Final = 14
# Counters by ship-due day.
SHIP_DUE, SHIP_CANCELLED, SHIP_LATE = range(3)
SHIP_WIDTH: Final = 3
# Counters by delivery-due day; all but the first two are read with a lag of OUTCOME_DAYS.
DELIVERY_DUE, DELIVERY_LATE, OUTCOME_DUE, OUTCOME_REFUND, OUTCOME_NOT_AS_DESCRIBED, OUTCOME_NOT_RECEIVED = range(6)
OUTCOME_COUNTERFEIT, OUTCOME_DISPUTE, OUTCOME_LOW_RATING, OUTCOME_BAD = range(6, 10)
OUTCOME_WIDTH: Final = 10
# Counters by the day of a listing's change.
LISTINGS_CREATED, LISTING_EDITS, LISTINGS_REMOVED = range(3)
CHURN_WIDTH: Final = 3

#: What each flag of an order adds to: counter by order day, by ship-due day, by delivery-due day (-1: none).
_EFFECTS: Final[tuple[tuple[int, int, int, int], ...]] = (
    (flags.ORDERED, ORDERS, -1, -1),
    (flags.SHIP_DUE, -1, SHIP_DUE, -1),
    (flags.DELIVERY_DUE, -1, -1, DELIVERY_DUE),
    (flags.OUTCOME_DUE, -1, -1, OUTCOME_DUE),
    (flags.SELLER_CANCEL, CANCELS, SHIP_CANCELLED, -1),
    (flags.LATE_SHIP, LATE_SHIPS, SHIP_LATE, -1),
    (flags.LATE_DELIVERY, LATE_DELIVERIES, -1, DELIVERY_LATE),
    (flags.REFUND, REFUNDS, -1, OUTCOME_REFUND),
    (flags.NOT_AS_DESCRIBED, NOT_AS_DESCRIBED, -1, OUTCOME_NOT_AS_DESCRIBED),
    (flags.NOT_RECEIVED, NOT_RECEIVED, -1, OUTCOME_NOT_RECEIVED),
    (flags.COUNTERFEIT, COUNTERFEITS, -1, OUTCOME_COUNTERFEIT),
    (flags.DISPUTE, DISPUTES, -1, OUTCOME_DISPUTE),
    (flags.LOW_RATING, LOW_RATINGS, -1, OUTCOME_LOW_RATING),
    (flags.BAD, BAD_ORDERS, -1, OUTCOME_BAD),
    (flags.IMPLAUSIBLE_SCAN, IMPLAUSIBLE_SCANS, -1, -1),
    (flags.DELIVERED_NOT_RECEIVED, DELIVERED_NOT_RECEIVED, -1, -1),
)

#: Rates whose prior is fitted on all merchants, with where their (orders, defects) of 90 days stand: family,
#: denominator, numerator. Families: 0 ship, 1 delivery without lag, 2 outcome.
RATES: Final[dict[str, tuple[int, int, int]]] = {
    "cancel": (0, SHIP_DUE, SHIP_CANCELLED),
    "late_ship": (0, SHIP_DUE, SHIP_LATE),
    "late_delivery": (1, DELIVERY_DUE, DELIVERY_LATE),
    "refund": (2, OUTCOME_DUE, OUTCOME_REFUND),
    "not_as_described": (2, OUTCOME_DUE, OUTCOME_NOT_AS_DESCRIBED),
    "not_received": (2, OUTCOME_DUE, OUTCOME_NOT_RECEIVED),
    "counterfeit": (2, OUTCOME_DUE, OUTCOME_COUNTERFEIT),
    "dispute": (2, OUTCOME_DUE, OUTCOME_DISPUTE),
    "low_rating": (2, OUTCOME_DUE, OUTCOME_LOW_RATING),
    "bad_order": (2, OUTCOME_DUE, OUTCOME_BAD),
}

#: Event ids of merchant-level events kept to drop repeats, and tracking numbers kept to see reuse.
SEEN_LIMIT: Final = 32
TRACKING_LIMIT: Final = 16
CHANGES_LIMIT: Final = 8


class MerchantRecord(Struct, omit_defaults=True):
    """A merchant as stored. Times in ms, money in minor units of ``currency`` (that of its first order or listing)."""

    version: int = STATE_VERSION
    first_seen: int = 0
    #: Highest event time seen, timers included: the merchant's as-of time.
    as_of: int = 0
    registered: int = 0
    kind: str = ""
    country: str = ""
    verified: list[str] = []
    closed: int = 0
    currency: str = ""
    placed: dict[int, list[int]] = field(default_factory=dict)
    ship: dict[int, list[int]] = field(default_factory=dict)
    outcome: dict[int, list[int]] = field(default_factory=dict)
    churn: dict[int, list[int]] = field(default_factory=dict)
    activity: Activity = field(default_factory=Activity)
    buyers: BuyerWindow = field(default_factory=BuyerWindow)
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
    #: (orders, defects) of 90 days that this merchant contributes to the shard's priors, in the order of RATES.
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


class Merchant:
    """A merchant in use: the stored record and the running figures that follow from it."""

    __slots__ = ("buyers", "churn", "day", "id", "outcome", "placed", "record", "ship")

    def __init__(self, merchant_id: str, record: MerchantRecord) -> None:
        self.id = merchant_id
        self.record = record
        self.day = day = record.as_of // DAY_MS
        self.placed = DayCounters(PLACED_WIDTH, day, record.placed)
        self.ship = DayCounters(SHIP_WIDTH, day, record.ship)
        self.outcome = DayCounters(OUTCOME_WIDTH, day, record.outcome, (0, OUTCOME_DAYS))
        self.churn = DayCounters(CHURN_WIDTH, day, record.churn)
        self.buyers = BuyerCounts(record.buyers)

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
        day = created // DAY_MS
        ship_day = ship_due_day(order)
        due_day = delivery_due_day(order)
        for bit, placed, ship, outcome in _EFFECTS:
            if changed & bit:
                sign = 1 if new & bit else -1
                if placed >= 0:
                    self.placed.add(day, placed, sign)
                if ship >= 0:
                    self.ship.add(ship_day, ship, sign)
                if outcome >= 0:
                    self.outcome.add(due_day, outcome, sign)
        if changed & flags.OVERDUE:
            self.record.overdue += 1 if new & flags.OVERDUE else -1
        return changed

    def orders_and_defects(self, rate: str, window: int) -> tuple[int, int]:
        """Orders old enough to have failed, and those of them that did, in the window at that index."""
        family, due, defect = RATES[rate]
        if family == 0:
            sums = self.ship.sums[0]
            start = window * SHIP_WIDTH
        else:
            sums = self.outcome.sums[family - 1]
            start = window * OUTCOME_WIDTH
        return sums[start + due], sums[start + defect]

    def contributions(self) -> list[int]:
        """(orders, defects) of the 90-day window for each of RATES, flat: what the shard's priors are fitted on."""
        flat: list[int] = []
        for rate in RATES:
            flat.extend(self.orders_and_defects(rate, 3))
        return flat
