"""Several shards of a marketplace, and the mail between them."""

from itertools import count
from typing import Any, TypeVar

from features.creator import Creator
from features.outputs import AuditSampled, CreditChanged, EnforcementDecided, EnforcementReversed, RiskAssessed
from features.partitions import partition_of
from features.registry import FEATURES, of_creator
from features.shard import Record
from tests.builders import START, Event, Shard, make_judge

T = TypeVar("T", RiskAssessed, EnforcementDecided, EnforcementReversed, AuditSampled, CreditChanged)


class Marketplace:
    """Several shards, and the mail between them. A merchant's shard is the digit that its name ends with, that of a
    creator the one that Kafka would choose.
    """

    def __init__(self, shards: int, **options: Any) -> None:
        self.shards = [Shard(make_judge(shards=shards, **options)) for _ in range(shards)]
        for number, shard in enumerate(self.shards):
            shard.state.partition = number
        self._offsets = count(1)

    def apply(self, *events: Event) -> None:
        """Apply events, each in its merchant's shard, and deliver what the shards tell each other."""
        for one in events:
            self.shards[self._shard_of(one)].apply(one)
            self.deliver()

    def move_on(self, at: int) -> None:
        """Move the time of every shard on to ``at`` ms after START, and deliver what they tell each other."""
        for shard in self.shards:
            shard.apply(tick=at)
        self.deliver()

    def creator(self, creator: str) -> Creator:
        """A creator that its shard knows."""
        return self.shards[partition_of(creator, len(self.shards))].state.creators[creator]

    def creator_feature(self, name: str, creator: str) -> float | None:
        """A feature of a creator."""
        shard = self.shards[partition_of(creator, len(self.shards))]
        return FEATURES[name].get(of_creator(self.creator(creator), shard.state.population))

    def outputs(self, kind: type[T]) -> list[T]:
        """Output events of one type, of all shards, one shard after the other."""
        return [one for shard in self.shards for one in shard.outputs(kind)]

    def _shard_of(self, one: Event) -> int:
        merchant: str = one["merchant_id"]
        if one.get("creator_id") == merchant:
            return partition_of(merchant, len(self.shards))
        return int(merchant[-1])

    def deliver(self, *, again: bool = False) -> None:
        """Hand over all mail, twice if so wished."""
        while mail := [each for shard in self.shards for each in shard.mail]:
            for shard in self.shards:
                shard.mail = []
            for each in mail * (2 if again else 1):
                assert each.partition is not None
                record = Record(
                    "exchange", "exchange", each.partition, next(self._offsets), START, each.key, each.value
                )
                self.shards[each.partition].flush([record])

    def feature(self, name: str, merchant: str, **of: str) -> float | None:
        """A feature of a merchant, wherever it is."""
        return self.shards[int(merchant[-1])].feature(name, merchant, **of)
