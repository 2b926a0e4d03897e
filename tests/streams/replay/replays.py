"""Runs replays for tests."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.evaluation.partitioner import shard_of
from streams.replay.plan import ArchiveInput, Plan
from streams.replay.run import replay
from streams.replay.task import plan_job


def replayed(
    settings: Settings, files: Path | Sequence[Path] | None, processes: int = 1, **plan: Any
) -> list[ArchiveRecord]:
    """The outputs of a replay of files, or of the topics."""
    given = None if files is None else ArchiveInput((files,) if isinstance(files, Path) else tuple(files))
    job = plan_job(settings, given, Plan(**plan))
    return [record for published in replay(job, processes) for record in published.records]


def header(record: ArchiveRecord, name: str) -> str:
    """A header of an output."""
    return (dict(record.headers)[name] or b"").decode()


def placed(records: Iterable[ArchiveRecord], shards: int) -> list[ArchiveRecord]:
    """Records with the places that they would have in topics of so many partitions."""
    ends: Counter[tuple[str, int]] = Counter()
    found = []
    for record in records:
        place = record.topic, shard_of(record.key, shards)
        found.append(replace(record, partition=place[1], offset=ends[place]))
        ends[place] += 1
    return found
