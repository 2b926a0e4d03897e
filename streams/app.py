"""The Faust app: one agent over the co-partitioned input topics, which hands what was fetched to the shards.

One agent and not one a topic: agents interleave at every await, and the topics of a shard share its state. Deliveries
are not acknowledged to Faust at all (``acks=False``): offsets belong to the checkpoint.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any, cast

import faust
from faust.types import TP

from config.settings import Settings
from detectors.judge import Judge
from features.decode import TopicKind
from streams.clients import faust_broker
from streams.shards import Shards
from streams.transport import SCHEME, BatchConsumer

logger = logging.getLogger("shopwarden.app")


class WorkerApp(faust.App):
    """A Faust app that knows its shards and why it failed, if it did."""

    shopwarden_reader: Shards
    shopwarden_failure: BaseException | None = None


def create_app(settings: Settings, judge: Judge, topics: Mapping[TopicKind, str]) -> WorkerApp:
    """The app of one worker process, over the input topics that exist."""
    brokers, credentials = faust_broker(settings, scheme=SCHEME)
    kafka = settings.kafka
    app = WorkerApp(
        settings.worker.group_id,
        broker=brokers,
        broker_credentials=credentials,
        broker_client_id=kafka.client_id,
        broker_max_poll_records=settings.worker.max_poll_records,
        broker_session_timeout=kafka.session_timeout_s,
        broker_rebalance_timeout=kafka.rebalance_timeout_s,
        broker_heartbeat_interval=min(3.0, kafka.session_timeout_s / 3),
        broker_request_timeout=max(kafka.request_timeout_s, kafka.session_timeout_s + 5),
        consumer_max_fetch_size=4 * 1024 * 1024,
        consumer_auto_offset_reset="earliest",
        # Batches, not records: a handful is plenty, and what waits here is lost on a rebalance and fetched again.
        stream_buffer_maxsize=64,
        # 1 keeps Faust's own assignor, which gives a worker the same partitions of all topics.
        table_standby_replicas=1,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        autodiscover=False,
        # Faust makes this folder; it holds nothing, as there are no tables.
        datadir=Path(gettempdir()) / "shopwarden-faust",
        version=1,
    )

    def fail(error: BaseException) -> None:
        logger.error("%s", error, exc_info=None if isinstance(error, OSError) else error)
        app.shopwarden_failure = error
        app.loop.create_task(app.crash(error))

    shards = Shards(settings, judge, topics, fail)
    app.shopwarden_reader = shards
    topic = app.topic(*topics.values(), key_serializer="raw", value_serializer="raw", acks=False, internal=False)

    @app.agent(topic, concurrency=1, name="shopwarden")
    async def intake(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                shards.offer(event.message.tp, event.value)
            except Exception as error:
                # Faust would start the agent anew with the next batch, and this one would be missing.
                fail(error)
                raise

    async def assigned(_: Any, partitions: set[TP], **__: Any) -> None:
        shards.consumer = cast(BatchConsumer, app.consumer)
        await shards.assign(partitions)

    async def revoked(_: Any, partitions: set[TP], **__: Any) -> None:
        await shards.revoke(partitions)

    async def stopping(_: Any, **__: Any) -> None:
        await shards.close()

    # The types of signals do not know what Faust sends.
    signals: tuple[tuple[Any, Any], ...] = (
        (app.on_partitions_assigned, assigned),
        (app.on_partitions_revoked, revoked),
        (app.on_before_shutdown, stopping),
    )
    for signal, receiver in signals:
        signal.connect(receiver, weak=False)
    return app
