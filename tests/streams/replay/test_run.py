from pathlib import Path

import orjson
import pytest

from config.settings import Settings
from streams.archive import ArchiveRecord, write_archive
from streams.replay.failures import ReplayError
from tests.streams.mixed_input import END, HOUR, MixedInput
from tests.streams.replay.replays import header, placed, replayed

# Each of the processes loads everything: on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(400)

#: In the midst of a round.
MIDDLE = END - 20 * 24 * HOUR + 1_234_567


def write(path: Path, records: list[ArchiveRecord]) -> Path:
    """Write an archive."""
    with write_archive(path) as writer:
        for record in records:
            writer.write(record)
    return path


@pytest.mark.parametrize("processes", [2, 4])
def test_processes(settings: Settings, archive: Path, processes: int) -> None:
    """Several processes publish the same bytes in the same order as one."""
    alone = replayed(settings, archive, shards=4)
    assert len({record.partition for record in alone}) == 4
    assert replayed(settings, archive, processes, shards=4) == alone


def test_shards_tell_each_other(settings: Settings, archive: Path) -> None:
    """What a message of another shard causes is published, named by its place in the exchange."""
    found = [header(record, "ce_id") for record in replayed(settings, archive, shards=4)]
    assert any(identifier.startswith("shopwarden-exchange-") for identifier in found)


def test_repeatable(settings: Settings, archive: Path) -> None:
    """The same plan gives the same run: bytes, order and id."""
    assert replayed(settings, archive, shards=2) == replayed(settings, archive, shards=2)


def test_cut(settings: Settings, history: MixedInput, archive: Path, tmp_path: Path) -> None:
    """Into how many files history is cut makes no difference."""
    records = history.records
    files = [
        write(tmp_path / f"{start:05}.jsonl", records[start : start + 700]) for start in range(0, len(records), 700)
    ]
    assert replayed(settings, files, shards=2) == replayed(settings, archive, shards=2)


def test_order_of_topics(settings: Settings, history: MixedInput, archive: Path, tmp_path: Path) -> None:
    """Within an hour, records of different topics may stand in any order: they are merged by their times."""
    records = history.records
    # Whole runs of half an hour, topic by topic.
    shuffled = sorted(records, key=lambda record: ((record.timestamp or 0) // (HOUR // 2), record.topic))
    path = write(tmp_path / "shuffled.jsonl", shuffled)
    assert replayed(settings, path, shards=2) == replayed(settings, archive, shards=2)


def test_window(settings: Settings, archive: Path) -> None:
    """A window's outputs are those of the whole history that its records cause: what was before has built the state."""
    whole = replayed(settings, archive, shards=2, run="r")
    part = replayed(settings, archive, shards=2, run="r", start=MIDDLE, end=MIDDLE + 3 * 24 * HOUR)
    assert part
    assert [record for record in whole if record in part] == part
    times = [record.timestamp or 0 for record in part if header(record, "ce_id").startswith(("orders", "listings"))]
    assert min(times) >= MIDDLE - 24 * HOUR
    assert max(times) < MIDDLE + 3 * 24 * HOUR
    before = replayed(settings, archive, shards=2, run="r", end=MIDDLE)
    after = replayed(settings, archive, shards=2, run="r", start=MIDDLE)
    assert len(before) + len(after) == len(whole)
    assert sorted(map(repr, before + after)) == sorted(map(repr, whole))


def test_warm_up(settings: Settings, archive: Path, history: MixedInput, tmp_path: Path) -> None:
    """With a warm-up, what was before it is not applied: as if history began there."""
    warm_from = MIDDLE - 5 * 24 * HOUR
    short = replayed(settings, archive, shards=2, run="r", start=MIDDLE, warm_from=warm_from)
    rest = [one for one in placed(history.records, 2) if (one.timestamp or 0) >= warm_from]
    begun = replayed(settings, write(tmp_path / "rest.jsonl", rest), shards=2, run="r", start=MIDDLE)
    assert short == begun
    assert len(short) != len(replayed(settings, archive, shards=2, run="r", start=MIDDLE))


def test_merchants(settings: Settings, archive: Path) -> None:
    """With a choice of merchants, what is published about them is the same, and about others nothing is."""
    whole = replayed(settings, archive, shards=2, run="r")
    wanted = (whole[0].key or b"").decode()
    some = replayed(settings, archive, shards=2, run="r", merchants=frozenset([wanted]))
    assert some == [record for record in whole if record.key == wanted.encode()]


def test_marked(settings: Settings, archive: Path) -> None:
    """Every output names the run, and says that it is a replay wherever live ones say their mode."""
    found = replayed(settings, archive, shards=2, run="my-run")
    assert {header(record, "ce_run") for record in found} == {"my-run"}
    bodies = [orjson.loads(record.value or b"") for record in found if record.topic != "governance-dead-letters"]
    assert {body["mode"] for body in bodies if "mode" in body} == {"replay"}


def test_run_id(settings: Settings, archive: Path) -> None:
    """Another seed, another window or another policy is another run."""
    ids = [
        {header(record, "ce_run") for record in replayed(settings, archive, shards=2, **plan)}
        for plan in ({}, {"seed": 1}, {"end": MIDDLE})
    ]
    assert [len(each) for each in ids] == [1, 1, 1]
    assert len(set.union(*ids)) == 3


@pytest.mark.parametrize("processes", [1, 2])
def test_broken_archive(settings: Settings, tmp_path: Path, processes: int) -> None:
    """An archive that can't be read ends the replay with the file and the line, in any number of processes."""
    path = tmp_path / "broken.jsonl"
    path.write_text("no record\n", encoding="utf-8")
    with pytest.raises(ReplayError, match=r"broken\.jsonl, line 1"):
        replayed(settings, path, processes, shards=2)
