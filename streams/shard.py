"""One shard at work: when it flushes, waits, ticks and checkpoints; streams/protocol.py says what that does."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from detectors.apply import ApplyError
from detectors.flush import Flush
from features.omissions import Gap
from features.shard import Record
from streams.intake import Intake, ranges_of
from streams.policies.library import PolicyLibrary
from streams.protocol import ShardProtocol
from streams.snapshot import encoding_ahead, evict
from streams.store import JournalEntry, StoreError
from streams.takeover import wall_clock

logger = logging.getLogger("shopwarden.shard")

_DAY_MS = 86_400_000
#: How often what was touched is encoded ahead of the next checkpoint, and for how long between two flushes.
_ENCODE_EVERY_S = 0.2
_ENCODE_FOR_S = 0.002
#: Checkpoints of a shard that catches up are so many times rarer: what changes again soon is stored once.
_CATCHING_UP = 3


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


class ShardRunner:
    """Runs one shard from its assignment to its revocation.

    Parameters
    ----------
    protocol
        The shard, as its checkpoint left it.
    intake
        What is fetched for it.
    journal
        Flushes to apply again before anything else.
    gaps
        What is missing after these.
    policies
        The policy sets that there are.
    claim
        When the shard was claimed, ms.
    options
        Pace and bounds.
    clock
        The worker's clock, ms.
    """

    def __init__(
        self,
        protocol: ShardProtocol,
        intake: Intake,
        journal: Sequence[JournalEntry],
        gaps: Sequence[Gap],
        policies: PolicyLibrary,
        claim: int,
        options: ShardOptions,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        self.protocol = protocol
        self.core = protocol.core
        self.intake = intake
        self._policies = policies
        self._claim = claim
        self._options = options
        self._clock = clock
        self._recovering = list(journal)
        self._gaps = list(gaps)
        #: Whether the journal is still being applied again.
        self.recovering = True
        intake.reserve(journal)
        self._arrived = asyncio.Event()
        self._stopping = False
        self._warned_of_policies = False
        #: Whether the last flush was as large as it may be.
        self._catching_up = False
        self._checkpointing: asyncio.Task[None] | None = None
        self._checkpointed_at = time.monotonic()
        self._encoded_at = self._checkpointed_at
        self._encoding: Iterator[None] | None = None
        self._since_checkpoint = 0
        self._last_work = time.monotonic()
        state = self.core.state
        #: Whether event time keeps up with the clock, by the last record applied.
        self._live = abs(clock() - max(state.clock.highest, state.clock.watermark)) <= _DAY_MS

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
        try:
            if await self._recover():
                if self._gaps:
                    await self._flush([], gaps=self._gaps)
                await self._work()
            await self._finish()
        except StoreError:
            self.protocol.leave()
            raise

    async def _work(self) -> None:
        options = self._options
        pause = options.flush_interval
        while not self._stopping:
            if not len(self.intake) and not await self._wait():
                await self._maybe_tick()
                await self._maybe_checkpoint()
                continue
            await self._wait_for_laggards()
            records = self.intake.take(options.max_flush_records)
            if records:
                await self._flush(records)
            self._catching_up = len(records) == options.max_flush_records
            await self._maybe_checkpoint()
            if len(self.intake) < options.max_flush_records // 8:
                # Light load: let a few records gather, so that a flush is worth its round trips.
                self._encode_ahead()
                await asyncio.sleep(pause)

    def _encode_ahead(self) -> None:
        """Spread the work of the next checkpoint, so that no record waits for much of it."""
        now = time.monotonic()
        if self._encoding is None:
            if now - self._encoded_at < _ENCODE_EVERY_S:
                return
            self._encoded_at = now
            self._encoding = encoding_ahead(self.core.state)
        for _ in self._encoding:
            if time.monotonic() - now >= _ENCODE_FOR_S:
                return
        self._encoding = None

    # -- one flush ----------------------------------------------------------------------------------------------------

    async def _flush(self, records: list[Record], tick: int | None = None, gaps: Sequence[Gap] = ()) -> None:
        sequence, clock = self.protocol.sequence + 1, self._clock()
        policies = self._policies
        notices = policies.news(self.protocol.publication, self.protocol.policy)
        if self.core.judge is not policies.judge or self.core.rollout != policies.rollout:
            self.core.use(policies.judge, policies.trial)
        entry = JournalEntry(
            sequence,
            ranges_of(records),
            tick,
            self.core.judge.policies.version,
            clock,
            self._claim,
            list(gaps),
            policies=list(notices),
            rollout=self.core.rollout,
        )
        try:
            await self.protocol.flush(Flush(sequence, records, tick, clock, gaps, policies=notices), entry)
        except ApplyError as error:
            await self._quarantine(entry, error)
            raise
        self._done(records)

    async def _recover(self) -> bool:
        """Apply the journalled flushes again, as their records arrive; false if told to stop before all have."""
        recovering = self._recovering
        if recovering:
            last = recovering[-1].sequence
            while recovering and not self._stopping:
                entry = recovering[0]
                records = self.intake.take_entry(entry) if entry.sequence > self.protocol.sequence else []
                if records is None:
                    await self._wait_for_more()
                    continue
                if entry.sequence > self.protocol.sequence:
                    self._judge_as(entry)
                    try:
                        await self.protocol.recover(entry, records)
                    except ApplyError as error:
                        await self._quarantine(entry, error)
                        raise
                    self._done(records)
                del recovering[0]
                await asyncio.sleep(0)
            if recovering:
                return False
            logger.info("journal applied again", extra={"shard": self.intake.partition, "sequence": last})
        self.protocol.recovered()
        self.recovering = False
        return True

    def _done(self, records: Sequence[Record]) -> None:
        if records and records[-1].kind != "exchange":
            self._live = abs(self._clock() - records[-1].timestamp) <= _DAY_MS
        self._since_checkpoint += len(records)
        self._last_work = time.monotonic()

    async def _quarantine(self, entry: JournalEntry, error: ApplyError) -> None:
        """Have the record that could not be applied put aside when this shard is recovered."""
        if self._checkpointing is not None:
            # Its cut was taken before this flush, and it moves the journal's beginning.
            await self._checkpointing
        await self.protocol.quarantine(entry, error.poison)

    def _judge_as(self, entry: JournalEntry) -> None:
        """Judge by the policies that judged a journalled flush, as far as they are known."""
        core = self.core
        now = core.judge.policies.version
        if entry.policy == now and entry.rollout == core.rollout:
            return
        judge = self._policies.judge_of(entry.policy)
        trial = self._policies.trial_of(entry.rollout)
        core.use(judge or core.judge, trial)
        if (judge is None or core.rollout != entry.rollout) and not self._warned_of_policies:
            self._warned_of_policies = True
            logger.warning(
                "journalled flushes are judged by other policies than before: their outputs may differ",
                extra={"shard": self.intake.partition, "before": entry.policy, "now": now},
            )

    # -- waiting ------------------------------------------------------------------------------------------------------

    async def _wait(self) -> bool:
        """Wait for records; false when none came within a tick's time."""
        return len(self.intake) > 0 or self._stopping or await self._wait_for_more()

    async def _wait_for_more(self) -> bool:
        self._arrived.clear()
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
        # Only where event time kept up with the clock: history that is played back must not jump to today.
        if not self._live or time.monotonic() - self._last_work < self._options.idle_tick:
            return
        tick = self._clock() - self._options.allowed_lateness_ms
        if self.core.state.timers.earliest <= tick and tick > self.core.state.clock.watermark:
            await self._flush([], tick=tick)

    # -- checkpoints --------------------------------------------------------------------------------------------------

    async def _maybe_checkpoint(self) -> None:
        if self._checkpointing is not None and self._checkpointing.done():
            finished, self._checkpointing = self._checkpointing, None
            finished.result()
            # Here and nowhere else: no flush is between loading and applying, and everything untouched is stored.
            evict(self.core.state, self._options.cache_entries)
        if self.protocol.sequence == self.protocol.position.sequence:
            return
        elapsed = time.monotonic() - self._checkpointed_at
        interval = self._options.checkpoint_interval * (_CATCHING_UP if self._catching_up else 1)
        if elapsed < interval and self._since_checkpoint < self._options.checkpoint_records:
            return
        if self._checkpointing is None:
            self._begin_checkpoint()
        elif elapsed > 4 * interval:
            # The store can't keep up: wait for it rather than let the journal grow.
            await self._checkpointing

    def _begin_checkpoint(self) -> asyncio.Task[None]:
        self._checkpointed_at = time.monotonic()
        self._since_checkpoint = 0
        self._checkpointing = self.protocol.begin_checkpoint()
        # Where a flush fails first, nobody asks any more how its checkpoint ended.
        self._checkpointing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._checkpointing

    async def _finish(self) -> None:
        """Write a last checkpoint of everything applied, and give the shard up."""
        if self._checkpointing is not None:
            await self._checkpointing
            self._checkpointing = None
        if self.protocol.sequence != self.protocol.position.sequence and not self._recovering:
            await self._begin_checkpoint()
        await self.protocol.release()
