"""Runs to compare: recorded in archives of governance events, or judged now out of an archive of input events."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, get_args

from detectors.comparison.published import Published
from detectors.comparison.trade import Trade
from detectors.flush import Emit
from detectors.judge import Judge
from features.decode import InputLimits, Rejection, TopicKind, decode
from features.events import InputEvent
from streams.archive import ArchiveRecord
from streams.archive_lines import Headers
from streams.evaluation.archive_run import ArchiveRun, time_of

#: Topic of the output events in an archive: the contract's name.
OUTPUTS: Final = "governance-events"
_INPUTS: Final = frozenset(get_args(TopicKind))


def read_published(
    records: Iterable[ArchiveRecord],
    modes: frozenset[str] = frozenset(),
    *,
    advance: Callable[[], object] = lambda: None,
) -> Published:
    """The output events among an archive's records; others are passed over.

    ``modes``: those to take (live, shadow, replay); all without any.
    """
    published = Published(modes)
    for record in records:
        if record.topic == OUTPUTS and record.value is not None:
            take(published, record.value, record.headers, record.timestamp)
        advance()
    return published


def take(published: Published, value: bytes, headers: Headers, written: int | None = None) -> None:
    """Put one record of ``governance-events`` into a run; ``written`` is its own timestamp, ms."""
    named = dict(headers)
    kind, identifier, time = named.get("ce_type"), named.get("ce_id"), event_time(named.get("ce_time"))
    if kind is None or identifier is None or time is None:
        published.unread += 1
        return
    published.take(
        kind.decode(errors="replace"), identifier.decode(errors="replace"), time, value, _known(written, time)
    )


def _known(written: int | None, time: int) -> int | None:
    """When a record was written, unless its timestamp only repeats the event's time."""
    return None if written is None or written == time else written


def event_time(text: bytes | None) -> int | None:
    """The header ``ce_time`` as ms; ``None`` where it is no time."""
    if text is None:
        return None
    try:
        return round(datetime.fromisoformat(text.decode()).timestamp() * 1000)
    except ValueError:
        return None


def read_trade(
    records: Iterable[ArchiveRecord], merchants: Collection[str], *, advance: Callable[[], object] = lambda: None
) -> Trade:
    """What was traded according to an archive's input events, and by these merchants in detail."""
    trade = Trade(merchants)
    limits = InputLimits()
    for record in records:
        if record.topic in _INPUTS:
            kind: TopicKind = record.topic  # type: ignore[assignment]  # one of the kinds, as was looked up
            event = decode(kind, record.key, record.value, time_of(record), limits)
            if not isinstance(event, Rejection):
                trade.event(event)
        advance()
    trade.close()
    return trade


class _Kept:
    """Keeps what a run in memory publishes."""

    def __init__(self) -> None:
        self.published = Published()

    def event(self, event: InputEvent, time: int) -> None:
        """An event that is about to be applied: nothing of it is kept."""

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What applying it published."""
        for emit in emits:
            if emit.stream == "events" and emit.value is not None:
                take(self.published, emit.value, emit.headers)


def judge_side_by_side(
    records: Iterable[ArchiveRecord],
    judges: Sequence[Judge],
    *,
    shards: int = 1,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
) -> list[Published]:
    """Judge an archive's input events under several policy sets in one pass; what each published, in their order.

    Raises
    ------
    detectors.apply.ApplyError
        A record made the core fail, which is a fault of ours.
    """
    kept = [_Kept() for _ in judges]
    runs = [ArchiveRun(judge, each, shards=shards, seed=seed) for judge, each in zip(judges, kept, strict=True)]
    for record in records:
        for run in runs:
            run.take(record)
        advance()
    return [each.published for each in kept]
