"""A store and a publisher in memory, and crashes wherever a test wants one: a shard's protocol without services."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from config.policies import load_policies
from detectors.flush import Emit, Stream
from detectors.judge import Judge, JudgeSettings, fresh_models
from detectors.policy import compile_policies
from features.decode import RECORD_KINDS, RecordKind
from features.pseudonyms import Pseudonyms
from features.registry import FEATURES
from features.shard import Needed, ShardState
from streams.gaps import resume
from streams.intake import Intake
from streams.policies.library import PolicyLibrary
from streams.protocol import ShardProtocol, Step, passing
from streams.publish import Batch, Publisher, PublishError
from streams.shard import ShardOptions, ShardRunner
from streams.simulator import SCENARIO_NAMES, Plan, Simulation, SimulatorConfig
from streams.snapshot import BLOBS, LISTS, keep_loaded, needed_names, restore
from streams.store import (
    NOTHING,
    STORE_VERSION,
    Appends,
    JournalEntry,
    Loaded,
    Position,
    ShardLostError,
    ShardStore,
    StoreError,
)
from streams.tails import Extent, PublishedBefore, merged_journal
from streams.takeover import STREAMS
from streams.telemetry.instruments import Instruments

KEY = b"a key for tests, and no other use"
TOPICS: dict[RecordKind, str] = {kind: kind for kind in RECORD_KINDS}


class Fetched(NamedTuple):
    """A record as the transport fetches it."""

    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class CrashError(Exception):
    """What a test puts in the place of a dying process."""


@dataclass
class Crash:
    """Strikes once, the ``at``-th time that its point is passed."""

    point: str
    at: int

    def pass_by(self, point: str) -> None:
        """Come to a point; raises CrashError if this is where the crash is wanted."""
        if point == self.point:
            self.at -= 1
            if self.at == 0:
                raise CrashError(point)


NEVER = Crash("never", 0)


@dataclass
class Shelf:
    """What outlives a worker: a shard as Redis holds it."""

    owner: str = ""
    sequence: int = 0
    journal: list[JournalEntry] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    lists: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """Where the last checkpoint stands."""
        return msgspec.json.decode(self.values.get("position", b"{}"), type=Position)


class MemoryStore(ShardStore):
    """A shard's store on a shelf, with the rules of the real one (tests/streams/test_store.py holds that to them)."""

    def __init__(self, shelf: Shelf, token: str, crash: Crash = NEVER) -> None:
        self.shelf = shelf
        self._token = token
        self._crash = crash
        self.reads: list[str] = []

    async def claim(self) -> None:
        """Become the owner."""
        self.shelf.owner = self._token

    async def release(self) -> None:
        """Be the owner no more."""
        if self.shelf.owner == self._token:
            self.shelf.owner = ""

    async def load(self, blobs: Iterable[str], lists: Iterable[str] = ()) -> Loaded:
        """The last checkpoint and the journal after it."""
        shelf = self.shelf
        timers = sorted((time, key) for key, time in shelf.timers.items())
        found = {name: shelf.values[name] for name in blobs if name in shelf.values}
        kept = {name: list(shelf.lists.get(name, [])) for name in lists}
        upgrade = shelf.position.version == 1
        entities = sorted(name for name in shelf.values if name[:2] in ("l:", "m:")) if upgrade else []
        return Loaded(shelf.position, list(shelf.journal), timers, found, kept, entities)

    async def read(self, names: Sequence[str]) -> list[bytes | None]:
        """Stored values."""
        self._crash.pass_by("load")
        self.reads.extend(names)
        return [self.shelf.values.get(each) for each in names]

    async def begin(self, position: Position) -> None:
        """Where it begins."""
        self.shelf.values.setdefault("position", msgspec.json.encode(position))

    async def raise_version(self, position: Position) -> None:
        """Mark it as of this version."""
        self._check("raising the version")
        self.shelf.values["position"] = msgspec.json.encode(msgspec.structs.replace(position, version=STORE_VERSION))

    async def journal(self, entry: JournalEntry, names: Sequence[str] = ()) -> list[bytes | None]:
        """Append to the journal, and read."""
        await asyncio.sleep(0)  # as a round trip does, so that a checkpoint gets its turn
        self._crash.pass_by("before journal")
        self._check("journal entry")
        if entry.sequence != self.shelf.sequence + len(self.shelf.journal) + 1:
            raise StoreError("the journal does not end there")
        self.shelf.journal.append(entry)
        self._crash.pass_by("after journal")
        return await self.read(names)

    async def rewrite_journal(self, previous: int, entries: Sequence[JournalEntry]) -> None:
        """Exchange the journal."""
        self._check("the journal")
        if self.shelf.sequence != previous:
            raise StoreError("the store is at another checkpoint")
        self.shelf.journal[:] = entries

    async def checkpoint(
        self,
        previous: int,
        position: Position,
        values: Mapping[str, bytes],
        deleted: Sequence[str],
        timers: Mapping[str, int],
        appends: Appends = NOTHING,
    ) -> None:
        """Everything or nothing."""
        self._crash.pass_by("before checkpoint")
        self._check("checkpoint")
        shelf = self.shelf
        if shelf.sequence != previous:
            raise StoreError("the store is at another checkpoint")
        shelf.values.update(values)
        shelf.values["position"] = msgspec.json.encode(position)
        for key in deleted:
            shelf.values.pop(key, None)
        for key, time in timers.items():
            if time:
                shelf.timers[key] = time
            else:
                shelf.timers.pop(key, None)
        for key, (entries, keep) in appends.items():
            shelf.lists[key] = [*shelf.lists.get(key, []), *entries][-keep:]
        del shelf.journal[: position.sequence - previous]
        shelf.sequence = position.sequence
        self._crash.pass_by("after checkpoint")

    def _check(self, what: str) -> None:
        if self.shelf.owner != self._token:
            raise ShardLostError(f"{what} was refused")


