"""A store that restarts, is away, or comes back as it was some seconds ago."""

import os
import signal
import time
from collections.abc import Iterator
from typing import ClassVar

from tests.faults.fault import Fault
from tests.faults.stage import Hit, Stage

AWAY_S = 20.0


class RestartStore(Fault):
    """SIGKILL, and started again on its append-only file."""

    name: ClassVar[str] = "redis-restart"
    what: ClassVar[str] = "Redis killed and restarted, appendfsync everysec"
    share: ClassVar[float] = 0.2

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Down for up to a second."""
        time.sleep(stage.random.uniform(0, 1.5))
        before = stage.progress.fresh()
        began = time.monotonic()
        stage.store.kill()
        time.sleep(stage.random.uniform(0, 1))
        stage.store.start()
        yield stage.hit_all(began, before)


class RestartSyncedStore(RestartStore):
    """The same, with every write on disk before it is answered."""

    name: ClassVar[str] = "redis-restart-always"
    what: ClassVar[str] = "Redis killed and restarted, appendfsync always"
    fsync: ClassVar[str] = "always"


class StoreAway(Fault):
    """Nothing listens, or something that does not answer."""

    name: ClassVar[str] = "redis-away"
    what: ClassVar[str] = f"Redis away for {AWAY_S:.0f} s: refusing connections, or hanging"
    share: ClassVar[float] = 0.08

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Either way."""
        time.sleep(stage.random.uniform(0, 1.5))
        before = stage.progress.fresh()
        began = time.monotonic()
        if stage.random.random() < 0.5:
            os.kill(stage.store.pid, signal.SIGSTOP)
            try:
                time.sleep(AWAY_S)
            finally:
                os.kill(stage.store.pid, signal.SIGCONT)
        else:
            stage.store.kill()
            time.sleep(AWAY_S)
            stage.store.start()
        yield stage.hit_all(began, before)


#: Longest age of a copy.
OLDEST_S = 10.0


class OlderStore(Fault):
    """Killed, and started on a copy of its append-only file from up to ten seconds ago."""

    name: ClassVar[str] = "redis-older-snapshot"
    what: ClassVar[str] = "Redis restored from a copy of its file that is 1 to 10 s old"
    share: ClassVar[float] = 0.2

    def __init__(self) -> None:
        self._first = True

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Progress counts from where the copy stands: never before the first checkpoints, or there would be no copy."""
        stage.settle()
        if self._first:
            self._first = False
            time.sleep(OLDEST_S + 1)
        time.sleep(stage.random.uniform(2, 4))
        began = time.monotonic()
        stage.store.kill()
        stage.store.set_back(stage.random.uniform(1, OLDEST_S))
        stage.store.start()
        yield stage.hit_all(began)
