"""Feeds the fold of governance metrics: from an archive, from a run in memory, or from the topics."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, get_args

from config.settings import Settings
from detectors.apply import ApplyError
from detectors.flush import Emit
from detectors.metrics.ledger import Ledger
from features.decode import InputLimits, Rejection, TopicKind, decode
from features.events import InputEvent
from streams.archive import ArchiveRecord
from streams.archive_lines import Headers
from streams.comparison.reading import OUTPUTS, event_time
from streams.evaluation.archive_run import ArchiveRun, evaluation_judge, time_of
from streams.metrics.known_verdicts import KnownVerdicts

_KINDS: Final = frozenset(get_args(TopicKind))


class FeedError(Exception):
    """What cannot be fed; the message says why."""


class Feed:
    """Puts records into a ledger.

    Parameters
    ----------
    ledger
        It.
    reviewers
        Who answers what is drawn and what asks for a person, if the truth is known.

    Attributes
    ----------
    inputs, outputs
        Records of each that were taken.
    rejected
        Input records that cannot be used: they are in the dead letters, and no metric counts them.
    """

    def __init__(self, ledger: Ledger, reviewers: KnownVerdicts | None = None) -> None:
        self.ledger = ledger
        self._reviewers = reviewers
        self.inputs = self.outputs = self.rejected = 0
        self._limits = InputLimits()

    def record(self, record: ArchiveRecord, clock: int = 0) -> None:
        """Take a record by its topic's name in the contract; others are passed over.

        ``clock``: the time (ms) that the stream has come to; inputs of a day later have a wrong clock and are refused.
        """
        if record.topic == OUTPUTS:
            if record.value is not None:
                self.output(record.headers, record.value)
        elif record.topic in _KINDS:
            kind: TopicKind = record.topic  # type: ignore[assignment]  # one of the kinds, as was looked up
            event = decode(kind, record.key, record.value, time_of(record), self._limits, clock)
            if isinstance(event, Rejection):
                self.rejected += 1
            else:
                self.event(event)

    def event(self, event: InputEvent) -> None:
        """Take an input event."""
        self.inputs += 1
        self._review(event.occurred_at)
        self.ledger.event(event)

    def output(self, headers: Headers, value: bytes) -> None:
        """Take an output event with its CloudEvents headers."""
        named = dict(headers)
        kind, identifier, time = named.get("ce_type"), named.get("ce_id"), event_time(named.get("ce_time"))
        if kind is None or identifier is None or time is None:
            return
        self.outputs += 1
        self._review(time)
        self.ledger.output(kind.decode(errors="replace"), identifier.decode(errors="replace"), time, value)
        if self._reviewers is not None:
            self._reviewers.asked(headers, value)

    def _review(self, time: int) -> None:
        """Take the verdicts that came before a time."""
        if self._reviewers is not None:
            for verdict in self._reviewers.due(time):
                self.ledger.event(verdict)


class _Watching:
    """Feeds what a run in memory takes and publishes."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def event(self, event: InputEvent, time: int) -> None:
        """An event that is about to be applied."""
        self._feed.event(event)

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What applying it published."""
        for emit in emits:
            if emit.stream == "events" and emit.value is not None:
                self._feed.output(emit.headers, emit.value)


def feed_events(
    feed: Feed, records: Iterable[tuple[int, ArchiveRecord | None]], advance: Callable[[], object] = lambda: None
) -> None:
    """Feed input and output events with their times (ms), as :mod:`streams.metrics.sources` gives them."""
    for time, record in records:
        if record is not None:
            feed.record(record, time)
            advance()


def feed_judged(
    feed: Feed,
    records: Iterable[ArchiveRecord],
    settings: Settings,
    *,
    shards: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> None:
    """Feed an archive of input events and what the policies of the settings publish about them, judged in memory.

    Raises
    ------
    FeedError
        A record made the core fail, which is a fault of ours.
    config.policies.PolicyError
        The policies cannot be used.
    """
    run = ArchiveRun(evaluation_judge(settings), _Watching(feed), shards=shards, seed=settings.worker.seed)
    try:
        for record in records:
            run.take(record)
            advance()
        run.move_on(feed.ledger.now)
    except ApplyError as error:
        raise FeedError(f"{error}; please report it") from error
