"""A simulated marketplace, applied in calm and in trouble: merchants, creators and what shards tell each other."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import cast

import pytest

from detectors.flush import Emit, Flush
from features.decode import RecordKind
from features.shard import Record, ShardState
from streams.snapshot import BUCKET, CREATOR, LISTING, MERCHANT, ORDER, encode_ahead, keep_loaded
from tests.builders import make_judge
from tests.faults.stream import simulated
from tests.fuzz.stored_shard import StoredShard

_RECORDS = 8_000


class _Topics:
    """Gives records the offsets that they would have."""

    def __init__(self) -> None:
        self._ends: Counter[str] = Counter()

    def record(self, topic: str, at: int, key: bytes | None, value: bytes | None) -> Record:
        offset = self._ends[topic]
        self._ends[topic] += 1
        return Record(cast("RecordKind", topic), topic, 0, offset, at, key, value)

    def told(self, emits: Sequence[Emit], at: int) -> list[Record]:
        """What the shard tells itself, to be read with the next flush."""
        return [self.record("exchange", at, emit.key, emit.value) for emit in emits if emit.stream == "exchange"]


@pytest.mark.parametrize("seed", [3, 4])
def test_a_shard_in_trouble_stores_what_one_in_calm_stores(seed: int) -> None:
    """Checkpoints, evictions and kills at any moment change no byte of the outputs and of the state."""
    chance = random.Random(seed)
    judge = make_judge()
    calm, troubled = StoredShard(judge), StoredShard(judge)
    topics = _Topics()
    records = islice(simulated(seed), _RECORDS)
    told: list[Record] = []
    unconfirmed: list[Emit] = []
    sequence = kills = 0
    while (fetched := list(islice(records, chance.choice((1, 5, 40, 200, 400))))) or told:
        given = [topics.record(each.topic, each.timestamp or 0, each.key, each.value) for each in fetched]
        sequence += 1
        flush = Flush(sequence, [*told, *given], None)
        emitted = calm.apply(flush)
        assert troubled.apply(flush) == emitted
        told = topics.told(emitted, calm.state.clock.highest)
        unconfirmed += emitted
        if chance.random() < 0.3:
            troubled.encode_ahead()
        if chance.random() < 0.3:
            troubled.checkpoint()
            unconfirmed = []
        if chance.random() < 0.2:
            troubled.evict(chance.randrange(200))
        if chance.random() < 0.2:
            kills += 1
            assert troubled.kill() == unconfirmed
    calm.checkpoint()
    troubled.checkpoint()
    assert kills > 5
    assert any(key.startswith("c:") for key in calm.values)
    assert any(b'"enforcement"' in value for value in calm.values.values())
    assert troubled.values == calm.values
    assert troubled.timers == calm.timers
    assert troubled.lists == calm.lists
    assert _stored_again(calm.values) == calm.values


def _stored_again(values: Mapping[str, bytes]) -> dict[str, bytes]:
    """The values, with all records as they are stored after they were loaded from them: a number that came back as
    another type would be other bytes.
    """
    state = ShardState(0)
    names = [name for name in values if name[:2] in (MERCHANT, ORDER, LISTING, BUCKET, CREATOR)]
    keep_loaded(state, names, [values[name] for name in names])
    again = dict(values)
    for kind, records, touched in (
        (MERCHANT, state.merchants, state.touched_merchants),
        (ORDER, state.orders, state.touched_orders),
        (LISTING, state.listings, state.touched_listings),
        (BUCKET, state.buckets, state.touched_buckets),
        (CREATOR, state.creators, state.touched_creators),
    ):
        touched.update(dict.fromkeys(records))
        encode_ahead(state)
        again.update({kind + key: encoded or b"" for key, encoded in touched.items()})
    return again
