"""From produce to output: how long a record that causes an output takes until a consumer of that output has it.

Records arrive at a steady rate, far below what the worker can do, at a worker that already knows their merchants. The
clock runs from just before the call of ``produce`` to the moment ``consume`` returns the output, so both clients' own
batching, the broker's two turns and the worker's waiting for more records all count. Outputs name the record that
caused them: assessments in ``source``, dead letters in their headers. As few records of ordinary traffic cause an
output, one in twenty is a probe, a record of unknown type that goes to the dead letters by the way all records take;
they are spread evenly over time and partitions.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

import orjson
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from benchmarks.deployment import Deployment
from benchmarks.processes import CompetitorError
from streams.clients import kafka_config, producer_config
from streams.embedded import FETCH_WAIT_MS, SENDER_LINGER_MS
from streams.simulator import SimulatedRecord

#: Topic, partition and offset of an input record.
Place: TypeAlias = tuple[str, int, int]

PROBE_EVERY: Final = 20
_PROBE_TYPE: Final = "benchmark.probe"
#: Until the worker has found its pace, outputs are not counted.
_WARM_UP_S: Final = 3.0
#: How long the last outputs may take.
_TAIL_S: Final = 5.0
_SKIP_S: Final = 60.0
#: Longest wait for an output before the next record may be due.
_TURN_S: Final = 0.002


@dataclass
class Latency:
    """Latencies of single outputs in ms, by the stream they came on; ``missing`` are probes without an answer."""

    offered_per_second: float
    achieved_per_second: float = 0.0
    assessments: list[float] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    missing: int = 0

    def percentile(self, share: float) -> float:
        """A percentile of all outputs, ms."""
        return percentile(sorted(self.assessments + self.probes), share)


def percentile(ordered: Sequence[float], share: float) -> float:
    """The least value that at least ``share`` (0 to 1) of the values do not exceed; NaN without values."""
    if not ordered:
        return float("nan")
    rank = max(1, -(-len(ordered) * round(share * 10_000) // 10_000))
    return ordered[min(len(ordered), rank) - 1]


class _Sender:
    """Produces records at a steady rate and notes when each place of the input was sent."""

    def __init__(self, deployment: Deployment, records: Sequence[SimulatedRecord], rate: float) -> None:
        # The time that the client gathers records counts in every latency.
        self._producer = Producer(producer_config(deployment.settings, linger_ms=SENDER_LINGER_MS))
        self._names = {record.topic: deployment.settings.topics.name(record.topic) for record in records}
        self._records = records
        self._step = 1 / rate
        self._number = 0
        self.started = time.perf_counter()
        self.sent: dict[Place, float] = {}
        self.probes: set[Place] = set()
        self.ended = 0.0

    def send_due(self) -> bool:
        """Send what is due; false when everything was sent."""
        now = time.perf_counter()
        while self._number < len(self._records) and self.started + self._number * self._step <= now:
            record = self._records[self._number]
            self._number += 1
            probe = self._number % PROBE_EVERY == 0
            value = _probe(record, self._number) if probe else record.value
            at = time.perf_counter()
            self._producer.produce(
                self._names[record.topic],
                value,
                record.key,
                timestamp=time.time_ns() // 1_000_000,
                on_delivery=partial(self._settle, at, probe),
            )
            self.ended = at
        self._producer.poll(0)
        return self._number < len(self._records)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        self._producer.flush(10)

    def _settle(self, at: float, probe: bool, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise RuntimeError(f"a record was not delivered: {error.str()}")
        place = (message.topic() or "", message.partition() or 0, message.offset() or 0)
        self.sent[place] = at
        if probe:
            self.probes.add(place)


def _probe(record: SimulatedRecord, number: int) -> bytes:
    """Like the record that it stands for, but of no known type."""
    document = {"type": _PROBE_TYPE, "event_id": f"probe-{number}", "merchant_id": record.key.decode()}
    return json.dumps({**document, "occurred_at": record.timestamp}).encode()


def measure(deployment: Deployment, records: Sequence[SimulatedRecord], rate: float) -> Latency:
    """Send records at a rate (a second) to a worker that is running, and time its outputs.

    Raises
    ------
    CompetitorError
        The worker did not come to an end.
    """
    topics = deployment.settings.topics
    consumer = Consumer(
        kafka_config(
            deployment.settings, group_id="latency", enable_partition_eof=True, fetch_wait_max_ms=FETCH_WAIT_MS
        )
    )
    outputs = [TopicPartition(t, n, 0) for t in (topics.events, topics.dead_letters) for n in range(topics.partitions)]
    consumer.assign(outputs)
    try:
        _skip_to_end(consumer, len(outputs))
        return _measure(consumer, deployment, records, rate)
    finally:
        consumer.close()


def _measure(consumer: Consumer, deployment: Deployment, records: Sequence[SimulatedRecord], rate: float) -> Latency:
    sender = _Sender(deployment, records, rate)
    received: list[tuple[float, Message]] = []

    def receive(timeout: float) -> None:
        message = consumer.poll(timeout)
        while message is not None:
            at = time.perf_counter()
            if not message.error():
                received.append((at, message))
            message = consumer.poll(0)

    while sender.send_due():
        receive(_TURN_S)
    sender.flush()
    _receive_rest(receive, received, len(sender.probes))
    achieved = (len(records) - 1) / (sender.ended - sender.started)
    return _evaluate(Latency(rate, achieved), sender, received)


def _receive_rest(receive: Callable[[float], None], received: Sequence[tuple[float, Message]], probes: int) -> None:
    """Take what still comes, until every probe may have been answered or time is up."""
    until = time.perf_counter() + _TAIL_S
    while time.perf_counter() < until:
        receive(0.05)
        if len(received) >= probes and time.perf_counter() - received[-1][0] > 1.0:
            return


def _evaluate(latency: Latency, sender: _Sender, received: Sequence[tuple[float, Message]]) -> Latency:
    counted_from = sender.started + _WARM_UP_S
    answered = set()
    for at, message in received:
        place = _source(message)
        sent = sender.sent.get(place) if place is not None else None
        if place is None or sent is None:
            continue
        answered.add(place)
        if sent >= counted_from:
            (latency.probes if place in sender.probes else latency.assessments).append((at - sent) * 1000)
    latency.missing = len(sender.probes - answered)
    return latency


def _source(message: Message) -> Place | None:
    """The input record that an output names, if it does."""
    headers: dict[str, Any] = dict(message.headers() or ())
    if "dlq_topic" in headers:
        return headers["dlq_topic"].decode(), int(headers["dlq_partition"]), int(headers["dlq_offset"])
    source = orjson.loads(message.value() or b"{}").get("source")
    return (source["topic"], source["partition"], source["offset"]) if source else None


def _skip_to_end(consumer: Consumer, partitions: int) -> None:
    """Read what the topics hold, until the end of each was seen."""
    ended: set[tuple[str | None, int | None]] = set()
    until = time.monotonic() + _SKIP_S
    while time.monotonic() < until:
        for message in consumer.consume(1000, 0.1):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                ended.add((message.topic(), message.partition()))
        if len(ended) == partitions:
            return
    raise CompetitorError(f"the worker's outputs could not be read to their end within {_SKIP_S:.0f} s")
