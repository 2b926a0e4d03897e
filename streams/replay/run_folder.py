"""The folder of a replay that can be gone on with: what it is, its checkpoints and its outputs so far."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from streams.archive import ArchiveRecord
from streams.replay.checkpoints import read_file, shard_file, write_file
from streams.replay.failures import ReplayError
from streams.replay.plan import ArchiveInput, Input, Job, KafkaInput, Keep, OlistInput
from streams.replay.rounds import ROUND_MS

#: Event time between two checkpoints.
_EVERY: Final = 7 * 86_400_000 // ROUND_MS
_RUN_FILE: Final = "run.json"
_OUTPUTS: Final = "outputs"


class Published(Struct, array_like=True):
    """The outputs of one shard in one round."""

    number: int
    shard: int
    records: list[ArchiveRecord]


class _Run(Struct):
    """Which run the folder is of, and where its topics ended when it began."""

    run: str
    reads: str
    ends: tuple[tuple[str, int, int], ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Published]).decode


class RunFolder:
    """Keeps a run in a folder.

    Parameters
    ----------
    folder
        A new one, or that of the same run when it was interrupted.
    job
        The run.

    Raises
    ------
    ReplayError
        The folder is another run's, or can't be used.
    """

    def __init__(self, folder: Path, job: Job, every: int = _EVERY) -> None:
        self._folder = folder
        self._every = every
        self._waiting: list[Published] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            job = self._claim(job)
        except OSError as error:
            raise ReplayError(f"{folder} can't be used: {error.strerror or error}") from error
        self._shards = job.plan.shards
        self._begin = self._latest()
        self.job = msgspec.structs.replace(job, keep=Keep(folder, every, self._begin))

    def _claim(self, job: Job) -> Job:
        """The job, with the input as it was when the run began."""
        path = self._folder / _RUN_FILE
        wanted = _Run(job.plan.run, _named(job.input))
        if isinstance(job.input, KafkaInput):
            wanted.ends = job.input.ends
        if not path.exists():
            if any(self._folder.iterdir()):
                raise ReplayError(f"{self._folder} holds other files; name a new folder, or that of an interrupted run")
            path.write_bytes(msgspec.json.encode(wanted))
            return job
        try:
            found = msgspec.json.decode(path.read_bytes(), type=_Run)
        except msgspec.DecodeError as error:
            raise ReplayError(f"{path} was not written by a replay: {error}") from None
        if (found.run, found.reads) != (wanted.run, wanted.reads):
            raise ReplayError(
                f"{self._folder} is of run {found.run}, which reads {found.reads}; this one is {wanted.run} and reads "
                f"{wanted.reads}. Give the same options to go on with it, or name a new folder"
            )
        if isinstance(job.input, KafkaInput):
            job = msgspec.structs.replace(job, input=msgspec.structs.replace(job.input, ends=found.ends))
        return job

    def _latest(self) -> int:
        """The round of the last checkpoint that is complete; 0 without any."""
        numbers = [int(path.name) for path in self._folder.iterdir() if path.is_dir() and path.name.isdigit()]
        complete = [number for number in numbers if self._complete(number)]
        return max(complete, default=0)

    def _complete(self, number: int) -> bool:
        shards = (shard_file(self._folder, number, shard) for shard in range(self._shards))
        return self._outputs(number).exists() and all(path.exists() for path in shards)

    def _outputs(self, number: int) -> Path:
        """What was published from the checkpoint before a round to this one."""
        return self._folder / f"{_OUTPUTS}-{number:08}.zst"

    def before(self) -> Iterator[Published]:
        """What the run had published when it was interrupted."""
        for path in sorted(self._folder.glob(f"{_OUTPUTS}-*.zst")):
            if int(path.stem.rpartition("-")[2]) <= self._begin:
                yield from _decode(read_file(path))
            else:
                path.unlink()

    def add(self, number: int, published: list[Published]) -> None:
        """Take outputs in, and that no others of rounds before ``number`` follow."""
        self._waiting += published
        boundary = number // self._every * self._every
        if boundary <= self._begin:
            return
        if not self._begin:
            # Where history begins: nothing was before that.
            self._begin = boundary
            return
        done = [each for each in self._waiting if each.number < boundary]
        self._waiting = [each for each in self._waiting if each.number >= boundary]
        write_file(self._outputs(boundary), _encode(done))
        previous, self._begin = self._begin, boundary
        self._drop_before(previous)

    def _drop_before(self, number: int) -> None:
        """Delete the checkpoints before one that is no longer the last."""
        if not self._complete(self._begin):
            return
        for path in self._folder.iterdir():
            if path.is_dir() and path.name.isdigit() and int(path.name) < number:
                shutil.rmtree(path, ignore_errors=True)

    def finish(self) -> None:
        """The run is through: nothing of it is needed any more."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _named(given: Input) -> str:
    match given:
        case ArchiveInput(files):
            return ", ".join(f"{file} ({file.stat().st_size} bytes)" for file in files)
        case OlistInput(folder):
            return f"the Olist files in {folder}"
        case KafkaInput():
            starts = "".join(f", {topic}/{number} from {start}" for topic, number, start in given.starts)
            return f"the input topics{starts}"
