"""An ordinary Faust app on the ordinary transport (aiokafka), for competitors (b) and (e).

Faust's defaults but for what only concerns joining: short timeouts, as the embedded broker waits for half of the
rebalance timeout, and no topics made. Values arrive as bytes, so that the agent decodes with orjson, which is at least
as fast as Faust's own codec.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import faust

from benchmarks.competitor import Job


def create_app(job: Job) -> faust.App:
    """The app."""
    return faust.App(
        job.group,
        broker=f"kafka://{job.brokers}",
        store="memory://",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=6.0,
        broker_rebalance_timeout=2.0,
        broker_heartbeat_interval=2.0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        autodiscover=False,
        datadir=job.folder,
    )


def add_agent(app: faust.App, job: Job, handle: Callable[[Any], Awaitable[None]]) -> None:
    """An agent over all topics that hands every record's value (bytes) to ``handle``."""
    topic = app.topic(*job.topics, key_serializer="raw", value_serializer="raw", internal=False)

    @app.agent(topic, name="competitor")
    async def competitor(stream: Any) -> None:
        async for value in stream:
            await handle(value)


def run_app(app: faust.App) -> None:
    """Run the app as ``faust worker`` would."""
    worker = faust.Worker(app, loglevel="WARNING", redirect_stdouts=False, override_logging=True)
    worker.execute_from_commandline()
