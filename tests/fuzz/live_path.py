"""The live path of a record without services: decoded, loaded for, applied, encoded for the checkpoint, evicted.

What is stored lies in a dictionary and comes back by the worker's own functions, so that everything which apply makes
must survive being written and read.
"""

import gc
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from time import thread_time
from typing import Any

import msgspec
from msgspec import Struct, field

from detectors.flush import Flush
from detectors.judge import Judge
from features.decode import Rejection
from features.shard import Record
from tests.fuzz.mutations import Mutated
from tests.fuzz.stored_shard import StoredShard

#: Records between two checkpoints. Each record is a flush of its own, so that a slow one is known by name.
CHECKPOINT_RECORDS = 1_000
#: Processed, as the table calls what was not rejected.
PROCESSED = "processed"
#: Beginning of the names of models.
MODELS = "model:"


class Slowest(Struct):
    """The record whose decoding and application took longest, in processor time: the machine may be busy."""

    seconds: float = 0.0
    mutation: str = ""
    bytes: int = 0


class Outcome(Struct):
    """What became of the records fed."""

    fed: int = 0
    #: Mutation -> what became of its records -> how many. What became of them is PROCESSED or the reason of rejection.
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    dead_letters: int = 0
    outputs: int = 0
    slowest: Slowest = field(default_factory=Slowest)

    @property
    def processed(self) -> int:
        """Records that were applied."""
        return sum(counter[PROCESSED] for counter in self.counts.values())


def run(records: Iterable[Mutated], judge: Judge) -> Outcome:
    """Feed records; raises AssertionError when one is neither processed nor among the dead letters."""
    outcome = Outcome()
    shard = StoredShard(judge)
    offsets: Counter[str] = Counter()
    # The slowest record shall not be the one at which the memory of all others was tidied up.
    gc.disable()
    try:
        for each in records:
            record = as_record(each, offsets[each.topic])
            offsets[each.topic] += 1
            _feed(outcome, shard, each, record)
            if outcome.fed % CHECKPOINT_RECORDS == 0:
                shard.checkpoint()
                shard.evict()
                gc.collect()
    finally:
        gc.enable()
    shard.checkpoint()
    check_stored(shard.values)
    return outcome


def as_record(each: Mutated, offset: int) -> Record:
    """A record as it is fetched."""
    # Where a header has no value the transport hands on None, whatever the type says.
    headers: Any = each.headers
    return Record(each.topic, each.topic, 0, offset, each.timestamp, each.key, each.value, headers)


def _feed(outcome: Outcome, shard: StoredShard, each: Mutated, record: Record) -> None:
    """Apply a record, and see that it was processed, or is a dead letter with its own bytes."""
    began = thread_time()
    flush = Flush(outcome.fed + 1, [record])
    (event,) = events = shard.core.decode(flush)
    shard.load(flush, events)
    emits = shard.core.apply(flush, events)
    took = thread_time() - began
    outcome.fed += 1
    if took > outcome.slowest.seconds:
        outcome.slowest = Slowest(took, each.mutation, len(record.value or b""))
    letters = [emit for emit in emits if emit.stream == "dead_letters"]
    if isinstance(event, Rejection):
        (letter,) = letters
        assert (letter.key, letter.value) == (each.key, each.value)
        headers = dict(letter.headers[-7:])
        assert headers["dlq_reason"].decode() == event.code
        assert (headers["dlq_topic"].decode(), int(headers["dlq_offset"])) == (record.topic, record.offset)
        headers["dlq_detail"].decode()
        outcome.dead_letters += 1
    elif letters:
        # Words about a decision that nobody made: that is known only when they are applied.
        (letter,) = letters
        assert record.kind == "feedback", f"a dead letter of a record that was accepted: {each}"
        assert (letter.key, letter.value) == (each.key, each.value)
        assert dict(letter.headers)["dlq_reason"] == b"inapplicable"
        outcome.dead_letters += 1
    for emit in emits:
        if emit.stream != "dead_letters":
            assert emit.key is not None
            check_finite(emit.value or b"")
            outcome.outputs += 1
    became = dict(letters[0].headers)["dlq_reason"].decode() if letters else PROCESSED
    outcome.counts.setdefault(each.mutation, Counter())[became] += 1
    statistics = shard.state.statistics
    assert (statistics.records, statistics.rejected) == (outcome.fed, outcome.dead_letters)


def check_stored(values: Mapping[str, bytes]) -> None:
    """What is stored is JSON of finite numbers, but for the models' snapshots: those check themselves when read."""
    for name, value in values.items():
        if not name.startswith(MODELS):
            check_finite(value)


def check_finite(value: bytes) -> None:
    """Raises AssertionError where JSON holds a number that is not finite, or an integer beyond 64 bits."""
    if value:
        _check(msgspec.json.decode(value))


def _check(document: object) -> None:
    if isinstance(document, float):
        assert math.isfinite(document)
    elif isinstance(document, int):
        # Fingerprints of listings are unsigned.
        assert -(2**63) <= document < 2**64
    elif isinstance(document, dict):
        for each in document.values():
            _check(each)
    elif isinstance(document, list):
        for each in document:
            _check(each)
