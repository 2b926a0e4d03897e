"""(d) ``Core.apply`` in memory: decoding, features, rules, models and outputs of the worker, without Kafka, Redis and
Faust.

What the worker would do if moving data cost nothing. The same records in the same order, in flushes of the worker's
largest size; nothing is loaded, stored or published, and what is marked for the next checkpoint is forgotten as often
as the worker writes one.
"""

from collections import Counter

from benchmarks.competitor import Job, Meter, run
from benchmarks.deployment import benchmark_deployment
from benchmarks.records import make_records
from detectors.apply import Core
from detectors.flush import Flush
from detectors.judge import fresh_models
from features.shard import Record, ShardState
from streams.worker import make_judge

#: About as many as a worker is done with in a second.
_CHECKPOINT_RECORDS = 40_000


def compete(job: Job, meter: Meter) -> None:
    """Apply until done."""
    settings = benchmark_deployment(job.brokers, job.redis_url, job.group, "", 1).settings
    offsets: Counter[str] = Counter()
    records = []
    for record in make_records(job.simulated, job.seed)[: job.records]:
        topic = settings.topics.name(record.topic)
        records.append(
            Record(
                record.topic,  # type: ignore[arg-type]  # the simulator names topics by the kind of their records
                topic,
                0,
                offsets[topic],
                record.timestamp,
                record.key,
                record.value,
            )
        )
        offsets[topic] += 1
    core = Core(
        ShardState(0), fresh_models(settings.worker.seed, challenger=settings.worker.challenger), make_judge(settings)
    )
    state = core.state
    since = 0
    meter.begin()
    for sequence, start in enumerate(range(0, len(records), job.flush_records), 1):
        flush = records[start : start + job.flush_records]
        core.apply(Flush(sequence, flush))
        since += len(flush)
        if since >= _CHECKPOINT_RECORDS:
            since = 0
            for touched in (
                state.touched_merchants,
                state.touched_orders,
                state.touched_listings,
                state.removed_orders,
            ):
                touched.clear()
            state.timers.changed.clear()
        if meter.count(len(flush)):
            meter.finish()


if __name__ == "__main__":
    run(compete)
