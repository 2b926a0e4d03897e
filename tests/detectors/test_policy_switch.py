"""What judges may be built anew between any two flushes: nothing of a shard's is kept there."""

import pytest

from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge, fresh_models
from features.shard import Record, ShardState
from streams.snapshot import take_changes
from tests.streams.shard_fakes import make_judge, marketplace

SIZE = 25


def flushes() -> list[Flush]:
    """A small marketplace in flushes, merged by time."""
    records = [
        Record(kind, kind, 0, each.offset, each.timestamp, each.key, each.value)  # type: ignore[arg-type]
        for kind, fetched in marketplace().items()
        for each in fetched
    ]
    records.sort(key=lambda record: (record.timestamp, record.kind, record.offset))
    return [
        Flush(number, records[start : start + SIZE]) for number, start in enumerate(range(0, len(records), SIZE), 1)
    ]


def run(judge: Judge, *, anew: bool) -> tuple[list[Emit], dict[str, bytes], dict[str, int]]:
    """Everything that a shard publishes and stores, with what judges built anew before each flush, or once."""
    core = Core(ShardState(0), fresh_models(42), judge)
    emits: list[Emit] = []
    for flush in flushes():
        if anew:
            core.use(judge)
        emits += core.apply(flush)
    changes = take_changes(core)
    return emits, dict(changes.values), dict(changes.timers)


@pytest.mark.parametrize("publish_level", [0, 2])
def test_building_anew_changes_nothing(publish_level: int) -> None:
    """The same policies put in place again before every flush leave the same messages, state and timers."""
    judge = make_judge(publish_level=publish_level, audit_rate=0.2)
    once, anew = run(judge, anew=False), run(judge, anew=True)
    assert len(once[0]) > 100
    assert anew[0] == once[0]
    assert anew[1] == once[1]
    assert anew[2] == once[2]
