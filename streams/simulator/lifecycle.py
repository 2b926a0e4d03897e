"""The life of an ordinary order, from purchase to review, with the trouble that honest merchants have."""

from random import Random
from typing import Final

from features.events import Channel
from streams.simulator.catalog import BAD_TEXTS, FAKE_GOODS_TEXTS, GOOD_TEXTS, MIXED_TEXTS
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.orders import Fault, Order, OrderEvents
from streams.simulator.shop import Listing, Merchant, Quality
from streams.simulator.stock import Stock
from streams.simulator.world import World

_MINUTE_MS: Final = 60_000

# Shares of all orders.
_BUYER_CANCELS: Final = 0.025
_PLATFORM_CANCELS: Final = 0.001
_SECOND_LINE: Final = 0.08
_DAMAGED_OR_WRONG: Final = 0.006
_OTHER_RETURNS: Final = 0.004
_CHARGEBACKS: Final = 0.001
#: Impressions are reported in batches, one for so many orders, of so many views (a conversion near 2.5 %).
_EXPOSED: Final = 0.25
_VIEWS: Final = 160

# Shares of what they follow from.
_NEVER_SHIPPED_IF_LATE: Final = 0.06
_DELIVERED_IF_LOST: Final = 0.3  # a parcel that the carrier says it delivered, and that is not there
_DISPUTED_IF_CLAIMED: Final = 0.12
_DISPUTE_FOR_BUYER: Final = 0.6
_REVIEWED: Final = 0.35
_REVIEWED_IF_BAD: Final = 0.42
#: Olist, 2016 to 2018: 56 % of the reviews of late orders have one or two stars, in a country of long ways.
_LOW_RATING_IF_BAD: Final = 0.45


def bad_share(quality: Quality) -> float:
    """Share of a merchant's ordinary orders that go bad in any way, 0 to 1, but for strikes."""
    fine = 1.0
    for share in (quality.late_ship, quality.late_delivery, quality.not_received, quality.not_as_described):
        fine *= 1.0 - share
    return 1.0 - (1.0 - quality.seller_cancel) * fine * (1.0 - _REVIEWED * quality.low_rating)


