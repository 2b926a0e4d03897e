"""What a shard does, in which order, so that nothing is lost and nothing counts twice.

A worker that is assigned a shard

1. *claims* it: writes its token as the owner's. From now on no earlier owner can write (fencing);
2. *loads* the last checkpoint and the journal of the flushes after it;
3. *reads the tails* of the output topics and of the journal's topic, from where the checkpoint says: which outputs
   were published after it, and which flushes Redis may have forgotten;
4. *seeks* to the checkpoint's offsets, and says what lies between them and what the topics still hold
   (streams/gaps.py);
5. *recovers*: applies the journalled flushes again, exactly as they were.

Then, for each flush, it

6. *journals* it: ranges, clock and policies, in Redis, ahead of everything else; and loads what applying it reads;
7. *applies* it: pure, in memory;
8. *publishes* its outputs, and a few times a second the journal's entries for history and what it tells other shards,
   through one idempotent producer, in order;

and about once a second, for all flushes up to one moment, it

9. waits until the broker has *delivered* all that they published;
10. writes the *checkpoint*: state, models, timers, offsets, and where the outputs end, in one atomic write that is
    refused if the shard has another owner, and that cuts the journal;
11. *acknowledges* to Kafka, for lag tools only.

Revoked or told to stop, it finishes its flush, does 9 to 11, and

12. *releases* the shard.

Guarantee. After a crash between any two of these steps the successor's state, models and offsets are those that the
worker would have had, byte for byte: up to 6 a flush has not happened and is read again; after 6 recovery repeats it,
since it depends on nothing that the journal doesn't name. Every output reaches its topic, in order per merchant: no
checkpoint passes an output that was not acknowledged. It reaches it once, since recovery leaves out what the tails
hold. (A worker that stood still, lost its shard and then wakes may send once more what its producer still held: the
same bytes under the same ids.) If Redis forgot the latest entries (a crash with appendfsync everysec, an older
snapshot), the journal's topic has them, but for those whose worker died within the same moments.

A record that makes applying fail is a fault of ours. The journal is amended to put it aside, the worker stops, and who
recovers the flush sends the record to the dead letters instead.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import Final

import msgspec

from detectors.apply import Core
from detectors.flush import Emit, Flush
from features.decode import Decoded
from features.omissions import Poison
from features.shard import Needed, Record
from streams.publish import Batch, Publisher
from streams.snapshot import keep_loaded, needed_names, take_changes
from streams.store import JournalEntry, Position, ShardStore, StoreError
from streams.tails import PublishedBefore
from streams.telemetry.instruments import Instruments
from streams.telemetry.tracing import Stages, Tracing

logger = logging.getLogger("shopwarden.shard")


#: Seconds between two sendings of journal entries to their topic.
RECORD_EVERY_S: Final = 0.1
#: Records between two checkpoints that are put aside before the fault is looked for elsewhere.
MOST_POISON: Final = 20


class Step(IntEnum):
    """The steps of the protocol, by their number in the module's description."""

    CLAIMED = 1
    LOADED = 2
    TAILS_READ = 3
    SOUGHT = 4
    RECOVERED = 5
    JOURNALLED = 6
    APPLIED = 7
    PUBLISHED = 8
    DELIVERED = 9
    CHECKPOINTED = 10
    ACKNOWLEDGED = 11
    RELEASED = 12


def passing(_: Step) -> None:
    """What is done after each step: nothing. Tests strike here."""


