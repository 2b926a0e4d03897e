"""What happens when: actions yet to run, and records yet to be put into the stream, both in event-time order.

Actions wait in a heap. Records wait in one list per hour that is sorted when its hour has come, which costs a tenth of
a heap for the many that an order brings. Both hold what is pending only, so memory grows with open orders, not with the
length of the stream.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import msgspec

from features.events import Event
from streams.simulator.config import HOUR_MS

Action: TypeAlias = Callable[[int], None]

_encode: Final = msgspec.json.Encoder().encode


class SimulatedRecord(NamedTuple):
    """A record for an input topic: ``topic`` is ``merchants``, ``listings`` or ``orders``; ``key`` the merchant id in
    UTF-8; ``value`` the event as JSON; ``timestamp`` its event time in ms.
    """

    topic: str
    key: bytes
    value: bytes
    timestamp: int


_by_time: Final = itemgetter(3)


class Schedule:
    """Pending actions and records between ``start`` (inclusive) and ``end`` (exclusive), ms."""

    __slots__ = ("_actions", "_count", "_hours", "_taken", "end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self._actions: list[tuple[int, int, Action]] = []
        self._count = 0
        self._hours: dict[int, list[SimulatedRecord]] = {}
        self._taken = 0

    def at(self, time: int, action: Action) -> None:
        """Call ``action(time)`` when the simulation has come to ``time``; never if that is at the end or later."""
        if time < self.end:
            self._count += 1
            heappush(self._actions, (max(time, self.start), self._count, action))

    def run_until(self, time: int) -> None:
        """Run every action due before ``time``, those included that are scheduled meanwhile."""
        actions = self._actions
        while actions and actions[0][0] < time:
            due, _, action = heappop(actions)
            action(due)

    def put(self, topic: str, key: bytes, event: Event) -> None:
        """Put an event into the stream at its time; what happens at the end or later is not seen."""
        time = event.occurred_at
        if time >= self.end:
            return
        hour = (time - self.start) // HOUR_MS
        record = SimulatedRecord(topic, key, _encode(event), time)
        waiting = self._hours.get(hour)
        if waiting is not None:
            waiting.append(record)
            return
        if hour < self._taken:
            raise RuntimeError(f"{event!r} was scheduled into the past")
        self._hours[hour] = [record]

    def take(self, hour: int) -> list[SimulatedRecord]:
        """The records of an hour (counted from the start) in event-time order; hours are taken in order."""
        self._taken = hour + 1
        records = self._hours.pop(hour, [])
        records.sort(key=_by_time)  # stable: events of one instant stay in the order in which they were put
        return records
