"""One creator: what is stored of who drives orders to merchants, and the running figures kept beside it.

All of it is told by the shards of the merchants (:mod:`features.driven`); a creator has no events of its own but
feedback.
"""

from typing import Final, Literal

from msgspec import Struct, field

from features.bucket_text import unpack_buckets
from features.buyers import BuyerCounts
from features.credit import CreditState
from features.driven import COUNTERFEITS, GMV, HARMED, ORDERS, OUTCOME_WIDTH, PLACED_WIDTH, DrivenCounts
from features.enforcement_state import EnforcementState
from features.order import OUTCOME_DAYS
from features.promoters import decayed
from features.room import make_room
from features.windows import DAY_MS, DayCounters

#: Version of the stored record.
CREATOR_VERSION: Final = 1
#: Merchants kept of a creator; those to whom least was driven of late leave.
SHOPS_LIMIT: Final = 60
#: Harmed buyers kept of a creator; those harmed longest ago leave. Rules ask for a handful.
BUYERS_LIMIT: Final = 60
#: Violations of promoted goods kept, and for how long, days.
VIOLATIONS_LIMIT: Final = 64
VIOLATION_DAYS: Final = 180
#: Event ids of feedback kept to drop repeats.
SEEN_LIMIT: Final = 32


class Shop(Struct, array_like=True, gc=False):
    """A merchant as a creator's shard knows it.

    Attributes
    ----------
    shard
        The merchant's.
    day
        Of the latest order driven there.
    gmv, at
        Turnover driven there, decayed with a half-life of 28 days, as of a time (ms).
    orders, harmed
        Orders driven there, and those of them that were harm, since it is known.
    harmed_day
        When harm was last told of.
    flagged, suspended
        Whether the merchant is under enforcement for malice, and whether it is suspended.
    flagged_at, share
        When it last came under enforcement for malice (ms), and the share of its turnover that the creator drove then.
    """

    shard: int
    day: int = 0
    gmv: float = 0.0
    at: int = 0
    orders: int = 0
    harmed: int = 0
    harmed_day: int = 0
    flagged: bool = False
    suspended: bool = False
    flagged_at: int = 0
    share: float = 0.0

    def add_turnover(self, amount: int, time: int) -> None:
        """Add turnover of a day that begins at ``time``, ms; of an earlier day, what is left of it."""
        if time >= self.at:
            self.gmv = float(round(decayed(self.gmv, time - self.at) + amount))
            self.at = time
        else:
            self.gmv = float(round(self.gmv + decayed(amount, self.at - time)))


class PromotedViolation(Struct, frozen=True, array_like=True, gc=False):
    """A decision against a listing that the creator was promoting, by the policy that it broke."""

    policy: str
    merchant: str
    listing: str
    decision: str
    at: int


class CreatorRecord(Struct, omit_defaults=True, rename={"version": "v"}):
    """A creator as stored. Times in ms, money in minor units of ``currency`` (that of the first order driven)."""

    #: Absent means 1, for good.
    version: int = 1
    first_seen: int = 0
    #: Highest event time seen, timers included.
    as_of: int = 0
    currency: str = ""
    #: Day buckets in the form of :func:`features.bucket_text.pack_buckets`, by the day of the order and by delivery-due
    #: day. In use they live in the :class:`Creator`.
    placed: str = ""
    outcome: str = ""
    shops: dict[str, Shop] = field(default_factory=dict)
    violations: list[PromotedViolation] = field(default_factory=list)
    #: Buyers' pseudonyms by day of order, packed alike, and how far the sample of buyers is thinned.
    buyers: str = ""
    buyer_level: int = 0
    #: Pseudonym -> harmed orders of that buyer, and the day on which that was last told.
    harmed: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: Orders in another currency than the creator's, left out of GMV.
    foreign_orders: int = 0
    sequence: int = 0
    #: Rank of the risk level, share of harmed orders as last assessed.
    level: int = 0
    probability: float = 0.0
    assessed_at: int = 0
    assessment: str = ""
    fired: list[str] = field(default_factory=list)
    enforcement: EnforcementState | None = None
    credit: CreditState | None = None
    timer: int = 0
    seen: list[int] = field(default_factory=list)
    #: Whether the merchants that it drives orders to were told that it is under enforcement for malice.
    flagged: bool = False
    #: Feedback: reports about the creator, review verdicts, appeal events.
    reports: int = 0
    found: int = 0
    cleared: int = 0
    appeals: int = 0


