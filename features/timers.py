"""Event-time timers: what a shard must look at when its watermark passes a time, although no event says so."""

from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf


class Timers:
    """A heap of (time in ms, key). A key's newest time counts; entries that it left behind are skipped when they come
    up.

    The owner keeps each key's due time in its own record and compares, so that this heap can be rebuilt from the
    records.
    """

    __slots__ = ("_heap", "changed")

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        #: Keys set or cleared since the last checkpoint, with their time (0: no timer any more).
        self.changed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def earliest(self) -> float:
        """Time of the earliest entry, ms; infinite without any."""
        return self._heap[0][0] if self._heap else inf

    def set(self, key: str, time: int) -> None:
        """Have a key looked at when the watermark passes ``time``."""
        heappush(self._heap, (time, key))
        self.changed[key] = time

    def clear(self, key: str) -> None:
        """Forget a key's stored timer; its heap entry is skipped by its owner."""
        self.changed[key] = 0

    def restore(self, entries: list[tuple[int, str]]) -> None:
        """Take over stored timers."""
        self._heap = sorted(entries)

    def pop_due(self, watermark: int) -> tuple[int, str] | None:
        """The earliest entry that the watermark has passed, or ``None``."""
        heap = self._heap
        if heap and heap[0][0] <= watermark:
            return heappop(heap)
        return None

    def due(self, watermark: int) -> Iterator[str]:
        """Keys of all entries up to a watermark, in no particular order, left in place."""
        heap = self._heap
        stack = [0]
        while stack:
            at = stack.pop()
            if at < len(heap) and heap[at][0] <= watermark:
                yield heap[at][1]
                stack.append(2 * at + 1)
                stack.append(2 * at + 2)
