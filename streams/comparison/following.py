"""Compares a shadow with the live run while both go on.

Both read the same input, but not at the same time, so what one of them has not come to yet is no difference: a decision
counts once both runs have published something of its shard that is as late in event time.
"""

import copy
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from confluent_kafka import Message

from config.settings import Settings
from detectors.comparison.causes import Policies
from detectors.comparison.comparison import Comparison
from detectors.comparison.published import Published
from detectors.comparison.quality import Known
from features.outputs import Mode
from streams.comparison.reading import event_time, take
from streams.comparison.request import compare_published
from streams.reading import POLL_SECONDS, TopicReader, partition_of
from streams.recording import archive_record

#: Seconds for which one look at a topic collects.
_LOOK_S: Final = 2 * POLL_SECONDS


class _Followed:
    """One run, as far as its topic was read."""

    def __init__(self, reader: TopicReader, mode: Mode) -> None:
        self._reader = reader
        self._unfinished = set(reader.partitions)
        self.published = Published(frozenset({str(mode)}))
        #: Partition -> latest event time of what was published there, ms.
        self.reached: dict[int, int] = {}
        #: Partition of each decision, by its id.
        self.places: dict[str, int] = {}

    @property
    def caught_up(self) -> bool:
        """Whether each partition was read to an end of it."""
        return not self._unfinished

    def read(self) -> None:
        """Take what has come."""
        for message in self._reader.poll(_LOOK_S, must_come=not self.caught_up):
            if not isinstance(message, Message):
                self._unfinished.discard(message.partition)
                continue
            record, place = archive_record(message), partition_of(message)[1]
            if record.value is None:
                continue
            before = len(self.published.decisions)
            take(self.published, record.value, record.headers, record.timestamp)
            for decision in self.published.decisions[before:]:
                self.places[decision.id] = place
            time = event_time(dict(record.headers).get("ce_time"))
            if time is not None:
                self.reached[place] = max(time, self.reached.get(place, 0))

    def until(self, horizon: Mapping[int, int], begun: int) -> Published:
        """What was published from a time (ms) on and up to each shard's horizon."""
        cut = copy.copy(self.published)
        cut.decisions = [
            each
            for each in self.published.decisions
            if begun <= each.starts_at <= horizon.get(self.places.get(each.id, -1), -1)
        ]
        latest = max(horizon.values(), default=0)
        cut.times = [time for time in self.published.times if begun <= time <= latest]
        return cut


class Following:
    """Follows the topics of a live run and of its shadow. Use it in a ``with`` statement.

    Parameters
    ----------
    settings
        Those of the live deployment.
    topics
        The events of the live run and of the shadow.
    names
        What to call them.
    policies
        By which each judges, where that is known.
    known
        Who is malicious, if that is known.
    start
        Decisions before this event time (ms) are left out, and those before both have published anything.
    config
        Of a confluent-kafka consumer.

    Raises
    ------
    streams.reading.ReadError
        A topic does not exist, or no broker answers.
    """

    def __init__(
        self,
        settings: Settings,
        topics: tuple[str, str],
        names: tuple[str, str],
        policies: Sequence[Policies | None],
        *,
        known: Known | None,
        start: int,
        config: Mapping[str, Any],
    ) -> None:
        self._settings = settings
        self._names = names
        self._policies = policies
        self._known = known
        self._start = start
        self._stack = ExitStack()
        with ExitStack() as opened:
            live, shadow = (opened.enter_context(TopicReader(config, [topic])) for topic in topics)
            self._runs = _Followed(live, "live"), _Followed(shadow, "shadow")
            self._stack = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self) -> None:
        """Take what has come in either topic.

        Raises
        ------
        streams.reading.ReadError
            The broker refuses, or does not answer.
        """
        for run in self._runs:
            run.read()

    @property
    def caught_up(self) -> bool:
        """Whether both topics were read to an end, so that a comparison is of all there is."""
        return all(run.caught_up for run in self._runs)

    @property
    def horizon(self) -> dict[int, int]:
        """Shard -> event time (ms) that both runs have come to; shards where one has said nothing are left out."""
        live, shadow = (run.reached for run in self._runs)
        return {place: min(time, shadow[place]) for place, time in sorted(live.items()) if place in shadow}

    def comparison(self) -> Comparison | None:
        """How they compare now; ``None`` as long as one of them has published nothing."""
        horizon = self.horizon
        if not horizon:
            return None
        begun = max(self._start, *(min(run.published.times, default=0) for run in self._runs))
        live, shadow = (run.until(horizon, begun) for run in self._runs)
        return compare_published(self._settings, self._names, (live, shadow), self._policies, known=self._known)
