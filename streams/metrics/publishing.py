"""Follows the topics and publishes the estimates of each day that has ended to the topic of metrics.

The same topics give the same bytes, whoever reads them and when: records are put in one order
(:mod:`streams.metrics.alignment`), the fold is pure, and a day is closed when event time has passed its end. Estimates
that the topic holds already are not sent again, so that a restart goes on where it stopped; it reads the topics from
their beginning, as the fold knows nothing else.
"""

from collections.abc import Callable, Iterator
from typing import Final

from config.settings import Settings
from detectors.metrics.daily import DailyEstimate, DailyEstimates
from detectors.metrics.estimate import iso_time
from detectors.metrics.ledger import LIVE, Ledger
from features.outputs import MetricEstimated
from streams.archive import ArchiveRecord
from streams.archive_lines import Headers
from streams.clients import kafka_config, producer_config
from streams.metrics.feeding import Feed
from streams.metrics.sources import topic_events
from streams.producing import ArchiveProducer, ProduceError
from streams.reading import TopicReader, read_to_end
from streams.recording import headers_of
from streams.topic_names import deployed_names

#: Topic of the estimates in an archive: the contract's name.
METRICS: Final = "governance-metrics"
KIND: Final = str(MetricEstimated.__struct_config__.tag)
_JSON: Final = b"application/json"


class PublishingError(Exception):
    """Estimates cannot be published; the message says why."""


def as_record(estimate: DailyEstimate) -> ArchiveRecord:
    """An estimate as a record of the topic of metrics: a CloudEvent in Kafka's binary mode."""
    headers: Headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", estimate.identifier.encode()),
        ("ce_type", KIND.encode()),
        ("ce_source", b"/shopwarden"),
        ("ce_time", iso_time(estimate.time).encode()),
        ("ce_subject", estimate.name.encode()),
        ("content-type", _JSON),
    )
    return ArchiveRecord(METRICS, estimate.name.encode(), estimate.value, headers=headers)


def follow(
    settings: Settings,
    *,
    stop: Callable[[], bool] | None = None,
    modes: frozenset[str] = LIVE,
    advance: Callable[[], object] = lambda: None,
) -> Iterator[DailyEstimate]:
    """Estimates of each day that the topics show to have ended.

    Parameters
    ----------
    settings
        How to reach Kafka, and what the topics are called.
    stop
        Whether to stop, asked again and again; without it the end of every partition is the end.
    modes
        Of the outputs to count.
    advance
        Called for each record.

    Raises
    ------
    streams.reading.ReadError
        The topics cannot be read.
    """
    feed = Feed(Ledger(modes))
    daily = DailyEstimates(feed.ledger)
    begun = False
    for time, record in topic_events(settings, stop, rest=False):
        # The first record begins the first day; how far the partitions are before it depends on when they are read.
        begun |= record is not None
        if begun:
            yield from daily.until(time)
        if record is not None:
            feed.record(record, time)
            advance()


class EstimatesPublisher:
    """Sends estimates to their topic, but for those that are there.

    ``sent`` counts them.

    Raises
    ------
    streams.reading.ReadError
        The topic cannot be read: without knowing what it holds, nothing is sent.
    """

    def __init__(self, settings: Settings) -> None:
        names = deployed_names(settings.topics)
        self._present = _present(settings, names[METRICS])
        self._producer = ArchiveProducer(producer_config(settings), names=names)
        self.sent = 0

    def publish(self, estimate: DailyEstimate) -> None:
        """Send one.

        Raises
        ------
        PublishingError
            The broker does not take it.
        """
        if estimate.identifier in self._present:
            return
        self._present.add(estimate.identifier)
        try:
            self._producer.send(as_record(estimate))
        except ProduceError as error:
            raise PublishingError(str(error)) from error
        self.sent += 1

    def close(self) -> None:
        """Wait until the broker has all of them.

        Raises
        ------
        PublishingError
            It has not.
        """
        report = self._producer.flush()
        if report.failed:
            reason, count = report.failures.most_common(1)[0]
            raise PublishingError(f"the broker did not take {report.failed:,} estimates, {count:,} of them: {reason}")


def _present(settings: Settings, topic: str) -> set[str]:
    """Ids of the estimates that the topic holds."""
    found = set()
    with TopicReader(kafka_config(settings), [topic]) as reader:
        for message in read_to_end(reader):
            identifier = dict(headers_of(message)).get("ce_id")
            if identifier is not None:
                found.add(identifier.decode(errors="replace"))
    return found