class Creator:
    """A creator in use: the stored record and the running figures that follow from it."""

    __slots__ = ("buyers", "day", "id", "outcome", "placed", "record")

    def __init__(self, creator_id: str, record: CreatorRecord) -> None:
        self.id = creator_id
        self.record = record
        self.day = day = record.as_of // DAY_MS
        self.placed = DayCounters(PLACED_WIDTH, day, unpack_buckets(record.placed))
        self.outcome = DayCounters(OUTCOME_WIDTH, day, unpack_buckets(record.outcome), (0, OUTCOME_DAYS))
        self.buyers = BuyerCounts(day, unpack_buckets(record.buyers), record.buyer_level)

    @property
    def kind(self) -> Literal["creator"]:
        """That it is a creator, not a merchant."""
        return "creator"

    def packed(self) -> CreatorRecord:
        """The record with everything in it, ready to be stored."""
        record = self.record
        record.version = CREATOR_VERSION
        record.placed = self.placed.packed(record.placed)
        record.outcome = self.outcome.packed(record.outcome)
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
        self.placed.advance(day)
        self.outcome.advance(day)
        self.buyers.advance(day)
        if record.violations:
            oldest = time - VIOLATION_DAYS * DAY_MS
            record.violations = [each for each in record.violations if each.at > oldest]
        return True

    def count(self, merchant: str, shard: int, counts: DrivenCounts, at: int) -> bool:
        """Take in what became of orders that it drove to a merchant; true if any was harm that was not known."""
        record = self.record
        if not record.currency:
            record.currency = counts.currency
        shop = self.shop(merchant, shard)
        harmed = 0
        for day, bucket in counts.placed.items():
            self._count_placed(shop, day, bucket, ours=counts.currency == record.currency)
            harmed += bucket[HARMED]
        for day, bucket in counts.outcome.items():
            for counter, amount in enumerate(bucket):
                if amount:
                    self.outcome.add(day, counter, amount)
        shop.harmed += harmed
        self.note_facts("creator_harmed_orders", harmed)
        self.note_facts("creator_counterfeits", sum([bucket[COUNTERFEITS] for bucket in counts.placed.values()]))
        if harmed > 0:
            shop.harmed_day = max(shop.harmed_day, at // DAY_MS)
        for buyer, number in counts.harmed.items():
            self._harmed(buyer, number, at // DAY_MS)
        for day, buyers in counts.buyers.items():
            for buyer in buyers:
                self.buyers.add(day, buyer)
        return harmed > 0

    def _count_placed(self, shop: Shop, day: int, bucket: list[int], *, ours: bool) -> None:
        """Count orders of a day; amounts in another currency than the creator's (not ``ours``) are left out."""
        for counter, amount in enumerate(bucket):
            if amount and (ours or counter != GMV):
                self.placed.add(day, counter, amount)
        orders = bucket[ORDERS]
        shop.orders += orders
        if orders > 0:
            shop.day = max(shop.day, day)
        if not ours:
            self.record.foreign_orders += orders
        elif bucket[GMV]:
            shop.add_turnover(bucket[GMV], day * DAY_MS)

    def shop(self, merchant: str, shard: int) -> Shop:
        """What is known of a merchant, made when it is first told of."""
        shops = self.record.shops
        shop = shops.get(merchant)
        if shop is None:
            make_room(shops, SHOPS_LIMIT, lambda each: float("inf") if each.flagged else each.gmv)
            shop = shops[merchant] = Shop(shard)
        return shop

    def _harmed(self, buyer: int, number: int, day: int) -> None:
        buyers = self.record.harmed
        known, last = buyers.get(buyer, (0, 0))
        left = known + number
        if left > 0:
            if not known:
                make_room(buyers, BUYERS_LIMIT, lambda each: each[1])
            buyers[buyer] = left, max(last, day) if number > 0 else last
        elif known:
            del buyers[buyer]

    def blame(self, violation: PromotedViolation) -> bool:
        """Note a violation of goods that it promoted; false if it is known."""
        violations = self.record.violations
        if any(each.decision == violation.decision for each in violations):
            return False
        self.record.violations = [*violations[1 - VIOLATIONS_LIMIT :], violation]
        return True

    def note_facts(self, kind: str, number: int) -> None:
        """Count facts since the decisions against it, see :mod:`features.facts`."""
        enforcement = self.record.enforcement
        if enforcement is not None and number:
            for since in enforcement.facts:
                since.add(kind, number)

    def clear(self, decision: str) -> bool:
        """A decision was wrong: what followed from it is not held against the creator; true if it was."""
        left = [each for each in self.record.violations if each.decision != decision]
        changed = len(left) < len(self.record.violations)
        self.record.violations = left
        return changed
