"""Before a worker begins: wait until Kafka and Redis answer, and see that the topics are as they must be.

Services often start beside their workers. What is wrong with a service that answers (no topics, wrong password) is
told at once; waiting would not mend it.
"""

import asyncio
import time

from config.settings import Settings
from streams.clients import async_redis_client
from streams.patience import OutageError, OutageLog, Patience
from streams.topics import BrokerAwayError, TopicReport, check_topics

#: Seconds that one attempt at Kafka may take, and the pause after it.
_ATTEMPT_S = 5.0
_PAUSE_S = 0.5


class ServicesAwayError(Exception):
    """Kafka or Redis did not answer in time; the message says which, where, and what to look at."""


async def await_services(settings: Settings) -> TopicReport:
    """Wait for Kafka, then for Redis, ``worker.start_wait_s`` seconds in all; returns what the topics are like.

    Raises
    ------
    ServicesAwayError, streams.topics.TopicsError, streams.patience.RefusedError
        It did not answer in time; it answered something that can't be used.
    """
    until = time.monotonic() + settings.worker.start_wait_s
    report = await _await_kafka(settings, until)
    report.raise_problems()
    await _await_redis(settings, until)
    return report


async def _await_kafka(settings: Settings, until: float) -> TopicReport:
    outage = OutageLog("Kafka")
    try:
        while True:
            left = until - time.monotonic()
            attempt = max(1.0, min(_ATTEMPT_S, left))
            try:
                return await asyncio.to_thread(check_topics, settings, attempt)
            except BrokerAwayError as error:
                if left <= attempt + _PAUSE_S:
                    waited = f"after {settings.worker.start_wait_s:g} s (worker.start_wait_s)"
                    raise ServicesAwayError(f"{error} Given up {waited}.") from None
                outage.lasts("start", error)
            await asyncio.sleep(_PAUSE_S)
    finally:
        outage.over("start")


async def _await_redis(settings: Settings, until: float) -> None:
    client = async_redis_client(settings)
    try:
        limit = max(0.0, until - time.monotonic())
        # A key of ours and not PING: it also tells of a cluster whose nodes don't serve, and of missing rights.
        await Patience()(lambda: client.get(f"{{{settings.worker.namespace}:0}}:owner"), "answer", limit)
    except OutageError as error:
        raise ServicesAwayError(
            f"{error} ({settings.redis.url}). Is it running, and are redis.url and redis.cluster right?"
        ) from None
    finally:
        await client.aclose()
