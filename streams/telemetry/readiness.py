"""Whether a process is ready, from what it waits for: not ready at once at the start, later only after a while."""

import threading
import time
from collections.abc import Callable, Sequence

from msgspec import Struct


class Verdict(Struct, frozen=True):
    """Whether it is ready, and what it waits for (also while it is still taken for ready)."""

    ready: bool
    waiting_for: list[str]


class Readiness:
    """Judges readiness.

    What is passing (shards that move to another worker, a broker that restarts) must not make a platform count the
    process out: once ready, it stays so until something has been in the way for ``grace`` seconds without a break. A
    process that stops is not ready, at once.

    Parameters
    ----------
    waiting_for
        Says what is in the way now.
    grace
        Seconds.
    """

    def __init__(
        self,
        waiting_for: Callable[[], Sequence[str]],
        grace: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._waiting_for = waiting_for
        self._grace = grace
        self._clock = clock
        self._lock = threading.Lock()
        self._was_ready = False
        self._since: float | None = None
        self.stopping = False

    def verdict(self) -> Verdict:
        """Look, and judge."""
        if self.stopping:
            return Verdict(ready=False, waiting_for=["its end: it was told to stop"])
        waiting_for = list(self._waiting_for())
        now = self._clock()
        with self._lock:
            if not waiting_for:
                self._was_ready, self._since = True, None
                return Verdict(ready=True, waiting_for=[])
            if self._since is None:
                self._since = now
            if self._was_ready and now - self._since >= self._grace:
                self._was_ready = False
            return Verdict(self._was_ready, waiting_for)
