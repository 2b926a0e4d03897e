"""The state of one shard: everything that ``apply`` reads and writes.

A shard is one partition number across the input topics. Its records live in caches here; the worker loads what a
flush needs before it is applied, and stores what it touched at the next checkpoint. A key that is not in a cache
after loading does not exist.
"""

from msgspec import Struct, field

from features.buckets import BUCKET_VERSION, Bucket
from features.creator import CREATOR_VERSION, Creator, CreatorRecord
from features.decode import RecordKind
from features.driven import DrivenTally
from features.events import (
    AppealDecided,
    EnforcementOverridden,
    InputEvent,
    ListingExposed,
    ListingRemoved,
    ListingVersion,
    OrderCreated,
    OrderEvent,
    ReviewDecided,
    SubjectKind,
)
from features.exchange import (
    Absolved,
    Blamed,
    BucketKind,
    BuyerClaims,
    Driven,
    Figures,
    Message,
    Met,
    Origin,
    Seen,
    ShopFlagged,
)
from features.governance import GovernanceState
from features.keys import entity_key
from features.listing import LISTING_VERSION, ListingRecord
from features.merchant import STATE_VERSION, Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population
from features.timers import Timers


class Record(Struct, frozen=True, gc=False):
    """One input record as fetched; ``timestamp`` is the record's own, ms."""

    kind: RecordKind
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class ShardClock(Struct):
    """Event time of a shard, ms: highest seen in the orders, and the watermark up to which timers have fired."""

    highest: int = 0
    watermark: int = 0


class Statistics(Struct):
    """What a shard has counted since it was made; part of its state, so recovery repeats it exactly."""

    records: int = 0
    events: int = 0
    rejected: int = 0
    #: Offsets that were left out, as their records could not be read any more.
    missed: int = 0
    duplicates: int = 0
    orders: int = 0
    assessments: int = 0
    outputs: int = 0
    timers: int = 0
    labels: int = 0
    #: Outcomes that changed after they were learned, and were learned anew.
    revisions: int = 0
    #: Messages of shards that were applied.
    messages: int = 0
    #: Matches of rules in shadow mode, by rule.
    shadow: dict[str, int] = field(default_factory=dict)
    #: Drift alarms, by what changed.
    drifts: dict[str, int] = field(default_factory=dict)


class Correspondence(Struct):
    """What a shard knows of its exchange with others."""

    #: Shard and topic ("0/orders") -> how often it was made anew and the offset, of the last message's origin.
    received: dict[str, tuple[int, int]] = field(default_factory=dict)
    #: How often this shard has noticed that a topic was made anew.
    made_anew: dict[str, int] = field(default_factory=dict)
    #: Event time, ms, at which the others are told again what was counted.
    tell_at: int = 0

    def take(self, origin: Origin) -> bool:
        """Take a message in; false if it, or a later one of its origin, was taken before."""
        key = f"{origin.shard}/{origin.topic}"
        place = origin.made_anew, origin.offset
        if place <= self.received.get(key, (0, -1)):
            return False
        self.received[key] = place
        return True


