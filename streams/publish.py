"""Publishes outputs through librdkafka and waits until the broker has them.

Guarantee: :meth:`Publisher.publish` keeps the order of messages per key (one idempotent producer, in-order retries),
and a batch counts as delivered only when the broker acknowledged each of its messages with acks=all. A message that
can't be delivered raises :class:`PublishError`: the worker then stops without a checkpoint, so that its successor
publishes it.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from detectors.flush import Emit, Stream

#: How often the answers of the broker are looked at while waiting, seconds.
_POLL_S = 0.001
_WARM_UP_S = 2.0


class PublishError(Exception):
    """A message could not be delivered."""


class Batch:
    """Messages of one flush that are under way."""

    __slots__ = ("_error", "_remaining")

    def __init__(self) -> None:
        self._remaining = 0
        self._error: KafkaError | None = None

    def expect(self) -> None:
        """One more message."""
        self._remaining += 1

    def settle(self, error: KafkaError | None, message: Message) -> None:
        """The broker's answer to one message (librdkafka's delivery callback)."""
        self._remaining -= 1
        if error is not None and self._error is None:
            self._error = error

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
    """One producer for all shards of a worker."""

    def __init__(self, config: Mapping[str, Any], topics: Mapping[Stream, str]) -> None:
        self._producer = Producer(dict(config))
        # A producer connects when it has something to send; the first outputs would wait for that by half a second.
        with contextlib.suppress(KafkaException):
            self._producer.list_topics(timeout=_WARM_UP_S)
        self._topics = dict(topics)

    def publish(self, emits: Iterable[Emit]) -> Batch:
        """Hand messages to the producer, in order; they are sent in the background.

        Raises
        ------
        PublishError
            The producer itself refused one, as larger than its limit.
        """
        batch = Batch()
        produce = self._producer.produce
        topics = self._topics
        for emit in emits:
            batch.expect()
            while True:
                try:
                    produce(
                        topics[emit.stream],
                        value=emit.value,
                        key=emit.key,
                        headers=list(emit.headers),
                        on_delivery=batch.settle,
                    )
                    break
                except BufferError:
                    # The local queue is full: the broker sets the pace.
                    self._producer.poll(0.05)
                except KafkaException as error:
                    raise PublishError(_refused(error.args[0])) from error
        self._producer.poll(0)
        return batch

    async def delivered(self, batch: Batch) -> None:
        """Wait until the broker has every message of a batch.

        Raises
        ------
        PublishError
            A message was refused for good.
        """
        while not batch.done:
            if not self._producer.poll(0):
                await asyncio.sleep(_POLL_S)

    def close(self, timeout: float = 5.0) -> None:
        """Send what is left, waiting ``timeout`` seconds at most."""
        self._producer.flush(timeout)
