"""The event loop's pulse: that it turns, and how far the worker was when it last did."""

import asyncio
import time
from collections.abc import Callable

from streams.watchdog import Beat

#: Seconds between two beats: what is told of lag and readiness is as old as that.
BEAT_S = 1.0


class Pulse:
    """Beats while the event loop turns. Written by the loop, read by any thread.

    Attributes
    ----------
    at
        When it beat last.
    beat
        How far the worker was then; ``None`` before it reads anything.
    late
        By how many seconds the latest beat was late: how long the loop was busy at a time, roughly.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.at = clock()
        self.late = 0.0
        self.beat: Beat | None = None

    @property
    def age(self) -> float:
        """Seconds since the last beat."""
        return self._clock() - self.at

    async def run(self, look: Callable[[], Beat | None], every: float = BEAT_S) -> None:
        """Beat every so many seconds until cancelled; ``look`` says how far the worker is."""
        while True:
            now = self._clock()
            self.late = max(0.0, now - self.at - every)
            self.at = now
            self.beat = look()
            await asyncio.sleep(every)
