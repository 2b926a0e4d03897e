"""One order of records out of many partitions that does not depend on when each was read.

Records are held back until every partition has come an hour of event time beyond them, or has been read to its end.
Then they go on by event time, partition and offset. So whoever reads the same topics sees the same order, live or in a
replay, as long as no partition that was at its end gets records that are more than an hour older than the newest of
the others.
"""

from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

from features.windows import HOUR_MS

T = TypeVar("T")
#: How far records may come apart, event time in ms: as the worker's allowed lateness.
HELD_BACK: Final = HOUR_MS


class Alignment(Generic[T]):
    """Puts records of several partitions in order.

    Parameters
    ----------
    partitions
        How many; each is known by its number.
    """

    def __init__(self, partitions: int) -> None:
        self._highest = [0] * partitions
        self._reading = set(range(partitions))
        self._waiting: list[tuple[int, int, int, T]] = []
        self._held = [0] * partitions
        self._count = 0

    def add(self, partition: int, moment: int, record: T) -> None:
        """A record of a partition, in the partition's order. One that is late counts as of when it could be read."""
        highest = self._highest[partition] = max(self._highest[partition], moment)
        self._count += 1
        self._held[partition] += 1
        heappush(self._waiting, (highest, partition, self._count, record))

    def end(self, partition: int) -> None:
        """A partition was read to its end: the others wait for it no more."""
        self._reading.discard(partition)

    def held(self, partition: int) -> int:
        """Records of a partition that wait."""
        return self._held[partition]

    @property
    def reached(self) -> int:
        """The event time, ms, up to which (excluded) everything has been given out or will be at once."""
        slowest = min((self._highest[each] for each in self._reading), default=max(self._highest, default=0))
        return min(slowest, max(self._highest, default=0)) - HELD_BACK

    def take(self) -> list[tuple[int, T]]:
        """Records that are next, with their times."""
        found = []
        reached = self.reached
        while self._waiting and self._waiting[0][0] < reached:
            moment, partition, _, record = heappop(self._waiting)
            self._held[partition] -= 1
            found.append((moment, record))
        return found
