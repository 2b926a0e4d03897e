"""Events and shards for tests of the core: short to write, with nothing left to chance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec
import orjson

from config.policies import load_policies
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge, JudgeSettings, fresh_models
from detectors.policy import PolicySet, compile_policies
from features.decode import EVENT_TYPES, TOPIC_KINDS, TopicKind
from features.keys import entity_key
from features.listing import ListingRecord
from features.merchant import Merchant
from features.order import OrderRecord
from features.outputs import (
    AuditSampled,
    CreditChanged,
    EnforcementDecided,
    EnforcementReversed,
    Output,
    RiskAssessed,
    Standing,
)
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES, Context
from features.shard import Record, ShardState
from features.windows import DAY_MS
from streams.simulator import Simulation, SimulatorConfig
from tests.detectors.policy_folders import compile_folder

Event: TypeAlias = dict[str, Any]
T = TypeVar("T", RiskAssessed, EnforcementDecided, EnforcementReversed, AuditSampled, CreditChanged)

HOUR = 3_600_000
DAY = DAY_MS
#: 2024-01-01, a Monday.
START = 1_704_067_200_000
KEY = b"a key for tests, and no other use"

_TOPIC_OF: dict[str, TopicKind] = {kind: topic for topic, kinds in EVENT_TYPES.items() for kind in kinds}
_KINDS: dict[str, TopicKind] = {kind: kind for kind in TOPIC_KINDS}
_decode_output = msgspec.json.Decoder(Output).decode
_decode_standing = msgspec.json.Decoder(Standing).decode
_encode = msgspec.json.Encoder().encode


# -- events -----------------------------------------------------------------------------------------------------------


def event(kind: str, at: int, merchant: str = "m1", /, **fields: Any) -> Event:
    """An event ``at`` ms after :data:`START`; its id follows from its contents, so that the same one twice repeats."""
    body = {"type": kind, "occurred_at": START + at, "merchant_id": merchant} | fields
    return {"event_id": sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()} | body


def placed(order: str = "o1", at: int = 0, merchant: str = "m1", **fields: Any) -> Event:
    """An order of one mug for 10.00 EUR, with two days to ship and five to deliver."""
    standard = {
        "order_id": order,
        "buyer_id": f"buyer of {order}",
        "items": [{"listing_id": "l1", "quantity": 1, "unit_price": 1000}],
        "total": 1000,
        "currency": "EUR",
        "ship_by": START + at + 2 * DAY,
        "deliver_by": START + at + 5 * DAY,
    }
    return event("order.created", at, merchant, **(standard | fields))


def shipped(order: str = "o1", at: int = DAY, merchant: str = "m1", **fields: Any) -> Event:
    """The order was shipped, with a tracking number of its own."""
    standard = {"order_id": order, "carrier": "dhl", "tracking_number": f"number of {order}"}
    return event("order.shipped", at, merchant, **(standard | fields))


def tracked(order: str = "o1", at: int = DAY, merchant: str = "m1", **fields: Any) -> Event:
    """The carrier scanned the order."""
    standard = {"order_id": order, "status": "in_transit", "tracking_number": f"number of {order}"}
    return event("order.tracked", at, merchant, **(standard | fields))


def of_order(kind: str, order: str = "o1", at: int = DAY, merchant: str = "m1", **fields: Any) -> Event:
    """Another event of an order: ``of_order("refunded", amount=5, fault="seller")``."""
    return event(f"order.{kind}", at, merchant, order_id=order, **fields)


def listed(listing: str = "l1", at: int = 0, merchant: str = "m1", kind: str = "created", **fields: Any) -> Event:
    """A version of a listing."""
    standard = {"listing_id": listing, "title": "Mug", "category": "home/kitchen", "price": 1000, "currency": "EUR"}
    return event(f"listing.{kind}", at, merchant, **(standard | fields))


def unlisted(listing: str = "l1", at: int = DAY, merchant: str = "m1") -> Event:
    """A listing was taken down."""
    return event("listing.removed", at, merchant, listing_id=listing)


def as_record(one: Event | bytes, offset: int, timestamp: int | None = None, **fields: Any) -> Record:
    """An event as a record of its topic, with the event time as timestamp unless told otherwise."""
    if isinstance(one, bytes):
        topic: TopicKind = fields.pop("kind", "orders")
        return Record(topic, topic, 0, offset, timestamp or START, fields.pop("key", b"m1"), one, **fields)
    kind = _TOPIC_OF[one["type"]]
    at: int = one["occurred_at"] if timestamp is None else timestamp
    return Record(kind, kind, 0, offset, at, one["merchant_id"].encode(), orjson.dumps(one), **fields)


def marketplace(events: int = 5000, seed: int = 5) -> list[Record]:
    """The records of a small simulated marketplace with all its attacks, as one partition holds them."""
    offsets: Counter[str] = Counter()
    records = []
    for each in Simulation(SimulatorConfig.for_events(events, seed=seed)):
        kind = _KINDS[each.topic]
        records.append(Record(kind, kind, 0, offsets[kind], each.timestamp, each.key, each.value))
        offsets[kind] += 1
    return records


# -- judges and shards ------------------------------------------------------------------------------------------------


def packaged_policies() -> PolicySet:
    """The policies that come along."""
    return compile_policies(load_policies(), FEATURES)


def policies_of(folder: Path, rules: str, **sections: str) -> PolicySet:
    """Policies with rules of one's own, over all features."""
    return compile_folder(folder, rules, known=FEATURES, **sections)


