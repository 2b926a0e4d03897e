"""What a replay publishes, as records of an archive: the live outputs' bytes, but for ``mode`` and the header of the
run.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from config.topics import TopicSettings
from detectors.flush import Emit, Stream
from streams.archive import ArchiveRecord
from streams.replay.plan import Plan
from streams.takeover import STREAMS

#: Header that names the run of an output, by the rules for extension attributes of CloudEvents.
RUN_HEADER: Final = "ce_run"
_TIME: Final = "ce_time"
_REJECTED_AT: Final = "dlq_at"
#: Stream -> the contract's name of its topic; what shards tell each other is none of the outputs.
_TOPICS: Final[dict[Stream, str]] = {
    stream: str(TopicSettings.model_fields[field].default) for stream, field in STREAMS.items() if stream != "exchange"
}
OUTPUT_TOPICS: Final = tuple(_TOPICS.values())


class _AsOf(Struct):
    as_of: int


_read_as_of: Final = msgspec.json.Decoder(_AsOf).decode


def replay_records(emits: Iterable[Emit], plan: Plan, partition: int) -> Iterator[ArchiveRecord]:
    """A shard's outputs, in order; those about others than the wanted merchants are left out."""
    run = (RUN_HEADER, plan.run.encode())
    merchants = None if plan.merchants is None else frozenset(name.encode() for name in plan.merchants)
    for emit in emits:
        if merchants is not None and emit.key not in merchants:
            continue
        yield ArchiveRecord(
            _TOPICS[emit.stream], emit.key, emit.value, _time_of(emit), (*emit.headers, run), partition=partition
        )


def _time_of(emit: Emit) -> int:
    """Event time of an output, ms."""
    if emit.stream in ("standing", "creator_standing"):
        return _read_as_of(emit.value or b"{}").as_of
    headers = dict(emit.headers)
    if emit.stream == "dead_letters":
        return int(headers[_REJECTED_AT])
    return round(datetime.fromisoformat(headers[_TIME].decode()).timestamp() * 1000)
