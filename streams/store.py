"""A shard in Redis: its owner, its journal, its last checkpoint, its records.

Guarantee: what :meth:`ShardStore.checkpoint` wrote is one consistent cut. State, models, offsets and timers are
written by one atomic script, or not at all; a worker that lost the shard can write neither a checkpoint nor a journal
entry (fencing); repeating a call that got through but was not answered changes nothing. streams/protocol.py says in
which order these calls are made, and what follows from it.

Keys of a shard share a hash tag, so that a Redis Cluster keeps the shard on one node. Values are JSON, for people
with ``redis-cli``.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec import Struct, field
from redis.exceptions import NoScriptError

from features.omissions import Gap, Poison
from features.policy_notices import PolicyNotice, Rollout
from streams.clients import AsyncRedis
from streams.patience import OutageError, Patience

logger = logging.getLogger("shopwarden.store")

#: Version of what a checkpoint holds; a worker refuses a newer one. 2: journal entries with a clock, gaps and poison.
#: 3: entries say what was published of policies, and which set judges a share of the parties.
STORE_VERSION: Final = 3
#: Keys loaded by one MGET at most: larger ones would block the server for others.
_LOAD_CHUNK: Final = 5_000
#: Keys that one step of a walk through the store looks at.
_SCAN: Final = 1_000
#: Giving a shard up is a courtesy to people who look: its successor claims it anyway, so nobody waits long for it.
_RELEASE_S: Final = 2.0


class StoreError(Exception):
    """The store is not as it should be; the message says what to do."""


class ShardLostError(StoreError):
    """Another worker owns the shard now: stop working on it, without writing anything."""


class JournalEntry(Struct, frozen=True, array_like=True):
    """One flush: all that decides, beside the records themselves, what applying them does.

    Attributes
    ----------
    sequence
        Number of the flush.
    ranges
        Topic, first and last offset of each run of records, in the order of application.
    tick
        Event time (ms) to move the shard to after the records, if any.
    policy
        Version of the policy set that judged.
    clock
        The worker's clock, ms: no event may lie further ahead of it than is tolerated. 0: not known.
    claim
        When the worker that wrote the entry claimed the shard, ms by its clock: of two entries with one number, the
        one of the later claim counts.
    gaps
        Offsets that are left out, as their records are not there any more.
    poison
        Records of the ranges that are put aside, as applying them failed.
    policies
        What was noted, ahead of the records, of policy sets that were published: ``policy`` is in force from this
        flush on if one of them was taken up.
    rollout
        The policy set that judged a share of the parties instead of ``policy``, if any.
    """

    sequence: int
    ranges: list[tuple[str, int, int]]
    tick: int | None
    policy: str
    clock: int = 0
    claim: int = 0
    gaps: list[Gap] = []
    poison: list[Poison] = []
    policies: list[PolicyNotice] = []
    rollout: Rollout | None = None


class Position(Struct, frozen=True):
    """Where a checkpoint stands.

    Attributes
    ----------
    version
        Of the format of a checkpoint and its journal.
    sequence
        Last flush in it.
    offsets
        Next offset of every input topic.
    pseudonym_key
        Name of the key of the pseudonyms in it.
    epoch
        Drawn when the shard's state was begun: tells journals of earlier states apart.
    policy
        Version of the policy set that judged last; empty where that was not kept.
    publication
        Next offset of the topic of policies that the shard has not noted.
    published
        Topic -> offset behind the last message of this shard that the checkpoint covers, in the partition of the
        shard's number: what follows there came from flushes after it.
    """

    version: int = STORE_VERSION
    sequence: int = 0
    offsets: dict[str, int] = field(default_factory=dict)
    pseudonym_key: str = ""
    epoch: str = ""
    published: dict[str, int] = field(default_factory=dict)
    policy: str = ""
    publication: int = 0


class Loaded(Struct):
    """A shard as stored: position, journal after it, timers, and the blobs of the shard itself."""

    position: Position
    journal: list[JournalEntry]
    timers: list[tuple[int, str]]
    blobs: dict[str, bytes]
    #: Lists that checkpoints append to, oldest entry first.
    lists: dict[str, list[bytes]] = field(default_factory=dict)
    #: Names of all merchants and listings; looked for only where a state of version 1 must be upgraded.
    entities: list[str] = field(default_factory=list)


#: What a checkpoint adds to the end of lists: the list's key, the new entries, and how many of the latest are kept.
Appends: TypeAlias = Mapping[str, tuple[Sequence[bytes], int]]
NOTHING: Final[Appends] = MappingProxyType({})


class ShardStore:
    """Reads and writes one shard, under one owner's token.

    While Redis is away, every method waits for it (``patience``, which one process shares among its shards), so each
    may also raise streams.patience.OutageError, when the worker was told to stop, and RefusedError.
    """

    def __init__(
        self, client: AsyncRedis, namespace: str, partition: int, token: str, patience: Patience | None = None
    ) -> None:
        self._client = client
        self._patience = patience or Patience()
        self._partition = partition
        self._token = token
        self._tag = f"{{{namespace}:{partition}}}:"
        self._scripts: dict[str, _Script] = {}

    def key(self, name: str) -> str:
        """Full name of a key of this shard."""
        return self._tag + name

    async def claim(self) -> None:
        """Become the shard's owner; whoever owned it can write no more.

        Raises
        ------
        ShardLostError
            Another worker claimed it while this one was waiting for Redis.
        """
        key = self.key("owner")
        what = f"say who owns shard {self._partition}"
        seen = await self._patience(lambda: self._client.get(key), what)
        # Compared with what was there: a claim that is repeated must not take the shard from who claimed it meanwhile.
        if not await self._run("claim", [key], [self._token, seen or b""]):
            raise ShardLostError(f"another worker claimed shard {self._partition} at the same time")

    async def release(self) -> None:
        """Give the shard up, if it is still ours and Redis can be told."""
        try:
            await self._run("release", [self.key("owner")], [self._token], _RELEASE_S)
        except OutageError as error:
            logger.info("not told that the shard is free: %s", error, extra={"shard": self._partition})

    async def load(self, blobs: Iterable[str], lists: Iterable[str] = ()) -> Loaded:
        """Read the last checkpoint, with the blobs and lists of those names, and the journal after it.

        Raises
        ------
        StoreError
            The checkpoint was written by a newer version.
        """
        # Repeated as a whole: since the claim nobody writes here but us.
        return await self._patience(lambda: self._load(list(blobs), list(lists)), f"load shard {self._partition}")

    async def _load(self, names: Sequence[str], lists: Sequence[str]) -> Loaded:
        position_bytes = await self._client.get(self.key("position"))
        position = Position() if position_bytes is None else msgspec.json.decode(position_bytes, type=Position)
        if position.version > STORE_VERSION:
            raise StoreError(
                f"shard {self._partition} was stored by a newer version (state version {position.version}, this worker "
                f"reads up to {STORE_VERSION}); upgrade this worker"
            )
        # redis-py's types allow for clients that decode; ours does not.
        entries = cast("list[bytes]", await self._client.lrange(self.key("journal"), 0, -1))
        stored = await self._client.zrange(self.key("timers"), 0, -1, withscores=True)
        timers = cast("list[tuple[bytes, float]]", stored)
        # A cluster can not say where a command without keys belongs.
        found = await self._client.mget([self.key(name) for name in names]) if names else []
        values = cast("list[bytes | None]", found)
        kept = {name: await self._client.lrange(self.key(name), 0, -1) for name in lists}
        return Loaded(
            position,
            [msgspec.json.decode(entry, type=JournalEntry) for entry in entries],
            [(int(score), member.decode()) for member, score in timers],
            {name: value for name, value in zip(names, values, strict=True) if value is not None},
            cast("dict[str, list[bytes]]", kept),
            await self._entities() if position.version == 1 else [],
        )

    async def _entities(self) -> list[str]:
        """Names of all merchants and listings: a walk through all keys of the store, once for an upgrade."""
        logger.info("upgrading a state of version 1: looking for its records", extra={"shard": self._partition})
        found = [key async for key in self._client.scan_iter(match=self._tag + "[lm]:*", count=_SCAN)]
        return sorted(key.decode().removeprefix(self._tag) for key in cast("list[bytes]", found))

    async def read(self, names: Sequence[str]) -> list[bytes | None]:
        """Stored values of entities, by kind and id (``m:…``, ``o:…``, ``l:…``)."""
        found: list[bytes | None] = []
        for start in range(0, len(names), _LOAD_CHUNK):
            keys = [self._tag + each for each in names[start : start + _LOAD_CHUNK]]
            values = await self._patience(partial(self._client.mget, keys), f"read records of shard {self._partition}")
            found.extend(cast("list[bytes | None]", values))
        return found

    async def begin(self, position: Position) -> None:
        """Put down where a shard without a checkpoint begins; one that has a position keeps it."""
        key, value = self.key("position"), msgspec.json.encode(position)
        await self._patience(lambda: self._client.set(key, value, nx=True), f"begin shard {self._partition}")

    async def raise_version(self, position: Position) -> None:
        """Mark a checkpoint of an older version as one that only this version continues, ahead of the first entry that
        the older one would misread.

        Raises
        ------
        ShardLostError
            The shard has another owner.
        """
        keys = [self.key("owner"), self.key("position")]
        value = msgspec.json.encode(msgspec.structs.replace(position, version=STORE_VERSION))
        self._judge(await self._run("position", keys, [self._token, value]), "raising the version")

    async def journal(self, entry: JournalEntry, names: Sequence[str] = ()) -> list[bytes | None]:
        """Write a flush ahead, and read the stored values that it needs, in one round trip.

        Raises
        ------
        ShardLostError
            The shard has another owner.
        StoreError
            The journal does not end where the caller believes.
        """
        tag = self._tag
        keys = [tag + "owner", tag + "sequence", tag + "journal", *[tag + name for name in names]]
        answer = await self._run("journal", keys, [self._token, entry.sequence, msgspec.json.encode(entry)])
        self._judge(answer[0], f"journal entry {entry.sequence}")
        return cast("list[bytes | None]", answer[1:])

    async def rewrite_journal(self, previous: int, entries: Sequence[JournalEntry]) -> None:
        """Put other entries in the place of the journal after checkpoint ``previous``; errors as :meth:`journal`."""
        keys = [self.key("owner"), self.key("sequence"), self.key("journal")]
        encoded = [msgspec.json.encode(entry) for entry in entries]
        answer = await self._run("rejournal", keys, [self._token, previous, *encoded])
        self._judge(answer, f"rewriting the journal after {previous}")

    async def checkpoint(
        self,
        previous: int,
        position: Position,
        values: Mapping[str, bytes],
        deleted: Sequence[str],
        timers: Mapping[str, int],
        appends: Appends = NOTHING,
    ) -> None:
        """Store a checkpoint and cut the journal behind it.

        Parameters
        ----------
        previous
            Sequence of the checkpoint that is there now: a retry is recognised by it.
        values
            Keys (without the shard's tag) and what they hold now.
        deleted
            Keys that are gone.
        timers
            Timers that changed: key and time in ms, 0 where it has none any more.
        appends
            Entries for the ends of lists, with how many are kept of each.
        """
        if position.sequence == previous:
            return
        put = {"position": msgspec.json.encode(position), **values}
        tag = self._tag
        keys = [tag + "owner", tag + "sequence", tag + "journal", tag + "timers"]
        keys.extend([tag + name for name in put])
        keys.extend([tag + name for name in deleted])
        keys.extend([tag + name for name in appends])
        due: list[Any] = []
        cleared: list[Any] = []
        for name, time in timers.items():
            if time:
                due.extend((time, name))
            else:
                cleared.append(name)
        ends: list[Any] = []
        for entries, keep in appends.values():
            ends.extend((keep, len(entries), *entries))
        counts = [len(put), len(deleted), len(due) // 2, len(cleared), len(appends)]
        arguments = [self._token, previous, position.sequence, *counts]
        answer = await self._run("checkpoint", keys, [*arguments, *put.values(), *due, *cleared, *ends])
        self._judge(answer, f"checkpoint {position.sequence}")

    def _judge(self, answer: int, what: str) -> None:
        if answer == 0:
            raise ShardLostError(f"{what} of shard {self._partition} was refused: another worker owns the shard")
        if answer != 1:
            raise StoreError(
                f"{what} of shard {self._partition} does not follow what Redis holds: it was changed by hand or "
                "restored from a backup; "
                "restart the worker to load what is there"
            )

    async def _run(self, name: str, keys: Sequence[str], arguments: Sequence[Any], limit: float | None = None) -> Any:
        """Run a script, however often it takes: each recognises a call that is repeated."""
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = _Script(name)
        what = f"{name} shard {self._partition}"
        return await self._patience(lambda: script(self._client, keys, arguments), what, limit)


class _Script:
    """A Lua script that is called by its hash, and sent where a server does not know it yet."""

    def __init__(self, name: str) -> None:
        self._text = files("streams").joinpath(f"lua/{name}.lua").read_text(encoding="utf-8")
        self._sha = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, client: AsyncRedis, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        try:
            return await client.evalsha(self._sha, len(keys), *keys, *arguments)
        except NoScriptError:
            # Sent to this server alone, which keeps it: SCRIPT LOAD would ask all nodes of a cluster, and fail while
            # one that has nothing to do with this shard is away.
            return await client.eval(self._text, len(keys), *keys, *arguments)
