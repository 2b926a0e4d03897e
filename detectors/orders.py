"""What each event of an order changes, and what an order's timers do."""

from typing import Final

from xxhash import xxh3_64_intdigest

from detectors.assess import Assessor
from detectors.duties import SALE_FLAGS
from detectors.order_facts import FACTS, facts_of
from detectors.order_stages import OrderStages
from detectors.remedies import REMEDIAL
from features import events
from features.claimants import note_claim, note_order
from features.credit import SOON_MS
from features.devices import note_device
from features.events import OrderEvent
from features.keys import entity_key, split_key
from features.merchant import GMV, ORIGINS_LIMIT, TRACKING_LIMIT, Merchant
from features.order import (
    DEFAULT_DELIVER_MS,
    DEFAULT_SHIP_MS,
    DEFECTS,
    LATE_DELIVERY,
    LONGEST_PROMISE_MS,
    OPEN,
    OVERDUE,
    SEEN_LIMIT,
    OrderRecord,
    next_timer,
    outcome_due,
    retention_end,
)
from features.priors import begin_day
from features.promoters import note_listing_promoter
from features.windows import DAY_MS

#: 40 bits keep the numbers short in JSON; among the few events of one order they never collide.
_ID_MASK = (1 << 40) - 1
#: 24 bits: among the few recent shipments of a merchant, one in two million is taken for a repeat.
_TRACKING_MASK = (1 << 24) - 1
#: What moves an order past its dates.
_PROGRESS: Final = frozenset((events.OrderShipped, events.OrderTracked, events.OrderDelivered, events.OrderCancelled))
#: What a buyer who abuses refunds has to send.
_CLAIMS: Final = frozenset((events.OrderReturnRequested, events.OrderDisputed))
#: What tells how an order that may not have arrived turned out.
_OUTCOMES: Final = frozenset(
    (events.OrderReturnRequested, events.OrderRefunded, events.OrderDisputed, events.OrderReviewed)
)
#: Tracking numbers kept of one order.
_NUMBERS_LIMIT = 4


def event_digest(event_id: str) -> int:
    """A short number that stands for an event id."""
    return xxh3_64_intdigest(event_id.encode()) & _ID_MASK


