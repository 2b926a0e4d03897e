"""Publishes outputs through librdkafka and waits until the broker has them.

Guarantee: :meth:`Publisher.publish` keeps the order of a shard's messages (one idempotent producer, in-order retries),
and a batch counts as delivered only when the broker acknowledged each of its messages with acks=all. A message that
can't be delivered raises :class:`PublishError`: the worker then stops without a checkpoint, so that its successor
publishes it. While the broker is away, messages wait for it in the producer, without end (streams.clients), and those
who publish more wait for room.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from detectors.flush import Emit, Stream
from streams.patience import OutageError, OutageLog
from streams.store import JournalEntry
from streams.tails import EPOCH_HEADER, key_of

#: How often the answers of the broker are looked at while waiting, seconds.
_POLL_S = 0.001
_WARM_UP_S = 2.0
#: Messages under way from which on :meth:`Publisher.room` waits: half of what librdkafka's queue takes, so that a
#: flush, which is handed over as a whole, still finds room.
_MOST_UNDER_WAY = 50_000
#: An acknowledgement that takes so long is an outage; a busy broker stays below. Seconds.
_OUTAGE_AFTER_S = 5.0
_SLOW_POLL_S = 0.02


class PublishError(Exception):
    """A message could not be delivered."""


class Batch:
    """Messages of one flush that are under way.

    Attributes
    ----------
    ends
        Topic -> offset behind the last message that the broker confirmed.
    """

    __slots__ = ("_error", "_remaining", "ends")

    def __init__(self) -> None:
        self._remaining = 0
        self._error: KafkaError | None = None
        self.ends: dict[str, int] = {}

    def expect(self) -> None:
        """One more message."""
        self._remaining += 1

    def settle(self, error: KafkaError | None, message: Message) -> None:
        """The broker's answer to one message (librdkafka's delivery callback)."""
        self._remaining -= 1
        if error is not None:
            self._error = self._error or error
            return
        # A message that was sent twice and confirmed the second time has no offset to tell.
        topic, offset = message.topic() or "", message.offset()
        if offset is not None and offset >= self.ends.get(topic, 0):
            self.ends[topic] = offset + 1

    @property
    def done(self) -> bool:
        """Whether every message was answered.

        Raises
        ------
        PublishError
            One of them was refused.
        """
        if self._error is not None:
            raise PublishError(_refused(self._error))
        return self._remaining == 0


def _refused(error: KafkaError) -> str:
    return f"Kafka did not take an output: {error.str()}; nothing after the last checkpoint counts"


class Publisher:
    """One producer for all shards of a worker.

    Parameters
    ----------
    config
        Of a confluent-kafka producer.
    topics
        Stream -> its topic.
    journal
        The journal's topic.
    namespace
        Of the deployment, for the keys of the journal's entries.
    """

    def __init__(self, config: Mapping[str, Any], topics: Mapping[Stream, str], journal: str, namespace: str) -> None:
        self._trouble: KafkaError | None = None
        #: Errors that the client has told of.
        self.errors = 0
        self.outage = OutageLog("Kafka, for outputs,")
        self._until: float | None = None
        self._producer = Producer({**config, "error_cb": self._note})
        # A producer connects when it has something to send; the first outputs would wait for that by half a second.
        with contextlib.suppress(KafkaException):
            self._producer.list_topics(timeout=_WARM_UP_S)
        self._topics = dict(topics)
        self._journal = journal
        self._namespace = namespace

    def _note(self, error: KafkaError) -> None:
        self._trouble = error
        self.errors += 1

    def end(self, grace: float) -> None:
        """The worker was told to stop: outages are waited for ``grace`` seconds more, then OutageError."""
        self._until = time.monotonic() + grace

    async def room(self) -> None:
        """Wait while very many messages are under way, as they are when the broker is away.

        Raises
        ------
        streams.patience.OutageError
            The worker was told to stop and there was no room in time.
        """
        if len(self._producer) > _MOST_UNDER_WAY:
            await self._wait(lambda: len(self._producer) <= _MOST_UNDER_WAY)

    async def _wait(self, reached: Callable[[], bool]) -> None:
        who = object()
        started = time.monotonic()
        try:
            while not reached():
                if self._producer.poll(0):
                    continue
                waited = time.monotonic() - started
                if waited > _OUTAGE_AFTER_S:
                    trouble = self._trouble.str() if self._trouble is not None else "outputs are not confirmed"
                    self.outage.lasts(who, trouble)
                if self._until is not None and time.monotonic() > self._until:
                    raise OutageError(
                        f"Kafka did not confirm the outputs within {waited:.0f} s; the journal has their flushes"
                    )
                await asyncio.sleep(_POLL_S if waited < 1 else _SLOW_POLL_S)
        finally:
            self.outage.over(who)

    def publish(self, emits: Iterable[Emit], partition: int) -> Batch:
        """Hand a shard's messages to the producer, in order; they are sent in the background.

        They go to the partition of the shard's number, as those of its inputs did: there its successor finds them. What
        is told to another shard goes to that one's.

        Raises
        ------
        PublishError
            The producer itself refused one, as larger than its limit.
        """
        batch = Batch()
        topics = self._topics
        for emit in emits:
            number = partition if emit.partition is None else emit.partition
            self._send(batch, topics[emit.stream], number, emit.key, emit.value, list(emit.headers))
        self._producer.poll(0)
        return batch

    def record(self, entries: Iterable[JournalEntry], partition: int, epoch: str) -> Batch:
        """Hand a shard's journal entries to the producer, for the journal's topic; errors as :meth:`publish`."""
        batch = Batch()
        key = key_of(self._namespace, partition)
        for entry in entries:
            value = msgspec.json.encode(entry)
            self._send(batch, self._journal, partition, key, value, [(EPOCH_HEADER, epoch.encode())])
        return batch

    def _send(
        self,
        batch: Batch,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, str | bytes | None]],
    ) -> None:
        batch.expect()
        while True:
            try:
                self._producer.produce(
                    topic, value=value, key=key, partition=partition, headers=headers, on_delivery=batch.settle
                )
                return
            except BufferError:
                # The local queue is full: the broker sets the pace.
                self._producer.poll(0.05)
            except KafkaException as error:
                raise PublishError(_refused(error.args[0])) from error

    async def delivered(self, batch: Batch) -> None:
        """Wait until the broker has every message of a batch.

        Raises
        ------
        PublishError
            A message was refused for good.
        streams.patience.OutageError
            The worker was told to stop and the broker did not answer in time.
        """
        await self._wait(lambda: batch.done)

    def close(self, timeout: float = 5.0) -> None:
        """Send what is left, waiting ``timeout`` seconds at most."""
        self._producer.flush(timeout)
