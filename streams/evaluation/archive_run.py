"""Runs an archive of events through the core in memory: no Kafka, no Redis, no clock."""

from collections.abc import Callable, Iterable
from typing import Final, get_args

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from config.settings import Settings
from detectors.apply import Core
from detectors.evaluation.observations import Observations
from detectors.flush import Flush
from detectors.judge import Judge, fresh_models
from features.decode import Rejection, TopicKind
from features.pseudonyms import Pseudonyms
from features.shard import Record, ShardState
from streams.archive import ArchiveRecord
from streams.evaluation.partitioner import shard_of
from streams.worker import compiled_policies, judge_settings

_KINDS: Final = frozenset(get_args(TopicKind))
#: Pseudonyms that never leave this process need no secret; a fixed key makes every run the same.
_KEY: Final = b"evaluation in memory"


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
    seen: Observations,
    *,
    shards: int = 1,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> int:
    """Apply the records in their order, spread over ``shards`` as a worker would have them; returns how many.

    One record is one flush, so that each output has the time of the record that brought it. Topics other than the
    inputs are passed over. ``seed`` is that of the models; ``advance`` is called for every record.

    Raises
    ------
    detectors.apply.ApplyError
        A record made the core fail, which is a fault of ours.
    """
    cores = [Core(ShardState(shard), fresh_models(seed), judge) for shard in range(shards)]
    sequences = [0] * shards
    latest = count = 0
    for record in records:
        if record.topic not in _KINDS:
            continue
        shard = shard_of(record.key, shards)
        core = cores[shard]
        time = _time_of(record)
        kind: TopicKind = record.topic  # type: ignore[assignment]  # one of the kinds, as was looked up
        # Offsets only have to differ: one number for all topics.
        sequences[shard] += 1
        taken = Record(kind, kind, shard, sequences[shard], time, record.key, record.value)
        flush = Flush(sequences[shard], [taken])
        events = core.decode(flush)
        event = events[0]
        latest = max(latest, time)
        if type(event) is not Rejection:
            seen.event(event, latest)  # type: ignore[arg-type]
        seen.outputs(core.apply(flush, events), latest)
        count += 1
        advance()
        if not sequences[shard] % _FORGET_EVERY:
            _forget_touched(core.state)
    return count


def _time_of(record: ArchiveRecord) -> int:
    """The record's own timestamp, ms; where it has none, the time of its event."""
    if record.timestamp is not None:
        return record.timestamp
    try:
        return _read_time(record.value or b"").occurred_at
    except (DecodeError, UnicodeDecodeError):
        return 0


def _forget_touched(state: ShardState) -> None:
    """Nothing is stored here, so nothing need be remembered for the next checkpoint."""
    for marked in (
        state.touched_merchants,
        state.touched_orders,
        state.touched_listings,
        state.removed_merchants,
        state.removed_orders,
        state.removed_listings,
        state.timers.changed,
    ):
        marked.clear()