class ShardProtocol:
    """Steps 5 to 12 for one shard.

    Parameters
    ----------
    core
        The shard as its checkpoint left it.
    store, publisher
        Where state and outputs go.
    position
        The checkpoint.
    published
        Outputs that are in their topics already, although the checkpoint does not cover them.
    pseudonym_key
        Name of the key in use.
    acknowledge
        Tells Kafka how far the shard's checkpoint is.
    passed
        Called after each step.
    instruments
        Watch what is done.
    """

    def __init__(
        self,
        core: Core,
        store: ShardStore,
        publisher: Publisher,
        position: Position,
        published: PublishedBefore,
        pseudonym_key: str,
        acknowledge: Callable[[dict[str, int]], Awaitable[object]],
        passed: Callable[[Step], None] = passing,
        instruments: Instruments | None = None,
    ) -> None:
        self.core = core
        self._store = store
        self._publisher = publisher
        self._before = published
        self._pseudonym_key = pseudonym_key
        self._acknowledge = acknowledge
        self._passed = passed
        instruments = instruments or Instruments()
        self._meter, self._tracing = instruments.meter, instruments.tracing
        self._partition = core.state.partition
        #: The last checkpoint that was begun.
        self.position = position
        #: Last flush applied, and the next offset of each topic after it.
        self.sequence = position.sequence
        self._offsets = dict(position.offsets)
        #: Version of the policy set that judged last, and the next publication that the shard has not noted.
        self.policy = position.policy
        self.publication = position.publication
        self._published = dict(position.published)
        self._batches: list[Batch] = []
        self._unrecorded: list[JournalEntry] = []
        self._mail: list[Emit] = []
        self._began = self._recorded_at = time.monotonic()
        self.checkpoints = 0
        #: When the oldest flush was applied that no checkpoint covers, and that the one under way does.
        self._unwritten_since: float | None = None
        self._writing_since: float | None = None

    @property
    def offsets(self) -> Mapping[str, int]:
        """Next offset to apply of each topic of which anything was applied."""
        return self._offsets

    def unwritten_seconds(self) -> float:
        """For how long the oldest applied flush has been waiting for its checkpoint; 0 if there is none."""
        since = [each for each in (self._writing_since, self._unwritten_since) if each is not None]
        return time.monotonic() - min(since) if since else 0.0

    # -- a flush ------------------------------------------------------------------------------------------------------

    async def recover(self, entry: JournalEntry, records: list[Record]) -> None:
        """Apply a journalled flush again."""
        await self._publisher.room()
        flush = Flush(entry.sequence, records, entry.tick, entry.clock, entry.gaps, entry.poison, entry.policies)
        events = self.core.decode(flush)
        needed = self.core.needed(flush, events)
        names = needed_names(self.core.state, needed)
        if names:
            keep_loaded(self.core.state, names, await self._store.read(names))
        await self._load_behind(needed)
        self._apply(flush, events, entry)
        self._meter.flushes_recovered += 1

    async def _load_behind(self, needed: Needed) -> None:
        """Load the orders and listings that decisions are about; which these are says what was loaded before."""
        if needed.decisions:
            names = needed_names(self.core.state, self.core.state.behind_decisions(needed))
            if names:
                keep_loaded(self.core.state, names, await self._store.read(names))

    def recovered(self) -> None:
        """The journal has been applied again."""
        self._published |= self._before.settled()
        self._meter.recovered(time.monotonic() - self._began)
        self._passed(Step.RECOVERED)

    async def flush(self, flush: Flush, entry: JournalEntry) -> None:
        """Journal, load, apply and publish a flush.

        Raises
        ------
        streams.store.ShardLostError
            The shard has another owner: nothing was applied.
        detectors.apply.ApplyError
            A record made it fail; the state in memory is of no use any more.
        """
        await self._publisher.room()
        if self._tracing is None:
            await self._flush(flush, entry, None)
        else:
            with self._tracing.flush(self._partition, flush) as stages:
                await self._flush(flush, entry, stages)

    async def _flush(self, flush: Flush, entry: JournalEntry, stages: Stages | None) -> None:
        began = time.perf_counter()
        events = self.core.decode(flush)
        needed = self.core.needed(flush, events)
        names = needed_names(self.core.state, needed)
        decoded = time.perf_counter()
        if stages is not None:
            stages.passed("decode")
        values = await self._store.journal(entry, names)
        keep_loaded(self.core.state, names, values)
        await self._load_behind(needed)
        journalled = time.perf_counter()
        if stages is not None:
            stages.passed("journal")
        self._passed(Step.JOURNALLED)
        self._apply(flush, events, entry)
        if stages is not None:
            stages.passed("apply")
        self._meter.flushed(time.perf_counter() - began, journalled - decoded)

    def _apply(self, flush: Flush, events: list[Decoded], entry: JournalEntry) -> None:
        began = time.perf_counter()
        emits = self.core.apply(flush, events)
        self._meter.applied(entry.ranges, time.perf_counter() - began)
        offsets = self._offsets
        for gap in flush.gaps:
            offsets[gap.topic] = max(offsets.get(gap.topic, 0), gap.last + 1) if gap.why == "expired" else gap.first
        for topic, _, last in entry.ranges:
            offsets[topic] = last + 1
        self.sequence = flush.sequence
        self.policy = entry.policy
        for notice in entry.policies:
            self.publication = notice.publication + 1
        if self._unwritten_since is None:
            self._unwritten_since = time.monotonic()
        self._passed(Step.APPLIED)
        if not self._before.holds(entry):
            self._unrecorded.append(entry)
        emits = self._before.unpublished(emits)
        mail = [emit for emit in emits if emit.stream == "exchange"]
        if mail:
            self._mail += mail
            self._meter.posted(len(mail))
            emits = [emit for emit in emits if emit.stream != "exchange"]
        if emits:
            self._batches.append(self._publisher.publish(emits, self._partition))
            self._meter.published(emits)
        if time.monotonic() - self._recorded_at >= RECORD_EVERY_S:
            self._record()
        self._passed(Step.PUBLISHED)

    def _record(self) -> None:
        """Send the journal entries that are due to their topic, and what is told to other shards: a few at a time, as
        each flush is small and brokers suffer from many small batches.
        """
        self._recorded_at = time.monotonic()
        if self._unrecorded:
            entries, self._unrecorded = self._unrecorded, []
            self._batches.append(self._publisher.record(entries, self._partition, self.position.epoch))
        if self._mail:
            mail, self._mail = self._mail, []
            self._batches.append(self._publisher.publish(mail, self._partition))

    def leave(self) -> None:
        """Something failed: hand over the journal entries of what was published, should Redis have forgotten them."""
        self._mail = []
        self._record()

    # -- a checkpoint -------------------------------------------------------------------------------------------------

    def begin_checkpoint(self) -> asyncio.Task[None]:
        """Take the cut now; it is written while the next flushes are applied."""
        previous = self.position
        changes = take_changes(self.core)
        self._record()
        batches, self._batches = self._batches, []
        self._writing_since, self._unwritten_since = self._unwritten_since, None
        self.position = cut = Position(
            sequence=self.sequence,
            offsets=dict(self._offsets),
            pseudonym_key=self._pseudonym_key,
            epoch=previous.epoch,
            policy=self.policy,
            publication=self.publication,
        )

        async def write(stages: Stages | None = None) -> None:
            began = time.perf_counter()
            published = self._published
            for batch in batches:
                await self._publisher.delivered(batch)
                published |= batch.ends
            self._passed(Step.DELIVERED)
            if stages is not None:
                stages.passed("deliver")
            position = msgspec.structs.replace(cut, published=dict(published))
            await self._store.checkpoint(
                previous.sequence, position, changes.values, changes.deleted, changes.timers, changes.appends
            )
            self._passed(Step.CHECKPOINTED)
            if stages is not None:
                stages.passed("store")
            self._meter.checkpointed(time.perf_counter() - began)
            self.checkpoints += 1
            self._writing_since = None
            await self._acknowledge(position.offsets)
            self._passed(Step.ACKNOWLEDGED)

        async def traced(tracing: Tracing) -> None:
            with tracing.checkpoint(self._partition, cut.sequence) as stages:
                await write(stages)

        writing = write() if self._tracing is None else traced(self._tracing)
        return asyncio.create_task(writing, name=f"checkpoint-{self._partition}")

    async def quarantine(self, entry: JournalEntry, poison: Poison) -> None:
        """Amend a journalled flush that could not be applied: who recovers it puts that record aside.

        Raises
        ------
        StoreError
            So many records fail that something else must be wrong.
        """
        loaded = await self._store.load(())
        failed = sum(len(each.poison) for each in loaded.journal)
        if failed >= MOST_POISON:
            raise StoreError(
                f"{failed} records of shard {self._partition} since its last checkpoint could not be applied; that is "
                "no matter of single records. Nothing more is put aside: this version has a fault, or can't use the "
                f"stored state. The last failure: {poison.detail}"
            )
        amended = msgspec.structs.replace(entry, poison=[*entry.poison, poison])
        journal = [amended if each.sequence == entry.sequence else each for each in loaded.journal]
        await self._store.rewrite_journal(loaded.position.sequence, journal)

    async def release(self) -> None:
        """Give the shard up."""
        await self._store.release()
        self._passed(Step.RELEASED)
