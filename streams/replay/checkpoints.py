"""Checkpoints of a replay: a run that was interrupted goes on from the last one, in any number of processes.

A folder holds for some rounds the state of each shard before that round, with the messages on their way to it, and all
outputs of the rounds before. Each process writes its shards; a checkpoint counts when every shard's is there and the
outputs are (:class:`streams.replay.run_folder.RunFolder`).
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec
import zstandard
from msgspec import Struct, field

from detectors.apply import Core
from detectors.frozen import freeze
from detectors.judge import Judge, fresh_models
from streams.archive import ArchiveError
from streams.replay.mail import Letter, Letters
from streams.replay.plan import Plan
from streams.snapshot import BLOBS, METRICS, keep_loaded, restore, take_changes
from streams.store import Loaded, Position

_LEVEL: Final = 1


class ShardCheckpoint(Struct):
    """A shard before a round: everything that is stored of it, as in Redis; and what only a replay has.

    Attributes
    ----------
    letters
        Messages to it that were sent before that round and not taken in.
    received
        Messages that it has taken in.
    last_record
        Last round with records in its process.
    """

    values: dict[str, bytes] = field(default_factory=dict)
    lists: dict[str, list[bytes]] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    received: int = 0
    last_record: int = -1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ShardCheckpoint).decode


def shard_file(folder: Path, number: int, shard: int) -> Path:
    """Where a shard is before a round."""
    return folder / f"{number:08}" / f"shard-{shard}.zst"


def write_file(path: Path, data: bytes) -> None:
    """Write a file that is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(zstandard.ZstdCompressor(level=_LEVEL).compress(data))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_file(path: Path) -> bytes:
    """What was written.

    Raises
    ------
    ArchiveError
        It can't be read.
    """
    try:
        return zstandard.ZstdDecompressor().decompress(path.read_bytes())
    except (OSError, zstandard.ZstdError) as error:
        raise ArchiveError(f"{path} of an interrupted replay cannot be read: {error}") from error


class Checkpointer:
    """Writes the shards of one process every so many rounds.

    Parameters
    ----------
    folder
        Where to.
    every
        Rounds between two checkpoints.
    shards
        Of the process.
    """

    def __init__(self, folder: Path, every: int, shards: Collection[int]) -> None:
        self._folder = folder
        self.every = every
        # What changed since the last time is put over what was there: the same bytes as the worker's store has.
        self._stored = {shard: ShardCheckpoint() for shard in shards}

    def load(self, number: int, judge: Judge, plan: Plan, *, challenger: bool) -> tuple[dict[int, Core], Letters]:
        """The shards as they were before a round, and the messages on their way to them.

        Raises
        ------
        ArchiveError
            A file can't be read.
        """
        cores: dict[int, Core] = {}
        letters: Letters = []
        for shard in sorted(self._stored):
            path = shard_file(self._folder, number, shard)
            try:
                stored = self._stored[shard] = _decode(read_file(path))
            except msgspec.DecodeError as error:
                raise ArchiveError(f"{path} was written by another version: {error}") from error
            cores[shard] = _restored(shard, stored, judge, plan, challenger=challenger)
            letters += stored.letters
        return cores, letters

    @property
    def received(self) -> dict[int, int]:
        """Messages that each shard had taken in."""
        return {shard: stored.received for shard, stored in self._stored.items()}

    @property
    def last_record(self) -> int:
        """Last round with records."""
        return max((stored.last_record for stored in self._stored.values()), default=-1)

    def keep(
        self, number: int, cores: Mapping[int, Core], received: Mapping[int, int], letters: Letters, last_record: int
    ) -> None:
        """Write the shards as they are before a round."""
        for shard, core in cores.items():
            stored = self._stored[shard]
            changes = take_changes(core)
            stored.values.update(changes.values)
            for name in changes.deleted:
                stored.values.pop(name, None)
            for name, time in changes.timers.items():
                if time:
                    stored.timers[name] = time
                else:
                    stored.timers.pop(name, None)
            for name, (added, limit) in changes.appends.items():
                stored.lists[name] = [*stored.lists.get(name, []), *added][-limit:]
            stored.letters = sorted(letter for letter in letters if letter.to == shard)
            stored.received = received[shard]
            stored.last_record = last_record
            write_file(shard_file(self._folder, number, shard), _encode(stored))


def _restored(shard: int, stored: ShardCheckpoint, judge: Judge, plan: Plan, *, challenger: bool) -> Core:
    blobs: dict[str, bytes] = {name: stored.values[name] for name in BLOBS if name in stored.values}
    models = fresh_models(plan.seed, challenger=challenger)
    if plan.models == "frozen":
        freeze(models)
    timers = sorted((time, name) for name, time in stored.timers.items())
    core = restore(shard, Loaded(Position(), [], timers, blobs, stored.lists), judge, models)
    names = [name for name in stored.values if name not in BLOBS and name != METRICS]
    keep_loaded(core.state, names, [stored.values[name] for name in names])
    return core
