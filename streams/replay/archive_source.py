"""Rounds out of archive records, which come in event-time order over all partitions, or nearly so.

A round is complete once the archive has come an hour beyond its end, so a file may be out of order by that much. What
comes still later goes into the first round that is open, and is counted: a replay from Kafka would have placed it where
it belongs. A single timestamp of another year does not count as progress; see :meth:`ArchiveSource._note_progress`.

Records are named as they lay in Kafka: by the partition and offset that the archive says, else by the partition of
their key, and counted. So a replay of an archive gives the ids that the topics would give.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final, cast

from config.settings import Settings
from features.decode import RecordKind
from features.shard import Record
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import time_of
from streams.evaluation.partitioner import shard_of
from streams.replay.plan import Plan
from streams.replay.rounds import RANK, ROUND_MS, Batches, RoundBuffer
from streams.topic_names import contract_names

#: How far records of different partitions may be out of order, ms.
SLACK_MS: Final = 3_600_000
#: Keys whose shard is remembered: more than a marketplace has merchants at work.
_KEYS: Final = 1_000_000


class ArchiveSource:
    """The records of some shards, round by round.

    Parameters
    ----------
    records
        The archive. Topics other than the inputs are passed over: what shards told each other is told anew.
    settings, plan
        Names of the topics; the window and the number of shards.
    shards
        Those that are wanted.
    part
        Says which share of the archive was read.

    Attributes
    ----------
    late
        Records that came too late for their round.
    """

    def __init__(
        self,
        records: Iterable[ArchiveRecord],
        settings: Settings,
        plan: Plan,
        shards: Collection[int],
        part: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._records = iter(records)
        self._part = part
        self._plan = plan
        self._shards = frozenset(shards)
        contract = contract_names(settings.topics)
        # By the contract's name, which archives use, or the deployment's.
        self._topics: dict[str, tuple[RecordKind, str, int]] = {}
        for name, rank in RANK.items():
            if name == "exchange":
                continue
            deployed = settings.topics.name(name)
            self._topics[deployed] = self._topics[contract[deployed]] = (name, deployed, rank)
        self._shard_of: dict[bytes | None, int] = {}
        self._buffer = RoundBuffer()
        #: Highest time of each partition, and its next offset.
        self._reached: dict[tuple[int, int], tuple[int, int]] = {}
        self._before = self._progress = -1
        self._ended = False
        self.late = 0

    @property
    def part(self) -> float:
        """The share of the archive that was read, 0 to 1."""
        return self._part()

    def close(self) -> None:
        """Nothing is open but what the records come from."""

    def peek(self) -> int | None:
        """Number of the next round with records; ``None`` at the end.

        Raises
        ------
        streams.archive.ArchiveError
            The archive can't be read.
        """
        while not self._ended:
            first = self._buffer.first
            if first is not None and (first + 1) * ROUND_MS + SLACK_MS <= self._progress:
                return first
            self._read()
        return self._buffer.first

    def take(self) -> Batches:
        """The records of that round."""
        return self._buffer.take()

    def _read(self) -> None:
        """Read on until another round may be complete."""
        topics, shards, reached, add = self._topics, self._shards, self._reached, self._buffer.add
        warm_from, end = self._plan.warm_from or 0, self._plan.end
        goal = self._progress + ROUND_MS
        # First round that is not complete yet: decided by what was read, so alike for all who read the same archive.
        open_ = (self._progress - SLACK_MS) // ROUND_MS
        for record in self._records:
            found = topics.get(record.topic)
            if found is None:
                continue
            kind, topic, rank = found
            time = time_of(record)
            partition = record.partition
            if partition is None:
                partition = self._partition(record.key)
            if partition in shards:
                place = (partition, rank)
                moment, offset = reached.get(place, (0, 0))
                moment = max(moment, time)
                if record.offset is not None:
                    offset = record.offset
                reached[place] = (moment, offset + 1)
                if moment >= warm_from and (end is None or moment < end):
                    number = moment // ROUND_MS
                    if number < open_:
                        self.late += 1
                        number = open_
                    taken = Record(
                        kind,
                        topic,
                        partition,
                        offset,
                        time,
                        record.key,
                        record.value,
                        cast("tuple[tuple[str, bytes], ...]", record.headers),
                    )
                    add(number, partition, (moment, rank, offset, taken))
            progress = self._note_progress(time)
            if progress >= goal:
                return
            open_ = (progress - SLACK_MS) // ROUND_MS
        self._ended = True

    def _note_progress(self, time: int) -> int:
        """Move on to what two records in a row have reached: of one alone the clock may be wrong."""
        reached = min(self._before, time)
        self._before = time
        self._progress = max(self._progress, reached)
        return self._progress

    def _partition(self, key: bytes | None) -> int:
        shard = self._shard_of.get(key)
        if shard is None:
            if len(self._shard_of) >= _KEYS:
                self._shard_of.clear()
            shard = self._shard_of[key] = shard_of(key, self._plan.shards)
        return shard
