"""Ends a worker that is stuck: records are there, Kafka and Redis too, and nothing moves.

Consumers are known to hang after an outage of the broker without an error, and their own view of how far behind they
are hangs with them. So the ends of the partitions are asked by a client of its own, which belongs to no group, in a
thread of its own, which a blocked event loop does not hold up. What is stuck ends the process with
:data:`EXIT_STUCK`, so that a supervisor starts a new one; nothing is lost, as after any other death.

What is *not* stuck: a shard without records; one that applies records, however slowly, though it fetches no more as its
buffers are full; anything while Redis or Kafka is away; a process that was suspended. A false alarm is worse than a
late one.
"""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from faust.types import TP

from config.settings import Settings
from streams.clients import kafka_config
from streams.patience import OutageLog

logger = logging.getLogger("shopwarden.watchdog")

#: Exit code of a worker that was stuck.
EXIT_STUCK = 71
_ANSWER_S = 5.0
#: Looks per ``worker.stuck_after_s``, and their longest distance in seconds.
_LOOKS = 6
_LOOK_EVERY_S = 5.0

_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Ends = Callable[[set[TP]], Mapping[TP, int] | None]


class Progress(NamedTuple):
    """How far a partition is.

    ``position`` is the next offset to fetch, ``fetched`` the one after the last record that was fetched, ``applied``
    the next one to apply, ``end`` what the consumer itself believes to be the end; each ``None`` if unknown. ``full``
    says that the shard wants no more of it for now.
    """

    position: int | None
    fetched: int | None
    applied: int | None
    end: int | None
    full: bool


class Beat(NamedTuple):
    """What the worker's event loop tells of itself, every now and then.

    ``joined`` says whether the group has given the worker its partitions and they are being read, ``generation`` which
    time that is.
    """

    waiting: bool
    joined: bool
    generation: int
    partitions: Mapping[TP, Progress]


class Stuckness:
    """Decides whether a worker is stuck, from beats, ends and the time; without threads or clients."""

    def __init__(self, stuck_after: float, joining: float) -> None:
        self._stuck_after = stuck_after
        self._joining = joining
        #: For each thing watched: the state last seen, and since when it is that.
        self._seen: dict[object, tuple[object, float]] = {}

    def reset(self) -> None:
        """Begin to count anew: the services were away, or the process was."""
        self._seen.clear()

    def verdict(self, now: float, beat: Beat, ends: Mapping[TP, int]) -> str | None:
        """Why the worker is stuck, or ``None`` if it is not.

        ``ends`` are the partitions' ends as the broker tells them; one that it tells too low does no harm.
        """
        if not beat.joined:
            self._seen = {key: value for key, value in self._seen.items() if key == "joining"}
            since = self._since("joining", beat.generation, now)
            if now - since > self._joining:
                return f"it has been joining the consumer group for {now - since:.0f} s, with Kafka and Redis there"
            return None
        behind: dict[object, str] = {}
        applied: dict[int, list[int | None]] = {}
        for tp, progress in sorted(beat.partitions.items()):
            applied.setdefault(tp.partition, []).append(progress.applied)
        state: dict[object, object] = {}
        for tp, progress in sorted(beat.partitions.items()):
            end = max(ends.get(tp, 0), progress.end or 0)
            told = f"{tp.topic}/{tp.partition}: position {progress.position}, applied {progress.applied}, end {end}"
            # Control records and compaction leave offsets without a record, which are fetched but never applied: what
            # was not fetched is told by the position, what was not applied by the last record that was fetched.
            if not progress.full and (progress.position or 0) < end:
                behind["fetch", tp] = f"nothing is fetched of {told}"
                state["fetch", tp] = progress.position
            if progress.fetched is not None and (progress.applied or 0) < progress.fetched:
                behind["apply", tp] = f"nothing is applied of {told}"
                # Any topic of the shard: they are merged by time, so one may rightly wait for another.
                state["apply", tp] = tuple(applied[tp.partition])
        self._seen = {key: value for key, value in self._seen.items() if key in behind}
        for key, what in behind.items():
            since = self._since(key, state[key], now)
            if now - since > self._stuck_after:
                return f"{what}, for {now - since:.0f} s"
        return None

    def _since(self, key: object, state: object, now: float) -> float:
        before = self._seen.get(key)
        if before is None or before[0] != state:
            self._seen[key] = (state, now)
            return now
        return before[1]


