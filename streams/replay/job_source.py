"""Where a job's records come from."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from streams.archive import ArchiveRecord, read_archive
from streams.olist import read_olist
from streams.replay.archive_source import ArchiveSource
from streams.replay.kafka_source import KafkaSource
from streams.replay.plan import ArchiveInput, Job, KafkaInput, OlistInput
from streams.replay.rounds import Source


def open_source(job: Job, shards: Collection[int]) -> Source:
    """The records of some shards.

    Raises
    ------
    streams.reading.ReadError, streams.olist_tables.OlistError
        They can't be read.
    """
    match job.input:
        case ArchiveInput(files):
            reader = _Files(files)
            return ArchiveSource(reader.records(), job.settings, job.plan, shards, reader.part)
        case OlistInput(folder):
            history = _Counted(read_olist(folder).records)
            return ArchiveSource(history.records(), job.settings, job.plan, shards, history.part)
        case KafkaInput():
            return KafkaSource(job.input, job.settings, job.plan, shards)


class _Files:
    """Archive files, one after the other."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._read = 0
        self._size = sum(file.stat().st_size for file in files if file.is_file())

    def records(self) -> Iterator[ArchiveRecord]:
        """All of them."""
        for file in self._files:
            yield from read_archive(file, self._advance)

    def part(self) -> float:
        """The share of the bytes that was read."""
        return self._read / self._size if self._size else 0.0

    def _advance(self, size: int) -> None:
        self._read += size


class _Counted:
    """Records in memory."""

    def __init__(self, records: Sequence[ArchiveRecord]) -> None:
        self._records = records
        self._read = 0

    def records(self) -> Iterator[ArchiveRecord]:
        """All of them."""
        for record in self._records:
            self._read += 1
            yield record

    def part(self) -> float:
        """The share that was given out."""
        return self._read / len(self._records) if self._records else 1.0