async def load_needed(store: MemoryStore, state: ShardState, needed: Needed) -> None:
    """Read what a flush needs."""
    names = needed_names(state, needed)
    keep_loaded(state, names, await store.read(names))
    names = needed_names(state, state.behind_decisions(needed))
    keep_loaded(state, names, await store.read(names))


@dataclass
class Topics:
    """What the broker has of one shard: messages by topic (here named as the streams), and journal entries."""

    messages: dict[str, list[Emit]] = field(default_factory=lambda: {stream: [] for stream in STREAMS})
    entries: list[JournalEntry] = field(default_factory=list)
    #: All outputs, in the order in which they were published; what is told to other shards goes out at other times.
    sent: list[Emit] = field(default_factory=list)

    def tail(self, position: Position) -> PublishedBefore:
        """What was published after a checkpoint."""
        since = position.published
        ids: dict[Stream, list[str]] = {
            stream: [emit.id for emit in self.messages[stream][since.get(stream, 0) :]] for stream in STREAMS
        }
        ends = {stream: len(found) for stream, found in self.messages.items()} | {"journal": len(self.entries)}
        return PublishedBefore(ids, self.entries[since.get("journal", 0) :], ends)


class MemoryPublisher(Publisher):
    """Publishes to topics in memory; a broker that confirms at once, when told to, or refuses."""

    def __init__(self, topics: Topics | None = None, crash: Crash = NEVER) -> None:
        self.topics = topics or Topics()
        self.sent = self.topics.sent
        self.refuses = False
        self.confirming = asyncio.Event()
        self.confirming.set()
        self._crash = crash

    async def room(self) -> None:
        """Always."""

    def publish(self, emits: Iterable[Emit], partition: int) -> Batch:
        """Keep messages, in order."""
        self._crash.pass_by("before publishing")
        batch = Batch()
        for emit in emits:
            if emit.stream != "exchange":
                self.sent.append(emit)
            self.topics.messages[emit.stream].append(emit)
            batch.ends[emit.stream] = len(self.topics.messages[emit.stream])
        self._crash.pass_by("after publishing")
        return batch

    def record(self, entries: Iterable[JournalEntry], partition: int, epoch: str) -> Batch:
        """Keep journal entries."""
        self.topics.entries.extend(entries)
        batch = Batch()
        batch.ends["journal"] = len(self.topics.entries)
        return batch

    async def delivered(self, batch: Batch) -> None:
        """Confirmed, unless the test wants it otherwise."""
        self._crash.pass_by("before delivery")
        if self.refuses:
            raise PublishError("refused")
        await self.confirming.wait()


