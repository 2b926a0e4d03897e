"""Faust's transport for batches: everything private of Faust and aiokafka that Shopwarden touches is in this module.

Faust hands one record at a time to an agent, which costs about 100 microseconds each (four asyncio tasks in the
consumer's drain loop). This transport subclasses the aiokafka driver so that an agent receives all records fetched
from one partition as one message. It is registered as ``shopwarden://`` under the entry point ``faust.transports``.

Offsets are not Faust's business here: where to read from is asked of the app's shards (Redis holds the truth), and
Kafka's own offsets are committed by the worker after each checkpoint, for lag tools.

Outages: aiokafka's consumer stops coordinating, for good and without a word, when its group's coordinator says
something unexpected, until someone asks it for errors; Faust never asks. The consumer's thread does so here, so that
the group is joined again. A commit that fails or takes long is left to a later one.

Private names used: ``Consumer._add_gap``, ``_get_active_partitions``, ``_getmany``, ``_thread``;
``AIOKafkaConsumerThread._create_worker_consumer``, ``_fetch_records``, ``_commit``, ``_consumer``; and of aiokafka
``AIOKafkaConsumer._fetch_max_wait_ms``, ``_subscription``, ``_coordinator.check_errors``, ``_coordinator.generation``,
``_fetcher._fetch_task``, ``_client``.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, cast

import aiokafka
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Transport as FaustTransport
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT
from mode import Service

logger = logging.getLogger("shopwarden.transport")

#: Scheme of broker URLs that select this transport.
SCHEME = "shopwarden"
#: How long to wait for records, seconds: long when every partition is asked, short when some are left out and may be
#: wanted again any moment.
_WAIT_ALL_S = 1.0
_WAIT_SOME_S = 0.02
_ALL_FULL_S = 0.002
_ERRORS_EVERY_S = 0.5
#: A commit is for lag tools; while the coordinator is away it must not keep a checkpoint, or the thread, waiting.
_COMMIT_S = 1.0
_BEGINNINGS_S = 10.0
#: Errors of the group that do not pass by themselves.
_FATAL = (GroupAuthorizationFailedError, TopicAuthorizationFailedError, SaslAuthenticationFailed)


class Reader(Protocol):
    """What the transport asks of the shards."""

    #: Milliseconds that the broker may hold back a fetch when there is nothing to fetch.
    fetch_max_wait_ms: int

    def full(self) -> frozenset[TP]:
        """Partitions whose buffers want no more for now."""

    async def positions(self, assigned: frozenset[TP]) -> Mapping[TP, int]:
        """Next offset to read of each assigned partition; those left out are read from their beginning."""

    async def hole(self, tp: TP, expected: int, first: int) -> bool:
        """Whether it is in order that offset ``first`` follows where ``expected`` was; if not, it is seen to."""

    def made_anew(self, tp: TP, position: int, end: int) -> None:
        """A partition ends before the position that was asked for: it is not the one that was read before."""


def reader_of(app: Any) -> Reader:
    """The shards that an app reads for, as set by :func:`streams.app.create_app`."""
    return cast(Reader, app.shopwarden_reader)


class BatchConsumerThread(AIOKafkaConsumerThread):
    """The thread that runs aiokafka's consumer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Offset after the last record fetched of each partition.
        self.fetched: dict[TP, int] = {}
        #: Errors of the group, of fetching, and commits that failed.
        self.errors = 0

    @Service.task
    async def _look_for_errors(self) -> None:
        """Let coordination go on after an error, which it waits to be asked for; end the worker if it can't."""
        while not self.should_stop:
            await self.sleep(_ERRORS_EVERY_S)
            if (error := self.trouble()) is not None:
                await self.crash(error)
                return

    def trouble(self) -> Exception | None:
        """Ask the client for its errors, so that it goes on after them; returns one after which it can't."""
        consumer = self._consumer
        if consumer is None:
            return None
        # In a group always; a client without one has no rebalances.
        coordinator, fetching = consumer._coordinator, consumer._fetcher._fetch_task  # noqa: SLF001
        try:
            coordinator.check_errors()
            if fetching.done() and not fetching.cancelled():
                fetching.result()
        except KafkaError as error:
            self.errors += 1
            ended = coordinator._coordination_task.done() or fetching.done()  # noqa: SLF001
            if ended or isinstance(error, _FATAL):
                return cast(Exception, error)
            logger.warning("the consumer group had an error; joining goes on: %r", error)
        return None

    async def on_thread_stop(self) -> None:
        """Stop the client; one that waits to fetch again, as the broker is away, raises its own cancellation."""
        try:
            await super().on_thread_stop()
        except asyncio.CancelledError:
            if self._consumer is not None:
                await self._consumer._client.close()  # noqa: SLF001

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit what is still assigned; false if the coordinator is away, or says no."""
        consumer = self._ensure_consumer()
        assigned = self.assignment()
        wanted = {
            aiokafka.TopicPartition(tp.topic, tp.partition): offset for tp, offset in offsets.items() if tp in assigned
        }
        try:
            await asyncio.wait_for(consumer.commit(wanted), _COMMIT_S)
        except (KafkaError, TimeoutError) as error:
            # Not an error of ours: positions are in Redis. The next checkpoint commits again.
            self.errors += 1
            logger.debug("offsets not committed: %r", error)
            return False
        return True

    def member(self) -> bool:
        """Whether the group has given this worker its partitions, be they none."""
        consumer = self._consumer
        return consumer is not None and consumer._coordinator.generation >= 0  # noqa: SLF001

    def fetch_position(self, tp: TP) -> int | None:
        """Next offset that the fetcher hands out; ``None`` while it does not know."""
        assigned = None if self._consumer is None else self._consumer._subscription.subscription  # noqa: SLF001
        state = None if assigned is None or assigned.assignment is None else assigned.assignment.state_value(tp)
        return state.position if state is not None and state.has_valid_position else None

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's interface
        max_records: int | None = None,
    ) -> Mapping[TP, list[Any]]:
        found: Mapping[TP, list[Any]] = await super()._fetch_records(
            consumer, active_partitions, timeout=timeout, max_records=max_records
        )
        for tp, records in found.items():
            if records:
                self.fetched[TP(*tp)] = records[-1].offset + 1
        return found

    def reach(self, tp: TP) -> int | None:
        """Offset after the last record that a partition is known to have; ``None`` before its first fetch.

        That is not the high watermark where the broker has something at the end that no consumer is given: the marker
        of a transaction, or what compaction left of a batch. Who waited for those would wait for ever.
        """
        assigned = None if self._consumer is None else self._consumer._subscription.subscription  # noqa: SLF001
        state = None if assigned is None or assigned.assignment is None else assigned.assignment.state_value(tp)
        if state is None or state.highwater is None:
            return None
        highwater: int = state.highwater
        if state.has_valid_position and state.position >= highwater:
            return self.fetched.get(tp, 0)
        return highwater

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes this at 1.5 s. A node has one fetch request at a time, so a quiet partition would keep a busy
        # one waiting.
        consumer._fetch_max_wait_ms = reader_of(self.app).fetch_max_wait_ms  # noqa: SLF001
        return consumer


class BatchConsumer(FaustConsumer):
    """Faust's consumer, with all records of a partition as one message."""

    #: Where the last seek went.
    _sought: Mapping[TP, int] = MappingProxyType({})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Offset that follows what was handed on of each partition.
        self._expected: dict[TP, int] = {}

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109 - Faust's interface
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch what there is, one message a partition."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
        full = reader_of(self.app).full()
        active = self._get_active_partitions()
        wanted = active - full
        if not wanted:
            await asyncio.sleep(_ALL_FULL_S if active else _WAIT_ALL_S)
            return
        fetched = await self._getmany(active_partitions=wanted, timeout=_WAIT_SOME_S if full else _WAIT_ALL_S)
        # Asked now and not before: a fetch that waited through a whole rebalance brings what follows the seek after it,
        # which nobody would fetch again.
        generation = self.app.consumer_generation_id
        if self.should_stop or not fetched:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for tp, records in fetched.items():
            if self.app.consumer_generation_id != generation or not self.flow_active:
                return
            position = self._sought.get(tp, 0)
            if records[-1].offset < position:
                # The broker knew no such position and aiokafka went back to the beginning. Faust would drop, without a
                # word, all that is written until the offsets are where they were.
                end = self.known_highwater(tp)
                if end is not None and end < position:
                    reader_of(self.app).made_anew(tp, position, end)
                    return
            first = records[0].offset
            expected = self._expected.get(tp, first)
            # A position that retention overtook makes aiokafka go on with the oldest record, without a word.
            if first > expected and not await reader_of(self.app).hole(tp, expected, first):
                return
            if self.app.consumer_generation_id != generation:
                return
            self._expected[tp] = records[-1].offset + 1
            yield tp, self._batch(tp, cast("Sequence[Any]", records), generation)

    def _batch(self, tp: TP, records: Sequence[Any], generation: int) -> ConsumerMessage:
        last = records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            [],
            None,
            cast(Any, records),
            None,
            0,
            0,
            tp,
            generation_id=generation,
        )

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go where the shards say; Kafka's committed offsets are not asked."""
        assigned = frozenset(self.assignment())
        positions = dict(await reader_of(self.app).positions(assigned))
        guessed: Sequence[TP] = ()
        unknown = [tp for tp in assigned if tp not in positions]
        if unknown:
            beginnings = await self._beginnings(unknown)
            guessed = [tp for tp in unknown if tp not in beginnings]
            positions.update(dict.fromkeys(guessed, 0) | dict(beginnings))
        await self._thread.seek_wait(positions)
        self._sought = positions
        self._expected = {tp: offset for tp, offset in positions.items() if tp not in guessed}
        return positions

    async def _beginnings(self, partitions: Sequence[TP]) -> Mapping[TP, int]:
        try:
            return await asyncio.wait_for(self.earliest_offsets(*partitions), _BEGINNINGS_S)
        except (KafkaError, TimeoutError):
            # The broker is away just now. Faust gives up on a seek that takes long, and would never start; from 0,
            # aiokafka goes to the beginning by itself where the broker has no such offset any more.
            return {}

    def progress(self) -> dict[TP, tuple[int | None, int | None, int | None]]:
        """Of each assigned partition: the next offset to fetch, and the ones after the last record that was fetched
        and that is known.
        """
        thread = cast(BatchConsumerThread, self._thread)
        return {tp: (thread.fetch_position(tp), thread.fetched.get(tp), thread.reach(tp)) for tp in self.assignment()}

    @property
    def errors(self) -> int:
        """Errors of the client so far, commits that failed among them."""
        return cast(BatchConsumerThread, self._thread).errors

    def joined(self) -> bool:
        """Whether the group has given this worker its partitions, be they none."""
        return cast(BatchConsumerThread, self._thread).member()

    def known_highwater(self, tp: TP) -> int | None:
        """Offset after the partition's last record, as the last fetch said; ``None`` before one did."""
        thread = cast(BatchConsumerThread, self._thread)
        return thread.reach(tp)

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Tell Kafka how far the checkpoints are, for lag tools; false if it did not take it (a later one will do)."""
        return await self._thread.commit(offsets)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Batches leave gaps in the offsets that Faust sees; it need not remember them, as it commits nothing."""


class Transport(FaustTransport):
    """The transport behind ``shopwarden://``."""

    Consumer: ClassVar[type[ConsumerT]] = BatchConsumer
