"""What a fault has to do with: the services and processes of one run, and how far the shards are."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.deployment import Deployment, position_of
from tests.faults.crew import Crew
from tests.faults.feeder import Feeder
from tests.faults.proxy import Proxy
from tests.faults.store import Store
from tests.faults.verdict import InputFaults
from tests.kafka_broker import KafkaNode

_LOOK_S = 0.02
#: A shard that has not moved on for so long will not.
STUCK_S = 120.0


class StuckError(Exception):
    """Shards made no progress."""


class Progress:
    """Looks at the shards' checkpoints all the time: the sum of a shard's positions in the topics that are fed."""

    def __init__(self, deployment: Deployment, store: Store) -> None:
        self._deployment = deployment
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self.positions: dict[int, int] = dict.fromkeys(range(deployment.partitions), 0)
        #: Number of times that the positions were read.
        self.looks = 0

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def fresh(self) -> dict[int, int]:
        """The positions as they are now, or will be when the store answers again."""
        looks = self.looks + 1  # the one that is under way may be older
        deadline = time.monotonic() + STUCK_S
        while self.looks <= looks:
            if time.monotonic() > deadline:
                raise StuckError(f"the store did not answer within {STUCK_S:.0f} s")
            time.sleep(_LOOK_S / 2)
        return dict(self.positions)

    def _run(self) -> None:
        deployment = self._deployment
        keys = [deployment.tag(number) + "position" for number in range(deployment.partitions)]
        exchange = deployment.settings.topics.exchange
        client = redis.Redis.from_url(self._store.url, socket_timeout=1, retry=Retry(NoBackoff(), 0))
        with client:
            while not self._stopping.wait(_LOOK_S):
                self._store.watch()
                try:
                    values = client.mget(keys)
                except redis.RedisError:
                    continue
                for number, value in enumerate(values):
                    offsets = position_of({} if value is None else {"position": value}).offsets
                    # What shards tell each other is not fed, and has no end that could be reached.
                    self.positions[number] = sum(end for topic, end in offsets.items() if topic != exchange)
                self.looks += 1


@dataclass(frozen=True)
class Hit:
    """A fault has struck: when (monotonic seconds), whom, and where these shards' checkpoints were then."""

    began: float
    shards: frozenset[int]
    before: Mapping[int, int]


@dataclass
class Stage:
    """Everything that takes part in a run."""

    deployment: Deployment
    store: Store
    crew: Crew
    feeder: Feeder
    progress: Progress
    random: Random
    kafka: KafkaNode | None = None
    redis_proxy: Proxy | None = None
    kafka_proxy: Proxy | None = None
    input_faults: InputFaults = field(default_factory=InputFaults)

    @property
    def shards(self) -> frozenset[int]:
        """All of them."""
        return frozenset(range(self.deployment.partitions))

    def hit_all(self, began: float, before: Mapping[int, int] | None = None) -> Hit:
        """A fault that concerns all shards, by default from where they are now."""
        return Hit(began, self.shards, self.progress.fresh() if before is None else before)

    def settle(self, seconds: float = 30.0) -> None:
        """Wait until all workers have shards; if they never do, go on: that is a moment as good as any."""
        self.until(self.crew.settled, seconds)

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for something; false if it did not happen."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def recovery(self, hit: Hit) -> float:
        """Wait until every shard that was hit has moved on, or has nothing left to do; seconds since the hit.

        Raises
        ------
        StuckError
            One never did.
        """
        while True:
            ends: dict[int, int] = dict.fromkeys(self.shards, 0)
            for (_, number), end in self.feeder.ends.items():
                ends[number] += end
            now = self.progress.positions
            waiting = [n for n in hit.shards if now[n] <= hit.before[n] and hit.before[n] < ends[n]]
            elapsed = time.monotonic() - hit.began
            if not waiting:
                return elapsed
            if elapsed > STUCK_S:
                raise StuckError(f"shards {waiting} made no progress for {elapsed:.0f} s\n{self.crew.log_tails()}")
            time.sleep(_LOOK_S / 2)
