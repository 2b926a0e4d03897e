"""One shard at work: takes what was fetched, applies it, publishes, and checkpoints about once a second.

Protocol of a flush, and what it guarantees:

1. *Journal*: the flush's ranges are appended to the shard's journal in Redis, fenced by the owner's token.
2. *Load*: records that the flush reads and the cache lacks (at the same time as 1).
3. *Apply*: pure, in memory.
4. *Publish*: outputs go to the producer in order; the broker's acknowledgements are awaited before the checkpoint
   that covers them.
5. *Checkpoint* (time or count): state, models, timers and offsets of one moment, in one atomic fenced write that cuts
   the journal.
6. *Acknowledge*: Kafka's offsets are committed behind it, for lag tools only.

A crash at any point loses nothing: the successor loads the last checkpoint and applies the journalled flushes after
it exactly as they were; outputs of those are published again with the same ids.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from detectors.apply import Core
from detectors.flush import Flush
from features.decode import Rejection
from features.events import InputEvent
from features.shard import Record
from streams.intake import Intake, ranges_of
from streams.publish import Batch, Publisher
from streams.snapshot import Changes, encode_ahead, evict, load_needed, take_changes
from streams.store import JournalEntry, Position, ShardStore

logger = logging.getLogger("shopwarden.shard")

_DAY_MS = 86_400_000
_ENCODE_EVERY_S = 0.2


class ShardOptions(Struct, frozen=True, kw_only=True):
    """Pace and bounds of a shard; times in seconds."""

    flush_interval: float
    max_flush_records: int
    checkpoint_interval: float
    checkpoint_records: int = 100_000
    #: Longest wait for a topic that lags behind the others.
    merge_wait: float = 2.0
    idle_tick: float
    allowed_lateness_ms: int
    cache_entries: int
    pseudonym_key_id: str


def wall_clock() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class ShardRunner:
    """Runs one shard from its assignment to its revocation."""

    def __init__(
        self,
        core: Core,
        intake: Intake,
        store: ShardStore,
        publisher: Publisher,
        position: Position,
        journal: list[JournalEntry],
        options: ShardOptions,
        acknowledge: Callable[[dict[str, int]], Awaitable[object]],
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.core = core
        self.intake = intake
        self._store = store
        self._publisher = publisher
        self._options = options
        self._acknowledge = acknowledge
        self._clock = clock
        self._position = position
        self._recovering = list(journal)
        intake.reserve(journal)
        self._sequence = position.sequence
        self._offsets = dict(position.offsets)
        self._batches: list[Batch] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._warned_of_policies = False
        self._checkpointing: asyncio.Task[None] | None = None
        self._checkpointed_at = time.monotonic()
        self._encoded_at = self._checkpointed_at
        self._since_checkpoint = 0
        self._last_work = time.monotonic()
        #: Whether event time keeps up with the clock, by the last record applied.
        self._live = abs(clock() - max(core.state.clock.highest, core.state.clock.watermark)) <= _DAY_MS
        self.checkpoints = 0

    def offer(self, topic: str, records: Sequence[Any]) -> None:
        """Take records that were fetched."""
        self.intake.offer(topic, records)
        self._arrived.set()

    def stop(self) -> None:
        """Ask the shard to finish what it has begun and to checkpoint; await :meth:`run` for the end."""
        self._stopping = True
        self._arrived.set()

    async def run(self) -> None:
        """Work until stopped. Any error leaves the store as the last checkpoint and journal have it, and is raised."""
        options = self._options
        pause = options.flush_interval
        while not self._stopping:
            if self._recovering:
                if not await self._recover():
                    await asyncio.sleep(pause or 0.001)
                continue
            if not len(self.intake) and not await self._wait():
                await self._maybe_tick()
                await self._maybe_checkpoint()
                continue
            await self._wait_for_laggards()
            records = self.intake.take(options.max_flush_records)
            if records:
                await self._flush(records, None)
            await self._maybe_checkpoint()
            if len(self.intake) < options.max_flush_records // 8:
                # Light load: let a few records gather, so that a flush is worth its round trips.
                self._encode_ahead()
                await asyncio.sleep(pause)
        await self._finish()

    def _encode_ahead(self) -> None:
        """Spread the work of the next checkpoint, so that no record waits for all of it."""
        now = time.monotonic()
        if now - self._encoded_at >= _ENCODE_EVERY_S:
            self._encoded_at = now
            encode_ahead(self.core.state)

    # -- one flush ----------------------------------------------------------------------------------------------------

    async def _flush(self, records: list[Record], tick: int | None) -> None:
        flush = Flush(self._sequence + 1, records, tick)
        entry = JournalEntry(flush.sequence, ranges_of(records), tick, self.core.judge.policies.version)
        await self._apply(flush, entry)

    async def _apply(self, flush: Flush, entry: JournalEntry | None) -> None:
        core = self.core
        events = core.decode(flush.records)
        loading = self._load(flush, events)
        if entry is None:
            await loading
        else:
            await asyncio.gather(self._store.journal(entry), loading)
        emits = core.apply(flush, events)
        self._sequence = flush.sequence
        for record in flush.records:
            self._offsets[record.topic] = record.offset + 1
        if flush.records:
            self._live = abs(self._clock() - flush.records[-1].timestamp) <= _DAY_MS
        if emits:
            self._batches.append(self._publisher.publish(emits))
        self._since_checkpoint += len(flush.records)
        self._last_work = time.monotonic()

    async def _load(self, flush: Flush, events: list[InputEvent | Rejection]) -> None:
        await load_needed(self._store, self.core.state, self.core.needed(flush, events))

    async def _recover(self) -> bool:
        """Apply the next journalled flush again, if its records have arrived."""
        entry = self._recovering[0]
        if entry.sequence <= self._sequence:
            self._recovering.pop(0)
            return True
        records = self.intake.take_entry(entry)
        if records is None:
            return False
        if entry.policy != self.core.judge.policies.version and not self._warned_of_policies:
            self._warned_of_policies = True
            logger.warning(
                "journalled flushes are judged by other policies than before: their outputs may differ",
                extra={"shard": self.intake.partition, "before": entry.policy, "now": self.core.judge.policies.version},
            )
        await self._apply(Flush(entry.sequence, records, entry.tick), None)
        self._recovering.pop(0)
        if not self._recovering:
            logger.info("journal applied again", extra={"shard": self.intake.partition, "sequence": self._sequence})
        return True

    # -- waiting
    # --------------------------------------------------------------------------------------------------------

    async def _wait(self) -> bool:
        """Wait for records; false when none came within a tick's time."""
        self._arrived.clear()
        if len(self.intake) or self._stopping:
            return True
        timeout = min(self._options.idle_tick, self._options.checkpoint_interval)
        try:
            await asyncio.wait_for(self._arrived.wait(), timeout)
        except TimeoutError:
            return False
        return True

    async def _wait_for_laggards(self) -> None:
        """Give a topic that has more to read the time to arrive, so that topics are merged by time."""
        until = time.monotonic() + self._options.merge_wait
        while self.intake.waiting_for() and not self._stopping and time.monotonic() < until:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), 0.02)
        if self.intake.waiting_for():
            self.intake.waited()
        self.intake.patient = False

    async def _maybe_tick(self) -> None:
        """Move a quiet shard's event time on, so that its timers fire; time becomes journalled input."""
        if self._recovering:
            return
        # Only where event time kept up with the clock: history that is played back must not jump to today.
        if not self._live or time.monotonic() - self._last_work < self._options.idle_tick:
            return
        tick = self._clock() - self._options.allowed_lateness_ms
        if self.core.state.timers.earliest <= tick and tick > self.core.state.clock.watermark:
            await self._flush([], tick)

    # -- checkpoints
    # ------------------------------------------------------------------------------------------------------

    async def _maybe_checkpoint(self) -> None:
        if self._checkpointing is not None and self._checkpointing.done():
            finished, self._checkpointing = self._checkpointing, None
            finished.result()
            # Here and nowhere else: no flush is between loading and applying, and everything untouched is stored.
            evict(self.core.state, self._options.cache_entries)
        if self._sequence == self._position.sequence or self._recovering:
            return
        elapsed = time.monotonic() - self._checkpointed_at
        if elapsed < self._options.checkpoint_interval and self._since_checkpoint < self._options.checkpoint_records:
            return
        if self._checkpointing is None:
            self._begin_checkpoint()
        elif elapsed > 4 * self._options.checkpoint_interval:
            # The store can't keep up: wait for it rather than let the journal grow.
            await self._checkpointing

    def _begin_checkpoint(self) -> asyncio.Task[None]:
        """Take the cut now; write it while the next flushes are applied."""
        position = Position(
            sequence=self._sequence, offsets=dict(self._offsets), pseudonym_key=self._options.pseudonym_key_id
        )
        changes = take_changes(self.core)
        batches, self._batches = self._batches, []
        previous, self._position = self._position.sequence, position
        self._checkpointed_at = time.monotonic()
        self._since_checkpoint = 0
        self._checkpointing = asyncio.create_task(self._checkpoint(previous, position, changes, batches))
        return self._checkpointing

    async def _checkpoint(self, previous: int, position: Position, changes: Changes, batches: list[Batch]) -> None:
        for batch in batches:
            await self._publisher.delivered(batch)
        await self._store.checkpoint(
            previous, position, changes.values, changes.deleted, changes.timers, changes.appends
        )
        self.checkpoints += 1
        await self._acknowledge(position.offsets)

    async def _finish(self) -> None:
        """Write a last checkpoint of everything applied, and give the shard up."""
        if self._checkpointing is not None:
            await self._checkpointing
            self._checkpointing = None
        if self._sequence != self._position.sequence and not self._recovering:
            await self._begin_checkpoint()
        await self._store.release()
