"""The shards of one worker: made when Faust assigns their partitions, ended when it revokes them."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from faust.types import TP

from config.settings import Settings
from features.decode import RecordKind
from streams.clients import AsyncRedis, async_redis_client, outputs_config
from streams.intake import Intake
from streams.patience import OutageLog, Patience
from streams.policies.feed import PolicyFeed
from streams.protocol import ShardProtocol
from streams.publish import Publisher
from streams.reading import ReadError
from streams.shard import ShardOptions, ShardRunner
from streams.store import StoreError
from streams.takeover import STREAMS, Taken, Takeover
from streams.telemetry.instruments import Instruments

if TYPE_CHECKING:
    from streams.transport import BatchConsumer

logger = logging.getLogger("shopwarden.shards")

#: Flushes that a topic may have waiting in its buffer before it is no longer fetched.
_BUFFERED_FLUSHES = 2
_TAKE_AGAIN_S = 1.0


class Shards:
    """All shards that this process owns; the transport reads for them (:class:`streams.transport.Reader`)."""

    def __init__(
        self,
        settings: Settings,
        policies: PolicyFeed,
        topics: Mapping[RecordKind, str],
        fail: Callable[[BaseException], None],
        instruments: Instruments | None = None,
    ) -> None:
        self._settings = settings
        self._instruments = instruments or Instruments()
        self._meter = self._instruments.meter
        self._policies = policies
        self._fail = fail
        self._topics = dict(topics)
        #: Set while every assigned shard is loaded. Faust asks for positions at the same time as it announces an
        #: assignment.
        self._loaded = asyncio.Event()
        self._runners: dict[int, ShardRunner] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._starts: dict[TP, int] = {}
        self._redis: AsyncRedis | None = None
        #: Waits for Redis on behalf of all shards.
        self.patience = Patience()
        self._takeover = Takeover(settings, policies, topics, self.patience)
        self._publisher: Publisher | None = None
        #: Whether everything has been given up and closed.
        self.closed = False
        self.consumer: BatchConsumer | None = None
        self.fetch_max_wait_ms = settings.kafka.fetch_max_wait_ms

    # -- what the transport asks --------------------------------------------------------------------------------------

    def full(self) -> frozenset[TP]:
        """Partitions whose buffers want no more for now."""
        return frozenset(
            TP(topic, number) for number, runner in self._runners.items() for topic in runner.intake.full()
        )

    async def positions(self, assigned: frozenset[TP]) -> Mapping[TP, int]:
        """Where each assigned partition's checkpoint stands, as soon as that is known; those without one are read
        from their beginning.
        """
        await self._loaded.wait()
        return {tp: offset for tp, offset in self._starts.items() if tp in assigned}

    def offer(self, tp: TP, records: Sequence[Any]) -> None:
        """Hand fetched records to their shard; records of a shard that has moved away are dropped."""
        runner = self._runners.get(tp.partition)
        if runner is not None:
            runner.offer(tp.topic, records)

    def made_anew(self, tp: TP, position: int, end: int) -> None:
        """A topic ends before its checkpoint: its records would be taken for repeats, so that is a failure."""
        self._fail(
            StoreError(
                f"{tp.topic}/{tp.partition} ends at offset {end}, but its checkpoint is at {position}: the topic was "
                "made anew or lost records. When this worker starts again, worker.on_gap says what to do; a "
                "checkpoint of another topic is of no use, so a new worker.namespace, and with it an empty state, may "
                "be what you want"
            )
        )

    async def hole(self, tp: TP, expected: int, first: int) -> bool:
        """Whether it is in order that ``first`` follows where ``expected`` was: what has no record there (markers of
        transactions, what compaction left) is no loss, what the topic's retention took away is a failure.
        """
        try:
            earliest = await self._takeover.earliest(tp.topic, tp.partition)
        except ReadError as error:
            self._fail(error)
            return False
        if earliest <= expected:
            return True
        self._fail(
            StoreError(
                f"{tp.topic}/{tp.partition} no longer holds offsets {expected} to {earliest - 1}: they were deleted "
                "before they were read. When this worker starts again, worker.on_gap says what to do"
            )
        )
        return False

    # -- assignment ---------------------------------------------------------------------------------------------------

    async def assign(self, assigned: Iterable[TP]) -> None:
        """Claim and load the shards of newly assigned partitions.

        Raises
        ------
        StoreError
            A shard's topics were split over workers, or the store can't be read by this version.
        """
        self._meter.rebalances += 1
        by_number: dict[int, set[str]] = {}
        for tp in assigned:
            by_number.setdefault(tp.partition, set()).add(tp.topic)
        for number, topics in sorted(by_number.items()):
            missing = sorted(set(self._topics.values()) - topics)
            if missing:
                raise StoreError(
                    f"partition {number} of {', '.join(missing)} was assigned to another worker than the rest of its "
                    "shard; all input topics need the same number of partitions: see `shopwarden topics check`"
                )
        await self._take([number for number in sorted(by_number) if number not in self._runners])
        self._loaded.set()

    async def _take(self, numbers: Sequence[int]) -> None:
        if self._redis is None:
            self._redis = async_redis_client(self._settings)
        if self._publisher is None:
            topics = self._settings.topics
            outputs = {stream: topics.name(field) for stream, field in STREAMS.items()}
            namespace = self._settings.worker.namespace
            self._publisher = Publisher(outputs_config(self._settings), outputs, topics.journal, namespace)
        for taken in await self._taken(self._redis, numbers):
            self._start(taken, self._publisher)

    async def _taken(self, client: AsyncRedis, numbers: Sequence[int]) -> list[Taken]:
        """Take shards over; where Kafka is away just then, again, for as long as a start may take."""
        until = time.monotonic() + self._settings.worker.start_wait_s
        outage = OutageLog("Kafka")
        try:
            while True:
                try:
                    return await self._takeover.take(client, numbers)
                except ReadError as error:
                    if time.monotonic() > until:
                        raise
                    outage.lasts(self, error)
                await asyncio.sleep(_TAKE_AGAIN_S)
        finally:
            outage.over(self)

    def _start(self, taken: Taken, publisher: Publisher) -> None:
        worker = self._settings.worker
        number, position = taken.number, taken.position
        key_id = self._settings.pseudonym_key_id
        if position.pseudonym_key not in ("", key_id):
            logger.warning(
                "the pseudonym key has changed: buyers seen before are not recognised",
                extra={"shard": number, "stored": position.pseudonym_key, "now": key_id},
            )
        intake = Intake(
            self._topics,
            number,
            worker.max_flush_records * _BUFFERED_FLUSHES,
            lambda topic: self._highwater(TP(topic, number)),
        )
        for topic, offset in taken.starts.items():
            intake.next_offset[topic] = offset
            self._starts[TP(topic, number)] = offset
        protocol = ShardProtocol(
            taken.core,
            taken.store,
            publisher,
            position,
            taken.published,
            key_id,
            lambda offsets: self._acknowledge(number, offsets),
            instruments=self._instruments,
        )
        self._meter.began(number, taken.core.state.statistics)
        options = ShardOptions(
            flush_interval=worker.flush_interval_ms / 1000,
            max_flush_records=worker.max_flush_records,
            checkpoint_interval=worker.checkpoint_interval_s,
            idle_tick=worker.idle_tick_s,
            allowed_lateness_ms=worker.allowed_lateness_s * 1000,
            cache_entries=worker.cache_entries,
        )
        runner = ShardRunner(protocol, intake, taken.journal, taken.gaps, self._policies.library, taken.claim, options)
        self._runners[number] = runner
        task = asyncio.create_task(runner.run(), name=f"shard-{number}")
        task.add_done_callback(self._ended)
        self._tasks[number] = task

    async def revoke(self, revoked: Iterable[TP]) -> None:
        """End the shards of revoked partitions: flush, checkpoint, release."""
        self._loaded.clear()
        numbers = {tp.partition for tp in revoked} & set(self._runners)
        for number in numbers:
            self._runners[number].stop()
        for number in sorted(numbers):
            task = self._tasks.pop(number)
            try:
                await task
            finally:
                self._runners.pop(number, None)
                self._meter.ended(number)
                self._starts = {tp: offset for tp, offset in self._starts.items() if tp.partition != number}
            logger.info("shard released", extra={"shard": number})

    async def close(self) -> None:
        """End all shards and the connections."""
        await self.revoke([TP("", number) for number in self._runners])
        if self._publisher is not None:
            self._publisher.close()
        if self._redis is not None:
            await self._redis.aclose()
        self.closed = True

    def end(self, grace: float) -> None:
        """The worker was told to stop: wait ``grace`` seconds more for Redis and Kafka where they are away."""
        self.patience.end(grace)
        if self._publisher is not None:
            self._publisher.end(grace)

    # -- what the watchdog and telemetry ask --------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Whether Redis or Kafka is away, as far as anyone here waits for them."""
        return self.patience.waiting or self.waiting_to_publish

    @property
    def waiting_to_publish(self) -> bool:
        """Whether Kafka does not take or confirm outputs."""
        return self._publisher is not None and self._publisher.outage.waiting

    @property
    def publish_errors(self) -> int:
        """Errors that the producer has told of: lost connections and the like; it repeats what it can."""
        return 0 if self._publisher is None else self._publisher.errors

    def running(self) -> dict[int, ShardRunner]:
        """The shards that are owned now, by their number."""
        return self._runners.copy()

    @property
    def loaded(self) -> bool:
        """Whether every assigned shard is loaded."""
        return self._loaded.is_set()

    def applied(self) -> dict[TP, int]:
        """Next offset to apply of each partition of which anything was applied."""
        return {
            TP(topic, number): offset
            for number, runner in self._runners.items()
            for topic, offset in runner.protocol.offsets.items()
        }

    def _highwater(self, tp: TP) -> int | None:
        return None if self.consumer is None else self.consumer.known_highwater(tp)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _acknowledge(self, number: int, offsets: Mapping[str, int]) -> None:
        if self.consumer is not None and number in self._runners:
            await self.consumer.commit_offsets({TP(topic, number): offset for topic, offset in offsets.items()})
