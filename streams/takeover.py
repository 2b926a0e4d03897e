"""Steps 1 to 4 of the protocol (streams/protocol.py): how a worker takes over the shards that it is assigned."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from config.settings import Settings
from detectors.apply import Core
from detectors.flush import Stream
from detectors.judge import fresh_models
from features.decode import RecordKind
from features.omissions import Gap
from streams.clients import AsyncRedis, kafka_config
from streams.gaps import described, resume
from streams.patience import Patience
from streams.policies.feed import PolicyFeed
from streams.protocol import Step, passing
from streams.reading import Partition, ReadError, TopicReader, partition_of, read_to_end
from streams.snapshot import BLOBS, LISTS, restore
from streams.store import STORE_VERSION, JournalEntry, Loaded, Position, ShardStore, StoreError
from streams.tails import Extent, PublishedBefore, Tail, extents, merged_journal, read_tails

logger = logging.getLogger("shopwarden.takeover")

#: Streams of outputs, by the topics' fields in the settings.
STREAMS: Final[dict[Stream, str]] = {
    "events": "events",
    "standing": "merchant_standing",
    "creator_standing": "creator_standing",
    "dead_letters": "dead_letters",
    "exchange": "exchange",
}


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Taken(Struct):
    """A shard that is ours, ready to recover and go on.

    Attributes
    ----------
    number
        Of the shard.
    claim
        When it was claimed, ms.
    core, store, position
        State, where it is stored, and the checkpoint that it is of.
    journal
        Flushes to apply again.
    published
        Outputs that were published after the checkpoint.
    gaps
        What is missing after the journal.
    starts
        Topic -> offset to read from.
    """

    number: int
    claim: int
    core: Core
    store: ShardStore
    position: Position
    journal: list[JournalEntry]
    published: PublishedBefore
    gaps: list[Gap]
    starts: dict[str, int]


class Takeover:
    """Takes shards over for one worker.

    Parameters
    ----------
    settings
        The worker's.
    policies
        The policy sets that there are.
    topics
        The input topics that exist.
    patience
        How Redis is waited for.
    passed
        Called after each step.
    """

    def __init__(
        self,
        settings: Settings,
        policies: PolicyFeed,
        topics: Mapping[RecordKind, str],
        patience: Patience,
        passed: Callable[[Step], None] = passing,
    ) -> None:
        self._settings = settings
        self._policies = policies
        self._patience = patience
        self._passed = passed
        self._admin: AdminClient | None = None
        self._inputs = tuple(topics.values())
        # What was told to other shards lies in their partitions, and they know a repeat when they see one.
        self._outputs = {
            stream: settings.topics.name(field) for stream, field in STREAMS.items() if stream != "exchange"
        }
        self._journal = settings.topics.journal

    async def take(self, client: AsyncRedis, numbers: Iterable[int]) -> list[Taken]:
        """Claim and load shards, and find out what their topics hold.

        Raises
        ------
        StoreError
            The store can't be read by this version, or records are missing and ``worker.on_gap`` says to stop then.
        streams.reading.ReadError
            Kafka does not tell.
        """
        claim = wall_clock()
        namespace = self._settings.worker.namespace
        stores: dict[int, ShardStore] = {}
        loaded: dict[int, Loaded] = {}
        for number in numbers:
            store = ShardStore(client, namespace, number, f"{claim:x}-{secrets.token_hex(8)}", self._patience)
            await store.claim()
            self._passed(Step.CLAIMED)
            stores[number] = store
            loaded[number] = await store.load(BLOBS, LISTS)
            self._passed(Step.LOADED)
        # Whoever had a shard before may know a later publication than is known here: it must not go back.
        await self._policies.catch_up()
        # librdkafka blocks; meanwhile the worker's other shards go on.
        tails, held = await asyncio.to_thread(self._look, {number: each.position for number, each in loaded.items()})
        self._passed(Step.TAILS_READ)
        return [
            await self._taken(number, claim, store, loaded[number], tails[number], held[number])
            for number, store in stores.items()
        ]

    async def _taken(
        self, number: int, claim: int, store: ShardStore, loaded: Loaded, tail: Tail, held: dict[str, Extent]
    ) -> Taken:
        position = loaded.position
        if position.epoch:
            history = tail.entries.get(position.epoch, [])
            found: dict[Stream, list[str]] = {s: tail.ids.get(topic, []) for s, topic in self._outputs.items()}
            published = PublishedBefore(found, history, tail.ends)
        else:
            # A state that begins here, or that a version wrote which did not say where its outputs end.
            history, published = [], PublishedBefore()
            position = msgspec.structs.replace(position, epoch=secrets.token_hex(8), published=tail.ends)
            if not position.sequence:
                await store.begin(position)
        journal = merged_journal(loaded.journal, history, position.sequence)
        await asyncio.to_thread(self._correct_ends, number, position, journal, held)
        plan = resume(position.offsets, journal, held, claim)
        if plan.missing:
            self._missing(number, plan.missing)
        if 1 < position.version < STORE_VERSION:
            # One of version 1 is upgraded as a whole, with its next checkpoint.
            await store.raise_version(position)
        if plan.journal != loaded.journal:
            await store.rewrite_journal(position.sequence, plan.journal)
        if len(journal) > len(loaded.journal):
            # Said only now: what another worker wrote since it took the shard from this one would look the same.
            logger.warning(
                "Redis had forgotten the latest journal entries; they were taken from Kafka",
                extra={"shard": number, "entries": len(journal) - len(loaded.journal)},
            )
        self._passed(Step.SOUGHT)
        core = restore(
            number,
            loaded,
            self._policies.library.judge,
            fresh_models(self._settings.worker.seed, challenger=self._settings.worker.challenger),
        )
        logger.info(
            "shard assigned",
            extra={
                "shard": number,
                "sequence": position.sequence,
                "journal": len(plan.journal),
                "published_after": sum(map(len, tail.ids.values())) if position is loaded.position else 0,
            },
        )
        return Taken(number, claim, core, store, position, plan.journal, published, plan.gaps, plan.starts)

    def _missing(self, number: int, gaps: list[Gap]) -> None:
        what = described(number, gaps)
        if self._settings.worker.on_gap == "stop":
            raise StoreError(
                f"records that shard {number} wants next are missing: {what}. What they would have counted is lost to "
                "the merchants' figures, so somebody has to decide: set worker.on_gap=skip to go on without them (each "
                "gap becomes an event), or choose a new worker.namespace to begin with an empty state"
            )
        logger.error("going on without missing records: %s", what, extra={"shard": number})

    async def earliest(self, topic: str, number: int) -> int:
        """First offset that an input partition still holds; raises streams.reading.ReadError if Kafka does not tell."""
        return await asyncio.to_thread(self._earliest, (topic, number))

    # -- asking Kafka -------------------------------------------------------------------------------------------------

    def _look(self, positions: Mapping[int, Position]) -> tuple[dict[int, Tail], dict[int, dict[str, Extent]]]:
        """Read the tails of the output topics, and how far the input topics reach, shard by shard."""
        config = kafka_config(self._settings)
        outputs = (*self._outputs.values(), self._journal)
        unknown = [(topic, number) for number, each in positions.items() if not each.epoch for topic in outputs]
        inputs = [(topic, number) for number, each in positions.items() for topic in each.offsets]
        held = self._extents([*unknown, *inputs])
        starts: dict[Partition, int] = {}
        for number, position in positions.items():
            for topic in outputs:
                begun = position.published.get(topic, 0)
                starts[topic, number] = begun if position.epoch else held[topic, number].end
        tails = read_tails(config, starts, self._journal, self._settings.worker.namespace)
        reach: dict[int, dict[str, Extent]] = {number: {} for number in positions}
        for topic, number in inputs:
            reach[number][topic] = held[topic, number]
        return tails, reach

    def _earliest(self, partition: Partition) -> int:
        return self._extents([partition])[partition].earliest

    def _extents(self, partitions: Iterable[Partition]) -> dict[Partition, Extent]:
        if self._admin is None:
            self._admin = AdminClient(kafka_config(self._settings))
        try:
            return extents(self._admin, partitions)
        except KafkaException as error:
            raise ReadError(f"the broker does not tell how far the topics reach: {error.args[0].str()}") from None

    def _correct_ends(
        self, number: int, position: Position, journal: Iterable[JournalEntry], held: dict[str, Extent]
    ) -> None:
        """Look again where a topic seems to end before what was read of it."""
        wanted = dict(position.offsets)
        for entry in journal:
            for topic, _, last in entry.ranges:
                wanted[topic] = last + 1
        for topic, offset in wanted.items():
            extent = held.get(topic)
            if extent is not None and extent.end < offset:
                held[topic] = Extent(extent.earliest, _true_end(kafka_config(self._settings), (topic, number), extent))


def _true_end(config: Mapping[str, Any], partition: Partition, extent: Extent) -> int:
    """Where a partition ends, by reading on from where the broker says: that may be too low (see ``extents``)."""
    end = extent.end
    with TopicReader(config, [partition[0]], start={partition: max(extent.earliest, extent.end - 1)}) as reader:
        for message in read_to_end(reader):
            if partition_of(message) == partition:
                end = max(end, (message.offset() or 0) + 1)
    return end