class OrderFlow:
    """Applies order events to a shard's state."""

    __slots__ = (
        "_assessor",
        "_duties",
        "_judge",
        "_merchants",
        "_orders",
        "_promotions",
        "_remedies",
        "_retention_days",
        "_stages",
        "_state",
        "_statistics",
    )

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._state = assessor.state
        self._orders = assessor.state.orders
        self._merchants = assessor.state.merchants
        self._statistics = assessor.state.statistics
        self._judge = assessor.judge
        self._promotions = assessor.promotions
        self._stages = OrderStages(assessor.models, assessor.state)
        self._retention_days = assessor.judge.settings.retention_days
        self._remedies = assessor.remedies
        self._duties = assessor.duties

    def apply(self, event: OrderEvent) -> None:  # noqa: C901, PLR0912 - nearly all events come here: no calls for trifles
        """Apply one event: facts, counts, judgement."""
        state = self._state
        statistics = self._statistics
        merchant_id = event.merchant_id
        at = event.occurred_at
        merchant = self._merchants.get(merchant_id)
        key = entity_key(merchant_id, event.order_id) if merchant is None else merchant.prefix + event.order_id
        order = self._orders.get(key)
        if order is None:
            order = state.order(key)
        else:
            state.touched_orders[key] = None
        digest = xxh3_64_intdigest(event.event_id.encode()) & _ID_MASK
        seen = order.seen
        if digest in seen:
            statistics.duplicates += 1
            return
        if not seen:
            order.seen = [digest]
        else:
            if len(seen) >= SEEN_LIMIT:
                del seen[0]
            seen.append(digest)
        statistics.events += 1
        if merchant is None:
            merchant = state.merchant(merchant_id)
        else:
            state.touched_merchants[merchant_id] = None
        record = merchant.record
        if at > record.as_of:
            if at < merchant.day_end and record.as_of:
                record.as_of = at
            elif merchant.advance(at):
                begin_day(state.population, merchant)
        if not record.timer:
            self._assessor.timers.start(merchant)
        kind = type(event)
        if kind is events.OrderCreated:
            if order.created is None:
                self._place(event, key, order, merchant)  # type: ignore[arg-type]
            else:
                statistics.duplicates += 1
            return
        if not order.timer:
            order.timer = at + self._retention_days * DAY_MS
            state.timers.set("o" + key, order.timer)
        if kind in _OUTCOMES and order.delivered is None:
            self._stages.arrived(order, merchant, at)
        if not FACTS[kind](order, event):
            # Most scans say nothing new: no fact changed, so nothing else can.
            return
        self._follow_up(event, kind, key, order, merchant)
        if kind in REMEDIAL or order.remedies or (kind in _PROGRESS and order.flags & LATE_DELIVERY):
            self._make_good(event, order, merchant)

    def _follow_up(
        self, event: OrderEvent, kind: type[OrderEvent], key: str, order: OrderRecord, merchant: Merchant
    ) -> None:
        """What follows from new facts of an order: timers, counts, judgement."""
        created = order.created
        if kind is events.OrderTracked and created is not None and order.delivered is None:
            first_scan = order.first_scan
            if first_scan is not None and first_scan >= created:
                # A parcel on its way, as it should be: rules may ask for it, but nothing is counted.
                self._assessor.order(kind, event.order_id, order, merchant)
                return
        if kind is events.OrderShipped:
            self._check_parcel(order, merchant, event)  # type: ignore[arg-type]
        elif kind is events.OrderReturnRequested or kind is events.OrderDisputed:
            self._check_claim(order, merchant, event.occurred_at)
        changed = self._reflag(order, merchant)
        if created is None:
            return
        if kind in _CLAIMS and order.buyer_key and (order.claims or order.disputed):
            self._assessor.post.claim(merchant, event.order_id, order.buyer_key)
        if kind in _PROGRESS:
            self._wait(key, order)
            if kind is events.OrderShipped and changed & (OPEN | OVERDUE):
                merchant.record.activity.add_shipment(event.occurred_at)
        if not order.segment_known:
            self._learn_lateness(order, merchant, event.occurred_at)
        scored = None
        if order.learned:
            self._stages.revise(order)
        elif kind is events.OrderShipped:
            scored = self._stages.shipped(order)
        elif order.delivered == event.occurred_at and kind in _PROGRESS:
            scored = self._stages.arrived(order, merchant, event.occurred_at)
        self._assessor.order(kind, event.order_id, order, merchant, scored)
        if changed & DEFECTS:
            self._assessor.merchant(merchant, True)

    def _reflag(self, order: OrderRecord, merchant: Merchant) -> int:
        """Apply new facts of an order to the merchant's counts, and to those of the creator who drove it; returns the
        flags that changed.
        """
        changed = merchant.reflag(order)
        if changed and order.creator:
            self._promotions.follow(order, merchant)
        if changed & SALE_FLAGS and self._duties is not None:
            self._duties.sold(order, merchant, changed)
        return changed

    def _make_good(self, event: OrderEvent, order: OrderRecord, merchant: Merchant) -> None:
        """See whether an event calls for a remedy, or for another one."""
        if self._remedies is not None and order.created is not None:
            self._remedies.after(event, order, merchant)

    def _place(self, event: events.OrderCreated, key: str, order: OrderRecord, merchant: Merchant) -> None:
        """A new order: its facts, its place in the merchant's counts, its judgement."""
        self._create(event, key, order, merchant)
        if len(order.seen) > 1:
            self._catch_up(order, merchant, event.occurred_at)
        changed = self._reflag(order, merchant)
        listing = self._state.listings.get(entity_key(event.merchant_id, event.items[0].listing_id))
        probability = self._stages.placed(order, merchant, listing)
        self._state.population.order_placed(event.occurred_at)
        # What happened to it may have arrived before the order itself.
        self._learn_lateness(order, merchant, event.occurred_at)
        self._assessor.order(events.OrderCreated, event.order_id, order, merchant, probability)
        if len(order.seen) > 1:
            # What came before its order could not be judged then.
            if order.delivered is not None:
                self._learn_lateness(order, merchant, event.occurred_at)
                self._stages.arrived(order, merchant, event.occurred_at)
            for kind in facts_of(order):
                self._assessor.order(kind, event.order_id, order, merchant)
        self._assessor.merchant(merchant, changed & DEFECTS != 0)
        if len(order.seen) > 1 and self._remedies is not None:
            self._remedies.placed(event, order, merchant)

    def _catch_up(self, order: OrderRecord, merchant: Merchant, at: int) -> None:
        """Look at what came before its order and could not be compared with it then."""
        parcels = self._state.population.parcels
        if order.grams:
            order.light = parcels.weigh(order.category, order.grams, order.quantity)
            order.grams = 0
        if order.shipped_from == order.ship_from:
            order.shipped_from = ""
        elif order.shipped_from and order.ship_from:
            _note_origin(merchant, order.shipped_from)
        self._check_claim(order, merchant, at)

    def _create(self, event: events.OrderCreated, key: str, order: OrderRecord, merchant: Merchant) -> None:
        state = self._state
        record = merchant.record
        at = event.occurred_at
        order.created = at
        creator = event.creator_id
        order.buyer, order.buyer_key = buyer, _ = self._judge.pseudonyms.pair("buyer", event.buyer_id)
        order.total = event.total
        if event.checkout_total is not None and event.checkout_total > event.total:
            order.checkout_total = event.checkout_total
        order.items = len(event.items)
        order.ship_by = _promise(at, event.ship_by, DEFAULT_SHIP_MS)
        order.deliver_by = _promise(at, event.deliver_by, DEFAULT_DELIVER_MS)
        order.ship_to = event.ship_to or ""
        quantity = 0
        for item in event.items:
            quantity += item.quantity
            listing_key = entity_key(event.merchant_id, item.listing_id)
            listing = state.listings.get(listing_key)
            if listing is not None:
                listing.orders += 1
                listing.active_at = max(listing.active_at, at)
                state.touched_listings[listing_key] = None
                if creator is not None:
                    note_listing_promoter(listing.promoters, creator, at)
                if not order.category:
                    order.category = listing.category
                    order.ship_from = listing.ship_from
        order.quantity = quantity
        if not record.currency:
            record.currency = event.currency
        if event.currency == record.currency:
            order.gmv = event.total
            merchant.placed.add(at // DAY_MS, GMV, event.total)
        else:
            record.foreign_orders += 1
            order.currency = event.currency
        record.activity.add_order(at, order.gmv)
        if creator is not None:
            order.creator = creator
            self._promotions.placed(order, merchant, at)
        day = at // DAY_MS
        merchant.buyers.add(day, buyer)
        if not record.first_order_day or day < record.first_order_day:
            record.first_order_day = day
        note_order(state.population.claimants, buyer, at)
        if event.device_id:
            device = self._judge.pseudonyms.short("device", event.device_id)
            record.devices, order.shared_device = note_device(record.devices, day, device, buyer)
            order.own_device = device in record.own_devices
        if at > record.last_order:
            # What was before the shard heard of orders or of the merchant is not known: that alone is no pause.
            known_from = min(state.population.deliveries.since or at, record.first_seen)
            since = record.last_order or max(record.registered or record.first_seen, known_from)
            if at - since >= self._judge.settings.dormant_after:
                record.quiet_ms = at - since
                record.woke_day = day
            record.last_order = at
        state.statistics.orders += 1
        self._wait(key, order)
        if record.credit is None or not 0 < record.credit.review < at + SOON_MS:
            self._assessor.enforcer.credit.begin(merchant, outcome_due(order))

    def _wait(self, key: str, order: OrderRecord) -> None:
        """Set an order's timer to the next time at which there is something to be done about it.

        An order that makes progress passes its dates unseen: its timer moves on at once instead of firing for nothing.
        """
        timer = next_timer(order, self._retention_days)
        if timer != order.timer:
            order.timer = timer
            self._state.timers.set("o" + key, timer)

    def _check_parcel(self, order: OrderRecord, merchant: Merchant, event: events.OrderShipped) -> None:
        """What a shipment tells beside its time: number, weight and origin of the parcel."""
        self._check_tracking(order, merchant, event.tracking_number)
        if event.ship_from and event.ship_from != order.ship_from and not order.shipped_from:
            order.shipped_from = event.ship_from
            if order.ship_from:
                _note_origin(merchant, event.ship_from)
        if event.weight_grams and not order.weighed:
            order.weighed = True
            if order.created is None:
                order.grams = event.weight_grams
            else:
                order.light = self._state.population.parcels.weigh(order.category, event.weight_grams, order.quantity)

    def _check_claim(self, order: OrderRecord, merchant: Merchant, at: int) -> None:
        """Count a buyer's claim, an order once, and see whether it is to be held against the buyer."""
        if order.created is None or order.claimed or not (order.claims or order.disputed):
            return
        order.claimed = True
        claimants = self._state.population.claimants
        known = note_claim(claimants, order.buyer, at, event_digest(merchant.id), order.created)
        order.excused = known.abusive()

    @staticmethod
    def _check_tracking(order: OrderRecord, merchant: Merchant, number: str) -> None:
        digest = xxh3_64_intdigest(number.encode()) & _TRACKING_MASK
        if digest in order.tracking:
            return
        recent = merchant.record.tracking
        if digest in recent:
            order.tracking_reused = True
        elif not recent:
            merchant.record.tracking = [digest]
        else:
            if len(recent) >= TRACKING_LIMIT:
                del recent[0]
            recent.append(digest)
        order.tracking = [*order.tracking[1 - _NUMBERS_LIMIT :], digest]

    def _learn_lateness(self, order: OrderRecord, merchant: Merchant, at: int) -> None:
        """Teach the segments whether an order came late and how long it took, once, when that is first known; see
        whether it came too fast to be true.

        A cancelled order only leaves those under way.
        """
        if order.segment_known:
            return
        arrived = order.delivered is not None
        cancelled = order.cancelled is not None and not arrived
        if not (arrived or cancelled or order.delivery_overdue):
            return
        order.segment_known = True
        population = self._state.population
        region = order.ship_to
        route = f"{order.ship_from}>{region}" if order.ship_from and region else ""
        duration = max(0, (order.delivered or at) - (order.created or at))
        population.order_finished(at, region, route, None if cancelled else duration)
        if cancelled:
            return
        if order.delivered is not None and order.shipped is not None:
            # A seller may enter the shipment after the hand-over.
            handed_over = order.shipped if order.first_scan is None else min(order.shipped, order.first_scan)
            if population.parcels.arrived(route, order.delivered - handed_over):
                order.too_fast = True
                merchant.reflag(order)
        late = order.flags & LATE_DELIVERY != 0
        population.learn_segment("all", at, late)
        if region:
            population.learn_segment(f"region/{region}", at, late)
        if route:
            population.learn_segment(f"route/{route}", at, late)
        if order.category:
            population.learn_segment(f"category/{order.category}", at, late)

    def timer(self, key: str, time: int) -> None:
        """An order's timer fired at an event time: overdue, mature, or past its retention."""
        state = self._state
        order = state.orders.get(key)
        if order is None or order.timer != time:
            return
        state.statistics.timers += 1
        state.touched_orders[key] = None
        if order.created is None or (order.matured and time >= retention_end(order, self._retention_days)):
            self._retire(key, order)
            return
        if order.cancelled is None and order.delivered is None:
            overdue = False
            if order.shipped is None and not order.ship_overdue and time > order.ship_by:
                order.ship_overdue = overdue = True
            if not order.delivery_overdue and time > order.deliver_by:
                order.delivery_overdue = overdue = True
            if overdue:
                self._overdue(key, order, time)
        if not order.matured and time >= outcome_due(order):
            order.matured = True
            self._stages.mature(order)
            if order.learned & 1 and order.probability is not None:
                self._assessor.warn_of(self._assessor.models.drift.outcome(order.probability, order.learned & 2 != 0))
            if order.delivered is None and order.cancelled is None and self._remedies is not None:
                merchant_id, order_id = split_key(key)
                self._remedies.lost(order_id, order, self._merchant(merchant_id, time), time)
        self._wait(key, order)

    def _merchant(self, merchant_id: str, time: int) -> Merchant:
        """A merchant that is moved on to the time of a timer."""
        merchant = self._state.merchant(merchant_id)
        if merchant.advance(time):
            begin_day(self._state.population, merchant)
        if not merchant.record.timer:
            self._assessor.timers.start(merchant)
        return merchant

    def _overdue(self, key: str, order: OrderRecord, time: int) -> None:
        """An order is late although no event says so."""
        merchant_id, order_id = split_key(key)
        merchant = self._merchant(merchant_id, time)
        changed = self._reflag(order, merchant)
        if order.delivery_overdue:
            self._learn_lateness(order, merchant, time)
            self._stages.arrived(order, merchant, time)
        if order.learned:
            self._stages.revise(order)
        if changed & DEFECTS:
            self._assessor.merchant(merchant, True)
        if order.delivery_overdue and self._remedies is not None:
            self._remedies.overdue(order_id, order, merchant, time)

    def _retire(self, key: str, order: OrderRecord) -> None:
        """Forget an order; what it added to the counts leaves them with their windows."""
        state = self._state
        if order.flags & (OVERDUE | OPEN):
            merchant_id = split_key(key)[0]
            # Merchants are kept longer than orders, unless the settings were changed in between.
            if merchant_id in state.merchants:
                state.merchant(merchant_id).release(order)
        state.forget_order(key)


def _note_origin(merchant: Merchant, origin: str) -> None:
    """Keep an origin of parcels that no listing names."""
    record = merchant.record
    if origin not in record.origins and len(record.origins) < ORIGINS_LIMIT:
        record.origins = [*record.origins, origin]


def _promise(created: int, promised: int | None, default: int) -> int:
    """A promised date, ms; one that can't be meant is taken as the nearest that can."""
    if promised is None:
        return created + default
    return min(max(promised, created), created + LONGEST_PROMISE_MS)
