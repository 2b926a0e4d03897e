"""The Faust app: one agent over the co-partitioned input topics, which hands what was fetched to the shards.

One agent and not one a topic: agents interleave at every await, and the topics of a shard share its state. Deliveries
are not acknowledged to Faust at all (``acks=False``): offsets belong to the checkpoint.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any, cast

import faust
from faust.types import TP

from config.settings import Settings
from features.decode import RecordKind
from streams.clients import faust_broker
from streams.patience import OutageError, RefusedError
from streams.policies.feed import PolicyFeed
from streams.publish import PublishError
from streams.reading import ReadError
from streams.shards import Shards
from streams.store import StoreError
from streams.telemetry.instruments import Instruments
from streams.transport import SCHEME, BatchConsumer
from streams.watchdog import Beat, Progress

logger = logging.getLogger("shopwarden.app")

_LOADED_POLL_S = 0.01
#: Failures whose message says everything.
_EXPLAINED = (OSError, StoreError, ReadError, PublishError, OutageError, RefusedError)


class WorkerApp(faust.App):
    """A Faust app that knows its shards and why it failed, if it did."""

    shopwarden_reader: Shards
    shopwarden_failure: BaseException | None = None


def beat_of(app: WorkerApp) -> Beat:
    """How far an app is, for the watchdog."""
    shards = app.shopwarden_reader
    consumer = shards.consumer
    if consumer is None:
        return Beat(shards.waiting, joined=False, generation=app.consumer_generation_id, partitions={})
    applied, full = shards.applied(), shards.full()
    partitions = {
        tp: Progress(position, fetched, applied.get(tp), end, tp in full)
        for tp, (position, fetched, end) in consumer.progress().items()
    }
    joined = consumer.joined() and consumer.flow_active and not app.rebalancing and shards.loaded
    return Beat(shards.waiting, joined, app.consumer_generation_id, partitions)


class Assignment:
    """What happens to the shards when Faust assigns and revokes partitions.

    Shards are loaded beside the rebalance and not in it: while Redis is away that takes as long as the outage, and a
    worker that is in a rebalance sends no heartbeats, so the group would drop it.
    """

    def __init__(self, app: WorkerApp, shards: Shards, fail: Callable[[BaseException], None]) -> None:
        self._app = app
        self._shards = shards
        self._fail = fail
        self._loading: asyncio.Task[None] | None = None

    async def assigned(self, _: Any, partitions: set[TP], **__: Any) -> None:
        """Begin to load the shards."""
        self._shards.consumer = cast(BatchConsumer, self._app.consumer)
        await self.withdraw()
        self._loading = asyncio.create_task(self._shards.assign(partitions), name="loading")
        self._loading.add_done_callback(self._loaded)

    async def revoked(self, _: Any, partitions: set[TP], **__: Any) -> None:
        """End the shards, those too that are being loaded."""
        await self.withdraw()
        await self._shards.revoke(partitions)

    async def until_loaded(self, *_: Any, **__: Any) -> None:
        """Wait for the shards, or for the next rebalance: Faust seeks after this, and a seek that waits for long would
        end its handling of rebalances for good.
        """
        app, generation = self._app, self._app.consumer_generation_id
        while not (self._shards.loaded or app.should_stop or app.consumer_generation_id != generation):  # noqa: ASYNC110
            await asyncio.sleep(_LOADED_POLL_S)

    async def withdraw(self) -> None:
        """Give up loading; what was loaded stays until it is revoked."""
        loading, self._loading = self._loading, None
        if loading is not None and not loading.done():
            loading.cancel()
            await asyncio.wait([loading])

    def _loaded(self, loading: asyncio.Task[None]) -> None:
        if not loading.cancelled() and (error := loading.exception()) is not None:
            self._fail(error)


def create_app(
    settings: Settings,
    policies: PolicyFeed,
    topics: Mapping[RecordKind, str],
    instruments: Instruments | None = None,
) -> WorkerApp:
    """The app of one worker process, over the input topics that exist; ``instruments`` watch what it does."""
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
        if app.shopwarden_failure is None:
            app.shopwarden_failure = error
        # What people can act on needs no traceback.
        logger.error("%s", error, exc_info=None if isinstance(error, _EXPLAINED) else error)
        app.loop.create_task(app.crash(error))

    shards = Shards(settings, policies, topics, fail, instruments)
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

    assignment = Assignment(app, shards, fail)

    async def stopping(_: Any, **__: Any) -> None:
        await assignment.withdraw()
        await shards.close()

    # The types of signals do not know what Faust sends.
    signals: tuple[tuple[Any, Any], ...] = (
        (app.on_partitions_assigned, assignment.assigned),
        (app.on_partitions_revoked, assignment.revoked),
        (app.on_rebalance_complete, assignment.until_loaded),
        (app.on_before_shutdown, stopping),
    )
    for signal, receiver in signals:
        signal.connect(receiver, weak=False)
    return app
