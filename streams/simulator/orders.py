"""Events of orders: one method for each, so that honest and dishonest sellers differ only in what they call when."""

from random import Random
from typing import Literal, TypeAlias

from features.events import (
    Channel,
    OrderCancelled,
    OrderCreated,
    OrderDelivered,
    OrderDisputed,
    OrderDisputeResolved,
    OrderItem,
    OrderRefunded,
    OrderReturnRequested,
    OrderReviewed,
    OrderShipped,
    OrderTracked,
    ReturnReason,
)
from streams.simulator.catalog import REGIONS
from streams.simulator.ids import opaque
from streams.simulator.shop import Listing, Merchant
from streams.simulator.world import World

Fault: TypeAlias = Literal["seller", "buyer", "carrier", "platform", "unknown"]
Scan: TypeAlias = Literal["accepted", "in_transit", "out_for_delivery", "delivered", "exception"]


class Order:
    """An order being lived through; times in ms, ``total`` in minor units, ``grams`` of the goods."""

    __slots__ = ("created", "deliver_by", "grams", "id", "merchant", "ship_by", "total", "tracking")

    def __init__(self, order_id: str, merchant: Merchant, created: int) -> None:
        self.id = order_id
        self.merchant = merchant
        self.created = created
        self.ship_by = created + merchant.handling
        self.deliver_by = self.ship_by + merchant.transit
        self.total = 0
        self.grams = 0.0
        self.tracking = ""

    def parcel(self, random: Random) -> int:
        """Weight of its parcel in grams, as a scale shows it."""
        return max(20, round(self.grams * random.lognormvariate(0.0, 0.08) + random.uniform(30, 120)))


class OrderEvents:
    """Puts events of orders into the stream."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._put = world.put
        self._random = random
        self._bits = random.getrandbits

    def open(self, merchant: Merchant, time: int) -> Order:
        """An order with its id, not yet in the stream."""
        return Order(self._world.new_order_id(), merchant, time)

    def created(
        self,
        order: Order,
        lines: list[tuple[Listing, int]],
        buyer: int,
        *,
        device: str | None = None,
        channel: Channel = "shop",
        creator: str | None = None,
    ) -> None:
        """The buyer orders ``lines`` of (listing, quantity) at the listings' present prices."""
        world = self._world
        items = [OrderItem(listing.id, quantity, listing.price) for listing, quantity in lines]
        order.total = sum(listing.price * quantity for listing, quantity in lines)
        order.grams = sum(listing.grams * quantity for listing, quantity in lines)
        merchant = order.merchant
        self._put(
            "orders",
            merchant.key,
            OrderCreated(
                event_id=f"{self._bits(64):016x}",
                occurred_at=order.created,
                merchant_id=merchant.id,
                order_id=order.id,
                buyer_id=opaque(buyer, world.buyer_salt),
                items=items,
                total=order.total,
                currency=world.currency,
                creator_id=creator,
                ship_by=order.ship_by,
                deliver_by=order.deliver_by,
                ship_to=REGIONS[buyer % len(REGIONS)],
                device_id=device or world.device(buyer),
                channel=channel,
            ),
        )
        if merchant.watch is not None and order.created < world.end:
            merchant.watch(merchant, order.created)

    def shipped(
        self,
        order: Order,
        time: int,
        tracking: str | None = None,
        *,
        weight: int | None = None,
        ship_from: str | None = None,
    ) -> None:
        """The seller hands the parcel over, or says so; ``weight`` in grams where the carrier weighed it."""
        merchant = order.merchant
        order.tracking = tracking or self.tracking_number()
        self._put(
            "orders",
            merchant.key,
            OrderShipped(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=merchant.id,
                order_id=order.id,
                carrier=merchant.carrier,
                tracking_number=order.tracking,
                ship_from=ship_from or merchant.warehouse,
                weight_grams=weight,
            ),
        )

    def tracking_number(self) -> str:
        """A new tracking number."""
        return f"PT{self._bits(53):016d}"

    def scanned(self, order: Order, time: int, status: Scan, location: str | None = None) -> None:
        """The carrier scans the parcel."""
        self._put(
            "orders",
            order.merchant.key,
            OrderTracked(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                status=status,
                tracking_number=order.tracking,
                location=location,
            ),
        )

    def delivered(self, order: Order, time: int) -> None:
        """The platform takes the order as delivered."""
        self._put(
            "orders",
            order.merchant.key,
            OrderDelivered(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
            ),
        )

    def cancelled(
        self, order: Order, time: int, by: Literal["buyer", "seller", "platform"], reason: str | None = None
    ) -> None:
        """The order is cancelled."""
        self._put(
            "orders",
            order.merchant.key,
            OrderCancelled(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                by=by,
                reason=reason,
            ),
        )

    def return_requested(self, order: Order, time: int, reason: ReturnReason) -> None:
        """The buyer claims something, or sends the goods back."""
        self._put(
            "orders",
            order.merchant.key,
            OrderReturnRequested(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                reason=reason,
            ),
        )

    def refunded(self, order: Order, time: int, fault: Fault, share: float = 1.0) -> None:
        """The buyer gets back ``share`` of the total."""
        self._put(
            "orders",
            order.merchant.key,
            OrderRefunded(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                amount=round(order.total * share),
                fault=fault,
            ),
        )

    def disputed(self, order: Order, time: int, reason: str) -> None:
        """The buyer opens a dispute."""
        self._put(
            "orders",
            order.merchant.key,
            OrderDisputed(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                reason=reason,
            ),
        )

    def dispute_resolved(self, order: Order, time: int, in_favour_of: Literal["buyer", "seller"]) -> None:
        """The dispute ends."""
        self._put(
            "orders",
            order.merchant.key,
            OrderDisputeResolved(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                in_favour_of=in_favour_of,
            ),
        )

    def reviewed(self, order: Order, time: int, rating: int, text: str | None = None) -> None:
        """The buyer rates the order from 1 to 5."""
        self._put(
            "orders",
            order.merchant.key,
            OrderReviewed(
                event_id=f"{self._bits(64):016x}",
                occurred_at=time,
                merchant_id=order.merchant.id,
                order_id=order.id,
                rating=rating,
                text=text,
            ),
        )
