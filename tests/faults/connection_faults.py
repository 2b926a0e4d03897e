"""Connections of the workers that are cut by a proxy: at any moment, or at a chosen point of a chosen request."""

import signal
import time
from collections.abc import Callable, Iterator
from typing import ClassVar

from tests.faults.fault import Fault
from tests.faults.process_faults import busy_worker
from tests.faults.proxy import Cut, Proxy, When
from tests.faults.stage import Hit, Stage

_WAIT_S = 15.0

Matcher = Callable[[bytes], bool]


def _keys(*wanted: bytes, but: bytes = b"\0none") -> Matcher:
    """A Redis request that names these keys (of a shard) or commands."""
    return lambda request: all(each in request for each in wanted) and but not in request


def _api(key: int) -> Matcher:
    """A Kafka request of that API key: after the four bytes of its length come two of the key."""
    head = key.to_bytes(2, "big")
    return lambda request: request[4:6] == head and request[0] == 0


#: Steps of the protocol -> what its request looks like. The second kind happens when a shard moves.
REDIS_STEPS: dict[str, Matcher] = {
    "journal": _keys(b"}:journal\r\n", b"EVALSHA", but=b"}:position\r\n"),
    "checkpoint": _keys(b"}:journal\r\n", b"}:position\r\n"),
}
REDIS_MOVES: dict[str, Matcher] = {
    "claim": _keys(b"}:owner\r\n", but=b"}:journal\r\n"),
    "load": _keys(b"}:position\r\n", b"GET\r\n"),
    "load journal": _keys(b"LRANGE\r\n", b"}:journal\r\n"),
}
KAFKA_STEPS: dict[str, Matcher] = {
    "produce": _api(0),
    "fetch": _api(1),
    "commit": _api(8),
    "heartbeat": _api(12),
}
KAFKA_MOVES: dict[str, Matcher] = {
    "list offsets": _api(2),
    "metadata": _api(3),
    "join": _api(11),
    "sync": _api(14),
    "producer id": _api(22),
}


class CutAtRandom(Fault):
    """All connections to Redis, or to Kafka, or to both, at any moment."""

    name: ClassVar[str] = "connection-cut"
    what: ClassVar[str] = "all connections to Redis, Kafka or both cut at any moment"
    share: ClassVar[float] = 0.5
    proxied: ClassVar[bool] = True

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Cut."""
        time.sleep(stage.random.uniform(0, 2))
        proxies = [proxy for proxy in (stage.redis_proxy, stage.kafka_proxy) if proxy is not None]
        chosen = stage.random.sample(proxies, stage.random.randint(1, len(proxies)))
        before = stage.progress.fresh()
        began = time.monotonic()
        for proxy in chosen:
            proxy.cut_all()
        yield stage.hit_all(began, before)


class TargetedCut(Fault):
    """The connection of one request, at a chosen point."""

    share: ClassVar[float] = 0.5
    proxied: ClassVar[bool] = True
    when: ClassVar[When]

    def strike(self, stage: Stage) -> Iterator[Hit]:
        """Any step; one of a shard's moving is brought about by killing a worker."""
        moving = stage.random.random() < 0.4
        choices: list[tuple[Proxy, Matcher]] = []
        for proxy, steps in (
            (stage.redis_proxy, REDIS_MOVES if moving else REDIS_STEPS),
            (stage.kafka_proxy, KAFKA_MOVES if moving else KAFKA_STEPS),
        ):
            if proxy is not None:
                choices += [(proxy, matcher) for matcher in steps.values()]
        time.sleep(stage.random.uniform(0, 1))
        proxy, matcher = stage.random.choice(choices)
        before = stage.progress.fresh()
        proxy.arm(Cut(self.when, matcher))
        if moving:
            stage.settle()
            member, _ = busy_worker(stage)
            member.signal(signal.SIGKILL)
        if not proxy.fired.wait(_WAIT_S):
            proxy.disarm()
            return
        yield stage.hit_all(time.monotonic(), before)


class CutBefore(TargetedCut):
    """Before the request goes on."""

    name: ClassVar[str] = "connection-cut-before"
    what: ClassVar[str] = "connection cut before a step's request reaches Redis or Kafka"
    when: ClassVar[When] = "before"


class CutAfter(TargetedCut):
    """After it was done."""

    name: ClassVar[str] = "connection-cut-after"
    what: ClassVar[str] = "connection cut after a step's request was done, before its answer"
    when: ClassVar[When] = "after"


class CutWithin(TargetedCut):
    """In the midst of the answer."""

    name: ClassVar[str] = "connection-cut-within"
    what: ClassVar[str] = "connection cut in the midst of the answer to a step's request"
    when: ClassVar[When] = "within"
