"""Runs an archive of events through the core in memory: no Kafka, no Redis, no clock."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, get_args

import msgspec
from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from config.settings import Settings
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge, fresh_models
from features.decode import RecordKind, Rejection, TopicKind
from features.events import InputEvent
from features.pseudonyms import Pseudonyms
from features.shard import Record, ShardState
from streams.archive import ArchiveRecord
from streams.evaluation.partitioner import shard_of
from streams.worker import compiled_policies, judge_settings

_KINDS: Final = frozenset(get_args(TopicKind))
#: Pseudonyms that never leave this process need no secret; a fixed key makes every run the same.
_KEY: Final = b"evaluation in memory"


class Witness(Protocol):
    """What watches a run: times are those of the records, ms."""

    def event(self, event: InputEvent, time: int) -> None:
        """An event that the core is about to apply."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What the core published when it applied the record of that time."""


class Witnesses:
    """Several witnesses of one run, told in their order."""

    def __init__(self, *each: Witness) -> None:
        self._each = each

    def event(self, event: InputEvent, time: int) -> None:
        """An event that the core is about to apply."""
        for witness in self._each:
            witness.event(event, time)

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What the core published when it applied the record of that time."""
        for witness in self._each:
            witness.outputs(emits, time)


class _Dated(Struct):
    occurred_at: int = 0


_read_time: Final = Decoder(_Dated).decode
#: Records after which what is marked for a checkpoint is forgotten.
_FORGET_EVERY: Final = 40_000


def evaluation_judge(settings: Settings) -> Judge:
    """A judge with the policies of the settings. Raises config.policies.PolicyError with all that is wrong."""
    key = settings.pseudonym_key
    secret = _KEY if key is None else key.get_secret_value().encode()
    return Judge(judge_settings(settings), compiled_policies(settings), Pseudonyms(secret))


def run_archive(
    records: Iterable[ArchiveRecord],
    judge: Judge,
    seen: Witness,
    *,
    shards: int = 1,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
    begun: Callable[[Sequence[Core]], object] = lambda _: None,
) -> int:
    """Apply the records in their order, spread over ``shards`` as a worker would have them; returns how many.

    One record is one flush, so that each output has the time of the record that brought it. Topics other than the
    inputs are passed over. ``seed`` is that of the models; ``advance`` is called for every record, ``begun``
    with the shards' cores before the first.

    Raises
    ------
    detectors.apply.ApplyError
        A record made the core fail, which is a fault of ours.
    """
    run = ArchiveRun(judge, seen, shards=shards, seed=seed)
    begun([each.core for each in run.cores])
    for record in records:
        if run.take(record):
            advance()
    return run.count


class ArchiveRun:
    """A run that is fed record by record: :func:`run_archive` in steps, for several side by side.

    ``count`` is the number of records of the input topics so far.
    """

    def __init__(self, judge: Judge, seen: Witness, *, shards: int = 1, seed: int = 0) -> None:
        self.cores = _cores(judge, shards, seed)
        self.count = 0
        self._seen = seen
        self._latest = 0

    def take(self, record: ArchiveRecord) -> bool:
        """Apply a record and show what came of it; false if it is of no input topic, and passed over."""
        if record.topic not in _KINDS:
            return False
        core = self.cores[shard_of(record.key, len(self.cores))]
        time = time_of(record)
        kind: TopicKind = record.topic  # type: ignore[assignment]  # one of the kinds, as was looked up
        flush = core.flush(kind, time, record.key, record.value)
        events = core.core.decode(flush)
        event = events[0]
        self._latest = max(self._latest, time)
        if type(event) is not Rejection:
            self._seen.event(event, self._latest)  # type: ignore[arg-type]
        _deliver(core.core.apply(flush, events), self.cores, self._seen, self._latest)
        self.count += 1
        if not core.sequence % _FORGET_EVERY:
            forget_touched(core.core.state)
        return True

    def move_on(self, time: int) -> None:
        """Move every shard's event time on to ``time`` (ms), as a worker's ticks do, so that what is due fires."""
        self._latest = max(self._latest, time)
        for core in self.cores:
            core.sequence += 1
            tick = Flush(core.sequence, [], tick=time)
            _deliver(core.core.apply(tick), self.cores, self._seen, self._latest)


class _Numbered:
    """A core, and the number of its last flush."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.sequence = 0

    def flush(self, kind: RecordKind, time: int, key: bytes | None, value: bytes | None) -> Flush:
        """A flush of one record; offsets only have to differ, so one number does for all topics."""
        self.sequence += 1
        taken = Record(kind, kind, self.core.state.partition, self.sequence, time, key, value)
        return Flush(self.sequence, [taken])


def _cores(judge: Judge, shards: int, seed: int) -> list[_Numbered]:
    judge = Judge(
        msgspec.structs.replace(judge.settings, shards=shards), judge.policies, judge.pseudonyms, judge.signer
    )
    return [_Numbered(Core(ShardState(shard), fresh_models(seed), judge)) for shard in range(shards)]


def _deliver(emits: Iterable[Emit], cores: list[_Numbered], seen: Witness, time: int) -> None:
    """Show outputs, and hand messages between shards over at once, with what they cause in turn."""
    waiting = deque([emits])
    while waiting:
        shown = []
        for emit in waiting.popleft():
            if emit.stream != "exchange":
                shown.append(emit)
                continue
            to = cores[emit.partition or 0]
            waiting.append(to.core.apply(to.flush("exchange", time, emit.key, emit.value)))
        seen.outputs(shown, time)


def time_of(record: ArchiveRecord) -> int:
    """The record's own timestamp, ms; where it has none, the time of its event."""
    if record.timestamp is not None:
        return record.timestamp
    try:
        return _read_time(record.value or b"").occurred_at
    except (DecodeError, UnicodeDecodeError):
        return 0


def forget_touched(state: ShardState) -> None:
    """Nothing is stored here, so nothing need be remembered for the next checkpoint."""
    for marked in (
        state.touched_merchants,
        state.touched_orders,
        state.touched_listings,
        state.touched_buckets,
        state.touched_creators,
        state.removed_merchants,
        state.removed_orders,
        state.removed_listings,
        state.removed_buckets,
        state.removed_creators,
        state.timers.changed,
    ):
        marked.clear()
