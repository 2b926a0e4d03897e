"""A replay that was interrupted and goes on."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.replay.failures import ReplayError
from streams.replay.plan import ArchiveInput, Job, Plan
from streams.replay.run import replay
from streams.replay.task import plan_job
from tests.streams.replay.replays import replayed

# Each of the processes loads everything: on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def whole(settings: Settings, archive: Path) -> list[ArchiveRecord]:
    """What the run publishes when nothing happens to it."""
    return replayed(settings, archive, shards=4)


def job(settings: Settings, archive: Path, **plan: Any) -> Job:
    """The run."""
    return plan_job(settings, ArchiveInput((archive,)), Plan(shards=4, **plan))


def interrupted(given: Job, processes: int, folder: Path, after: int) -> list[ArchiveRecord]:
    """What a run publishes until it is interrupted, after so many outputs."""
    going = (record for published in replay(given, processes, folder=folder) for record in published.records)
    return list(itertools.islice(going, after))


@pytest.mark.parametrize(("before", "after"), [(1, 1), (2, 1), (1, 2), (2, 4)])
def test_goes_on(
    settings: Settings, archive: Path, whole: list[ArchiveRecord], tmp_path: Path, before: int, after: int
) -> None:
    """Interrupted twice, and gone on with in another number of processes, a run publishes the same bytes."""
    folder = tmp_path / "run"
    given = job(settings, archive)
    assert interrupted(given, before, folder, len(whole) // 2) == whole[: len(whole) // 2]
    kept = [path for path in folder.iterdir() if path.is_dir()]
    assert 1 <= len(kept) <= 3
    assert interrupted(given, after, folder, len(whole) * 3 // 4) == whole[: len(whole) * 3 // 4]
    going = [record for published in replay(given, after, folder=folder) for record in published.records]
    assert going == whole
    assert not folder.exists()


def test_what_was_done_is_not_done_again(
    settings: Settings, archive: Path, whole: list[ArchiveRecord], tmp_path: Path
) -> None:
    """The run begins at its last checkpoint: the records before it count as applied at once."""
    folder = tmp_path / "run"
    given = job(settings, archive)
    interrupted(given, 1, folder, len(whole) * 3 // 4)
    counts: list[int] = []
    for _ in replay(given, 1, lambda reached: counts.append(reached.records), folder):
        pass
    assert counts[0] > max(counts) // 2


def test_early(settings: Settings, archive: Path, whole: list[ArchiveRecord], tmp_path: Path) -> None:
    """Interrupted before its first checkpoint, a run begins anew."""
    folder = tmp_path / "run"
    interrupted(job(settings, archive), 1, folder, 1)
    assert [one for each in replay(job(settings, archive), folder=folder) for one in each.records] == whole


def test_another_run(settings: Settings, archive: Path, tmp_path: Path) -> None:
    """The folder of one run is not taken for another's, nor a folder with other things for one of a run."""
    folder = tmp_path / "run"
    interrupted(job(settings, archive), 1, folder, 1)
    with pytest.raises(ReplayError, match="is of run"):
        next(replay(job(settings, archive, seed=5), folder=folder))
    with pytest.raises(ReplayError, match="holds other files"):
        next(replay(job(settings, archive), folder=archive.parent))


def test_broken_checkpoint(settings: Settings, archive: Path, whole: list[ArchiveRecord], tmp_path: Path) -> None:
    """A checkpoint that can't be read is named, and nothing is made up instead."""
    folder = tmp_path / "run"
    interrupted(job(settings, archive), 1, folder, len(whole) // 2)
    for path in folder.glob("*/shard-2.zst"):
        path.write_bytes(b"broken")
    with pytest.raises(ReplayError, match=r"shard-2\.zst"):
        list(replay(job(settings, archive), folder=folder))
