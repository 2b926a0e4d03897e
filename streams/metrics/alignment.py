"""One order of records out of many partitions that does not depend on when each was read.

Records are held back until every partition has come an hour of event time beyond them, or has been read to its end.
Then they go on by event time, partition and offset. So whoever reads the same topics sees the same order, live or in a
replay, as long as no partition that was at its end gets records that are more than an hour older than the newest of
the others.
"""

from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

from features.windows import DAY_MS, HOUR_MS

T = TypeVar("T")
#: How far records may come apart, event time in ms: as the worker's allowed lateness.
HELD_BACK: Final = HOUR_MS
#: A partition that was quiet for longer is believed at its second record. No marketplace's is.
_LEAP: Final = 30 * DAY_MS


class RisingTime:
    """The event time of one sequence as it goes on: it never falls, and no single record takes it far ahead.

    A clock that is wrong by years would end all days at once. So a leap counts once a second record has made it too.
    """

    __slots__ = ("_leap", "highest")

    def __init__(self) -> None:
        self.highest = 0
        self._leap = 0

    def at(self, moment: int) -> int:
        """The time (ms) that a record counts as of."""
        if self.highest and moment > self.highest + _LEAP:
            if not self._leap:
                self._leap = moment
                return self.highest
            moment = min(moment, self._leap)
        self._leap = 0
        self.highest = max(self.highest, moment)
        return self.highest


class Alignment(Generic[T]):
    """Puts records of several partitions in order.

    Parameters
    ----------
    partitions
        How many; each is known by its number.
    """

    def __init__(self, partitions: int) -> None:
        self._times = [RisingTime() for _ in range(partitions)]
        self._reading = set(range(partitions))
        self._waiting: list[tuple[int, int, int, T]] = []
        self._held = [0] * partitions
        self._count = 0

    def add(self, partition: int, moment: int, record: T) -> None:
        """A record of a partition, in the partition's order. One that is late counts as of when it could be read."""
        self._count += 1
        self._held[partition] += 1
        heappush(self._waiting, (self._times[partition].at(moment), partition, self._count, record))

    def end(self, partition: int) -> None:
        """A partition was read to its end: the others wait for it no more."""
        self._reading.discard(partition)

    def should_wait(self, partition: int, most: int) -> bool:
        """Whether at least so many of a partition's records wait, and it is so far ahead that the others should come
        up first. Never of the slowest one: all wait for it, however many records its last hour has.
        """
        return self._held[partition] >= most and self._lead(partition) > HELD_BACK

    def may_go_on(self, partition: int, most: int) -> bool:
        """Whether a partition that was told to wait should be read again."""
        return self._held[partition] < most // 2 or self._lead(partition) <= HELD_BACK // 2

    def _lead(self, partition: int) -> int:
        return self._times[partition].highest - self._slowest

    @property
    def _slowest(self) -> int:
        newest = max((each.highest for each in self._times), default=0)
        return min((self._times[each].highest for each in self._reading), default=newest)

    @property
    def reached(self) -> int:
        """The event time, ms, up to which (excluded) everything has been given out or will be at once."""
        return self._slowest - HELD_BACK

    def take(self, *, rest: bool = False) -> list[tuple[int, T]]:
        """Records that are next, with their times; or all the ``rest``, where nothing comes any more."""
        found = []
        reached = self.reached
        while self._waiting and (rest or self._waiting[0][0] < reached):
            moment, partition, _, record = heappop(self._waiting)
            self._held[partition] -= 1
            found.append((moment, record))
        return found
