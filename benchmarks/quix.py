"""(f) The job by hand in Quix Streams: its own state (RocksDB with a changelog topic), its own producer.

Defaults but for the joining timeout and the poll. The topics are concatenated, as they share the merchant's state. Runs
in the environment of benchmarks/requirements.lock.
"""

import logging
from typing import Any

from quixstreams import Application, State

from benchmarks.by_hand import ByHand
from benchmarks.competitor import Job, Meter, run

#: The default of a second is spent in waiting for quiet topics whenever the busy one is a buffer ahead.
_POLL_S = 0.01


def compete(job: Job, meter: Meter) -> None:
    """Judge in a Quix Streams application until done."""
    by_hand = ByHand(job.seed)
    app = Application(
        broker_address=job.brokers,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        state_dir=job.folder,
        consumer_extra_config={"session.timeout.ms": 6000},
        auto_create_topics=True,
        loglevel=logging.WARNING,
        consumer_poll_timeout=_POLL_S,
    )

    def judge(event: dict[str, Any], state: State) -> list[dict[str, Any]]:
        meter.begin()
        merchant, assessment = by_hand.apply(state.get("merchant"), event)
        state.set("merchant", merchant)
        if meter.count():
            meter.finish()
        return [] if assessment is None else [assessment]

    first, *others = (app.dataframe(app.topic(name)) for name in job.topics)
    frame = first
    for other in others:
        frame = frame.concat(other)
    frame = frame.apply(judge, stateful=True, expand=True)
    frame.to_topic(app.topic(job.output_topic))
    app.run()


if __name__ == "__main__":
    run(compete)
