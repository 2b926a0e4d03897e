"""(b) A stock Faust agent that only decodes: what Faust's hand-over of single records leaves of (a)."""

import orjson

from benchmarks.competitor import Job, Meter, run
from benchmarks.stock_faust import add_agent, create_app, run_app


def compete(job: Job, meter: Meter) -> None:
    """Decode in an agent until done."""
    app = create_app(job)

    async def handle(value: bytes) -> None:
        meter.begin()
        orjson.loads(value)
        if meter.count():
            meter.finish()

    add_agent(app, job, handle)
    run_app(app)


if __name__ == "__main__":
    run(compete)
