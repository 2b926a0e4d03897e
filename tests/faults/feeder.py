"""Feeds a stream into the input topics at a steady rate, in the background."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence

from confluent_kafka import KafkaError, Message, Producer

from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.clients import producer_config
from streams.reading import SILENT, partition_of

Place = tuple[str, int]

_STEP_S = 0.01
#: Longer than any fault here: what is fed must arrive, and once.
_DELIVERY_MS = 300_000


class Feeder:
    """Feeds records from a ``with`` block's beginning to its end, ``rate`` a second; an idempotent producer's, so each
    is in its topic once. ``linger_ms`` is how long they gather.
    """

    def __init__(
        self, settings: Settings, records: Iterator[ArchiveRecord], rate: float, linger_ms: float = 10
    ) -> None:
        self._prefix = settings.topics.prefix
        # The faults are known here: the client need not tell of each failed connection.
        config = producer_config(settings, logger=SILENT) | {
            "delivery.timeout.ms": _DELIVERY_MS,
            "linger.ms": linger_ms,
        }
        self._producer = Producer(config)
        self._records = records
        self._rate = rate
        self._insertions: list[ArchiveRecord] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)
        self._ends: dict[Place, int] = {}
        self._refused: list[str] = []
        self.paused = False
        #: The record sent last.
        self.latest: ArchiveRecord | None = None

    def __enter__(self) -> "Feeder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def ends(self) -> dict[Place, int]:
        """Offset after the last record that the broker has, of each partition that has any."""
        return dict(self._ends)

    def insert(self, records: Sequence[ArchiveRecord]) -> None:
        """Put records into the midst of the stream, now."""
        self._insertions = [*self._insertions, *records]

    def stop(self) -> dict[Place, int]:
        """Feed no more; returns the ends when the broker has everything.

        Raises
        ------
        RuntimeError
            The broker did not take a record.
        """
        self._stopping.set()
        self._thread.join()
        if (left := self._producer.flush(60)) or self._refused:
            raise RuntimeError(f"{left} records did not reach the broker: {self._refused[:3]}")
        return self.ends

    def _run(self) -> None:
        started = time.monotonic()
        sent = 0.0
        while not self._stopping.wait(_STEP_S):
            now = time.monotonic()
            if self.paused:
                started, sent = now, 0.0
                continue
            due = int((now - started) * self._rate - sent)
            inserted, self._insertions = self._insertions, []
            for record in itertools.chain(inserted, itertools.islice(self._records, due)):
                self._send(record)
            sent += due
            self._producer.poll(0)

    def _send(self, record: ArchiveRecord) -> None:
        while True:
            try:
                self._producer.produce(
                    self._prefix + record.topic,
                    record.value,
                    record.key,
                    timestamp=record.timestamp or 0,
                    headers=list(record.headers),
                    on_delivery=self._delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self.latest = record

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refused.append(error.str())
            return
        place = partition_of(message)
        self._ends[place] = max(self._ends.get(place, 0), (message.offset() or 0) + 1)
