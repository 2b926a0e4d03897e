"""Sends feedback, and says where each record stands once the broker has confirmed it."""

import threading
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from config.settings import Settings
from streams.clients import producer_config
from streams.console.acts.act import ActError
from streams.reading import SILENT

_POLL_SECONDS: Final = 0.05
#: Sending takes some ms. Where one act waits for a broker that is away, others must not take all of the pages' threads.
_TURN_SECONDS: Final = 5.0


class FeedbackSender:
    """A producer for the feedback topic, for any thread.

    Parameters
    ----------
    settings
        Of the deployment.
    """

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.topics.feedback
        self._patience = settings.kafka.delivery_timeout_s + 5
        # Idempotent, as every producer here: an act is there once, or not at all.
        self._config = producer_config(settings, linger_ms=0, logger=SILENT)
        self._producer: Any = None
        self._lock = threading.Lock()

    def send(self, key: str, value: bytes) -> tuple[int, int]:
        """Send a record; returns its partition and offset.

        Raises
        ------
        ActError
            The broker did not confirm it: it may be there nevertheless, and acts count once by their event's id. Or
            another act has been waiting for the broker for so long that this one was not sent.
        """
        if not self._lock.acquire(timeout=_TURN_SECONDS):
            raise ActError("it was not sent: another act still waits for the broker. Try again in a minute")
        try:
            return self._sent(key, value)
        finally:
            self._lock.release()

    def _sent(self, key: str, value: bytes) -> tuple[int, int]:
        found: list[Message] = []
        errors: list[KafkaError] = []

        def confirmed(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                errors.append(error)
            found.append(message)

        if self._producer is None:
            self._producer = Producer(self._config)
        try:
            self._producer.produce(self.topic, value, key.encode(), on_delivery=confirmed)
        except (KafkaException, BufferError) as error:
            raise ActError(f"it could not be sent: {error}") from error
        left = self._patience
        while not found and left > 0:
            self._producer.poll(_POLL_SECONDS)
            left -= _POLL_SECONDS
        if errors or not found:
            why = errors[0].str() if errors else "the broker did not confirm it"
            raise ActError(f"it may not have been sent: {why}. Look at the decision before you try again")
        return found[0].partition() or 0, found[0].offset() or 0

    def close(self) -> None:
        """Leave the broker."""
        with self._lock:
            if self._producer is not None:
                self._producer.close()
                self._producer = None
