"""The state of one shard: everything that ``apply`` reads and writes.

A shard is one partition number across the input topics. Its records live in caches here; the worker loads what a
flush needs before it is applied, and stores what it touched at the next checkpoint. A key that is not in a cache
after loading does not exist.
"""

from msgspec import Struct, field

from features.decode import TopicKind
from features.events import InputEvent, ListingExposed, ListingRemoved, ListingVersion, OrderCreated, OrderEvent
from features.keys import entity_key
from features.listing import LISTING_VERSION, ListingRecord
from features.merchant import STATE_VERSION, Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population
from features.timers import Timers


class Record(Struct, frozen=True, gc=False):
    """One input record as fetched; ``timestamp`` is the record's own, ms."""

    kind: TopicKind
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
    #: Matches of rules in shadow mode, by rule.
    shadow: dict[str, int] = field(default_factory=dict)


class ShardState:
    """All state of a shard in use.

    Attributes
    ----------
    partition
        The shard's number.
    merchants, orders, listings
        Records in use, by id or :func:`features.keys.entity_key`.
    touched_merchants, touched_orders, touched_listings
        Keys changed since the last checkpoint, in order. The value is ``None``, or the record encoded as it is now:
        whoever changes a record touches it again.
    removed_merchants, removed_orders, removed_listings
        Keys whose retention ended since the last checkpoint was begun.
    leaving
        Those that it deletes, as the store names them. Whatever the store still holds of either, they do not exist any
        more.
    """

    __slots__ = (
        "clock",
        "leaving",
        "listings",
        "merchants",
        "orders",
        "partition",
        "population",
        "removed_listings",
        "removed_merchants",
        "removed_orders",
        "statistics",
        "timers",
        "touched_listings",
        "touched_merchants",
        "touched_orders",
    )

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.merchants: dict[str, Merchant] = {}
        self.orders: dict[str, OrderRecord] = {}
        self.listings: dict[str, ListingRecord] = {}
        self.touched_merchants: dict[str, bytes | None] = {}
        self.touched_orders: dict[str, bytes | None] = {}
        self.touched_listings: dict[str, bytes | None] = {}
        self.removed_merchants: dict[str, None] = {}
        self.removed_orders: dict[str, None] = {}
        self.removed_listings: dict[str, None] = {}
        self.leaving: frozenset[str] = frozenset()
        self.population = Population()
        self.timers = Timers()
        self.clock = ShardClock()
        self.statistics = Statistics()

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


class Needed(Struct):
    """Keys that a flush reads: to be loaded where they are not in the caches."""

    merchants: set[str] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    listings: set[str] = field(default_factory=set)

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
