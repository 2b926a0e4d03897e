"""(e) The job by hand in a stock Faust agent: a Redis GET and SET of the merchant's JSON per event, assessments sent
with Faust.

What Faust's documentation leads to when state is wanted outside of tables. The client is redis-py's asyncio one with
hiredis, on a connection that stays open; the store is the one the worker uses.
"""

import orjson
import redis.asyncio

from benchmarks.by_hand import ByHand
from benchmarks.competitor import Job, Meter, run
from benchmarks.stock_faust import add_agent, create_app, run_app


def compete(job: Job, meter: Meter) -> None:
    """Judge in an agent until done."""
    app = create_app(job)
    output = app.topic(job.output_topic, key_serializer="raw", value_serializer="raw", internal=False)
    by_hand = ByHand(job.seed)
    client = redis.asyncio.Redis.from_url(job.redis_url)

    async def handle(value: bytes) -> None:
        meter.begin()
        event = orjson.loads(value)
        merchant_id = event["merchant_id"]
        key = f"{job.group}:{merchant_id}"
        stored = await client.get(key)
        state, assessment = by_hand.apply(None if stored is None else orjson.loads(stored), event)
        await client.set(key, orjson.dumps(state))
        if assessment is not None:
            await output.send(key=merchant_id.encode(), value=orjson.dumps(assessment))
        if meter.count():
            meter.finish()

    add_agent(app, job, handle)
    run_app(app)


if __name__ == "__main__":
    run(compete)