def make_judge(policies: PolicySet | None = None, **options: Any) -> Judge:
    """A judge with some settings of one's own; without policies, the packaged ones."""
    return Judge(JudgeSettings(**options), policies or packaged_policies(), Pseudonyms(KEY))


class Shard:
    """A shard of its own, fed with events by hand; remembers everything that it emitted. What it tells other shards, or
    itself, waits in ``mail`` until :meth:`deliver` is called.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.core = Core(ShardState(0), fresh_models(42), judge)
        self.emits: list[Emit] = []
        self.mail: list[Emit] = []
        self._offset = 0
        self._flushes = 0

    @property
    def state(self) -> ShardState:
        """The shard's state."""
        return self.core.state

    def apply(self, *events: Event | bytes, tick: int | None = None, timestamp: int | None = None) -> list[Emit]:
        """Apply events in one flush, and move event time on to ``tick`` ms after START; returns what this emitted."""
        records = []
        for one in events:
            records.append(as_record(one, self._offset, timestamp))
            self._offset += 1
        return self.flush(records, None if tick is None else START + tick)

    def flush(self, records: Sequence[Record], tick: int | None = None) -> list[Emit]:
        """Apply records in one flush, with a tick at a time, ms."""
        self._flushes += 1
        emitted = self.core.apply(Flush(self._flushes, list(records), tick))
        self.mail += [emit for emit in emitted if emit.stream == "exchange"]
        emitted = [emit for emit in emitted if emit.stream != "exchange"]
        self.emits += emitted
        return emitted

    def deliver(self) -> list[Emit]:
        """Apply what the shard told itself, and what that leads to; returns what this emitted."""
        emitted = []
        while self.mail:
            mail, self.mail = self.mail, []
            for each in mail:
                self._offset += 1
                record = Record("exchange", "exchange", 0, self._offset, START, each.key, each.value)
                emitted += self.flush([record])
        return emitted

    def merchant(self, merchant: str = "m1") -> Merchant:
        """A merchant that the shard knows."""
        return self.state.merchants[merchant]

    def order(self, order: str = "o1", merchant: str = "m1") -> OrderRecord:
        """An order that the shard knows."""
        return self.state.orders[entity_key(merchant, order)]

    def listing(self, listing: str = "l1", merchant: str = "m1") -> ListingRecord:
        """A listing that the shard knows."""
        return self.state.listings[entity_key(merchant, listing)]

    def feature(self, name: str, merchant: str = "m1", order: str = "", listing: str = "") -> float | None:
        """A feature of a merchant, or of its order or listing, now."""
        context = Context(
            self.merchant(merchant),
            self.state.population,
            self.order(order, merchant) if order else None,
            self.listing(listing, merchant) if listing else None,
        )
        return FEATURES[name].get(context)

    def outputs(self, kind: type[T]) -> list[T]:
        """All output events of one type so far."""
        return [one for one in self.all_outputs() if isinstance(one, kind)]

    def all_outputs(self) -> list[Output]:
        """All output events so far."""
        return outputs(self.emits)

    def standings(self) -> list[Standing]:
        """All standings so far."""
        return [_decode_standing(emit.value or b"") for emit in self.emits if emit.stream == "standing"]


def outputs(emits: Sequence[Emit]) -> list[Output]:
    """The output events among what was emitted."""
    return [_decode_output(emit.value or b"") for emit in emits if emit.stream == "events"]


def stored(core: Core) -> dict[str, bytes]:
    """All state of a shard in the bytes that would be stored."""
    state = core.state
    parts: dict[str, Mapping[str, Any]] = {
        "m": {key: merchant.packed() for key, merchant in state.merchants.items()},
        "o": state.orders,
        "l": state.listings,
        "b": state.buckets,
        "c": {key: creator.packed() for key, creator in state.creators.items()},
        "shard": {
            "clock": state.clock,
            "statistics": state.statistics,
            "population": state.population,
            "correspondence": state.correspondence,
            "driven": state.driven,
        },
    }
    found = {f"{kind}:{key}": _encode(value) for kind, values in parts.items() for key, value in values.items()}
    return found | {
        "anomaly": core.models.anomaly.snapshot(),
        **{model.name: model.snapshot() for model in core.models.stages},
        "category": core.models.category.snapshot(),
    }