def make_judge(**settings: object) -> Judge:
    """A judge by the packaged policies."""
    policies = compile_policies(load_policies(), FEATURES)
    return Judge(JudgeSettings(**settings), policies, Pseudonyms(KEY))  # type: ignore[arg-type]


OPTIONS = ShardOptions(
    flush_interval=0.0,
    max_flush_records=40,
    checkpoint_interval=3600.0,
    checkpoint_records=120,
    idle_tick=3600.0,
    allowed_lateness_ms=3_600_000,
    cache_entries=100_000,
)


async def start_shard(
    store: MemoryStore,
    publisher: MemoryPublisher,
    judge: Judge,
    options: ShardOptions = OPTIONS,
    *,
    clock: Callable[[], int] = lambda: 0,
    acknowledged: list[dict[str, int]] | None = None,
    extents: Mapping[str, Extent] | None = None,
    policies: PolicyLibrary | None = None,
    passed: Callable[[Step], None] = passing,
    instruments: Instruments | None = None,
) -> ShardRunner:
    """Claim and load a shard, as a worker does when it is assigned; ``run()`` of what is returned starts it.

    ``extents`` is what the input topics hold, if less than everything; ``policies`` the sets that there are, if more
    than the judge's.
    """
    await store.claim()
    passed(Step.CLAIMED)
    loaded = await store.load(BLOBS, LISTS)
    position = loaded.position
    passed(Step.LOADED)
    published = publisher.topics.tail(position)
    passed(Step.TAILS_READ)
    claim = 1 + max((entry.claim for entry in publisher.topics.entries), default=0)
    history = publisher.topics.entries[position.published.get("journal", 0) :]
    plan = resume(position.offsets, merged_journal(loaded.journal, history, position.sequence), extents or {}, claim)
    if plan.journal != loaded.journal:
        await store.rewrite_journal(position.sequence, plan.journal)
    passed(Step.SOUGHT)
    intake = Intake(TOPICS, 0, options.max_flush_records * 2, lambda _: 0)
    intake.next_offset.update(plan.starts)

    async def acknowledge(offsets: dict[str, int]) -> None:
        if acknowledged is not None:
            acknowledged.append(dict(offsets))

    library = policies or PolicyLibrary(judge)
    core = restore(0, loaded, library.judge, fresh_models(42))
    protocol = ShardProtocol(core, store, publisher, position, published, "k1", acknowledge, passed, instruments)
    if instruments is not None:
        instruments.meter.began(0, core.state.statistics)
    return ShardRunner(protocol, intake, plan.journal, plan.gaps, library, claim, options, clock)


def marketplace() -> dict[str, list[Fetched]]:
    """About 2,100 events of a small simulated marketplace up to DEFAULT_END, by topic, as the only partition has
    them.
    """
    plans: dict[str, Any] = {name: Plan(0) for name in SCENARIO_NAMES} | {"bust_out": Plan(1, 0.3)}
    config = SimulatorConfig(seed=3, merchants=12, orders_per_day=5, span_days=50, **plans)
    topics: dict[str, list[Fetched]] = {kind: [] for kind in RECORD_KINDS}
    for record in Simulation(config):
        records = topics[record.topic]
        records.append(Fetched(len(records), record.timestamp, record.key, record.value))
    return topics


def offer_all(runner: ShardRunner, topics: Mapping[str, list[Fetched]]) -> None:
    """Hand a shard everything from where it wants to go on."""
    for topic, records in topics.items():
        if records:
            runner.offer(topic, records)
