"""What a worker counts of its own work while it does it: per flush, checkpoint and output, never per event.

These are counts of one process, from its start: sums over processes and times are the business of who scrapes them.
(The shards' own :class:`~features.shard.Statistics` go back to the checkpoint when a worker dies, which a counter must
not.)
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from detectors.flush import Emit, Stream
from features.shard import Statistics
from streams.telemetry.histogram import Histogram

#: Seconds. A flush of a few records takes a few ms, one of 4,000 about 0.3 s; above ten everything is equally bad.
FLUSH_BOUNDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
CHECKPOINT_BOUNDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
RECOVERY_BOUNDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
#: Different values of a label whose values come from policies or records; what is beyond is counted together.
MOST_VALUES: Final = 500
OTHER: Final = "other"

_DECIDED: Final = b"shopwarden.enforcement.decided.v1"
_MESSAGE: Final = "shard-message"
#: How outputs without a CloudEvents type are called.
_STREAM_TYPES: Final[Mapping[Stream, str]] = {
    "events": "unknown",
    "standing": "merchant-standing",
    "creator_standing": "creator-standing",
    "dead_letters": "dead-letter",
    "exchange": _MESSAGE,
}


class Decision(Struct, frozen=True):
    """What is counted apart of decisions: on which policy, what, and whether a person must agree first."""

    policy: str
    action: str
    requires_review: bool


class _Policy(Struct):
    id: str


class _Decided(Struct):
    policy: _Policy
    action: str
    requires_review: bool


_decode_decided = msgspec.json.Decoder(_Decided).decode
_COUNTS: Final = tuple(name for name, kind in Statistics.__annotations__.items() if kind is int)


class WorkerMeter:
    """Counters of one worker. Times are in seconds; see streams/telemetry/worker_metrics.py for what each means.

    Written by the event loop, read by the thread that answers scrapes.
    """

    def __init__(self) -> None:
        self.records: dict[str, int] = {}
        self.flushes = Histogram(FLUSH_BOUNDS)
        self.journal_seconds = 0.0
        self.apply_seconds = 0.0
        self.checkpoints = Histogram(CHECKPOINT_BOUNDS)
        self.recoveries = Histogram(RECOVERY_BOUNDS)
        self.flushes_recovered = 0
        self.rebalances = 0
        self.outputs: dict[str, int] = {}
        self.dead_letters: dict[str, int] = {}
        self.decisions: dict[Decision, int] = {}
        self._ended = Statistics()
        #: Of each shard that is owned: its statistics, and what they were when it was taken over.
        self._shards: dict[int, tuple[Statistics, Statistics]] = {}

    # -- a shard ------------------------------------------------------------------------------------------------------

    def began(self, shard: int, statistics: Statistics) -> None:
        """A shard was taken over, and has counted this so far."""
        before = msgspec.structs.replace(statistics, shadow=dict(statistics.shadow), drifts=dict(statistics.drifts))
        self._shards[shard] = (statistics, before)

    def ended(self, shard: int) -> None:
        """A shard was given up."""
        owned = self._shards.pop(shard, None)
        if owned is not None:
            _add(self._ended, *owned)

    def statistics(self) -> Statistics:
        """What the shards have counted while this worker owned them."""
        total = msgspec.structs.replace(self._ended, shadow=dict(self._ended.shadow), drifts=dict(self._ended.drifts))
        for now, before in self._shards.copy().values():
            _add(total, now, before)
        return total

    def recovered(self, seconds: float) -> None:
        """A shard's journal was applied again, so many seconds after the shard was taken over."""
        self.recoveries.observe(seconds)

    # -- a flush ------------------------------------------------------------------------------------------------------

    def applied(self, ranges: Iterable[tuple[str, int, int]], seconds: float) -> None:
        """Ranges of records (topic, first and last offset) were applied; of a topic with holes, a few too many."""
        records = self.records
        for topic, first, last in ranges:
            records[topic] = records.get(topic, 0) + last - first + 1
        self.apply_seconds += seconds

    def flushed(self, seconds: float, journal_seconds: float) -> None:
        """A flush is done, but for its checkpoint; so long it waited for the journal and for what it read."""
        self.flushes.observe(seconds)
        self.journal_seconds += journal_seconds

    def published(self, emits: Iterable[Emit]) -> None:
        """Messages were handed to the producer."""
        for emit in emits:
            if emit.stream == "events":
                kind = _header(emit, "ce_type")
                if kind == _DECIDED:
                    self._decided(emit.value or b"")
                _count(self.outputs, kind.decode())
            else:
                _count(self.outputs, _STREAM_TYPES[emit.stream])
                if emit.stream == "dead_letters":
                    _count(self.dead_letters, _header(emit, "dlq_reason").decode())

    def posted(self, messages: int) -> None:
        """So many messages to other shards are on their way to the producer."""
        self.outputs[_MESSAGE] = self.outputs.get(_MESSAGE, 0) + messages

    def _decided(self, value: bytes) -> None:
        decided = _decode_decided(value)
        decision = Decision(decided.policy.id, decided.action, decided.requires_review)
        if len(self.decisions) >= MOST_VALUES and decision not in self.decisions:
            decision = Decision(OTHER, decided.action, decided.requires_review)
        self.decisions[decision] = self.decisions.get(decision, 0) + 1

    # -- a checkpoint -------------------------------------------------------------------------------------------------

    def checkpointed(self, seconds: float) -> None:
        """A checkpoint is written, so many seconds after its cut was taken."""
        self.checkpoints.observe(seconds)


def _header(emit: Emit, name: str) -> bytes:
    for found, value in reversed(emit.headers):
        if found == name:
            return value
    return b"unknown"


def _count(counts: dict[str, int], value: str) -> None:
    if len(counts) >= MOST_VALUES and value not in counts:
        value = OTHER
    counts[value] = counts.get(value, 0) + 1


def _add(total: Statistics, now: Statistics, before: Statistics) -> None:
    for name in _COUNTS:
        setattr(total, name, getattr(total, name) + getattr(now, name) - getattr(before, name))
    for counts, current, earlier in (
        (total.shadow, now.shadow, before.shadow),
        (total.drifts, now.drifts, before.drifts),
    ):
        for what, count in current.copy().items():
            counts[what] = counts.get(what, 0) + count - earlier.get(what, 0)