class Watchdog:
    """Watches the worker from a thread, from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    stuck_after, joining
        Seconds without progress, and without partitions from the group.
    ends
        Asks the broker for the ends of partitions; ``None`` if it does not answer.
    bite
        Called with the reason, from the thread; ends the process.
    """

    def __init__(
        self,
        stuck_after: float,
        joining: float,
        ends: Ends,
        bite: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stuck_after = stuck_after
        self._stuckness = Stuckness(stuck_after, joining)
        self._ends = ends
        self._bite = bite
        self._clock = clock
        self._every = min(_LOOK_EVERY_S, stuck_after / _LOOKS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._beat: tuple[float, Beat] | None = None
        self._outage = OutageLog("Kafka", clock)

    @property
    def every(self) -> float:
        """Seconds between two looks; the loop should beat as often."""
        return self._every

    @property
    def kafka_away(self) -> bool:
        """Whether no broker answered when it was asked last."""
        return self._outage.waiting

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more: stopping has a deadline of its own."""
        self._stopped.set()

    def beat(self, beat: Beat) -> None:
        """The event loop is alive, and this is how far it is."""
        self._beat = (self._clock(), beat)

    def _run(self) -> None:
        looked = self._clock()
        while not self._stopped.wait(self._every):
            now = self._clock()
            # Suspended (SIGSTOP, a sleeping laptop) or starved: what did not move then says nothing.
            suspended = now - looked > self._every + max(self._every, self._stuck_after / 4)
            reason = self.look(now, suspended=suspended)
            if reason is not None and not self._stopped.is_set():
                self._bite(reason)
                return
            looked = self._clock()

    def look(self, now: float, *, suspended: bool = False) -> str | None:
        """Look once; the reason if the worker is stuck."""
        if self._beat is None:
            return None
        at, beat = self._beat
        if suspended:
            self._stuckness.reset()
            self._beat = (now, beat)
            return None
        if now - at > self._stuck_after:
            return f"its event loop has not moved for {now - at:.0f} s"
        if beat.waiting:
            self._stuckness.reset()
            return None
        ends = self._ends(set(beat.partitions))
        if ends is None:
            self._stuckness.reset()
            self._outage.lasts(self, "no broker answers")
            return None
        self._outage.over(self)
        return self._stuckness.verdict(now, beat, ends)


class BrokerEnds:
    """Asks the broker for the ends of partitions, by a client that belongs to no group."""

    def __init__(self, settings: Settings) -> None:
        # Without a log: what goes wrong here goes wrong for the others too, and they tell.
        config = {name: value for name, value in kafka_config(settings).items() if name != "logger"}
        self._admin = AdminClient({**config, "log_level": 0})

    def __call__(self, partitions: set[TP]) -> Mapping[TP, int] | None:
        """Offset after the last record of each partition; ``None`` if the broker does not answer."""
        try:
            if not partitions:
                self._admin.list_topics(timeout=_ANSWER_S)
                return {}
            wanted = {TopicPartition(tp.topic, tp.partition): _LATEST for tp in partitions}
            asked = self._admin.list_offsets(wanted, request_timeout=_ANSWER_S)
            return {
                TP(place.topic, place.partition): future.result(2 * _ANSWER_S).offset for place, future in asked.items()
            }
        except (KafkaException, TimeoutError):
            return None


def stacks() -> str:
    """What each thread is doing: for the log of a worker that is stuck."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame)[-8:])}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - there is no other way
    )
