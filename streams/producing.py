"""Put archive records into topics.

Every record is confirmed by the broker or counted as failed; the idempotent producer neither repeats nor reorders what
it confirms. Keys go to the partition that Faust and Kafka's own clients would choose (murmur2), and timestamps and
headers are those of the archive.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]
from msgspec import Struct, field

from streams.archive import ArchiveRecord
from streams.clients import names_cause
from streams.reading import SILENT

#: A producer that falls behind its rate catches up, but not by a burst of more than this many seconds' records.
_CATCH_UP_SECONDS: Final = 0.25
_METADATA_SECONDS: Final = 15.0
_POLL_EVERY: Final = 512
#: After so many failures the cause is not with single records.
_MAX_FAILURES: Final = 1000
#: Room for a second or two of a fast producer.
_QUEUE: Final[dict[str, Any]] = {"queue.buffering.max.messages": 100_000, "queue.buffering.max.kbytes": 128 * 1024}
_DAY_MS: Final = 86_400_000


class ProduceError(Exception):
    """Producing cannot start or go on; the message says why."""


class ProduceReport(Struct):
    """What became of the records: ``delivered`` were confirmed by the broker, ``failed`` were not, by reason."""

    delivered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    stopped: str | None = None
    """Why the rest was not tried, if so."""

    @property
    def failed(self) -> int:
        """Records that no broker confirmed."""
        return self.failures.total()


class Pace:
    """Says how long to wait before the next record, so that they leave at a steady rate.

    The schedule is absolute (record *i* is due at *i* / rate after the start), so waiting too long once does not lower
    the rate; what was missed is made up in bursts of at most a quarter of a second.

    Parameters
    ----------
    rate
        Records a second; ``None`` is as fast as possible.
    clock
        Seconds, rising.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1 / rate if rate else 0.0
        self._clock = clock
        self._due = clock()

    def delay(self) -> float:
        """Seconds until the next record is due, 0 if it is due now; every call stands for one record."""
        if not self._step:
            return 0.0
        now = self._clock()
        self._due = max(self._due, now - _CATCH_UP_SECONDS)
        delay = max(0.0, self._due - now)
        self._due += self._step
        return delay


class ArchiveProducer:
    """Sends archive records and counts what became of them.

    Parameters
    ----------
    config
        Settings of the producer, see :func:`streams.clients.producer_config`.
    names
        Topic of the archive -> topic of the broker, where they differ.
    keep_timestamps
        Whether records keep the time of the archive or get the present time.
    warn
        Called with a sentence when a topic would delete a record of that age.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        *,
        names: Mapping[str, str] | None = None,
        keep_timestamps: bool = True,
        warn: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._trouble = ""
        self._config = {**config, **_QUEUE, "error_cb": self._on_error, "logger": SILENT}
        self._producer = Producer(self._config)
        self._names = names or {}
        self._keep_timestamps = keep_timestamps
        self._warn = warn
        self._topics: set[str] = set()
        self._existing: set[str] | None = None
        self._sent = 0
        self.report = ProduceReport()

    def send(self, record: ArchiveRecord) -> None:
        """Queue a record; what comes of it is counted in ``report``.

        Raises
        ------
        ProduceError
            The topic does not exist, no broker answers, or the producer can do no more.
        """
        topic = self._names.get(record.topic, record.topic)
        timestamp = record.timestamp if self._keep_timestamps and record.timestamp is not None else 0
        if topic not in self._topics:
            self._require(topic)
            self._check_retention(topic, timestamp)
        while True:
            try:
                self._producer.produce(
                    topic,
                    value=record.value,
                    key=record.key,
                    timestamp=timestamp,
                    headers=list(record.headers),
                    on_delivery=self._on_delivery,
                )
            except BufferError:
                self._producer.poll(0.1)  # the queue is full: wait for confirmations
                continue
            except KafkaException as error:
                self._on_refused(error.args[0])
            break
        self._sent += 1
        if self._sent % _POLL_EVERY == 0:
            self._producer.poll(0)

    def wait(self, seconds: float) -> None:
        """Let time pass while confirmations come in."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._producer.poll(left)

    def flush(self) -> ProduceReport:
        """Wait until every record is confirmed or has failed, which the producer's delivery timeout bounds."""
        while self._producer.flush(1.0) > 0:
            pass
        return self.report

    def _require(self, topic: str) -> None:
        """A record for a topic that is not there would only fail after the delivery timeout, or make the topic."""
        if self._existing is None:
            try:
                metadata = self._producer.list_topics(timeout=_METADATA_SECONDS)
            except KafkaException as error:
                self._producer.poll(0)  # hears what was wrong
                brokers, trouble = self._config.get("bootstrap.servers"), self._trouble or error.args[0].str()
                raise ProduceError(f"no broker answers at {brokers}: {trouble}") from error
            self._existing = {name for name, described in metadata.topics.items() if described.error is None}
        if topic not in self._existing:
            raise ProduceError(f"there is no topic {topic!r}; make the topics with `shopwarden topics create`")
        self._topics.add(topic)

    def _check_retention(self, topic: str, timestamp: int) -> None:
        """Brokers delete by the record's own timestamp, so old history may vanish minutes after it was produced."""
        age_ms = time.time() * 1000 - timestamp
        if timestamp and age_ms > _DAY_MS and (kept_ms := retention_ms(self._config, topic)) and age_ms > kept_ms:
            self._warn(
                f"topic {topic} keeps records for {kept_ms / _DAY_MS:,.0f} days by their timestamps and may soon "
                f"delete these of {age_ms / _DAY_MS:,.0f} days ago; raise its retention.ms or pass --timestamps now"
            )

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.report.delivered += 1
        else:
            self.report.failures[error.str()] += 1

    def _on_error(self, error: KafkaError) -> None:
        if names_cause(error):
            self._trouble = error.str()

    def _on_refused(self, error: KafkaError) -> None:
        if error.fatal():
            raise ProduceError(f"the producer stopped: {error.str()}")
        self.report.failures[error.str()] += 1


def retention_ms(config: Mapping[str, Any], topic: str) -> int | None:
    """How long a topic keeps its records, in ms; ``None`` for ever, or if the broker does not say."""
    admin = AdminClient(dict(config))
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        entries = admin.describe_configs([resource], request_timeout=_METADATA_SECONDS)[resource].result()
        kept, cleanup = entries["retention.ms"].value, entries["cleanup.policy"].value
        return int(kept) if int(kept) >= 0 and "delete" in cleanup else None
    except (KafkaException, KeyError, TypeError, ValueError):
        return None


def produce(
    records: Iterable[ArchiveRecord],
    producer: ArchiveProducer,
    *,
    rate: float | None = None,
    on_sent: Callable[[], None] = lambda: None,
) -> ProduceReport:
    """Send records, at most ``rate`` a second, and wait for their confirmation.

    Stops early, with the reason in ``report.stopped``, when a thousand records have failed.

    Raises
    ------
    ProduceError
        See :meth:`ArchiveProducer.send`.
    """
    started = time.monotonic()
    pace = Pace(rate)
    report = producer.report
    try:
        for record in records:
            if delay := pace.delay():
                producer.wait(delay)
            producer.send(record)
            on_sent()
            if report.failed >= _MAX_FAILURES:
                report.stopped = f"{report.failed} records failed"
                break
    finally:
        # Also after an exception, so that what was sent before it is accounted for.
        producer.flush()
        report.seconds = time.monotonic() - started
    return report
