"""When and where each record of the demo went: what latency and lag are reckoned from."""

import math
from array import array
from collections.abc import Iterator
from typing import Final, TypeAlias

#: A topic and one of its partitions.
Place: TypeAlias = tuple[str, int]

_UNKNOWN: Final = math.nan


class Sent:
    """Seconds (of a rising clock) at which records were handed to the producer, by their coordinates.

    One thread writes, others may read. Eight bytes a record.
    """

    def __init__(self) -> None:
        self._times: dict[Place, array[float]] = {}
        self.total = 0

    def add(self, topic: str, partition: int, offset: int, at: float) -> None:
        """A record was confirmed at these coordinates; it had been handed over at ``at``."""
        times = self._times.get((topic, partition))
        if times is None:
            times = self._times[topic, partition] = array("d")
        # Offsets come in order; a gap would be the broker's own records.
        while len(times) < offset:
            times.append(_UNKNOWN)
        if len(times) == offset:
            times.append(at)
        else:
            times[offset] = at
        self.total += 1

    def at(self, topic: str, partition: int, offset: int) -> float | None:
        """When a record was handed over; None where that is not (yet) known."""
        times = self._times.get((topic, partition))
        if times is None or not 0 <= offset < len(times):
            return None
        found = times[offset]
        return None if math.isnan(found) else found

    def ends(self) -> Iterator[tuple[Place, int]]:
        """The offset after the last confirmed record of each partition that has any."""
        for place, times in list(self._times.items()):
            yield place, len(times)