class ShardState:
    """All state of a shard in use.

    Attributes
    ----------
    partition
        The shard's number.
    merchants, orders, listings, buckets, creators
        Records in use, by id, :func:`features.keys.entity_key` or name.
    touched_merchants, touched_orders, touched_listings, touched_buckets, touched_creators
        Keys changed since the last checkpoint, in order. The value is ``None``, or the record encoded as it is now:
        whoever changes a record touches it again.
    removed_merchants, removed_orders, removed_listings, removed_buckets, removed_creators
        Keys whose retention ended since the last checkpoint was begun.
    leaving
        Those that it deletes, as the store names them. Whatever the store still holds of either, they do not exist any
        more.
    """

    __slots__ = (
        "buckets",
        "clock",
        "correspondence",
        "creators",
        "driven",
        "governance",
        "leaving",
        "listings",
        "merchants",
        "orders",
        "partition",
        "population",
        "removed_buckets",
        "removed_creators",
        "removed_listings",
        "removed_merchants",
        "removed_orders",
        "statistics",
        "timers",
        "touched_buckets",
        "touched_creators",
        "touched_listings",
        "touched_merchants",
        "touched_orders",
    )

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.merchants: dict[str, Merchant] = {}
        self.orders: dict[str, OrderRecord] = {}
        self.listings: dict[str, ListingRecord] = {}
        self.buckets: dict[str, Bucket] = {}
        self.creators: dict[str, Creator] = {}
        self.touched_merchants: dict[str, bytes | None] = {}
        self.touched_orders: dict[str, bytes | None] = {}
        self.touched_listings: dict[str, bytes | None] = {}
        self.touched_buckets: dict[str, bytes | None] = {}
        self.touched_creators: dict[str, bytes | None] = {}
        self.removed_merchants: dict[str, None] = {}
        self.removed_orders: dict[str, None] = {}
        self.removed_listings: dict[str, None] = {}
        self.removed_buckets: dict[str, None] = {}
        self.removed_creators: dict[str, None] = {}
        self.leaving: frozenset[str] = frozenset()
        self.population = Population()
        self.timers = Timers()
        self.clock = ShardClock()
        self.statistics = Statistics()
        self.correspondence = Correspondence()
        self.governance = GovernanceState()
        self.driven = DrivenTally()

    def merchant(self, merchant_id: str) -> Merchant:
        """The merchant of that id, made when first seen, and marked as touched."""
        merchant = self.merchants.get(merchant_id)
        if merchant is None:
            self.merchants[merchant_id] = merchant = Merchant(merchant_id, MerchantRecord(version=STATE_VERSION))
        self.touched_merchants[merchant_id] = None
        return merchant

    def order(self, key: str) -> OrderRecord:
        """The order of that key, made when first seen, and marked as touched."""
        order = self.orders.get(key)
        if order is None:
            self.orders[key] = order = OrderRecord()
        self.touched_orders[key] = None
        return order

    def listing(self, key: str) -> ListingRecord:
        """The listing of that key, made when first seen, and marked as touched."""
        listing = self.listings.get(key)
        if listing is None:
            self.listings[key] = listing = ListingRecord(version=LISTING_VERSION)
        self.touched_listings[key] = None
        return listing

    def bucket(self, name: str, kind: BucketKind) -> Bucket:
        """The bucket of that name, made when first seen, and marked as touched."""
        bucket = self.buckets.get(name)
        if bucket is None:
            self.buckets[name] = bucket = Bucket(version=BUCKET_VERSION, kind=kind)
        self.touched_buckets[name] = None
        return bucket

    def behind_decisions(self, needed: "Needed") -> "Needed":
        """What else a flush reads once the parties that it needs are loaded: orders and listings that decisions are
        about of which it speaks.
        """
        behind = Needed()
        for merchant_id, decision_id in needed.decisions:
            merchant = self.merchants.get(merchant_id)
            if merchant is not None and merchant.record.enforcement is not None:
                known = merchant.record.enforcement.known(decision_id)
                if known is not None:
                    behind.add_subject(merchant_id, known.subject_kind, known.subject_id)
        return behind

    def creator(self, creator_id: str) -> Creator:
        """The creator of that id, made when first told of, and marked as touched."""
        creator = self.creators.get(creator_id)
        if creator is None:
            self.creators[creator_id] = creator = Creator(creator_id, CreatorRecord(version=CREATOR_VERSION))
        self.touched_creators[creator_id] = None
        return creator

    def forget_merchant(self, merchant_id: str) -> None:
        """Take a merchant out of the state, with its timer."""
        del self.merchants[merchant_id]
        self.touched_merchants.pop(merchant_id, None)
        self.removed_merchants[merchant_id] = None
        self.timers.clear(f"m{merchant_id}")

    def forget_order(self, key: str) -> None:
        """Take an order out of the state, with its timer."""
        del self.orders[key]
        self.touched_orders.pop(key, None)
        self.removed_orders[key] = None
        self.timers.clear(f"o{key}")

    def forget_listing(self, key: str) -> None:
        """Take a listing out of the state, with its timer."""
        del self.listings[key]
        self.touched_listings.pop(key, None)
        self.removed_listings[key] = None
        self.timers.clear(f"l{key}")

    def forget_bucket(self, name: str) -> None:
        """Take a bucket out of the state, with its timer."""
        del self.buckets[name]
        self.touched_buckets.pop(name, None)
        self.removed_buckets[name] = None
        self.timers.clear(f"b{name}")

    def forget_creator(self, creator_id: str) -> None:
        """Take a creator out of the state, with its timer."""
        del self.creators[creator_id]
        self.touched_creators.pop(creator_id, None)
        self.removed_creators[creator_id] = None
        self.timers.clear(f"c{creator_id}")


class Needed(Struct):
    """Keys that a flush reads: to be loaded where they are not in the caches."""

    merchants: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    listings: set[str] = field(default_factory=set)
    buckets: set[str] = field(default_factory=set)
    #: Decisions that are spoken of, as (party, decision): what they are about is known once the party is loaded.
    decisions: list[tuple[str, str]] = field(default_factory=list)
    creators: set[str] = field(default_factory=set)

    def add_message(self, message: Message) -> None:
        """Note what a message of another shard reads."""
        for item in message.items:
            kind = type(item)
            if kind is Seen:
                self.buckets.update(item.buckets)  # type: ignore[union-attr]
            elif isinstance(item, Driven | Blamed | Absolved | ShopFlagged):
                self.creators.add(item.creator)
            elif kind is not Figures:
                merchant_id: str = item.merchant  # type: ignore[union-attr]
                self.merchants.add(merchant_id)
                if isinstance(item, Met) and item.listing:
                    self.listings.add(entity_key(merchant_id, item.listing))
                elif isinstance(item, BuyerClaims):
                    self.orders.add(entity_key(merchant_id, item.order))

    def add(self, event: InputEvent) -> None:
        """Note what an event reads."""
        merchant_id = event.merchant_id
        self.merchants.add(merchant_id)
        if isinstance(event, OrderEvent):
            self.orders.add(entity_key(merchant_id, event.order_id))
            if type(event) is OrderCreated:
                for item in event.items:
                    self.listings.add(entity_key(merchant_id, item.listing_id))
        elif isinstance(event, ListingVersion | ListingRemoved | ListingExposed):
            self.listings.add(entity_key(merchant_id, event.listing_id))
        elif isinstance(event, AppealDecided | EnforcementOverridden | ReviewDecided):
            if event.decision_id is not None:
                self.decisions.append((merchant_id, event.decision_id))
            if isinstance(event, ReviewDecided) and event.subject is not None:
                self.add_subject(merchant_id, event.subject.kind, event.subject.id)
        if getattr(event, "creator_id", None) == merchant_id:
            # Its key is the creator's id.
            self.creators.add(merchant_id)

    def add_subject(self, merchant_id: str, kind: SubjectKind, subject_id: str) -> None:
        """Note an order or a listing of a merchant."""
        if kind == "order":
            self.orders.add(entity_key(merchant_id, subject_id))
        elif kind == "listing":
            self.listings.add(entity_key(merchant_id, subject_id))
