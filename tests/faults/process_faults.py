"""Workers that end, come, go and stop the clock."""

import signal
import time
from collections.abc import Iterator
from typing import ClassVar

from tests.faults.crew import Member
from tests.faults.fault import Fault
from tests.faults.stage import Hit, Stage

_STOP_S = 40.0


def busy_worker(stage: Stage) -> tuple[Member, frozenset[int]]:
    """Any worker that has shards, and these."""
    while not (busy := {name: held for name, held in stage.crew.holding().items() if held}):
        time.sleep(0.02)
    name = stage.random.choice(sorted(busy))
    return stage.crew.member(name), busy[name]


class Kill(Fault):
    """SIGKILL, and started again half a second later."""

    name: ClassVar[str] = "kill9"
    what: ClassVar[str] = "one of two workers killed with SIGKILL"

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Now and then in the midst of a rebalance, else when both work."""
        if stage.random.random() > 0.2:
            stage.settle()
        time.sleep(stage.random.uniform(0, 1.5))
        member, shards = busy_worker(stage)
        began = time.monotonic()
        member.signal(signal.SIGKILL)
        stage.until(lambda: not member.running, 10)
        yield Hit(began, shards, stage.progress.fresh())


class Terminate(Fault):
    """SIGTERM, and started again half a second later."""

    name: ClassVar[str] = "sigterm"
    what: ClassVar[str] = "one of two workers told to stop with SIGTERM"
    share: ClassVar[float] = 0.4

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """It writes a last checkpoint; what counts is when its shards are worked on after that."""
        stage.settle()
        time.sleep(stage.random.uniform(0, 1.5))
        member, shards = busy_worker(stage)
        began = time.monotonic()
        member.signal(signal.SIGTERM)
        stage.until(lambda: not member.running, _STOP_S)
        yield Hit(began, shards, stage.progress.fresh())


class Scale(Fault):
    """Two workers more, then two less. (When two leave at once, the embedded broker may keep the third joining.)"""

    name: ClassVar[str] = "scale"
    what: ClassVar[str] = "from one worker to three and back, under load"
    share: ClassVar[float] = 0.2
    workers: ClassVar[int] = 1
    brokers: ClassVar[tuple[str, ...]] = ("kafka",)

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Recovered when all shards move, with three and again with one."""
        stage.settle()
        began = time.monotonic()
        for _ in range(2):
            stage.crew.add()
        stage.settle(60)
        yield stage.hit_all(began)
        time.sleep(stage.random.uniform(0, 2))
        began = time.monotonic()
        stage.crew.dismiss(stage.random.sample(sorted(stage.crew.holding()), 2))
        yield stage.hit_all(began)


class Zombie(Fault):
    """SIGSTOP until the shards have moved and their successor has worked, then SIGCONT."""

    name: ClassVar[str] = "zombie"
    what: ClassVar[str] = "a worker that was frozen wakes up after its shards have moved"
    share: ClassVar[float] = 0.2

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """It must notice, change nothing, and end or join anew."""
        stage.settle()
        time.sleep(stage.random.uniform(0, 1.5))
        member, shards = busy_worker(stage)
        began = time.monotonic()
        member.signal(signal.SIGSTOP)
        try:
            yield Hit(began, shards, stage.progress.fresh())
            time.sleep(stage.random.uniform(0, 2))
        finally:
            member.signal(signal.SIGCONT)
        time.sleep(1)
