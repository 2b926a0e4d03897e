"""Event-time timers: what a shard must look at when its watermark passes a time, although no event says so."""

from bisect import insort
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final, TypeAlias

from features.windows import HOUR_MS

#: Entries are sorted hour by hour: few enough to be sorted at once, and more than most flushes move on.

#: What a record says of its timer when it was given one that it does not know: version 1 of the state had none for
#: listings and most merchants, so they got theirs as the shard was loaded.
UNKNOWN: Final = -1

#: Time (ms) and key.
Entry: TypeAlias = tuple[int, str]


class Timers:
    """A calendar of (time in ms, key). A key's newest time counts; entries that it left behind are skipped when they
    come up.

    The owner keeps each key's due time in its own record and compares, so that this calendar can be rebuilt from the
    records. Entries lie unsorted by their hour until the watermark comes to it: setting one costs an append, where a
    heap of all of them would cost a walk through scattered memory for each that is set and each that fires.

    Attributes
    ----------
    soonest
        No entry is earlier than this time, ms; infinite without entries.
    changed
        Keys set or cleared since the last checkpoint, with their time (0: no timer any more).
    """

    __slots__ = ("_hour", "_hours", "_later", "_next", "_open", "changed", "soonest")

    def __init__(self) -> None:
        #: The hour that the watermark has come to, its entries in order, and how many of them have fired.
        self._hour = -1
        self._open: list[Entry] = []
        self._next = 0
        #: Later hours with entries: a heap of their numbers, and the entries.
        self._hours: list[int] = []
        self._later: dict[int, list[Entry]] = {}
        self.soonest: float = inf
        self.changed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open) - self._next + sum(map(len, self._later.values()))

    @property
    def earliest(self) -> float:
        """Time of the earliest entry, ms; infinite without any."""
        if self._next < len(self._open):
            return self._open[self._next][0]
        return min(self._later[self._hours[0]])[0] if self._hours else inf

    def set(self, key: str, time: int) -> None:
        """Have a key looked at when the watermark passes ``time``."""
        hour = time // HOUR_MS
        if hour <= self._hour:
            insort(self._open, (time, key), self._next)
        else:
            later = self._later.get(hour)
            if later is None:
                heappush(self._hours, hour)
                self._later[hour] = [(time, key)]
            else:
                later.append((time, key))
        self.soonest = min(self.soonest, time)
        self.changed[key] = time

    def clear(self, key: str) -> None:
        """Forget a key's stored timer; its entry is skipped by its owner."""
        self.changed[key] = 0

    def restore(self, entries: list[Entry]) -> None:
        """Take over stored timers."""
        self._hour, self._open, self._next = -1, [], 0
        self._later = {}
        for entry in entries:
            self._later.setdefault(entry[0] // HOUR_MS, []).append(entry)
        self._hours = list(self._later)
        heapify(self._hours)
        self._look_ahead()

    def pop_due(self, watermark: int) -> Entry | None:
        """The earliest entry that the watermark has passed, or ``None``."""
        if self.soonest > watermark:
            return None
        if self._next == len(self._open):
            # The bound lies in a later hour, which therefore has begun.
            self._hour = heappop(self._hours)
            self._open = sorted(self._later.pop(self._hour))
            self._next = 0
        entry = self._open[self._next]
        if entry[0] > watermark:
            self.soonest = entry[0]
            return None
        self._next += 1
        self._look_ahead()
        return entry

    def due(self, watermark: int) -> Iterator[str]:
        """Keys of all entries up to a watermark, in no particular order, left in place."""
        for time, key in self._open[self._next :]:
            if time > watermark:
                break
            yield key
        last = watermark // HOUR_MS
        if self._hours and self._hours[0] <= last:
            for hour in [hour for hour in self._hours if hour <= last]:
                yield from [key for time, key in self._later[hour] if time <= watermark]

    def _look_ahead(self) -> None:
        """Set the bound to the next entry of the open hour, or to the beginning of the next hour with entries."""
        if self._next < len(self._open):
            self.soonest = self._open[self._next][0]
        else:
            self.soonest = self._hours[0] * HOUR_MS if self._hours else inf
