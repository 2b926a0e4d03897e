"""Reads what the worker publishes, in a thread of its own, as any consumer of the topics would."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from config.settings import Settings
from features.outputs import Output, RiskAssessed, Standing
from streams.clients import kafka_config
from streams.demo.rulebook import RuleInfo
from streams.demo.sent import Sent
from streams.demo.tally import Tally
from streams.embedded import FETCH_WAIT_MS
from streams.recording import headers_of

logger = logging.getLogger("shopwarden.demo")

_POLL_SECONDS: Final = 0.05
#: An output may arrive before the confirmation of the record that caused it: then it is looked at again so much later,
#: and not for longer than this.
_SETTLE_SECONDS: Final = 0.2
_PATIENCE_SECONDS: Final = 5.0
_decode_output = msgspec.json.Decoder(Output).decode
_decode_standing = msgspec.json.Decoder(Standing).decode


class ObserverError(Exception):
    """The outputs cannot be read, or are not as the contract says."""


class Observer:
    """Consumes the output topics from their beginning and keeps the tally. No group is joined, nothing is committed."""

    def __init__(
        self,
        settings: Settings,
        rules: Mapping[str, RuleInfo],
        sent: Sent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        topics = settings.topics
        self._events, self._standings, self._dead = topics.events, topics.merchant_standing, topics.dead_letters
        self._consumer = Consumer(
            kafka_config(
                settings,
                group_id="shopwarden-demo",  # required by the client; never joined
                enable_auto_commit=False,
                enable_partition_eof=False,
                # As soon as there is something, so that the latency measured is the worker's.
                fetch_wait_max_ms=FETCH_WAIT_MS,
            )
        )
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in (self._events, self._standings, self._dead)
                for partition in range(topics.partitions)
            ]
        )
        self._tally = Tally(rules)
        self._sent = sent
        self._clock = clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._early: deque[tuple[float, tuple[str, int, int]]] = deque()
        #: When the latest output came, by the clock.
        self.heard = clock()
        self.error: Exception | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read no more, and leave the broker."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._consumer.close()

    @contextmanager
    def tally(self) -> Iterator[Tally]:
        """The tally, which stands still inside the block."""
        with self._lock:
            yield self._tally

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                message = self._consumer.poll(_POLL_SECONDS)
                now = self._clock()
                if message is not None:
                    self._take(message, now)
                if self._early and now - self._early[0][0] > _SETTLE_SECONDS:
                    self._settle(now)
        except Exception as error:  # noqa: BLE001 - told to the thread that looks after this one
            self.error = error

    def _take(self, message: Message, now: float) -> None:
        error = message.error()
        if error is not None:
            if error.fatal() or error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):  # noqa: SLF001
                raise ObserverError(f"the outputs can't be read: {error.str()}")
            logger.debug("broker: %s", error.str())  # the client tries again by itself
            return
        self.heard = now
        with self._lock:
            self._read(message, now)

    def _read(self, message: Message, now: float) -> None:
        topic, value = message.topic(), message.value() or b""
        headers: dict[str, Any] = {name: (text or b"").decode(errors="replace") for name, text in headers_of(message)}
        tally = self._tally
        if topic == self._dead:
            tally.count(topic)
            tally.dead_letter(headers.get("dlq_reason", "?"), headers.get("dlq_detail", ""))
            return
        try:
            if topic == self._standings:
                tally.count(topic)
                tally.standing(_decode_standing(value))
                return
            tally.count(headers["ce_type"])
            output = _decode_output(value)
            tally.event(output, _milliseconds(headers["ce_time"]))
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise ObserverError(
                f"{topic}:{message.partition()}:{message.offset()} is not as the contract says: {error!r}"
            ) from error
        if isinstance(output, RiskAssessed):
            source = (output.source.topic, output.source.partition, output.source.offset)
            if not self._timed(source, now):
                self._early.append((now, source))

    def _timed(self, source: tuple[str, int, int], came: float) -> bool:
        """Note the latency of an output, if it is known when its cause was sent."""
        at = self._sent.at(*source)
        if at is None:
            return False
        self._tally.latency(came - at, came)
        return True

    def _settle(self, now: float) -> None:
        """Look again at outputs that came before the confirmation of their cause (or that time itself caused)."""
        with self._lock:
            for _ in range(len(self._early)):
                came, source = self._early.popleft()
                if not self._timed(source, came) and now - came < _PATIENCE_SECONDS:
                    self._early.append((came, source))


def _milliseconds(time: str) -> int:
    """An RFC 3339 time as ms since the epoch."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
