"""What every merchant's counts and rates must be by the independent oracle, and what the store says."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import msgspec

from features.keys import split_key
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord, held_against_buyer
from features.population import Population
from features.registry import FEATURES, Context
from features.shard import ShardClock
from tests.deployment import Shard
from tests.oracle import expected


class Differences:
    """How far the counts of all merchants are below and above the oracle's, and which rates differ."""

    def __init__(self) -> None:
        self.below = 0
        self.above = 0
        self.others: list[str] = []
        self.compared = 0

    def compare(self, merchant: str, feature: str, found: object, wanted: object) -> None:
        """Take in one feature of one merchant."""
        self.compared += 1
        if found == wanted:
            return
        if isinstance(found, int) and isinstance(wanted, int) and not feature.startswith("gmv"):
            self.below += max(0, wanted - found)
            self.above += max(0, found - wanted)
        self.others.append(f"{feature} of {merchant} is {found}, not {wanted}")


def against_the_oracle(
    shards: Sequence[Shard], events: Iterable[Mapping[str, Any]], excused: Set[tuple[str, str]]
) -> Differences:
    """Compare every windowed count and rate of every merchant stored.

    ``events`` are the good ones, in the order of arrival. ``excused`` are orders, as merchant and order, whose claims
    are held against the buyer: that depends on what a shard knew when they came, and tests/oracle_claims.py is about
    it. Of orders that are still stored, what is stored decides.
    """
    merchants: dict[str, Merchant] = {}
    watermarks: dict[str, int] = {}
    orders: dict[tuple[str, str], OrderRecord] = {}
    for shard in shards:
        watermark = msgspec.json.decode(shard.get("clock", b"{}"), type=ShardClock).watermark
        for key, value in shard.items():
            if key.startswith("m:"):
                merchants[key[2:]] = Merchant(key[2:], msgspec.json.decode(value, type=MerchantRecord))
                watermarks[key[2:]] = watermark
            elif key.startswith("o:"):
                orders[split_key(key[2:])] = msgspec.json.decode(value, type=OrderRecord)
    still_excused = {order for order, record in orders.items() if held_against_buyer(record)}
    excused = still_excused | (excused - orders.keys())
    as_of = {name: merchant.record.as_of for name, merchant in merchants.items()}
    found = Differences()
    events = [event for event in events if event["merchant_id"] in as_of]
    for name, wanted in expected(events, as_of=as_of, watermark=watermarks, excused=excused).items():
        context = Context(merchants[name], Population())
        for feature, value in wanted.features.items():
            found.compare(name, feature, FEATURES[feature].get(context), value)
    return found
