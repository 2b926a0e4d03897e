"""A simulated marketplace, decoded, for the tests that look into it."""

from collections import defaultdict
from functools import cached_property

import msgspec

from features import events
from features.events import InputEvent, ListingVersion, OrderCreated, OrderEvent
from streams.simulator import SimulatedRecord, Simulation, SimulatorConfig

DAY_MS = 86_400_000

DECODERS: dict[str, msgspec.json.Decoder[InputEvent]] = {
    "merchants": msgspec.json.Decoder(events.MerchantInput),
    "listings": msgspec.json.Decoder(events.ListingInput),
    "orders": msgspec.json.Decoder(events.OrderInput),
}


class OrderStory:
    """What the stream says about one order."""

    def __init__(self, story: list[OrderEvent]) -> None:
        self.events = story
        self.created = next((e for e in story if isinstance(e, OrderCreated)), None)

    def all(self, kind: type[InputEvent]) -> list[InputEvent]:
        """Events of one type."""
        return [e for e in self.events if isinstance(e, kind)]

    def time(self, kind: type[InputEvent]) -> int | None:
        """When the first event of a type happened, if one did."""
        return next((e.occurred_at for e in self.events if isinstance(e, kind)), None)

    @property
    def order(self) -> OrderCreated:
        """The order itself."""
        assert self.created is not None
        return self.created

    @property
    def claim(self) -> str | None:
        """Why the buyer wanted a return, if so."""
        return next((e.reason for e in self.events if isinstance(e, events.OrderReturnRequested)), None)

    @property
    def rating(self) -> int | None:
        """What the buyer rated, if anything."""
        return next((e.rating for e in self.events if isinstance(e, events.OrderReviewed)), None)

    @property
    def shipped_late(self) -> bool:
        """Whether it was shipped after it should have been."""
        shipped, ship_by = self.time(events.OrderShipped), self.order.ship_by
        return shipped is not None and ship_by is not None and shipped > ship_by

    @property
    def delivered_late(self) -> bool:
        """Whether it was delivered after it should have been."""
        delivered, deliver_by = self.time(events.OrderDelivered), self.order.deliver_by
        return delivered is not None and deliver_by is not None and delivered > deliver_by


class Market:
    """All records of a simulation with their events."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.simulation = Simulation(config)
        self.records: list[SimulatedRecord] = list(self.simulation)
        self.truth = self.simulation.truth
        self.attackers = self.truth.attackers()
        self.involved = set(self.attackers) | {
            merchant for episode in self.truth.hard_negatives.values() for merchant in episode.merchants
        }

    @cached_property
    def events(self) -> list[InputEvent]:
        """Every record's event, in the order of the stream."""
        return [DECODERS[record.topic].decode(record.value) for record in self.records]

    @cached_property
    def orders(self) -> list[OrderStory]:
        """Orders whose creation is in the stream."""
        stories: dict[str, list[OrderEvent]] = defaultdict(list)
        for event in self.events:
            if isinstance(event, OrderEvent):
                stories[event.order_id].append(event)
        return [story for story in map(OrderStory, stories.values()) if story.created is not None]

    @cached_property
    def ordinary(self) -> list[OrderStory]:
        """Orders of merchants that no scenario touches, old enough for everything to have happened."""
        last = self.config.end - 35 * DAY_MS
        return [o for o in self.orders if o.order.merchant_id not in self.involved and o.order.occurred_at < last]

    @cached_property
    def versions(self) -> dict[str, list[ListingVersion]]:
        """Versions of listings by merchant."""
        found: dict[str, list[ListingVersion]] = defaultdict(list)
        for event in self.events:
            if isinstance(event, ListingVersion):
                found[event.merchant_id].append(event)
        return found

    def orders_of(self, merchant: str, start: int = 0, until: int = 2**62) -> list[OrderStory]:
        """Orders of a merchant created from ``start`` to before ``until``."""
        return [o for o in self.orders if o.order.merchant_id == merchant and start <= o.order.occurred_at < until]
