"""Checks of Kafka: reachable, topics, clocks."""

import time
from collections.abc import Iterator

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from config.settings import Settings
from streams.clients import kafka_config
from streams.doctor.findings import Finding
from streams.topics import TopicReport, TopicsError, check_topics, connect_admin

#: Clocks of servers that are kept by NTP differ by milliseconds; records travel for seconds.
_SKEW_MS = 5_000


def check_kafka(settings: Settings, timeout_s: float) -> Iterator[Finding]:
    """Whether brokers answer, whether the topics fit, and how old the newest input is."""
    try:
        _, metadata = connect_admin(settings, timeout_s)
    except (TopicsError, KafkaException) as error:
        text = str(error) if isinstance(error, TopicsError) else error.args[0].str()
        yield Finding("problem", "kafka", text.removesuffix("."), "`shopwarden dev up` starts a broker for trials.")
        return
    count = len(metadata.brokers)
    brokers = f"{count} broker{'s' if count != 1 else ''}"
    yield Finding("ok", "kafka", f"{settings.kafka.brokers} answers: cluster {metadata.cluster_id}, {brokers}")
    yield from _security(settings)
    try:
        report = check_topics(settings, timeout_s)
    except TopicsError as error:
        yield Finding("problem", "topics", str(error), "Try again.")
        return
    yield from (Finding("problem", "topics", *_split(text)) for text in report.problems)
    yield from (Finding("warning", "topics", *_split(text)) for text in report.warnings)
    if not report.problems:
        yield Finding("ok", "topics", f"{report.shards} shards of {', '.join(report.inputs)}")
    yield from _clock(settings, report, timeout_s)


def _split(text: str) -> tuple[str, str]:
    """Fact and advice of a text of the topics' report, which come in this order."""
    for separator in (". ", "; "):
        fact, found, advice = text.partition(separator)
        if found:
            return fact, advice
    return text, ""


def _security(settings: Settings) -> Iterator[Finding]:
    kafka = settings.kafka
    remote = any(
        broker.rpartition(":")[0] not in ("127.0.0.1", "localhost", "[::1]") for broker in kafka.brokers.split(",")
    )
    if remote and not kafka.uses_tls:
        advice = "Set kafka.security_protocol to SSL or SASL_SSL, unless the network is trusted."
        yield Finding("warning", "kafka", f"the connection is not encrypted ({kafka.security_protocol})", advice)


def _clock(settings: Settings, report: TopicReport, timeout_s: float) -> Iterator[Finding]:
    newest = newest_timestamp(settings, report, timeout_s)
    if newest is None:
        yield Finding("ok", "clock", "no input record to compare the clock with")
        return
    ahead = newest - time.time_ns() // 1_000_000
    if ahead > _SKEW_MS:
        advice = "Synchronise the clocks (NTP): records too far ahead of time go to the dead letters."
        yield Finding("warning", "clock", f"the newest input record is {ahead / 1000:.0f} s in the future", advice)
    else:
        yield Finding("ok", "clock", f"the newest input record is {_duration(max(0, -ahead))} old")


def newest_timestamp(settings: Settings, report: TopicReport, timeout_s: float) -> int | None:
    """The highest timestamp (ms) among the last records of the input topics, or None if there is none or no time."""
    partitions = [
        (topic.spec.name, number)
        for topic in report.topics
        if topic.spec.name in report.inputs
        for number in range(topic.partitions)
    ]
    if not partitions:
        return None
    consumer = Consumer(
        kafka_config(
            settings,
            group_id="shopwarden-doctor",  # required by the client; never joined
            enable_auto_commit=False,
            enable_partition_eof=True,
            fetch_wait_max_ms=50,
        )
    )
    until = time.monotonic() + timeout_s
    try:
        # First anywhere near the end: a fetch tells where that is. (The embedded broker's ListOffsets does not.)
        for _ in _read(consumer, dict.fromkeys(partitions, OFFSET_END), until, to_end=False):
            pass
        ends = {key: consumer.get_watermark_offsets(TopicPartition(*key), cached=True)[1] for key in partitions}
        last = {key: end - 1 for key, end in ends.items() if end > 0}
        return max(_read(consumer, last, until, to_end=True), default=None)
    except KafkaException:
        return None
    finally:
        consumer.close()


def _read(consumer: Consumer, start: dict[tuple[str, int], int], until: float, *, to_end: bool) -> Iterator[int]:
    """Timestamps from these offsets: to the end of each partition, or only until each has answered."""
    consumer.assign([TopicPartition(*key, offset) for key, offset in start.items()])
    waiting = set(start)
    while waiting and time.monotonic() < until:
        for message in consumer.consume(500, 0.1):
            error = message.error()
            if error is None:
                yield message.timestamp()[1]
            if not to_end or (error is not None and error.code() == KafkaError._PARTITION_EOF):  # noqa: SLF001
                waiting.discard((message.topic(), message.partition()))


def _duration(ms: int) -> str:
    for unit, length in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if ms >= 2 * length:
            return f"{ms // length} {unit}"
    return f"{ms // 1000} s"
