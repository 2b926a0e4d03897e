"""(a) Reading and decoding, nothing else: what the broker and one Python process can do at most.

confluent-kafka's ``consume`` in batches and ``orjson.loads`` of each value.
"""

import orjson
from confluent_kafka import Consumer, KafkaException

from benchmarks.competitor import Job, Meter, run


def compete(job: Job, meter: Meter) -> None:
    """Consume and decode until done."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.brokers,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
        }
    )
    consumer.subscribe(list(job.topics))
    loads = orjson.loads
    while True:
        messages = consumer.consume(job.flush_records, 0.1)
        if messages:
            meter.begin()
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            loads(message.value() or b"null")
        if meter.count(len(messages)):
            meter.finish()


if __name__ == "__main__":
    run(compete)
