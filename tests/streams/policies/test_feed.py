"""Reading the topic of policies, from when there is one."""

import asyncio
import contextlib

import pytest

from streams.clients import kafka_config
from streams.policies import feed
from streams.policies.feed import PolicyFeed
from streams.policies.library import PolicyLibrary
from streams.policies.publication import compile_files
from streams.policies.publishing import publish
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.streams.policies.published import MILDER, publication
from tests.streams.shard_fakes import make_judge


async def test_a_topic_that_is_made_later_is_read(
    services: object, redis_db: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that began without one needs no restart; until then its folder rules."""
    monkeypatch.setattr(feed, "_MISSING_S", 0.2)
    deployment = Deployment(services.brokers, redis_db, topic_prefix, "live", 1)  # type: ignore[attr-defined]
    settings = deployment.settings
    library = PolicyLibrary(make_judge())
    policies = PolicyFeed(library, kafka_config(settings), settings.topics.policies)
    await policies.catch_up()
    assert library.end == 0
    following = asyncio.create_task(policies.follow())
    try:
        await asyncio.to_thread(create_topics, settings)
        await asyncio.to_thread(publish, settings, publication(1, MILDER))
        async with asyncio.timeout(60):
            while library.end == 0:  # noqa: ASYNC110 - it is told by a thread
                await asyncio.sleep(0.05)
    finally:
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
    assert library.judge.policies.version == compile_files(MILDER).version
