"""The records that every competitor reads: a simulated marketplace, and one marker at the end of each partition.

A marker is a record of a type that nobody knows. The worker puts it into the dead letters, which tells when it has come
to the end of that partition; the other competitors pass over it.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import islice

from confluent_kafka import Producer

from config.settings import Settings
from streams.clients import producer_config
from streams.simulator import SimulatedRecord, SimulatorConfig, simulate

#: The simulator meets a wanted number of events within a tenth.
_SPARE = 1.2
MARKER_TYPE = "benchmark.end"


def make_records(count: int, seed: int) -> list[SimulatedRecord]:
    """The first records of a simulation in event-time order, the same for the same count and seed."""
    records = list(islice(simulate(SimulatorConfig.for_events(round(count * _SPARE), seed)), count))
    if len(records) < count:
        raise RuntimeError(f"the simulator made {len(records)} records, not {count}")
    return records


def markers(settings: Settings, timestamp: int) -> Iterator[tuple[str, int, bytes, bytes, int]]:
    """Topic, partition, key, value and timestamp of the last record of each input partition."""
    for topic in settings.topics.inputs:
        for partition in range(settings.topics.partitions):
            key = f"end-{partition}"
            value = {"type": MARKER_TYPE, "event_id": f"{topic}-{key}", "occurred_at": timestamp, "merchant_id": key}
            yield topic, partition, key.encode(), json.dumps(value).encode(), timestamp


def produce(settings: Settings, records: Sequence[SimulatedRecord]) -> int:
    """Put records and markers into the input topics, with their event times as timestamps; returns how many there are.

    Uncompressed, as what unpacking costs depends on the producers of a marketplace.
    """
    producer = Producer(producer_config(settings) | {"compression.type": "none", "linger.ms": 20})
    failed: list[str] = []

    def settle(error: object, _: object) -> None:
        if error is not None:
            failed.append(str(error))

    for number, record in enumerate(records):
        while True:
            try:
                producer.produce(
                    settings.topics.name(record.topic),
                    record.value,
                    record.key,
                    timestamp=record.timestamp,
                    on_delivery=settle,
                )
                break
            except BufferError:
                producer.poll(0.05)
        if not number % 1000:
            producer.poll(0)
    producer.flush(60)
    last = list(markers(settings, records[-1].timestamp + 1))
    for topic, partition, key, value, timestamp in last:
        producer.produce(topic, value, key, partition=partition, timestamp=timestamp, on_delivery=settle)
    unsent = producer.flush(60)
    if failed or unsent:
        raise RuntimeError(f"the broker did not take {len(failed) + unsent} records: {failed[:1]}")
    return len(records) + len(last)