class LifeCycle:
    """Lets buyers order from a merchant and puts all that follows into the stream."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._events = OrderEvents(world, random)
        self._stock = Stock(world, random)

    def place(
        self,
        merchant: Merchant,
        time: int,
        *,
        listing: Listing | None = None,
        quality: Quality | None = None,
        channel: Channel | None = None,
        creator: str | None = None,
    ) -> Order:
        """One order with its whole life. ``quality`` replaces the merchant's own for this order."""
        draw = self._random.random
        quality = quality or merchant.quality
        listing = listing or merchant.pick_listing(self._random)
        order = self._events.open(merchant, time)
        if channel is None:
            channel, creator = self._channel(merchant)
        lines = [(listing, 1 if draw() < 0.86 else 2 + int(draw() * draw() * 3))]
        if draw() < _SECOND_LINE and (other := merchant.pick_listing(self._random)) is not listing:
            lines.append((other, 1))
        self._events.created(order, lines, self._buyer(merchant), channel=channel, creator=creator)
        if draw() < _EXPOSED:
            views = 1 + int(self._random.expovariate(1 / _VIEWS))
            self._stock.expose(merchant, listing, time + int(draw() * 30 * _MINUTE_MS), views)
        if not self._cancelled(order, quality):
            self.fulfil(order, quality, listing.category.returns)
        return order

    def _channel(self, merchant: Merchant) -> tuple[Channel, str | None]:
        u = self._random.random()
        if u < 0.55:
            return "shop", None
        creators = self._world.creators
        v = self._random.random()
        # A merchant works with a few creators; which ones follows from its place in the world, not from its id.
        creator = creators[(merchant.transit // 1000 + int(v * v * 5)) % len(creators)]
        return ("video" if u < 0.75 else "live" if u < 0.9 else "affiliate"), creator

    def _buyer(self, merchant: Merchant) -> int:
        u = self._random.random()
        if merchant.buyers and u < merchant.repeat_share:
            return merchant.buyers[int(self._random.random() * len(merchant.buyers))]
        v = self._random.random()
        buyer = int(self._world.buyers * v * v)  # some buy a lot
        merchant.remember(buyer, self._random)
        return buyer

    def _cancelled(self, order: Order, quality: Quality) -> bool:
        """Decide whether the order ends before it is shipped, and end it."""
        draw, events = self._random.random, self._events
        u = draw()
        until_shipping = order.ship_by - order.created
        if u < _BUYER_CANCELS:
            time = order.created + int(until_shipping * 0.3 * draw()) + _MINUTE_MS
            events.cancelled(order, time, "buyer", "changed_mind")
            events.refunded(order, time + int((2 + 30 * draw()) * _MINUTE_MS), "buyer")
            return True
        u -= _BUYER_CANCELS
        if u < quality.seller_cancel:
            time = order.created + int(until_shipping * (0.1 + 1.1 * draw() * draw()))
            events.cancelled(order, time, "seller", "out_of_stock" if draw() < 0.8 else "pricing_error")
            events.refunded(order, time + int((2 + 30 * draw()) * _MINUTE_MS), "seller")
            return True
        if u - quality.seller_cancel < _PLATFORM_CANCELS:
            time = order.created + int(HOUR_MS * (0.2 + 3 * draw()))
            events.cancelled(order, time, "platform", "payment_review")
            events.refunded(order, time + 5 * _MINUTE_MS, "platform")
            return True
        return False

    def fulfil(self, order: Order, quality: Quality, returns: float) -> None:
        """Ship the order and let the buyer judge it; ``returns`` is the chance that it is sent back for no fault."""
        draw, events = self._random.random, self._events
        if draw() < quality.late_ship:
            if draw() < _NEVER_SHIPPED_IF_LATE:
                time = order.ship_by + int(DAY_MS * (1 + 4 * draw()))
                events.cancelled(order, time, "seller", "could_not_ship")
                events.refunded(order, time + int(30 * draw() * _MINUTE_MS), "seller")
                return
            shipped = order.ship_by + HOUR_MS + int(self._random.expovariate(1 / (0.9 * DAY_MS)))
        else:
            shipped = order.created + int((order.ship_by - order.created) * (0.05 + 0.9 * draw()))
        events.shipped(order, shipped, weight=order.parcel(self._random))
        delay, lost = self._strike(order, shipped)
        accepted = shipped + HOUR_MS + int(draw() * 7 * HOUR_MS) + delay // 3
        if draw() < max(quality.not_received, lost):
            self._lose(order, accepted)
            return
        if draw() < quality.late_delivery:
            arrives = order.deliver_by + HOUR_MS + int(self._random.expovariate(1 / (1.3 * DAY_MS)))
        else:
            arrives = shipped + int(max(2 * DAY_MS, order.deliver_by - shipped) * (0.3 + 0.68 * draw()))
        arrives = max(arrives + delay, accepted + 18 * HOUR_MS)
        self.carry(order, accepted, arrives)
        received = arrives + int((1 + 20 * draw()) * _MINUTE_MS)
        events.delivered(order, received)
        self._judge(order, received, quality, returns)

    def _strike(self, order: Order, shipped: int) -> tuple[int, float]:
        """Extra time in transit (ms) and chance of a claim of non-receipt while the carrier is on strike."""
        for strike in self._world.strikes:
            if strike.carrier == order.merchant.carrier and strike.start <= shipped < strike.until:
                strike.on_parcel(order.merchant, order.created)
                return int(strike.delay * (0.4 + 0.6 * self._random.random())), 0.03
        return 0, 0.0

    def carry(self, order: Order, accepted: int, arrives: int) -> None:
        """Scans from the hand-over to the door."""
        draw, events = self._random.random, self._events
        scanned = events.scanned
        scanned(order, accepted, "accepted")
        under_way = accepted + int((arrives - accepted) * (0.15 + 0.35 * draw()))
        scanned(order, under_way, "in_transit")
        if draw() < 0.01:
            scanned(order, under_way + (arrives - under_way) // 3, "exception")
        last = arrives - min(int((2 + 7 * draw()) * HOUR_MS), (arrives - under_way) // 3)
        scanned(order, last, "out_for_delivery")
        scanned(order, arrives, "delivered")

    def _lose(self, order: Order, accepted: int) -> None:
        """The buyer doesn't get the parcel and says so."""
        draw, events = self._random.random, self._events
        if draw() < _DELIVERED_IF_LOST:
            arrives = accepted + int(DAY_MS * (1.5 + 2.5 * draw()))
            self.carry(order, accepted, arrives)
            events.delivered(order, arrives + 5 * _MINUTE_MS)
            claimed = arrives + int(DAY_MS * (0.5 + 4 * draw()))
        else:
            events.scanned(order, accepted, "accepted")
            under_way = accepted + int(DAY_MS * (0.5 + draw()))
            events.scanned(order, under_way, "in_transit")
            if draw() < 0.3:
                events.scanned(order, under_way + int(DAY_MS * draw()), "exception")
            claimed = max(order.deliver_by, under_way) + int(DAY_MS * (0.2 + 6 * draw()))
        events.return_requested(order, claimed, "not_received")
        self._settle(order, claimed, "carrier" if draw() < 0.55 else "seller", 0.95)
        if draw() < _REVIEWED_IF_BAD:
            self._review(order, claimed, low=0.7, texts=BAD_TEXTS)

    def _settle(self, order: Order, claimed: int, fault: Fault, refunded: float) -> None:
        """Refund after a claim, or a dispute."""
        draw, events = self._random.random, self._events
        if draw() < _DISPUTED_IF_CLAIMED:
            opened = claimed + int(DAY_MS * (1 + 4 * draw()))
            closed = opened + int(DAY_MS * (3 + 9 * draw()))
            for_buyer = draw() < _DISPUTE_FOR_BUYER
            events.disputed(order, opened, "claim_not_settled")
            events.dispute_resolved(order, closed, "buyer" if for_buyer else "seller")
            if for_buyer:
                events.refunded(order, closed + HOUR_MS, "seller")
        elif draw() < refunded:
            share = 1.0 if draw() < 0.85 else 0.2 + 0.5 * draw()
            time = claimed + int(DAY_MS * (0.5 + 5 * draw()))
            events.refunded(order, time, fault, share)

    def _judge(self, order: Order, received: int, quality: Quality, returns: float) -> None:
        """What the buyer makes of the goods."""
        draw, events = self._random.random, self._events
        bad = received > order.deliver_by
        texts: tuple[str, ...] = BAD_TEXTS
        u = draw()
        claimed = received + int(DAY_MS * (0.2 + 6 * draw()))
        if u < quality.not_as_described:
            events.return_requested(order, claimed, "not_as_described")
            self._settle(order, claimed, "seller" if draw() < 0.85 else "unknown", 0.95)
            bad = True
        elif (u := u - quality.not_as_described) < quality.counterfeit:
            events.return_requested(order, claimed, "counterfeit")
            self._settle(order, claimed, "seller", 0.95)
            bad, texts = True, FAKE_GOODS_TEXTS
        elif (u := u - quality.counterfeit) < _DAMAGED_OR_WRONG:
            events.return_requested(order, claimed, "damaged" if draw() < 0.6 else "wrong_item")
            self._settle(order, claimed, "seller" if draw() < 0.6 else "carrier", 0.95)
            bad = True
        elif (u := u - _DAMAGED_OR_WRONG) < returns + _OTHER_RETURNS:
            events.return_requested(order, claimed, "no_longer_needed" if u < returns else "other")
            events.refunded(order, claimed + int(DAY_MS * (2 + 5 * draw())), "buyer")
        elif u > 1 - _CHARGEBACKS:
            opened = received + int(DAY_MS * (3 + 25 * draw()))
            events.disputed(order, opened, "chargeback")
            events.dispute_resolved(order, opened + int(DAY_MS * (5 + 10 * draw())), "seller")
        if draw() < (_REVIEWED_IF_BAD if bad else _REVIEWED):
            self._review(order, received, low=_LOW_RATING_IF_BAD if bad else quality.low_rating, texts=texts)

    def _review(self, order: Order, after: int, *, low: float, texts: tuple[str, ...]) -> None:
        draw = self._random.random
        time = after + HOUR_MS + int(self._random.expovariate(1 / (2.5 * DAY_MS)))
        u = draw()
        if u < low:
            rating = 1 if draw() < 0.65 else 2
        else:
            v = draw()
            rating = 5 if v < 0.74 else 4 if v < 0.92 else 3
            texts = GOOD_TEXTS if rating > 3 else MIXED_TEXTS
        text = texts[int(draw() * len(texts))] if draw() < 0.4 else None
        self._events.reviewed(order, time, rating, text)
