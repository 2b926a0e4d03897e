"""Plays records into the topics at a steady rate, in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Protocol

from confluent_kafka import KafkaError, Message

from streams.demo.sent import Sent
from streams.producing import Pace
from streams.simulator import SimulatedRecord

#: Shorter waits cost more than they give: a few records leave together instead.
_LEAST_WAIT: Final = 0.002
_POLL_EVERY: Final = 64
_FLUSH_SECONDS: Final = 30.0


class Producing(Protocol):
    """What the player needs of confluent-kafka's producer."""

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        *,
        timestamp: int,
        on_delivery: Callable[[KafkaError | None, Message], None],
    ) -> None:
        """Queue a record; BufferError when the queue is full."""

    def poll(self, timeout: float) -> int:
        """Wait for confirmations."""

    def flush(self, timeout: float) -> int:
        """Wait for all confirmations; returns how many are missing."""


class PlayError(Exception):
    """Records could not be delivered; the message says why."""


class Player:
    """Sends records with their own time as timestamp. Guarantee: ``sent`` has every record that the broker confirmed.

    Parameters
    ----------
    records
        In event-time order.
    topics
        Names in Kafka of the simulator's topics.
    rate
        Records a second. A player that was held up catches up by short bursts at most.
    """

    def __init__(
        self,
        records: Iterable[SimulatedRecord],
        producer: Producing,
        topics: Mapping[str, str],
        sent: Sent,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._producer = producer
        self._topics = topics
        self._sent = sent
        self._rate = rate
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self._refused: str | None = None
        #: What ended the player early, if anything did.
        self.error: Exception | None = None
        #: Event time of the latest record, ms; 0 before the first.
        self.event_time = 0
        #: When the first record was sent, by the clock.
        self.started: float | None = None

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    @property
    def playing(self) -> bool:
        """False once everything is sent and confirmed, or the player failed."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Play no more; what was sent is still confirmed. Waits for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_FLUSH_SECONDS + 5)

    def _run(self) -> None:
        try:
            self.play()
        except Exception as error:  # noqa: BLE001 - told to the thread that looks after this one
            self.error = error

    def play(self) -> None:
        """Send all records and wait for their confirmation.

        Raises
        ------
        PlayError
            The broker refused a record, or did not confirm all in time.
        """
        pace = Pace(self._rate, self._clock)
        producer = self._producer
        self.started = self._clock()
        for count, record in enumerate(self._records):
            if self._stop.is_set():
                break
            delay = pace.delay()
            if delay >= _LEAST_WAIT:
                self._wait(delay)
            elif count % _POLL_EVERY == 0:
                producer.poll(0)
            if self._refused is not None:
                break
            self._send(record)
        missing = producer.flush(_FLUSH_SECONDS)
        if self._refused is not None:
            raise PlayError(f"the broker refused a record of the simulation: {self._refused}")
        if missing:
            raise PlayError(f"the broker did not confirm {missing:,} records within {_FLUSH_SECONDS:.0f} s")

    def _wait(self, seconds: float) -> None:
        until = self._clock() + seconds
        while (left := until - self._clock()) > 0:
            self._producer.poll(left)

    def _send(self, record: SimulatedRecord) -> None:
        topic = self._topics[record.topic]
        confirmed = partial(self._confirmed, self._clock())
        while True:
            try:
                self._producer.produce(
                    topic, record.value, record.key, timestamp=record.timestamp, on_delivery=confirmed
                )
                break
            except BufferError:
                self._producer.poll(0.05)
        self.event_time = record.timestamp

    def _confirmed(self, at: float, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused = error.str()
            return
        self._sent.add(message.topic() or "", message.partition() or 0, message.offset() or 0, at)
