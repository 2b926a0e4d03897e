"""Rounds out of archives: what belongs where, and what comes too late."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.evaluation.partitioner import shard_of
from streams.replay.archive_source import SLACK_MS, ArchiveSource
from streams.replay.plan import Plan
from streams.replay.rounds import ROUND_MS

START = 500_000 * ROUND_MS
SETTINGS = Settings(topics={"prefix": "eu."})  # type: ignore[arg-type]


def record(at: int, topic: str = "orders", key: bytes | None = b"m", **place: Any) -> ArchiveRecord:
    """A record at so many ms after the start."""
    return ArchiveRecord(topic, key, b"{}", START + at, **place)


#: Round, shard, topic, offset and time.
Found = tuple[int, int, str, int, int]


def read(records: Iterable[ArchiveRecord], wanted: Iterable[int] = (0,), **plan: Any) -> tuple[list[Found], int]:
    """All that comes of some shards, and how much of it too late."""
    source = ArchiveSource(records, SETTINGS, Plan(**({"shards": 1} | plan)), list(wanted))
    found: list[Found] = []
    while (number := source.peek()) is not None:
        for shard, entries in source.take().items():
            taken = [each for *_, each in entries]
            found += [(number - 500_000, shard, one.topic, one.offset, one.timestamp - START) for one in taken]
    return found, source.late


def test_names_and_offsets() -> None:
    """Topics are named as in the deployment, by either name; offsets are counted in each, or those that are given."""
    found, late = read([record(0), record(1, "listings"), record(2, "eu.orders"), record(3, offset=70), record(4)])
    assert found == [
        (0, 0, "eu.orders", 0, 0),
        (0, 0, "eu.listings", 0, 1),
        (0, 0, "eu.orders", 1, 2),
        (0, 0, "eu.orders", 70, 3),
        (0, 0, "eu.orders", 71, 4),
    ]
    assert late == 0


def test_order_within_a_round() -> None:
    """By time; at the same time merchants come before listings, and these before orders."""
    given = [record(5), record(5, "listings"), record(5, "merchants"), record(2, "feedback")]
    found, _ = read(given)
    assert [each[2] for each in found] == ["eu.feedback", "eu.merchants", "eu.listings", "eu.orders"]


def test_a_time_that_steps_back() -> None:
    """Within a partition the order stays: such a record counts for the time of the one before it."""
    found, late = read([record(ROUND_MS + 5), record(1), record(ROUND_MS + 9)])
    assert [(each[0], each[3]) for each in found] == [(1, 0), (1, 1), (1, 2)]
    assert late == 0


def test_too_late() -> None:
    """What comes more than an hour too late goes into the first round that is open, and is counted."""
    far = SLACK_MS + 3 * ROUND_MS
    found, late = read([record(0), record(far), record(far), record(1, "listings"), record(far + 1)])
    assert late == 1
    assert ("eu.listings", 3) in [(each[2], each[0]) for each in found]


def test_one_wrong_clock() -> None:
    """A single time of another year holds up its own partition alone: nothing else is taken for late."""
    year = 365 * 86_400_000
    records = [record(0, "listings"), record(year, "merchants"), *[record(n * ROUND_MS) for n in range(1, 20)]]
    found, late = read(records)
    assert late == 0
    assert [each[0] for each in found if each[2] == "eu.orders"] == list(range(1, 20))
    assert found[-1][2] == "eu.merchants"


def test_window() -> None:
    """Nothing before the warm-up and nothing from the end on is given out; offsets count all the same."""
    records = [record(n * ROUND_MS) for n in range(10)]
    found, _ = read(records, warm_from=START + 3 * ROUND_MS, end=START + 5 * ROUND_MS)
    assert [(each[0], each[3]) for each in found] == [(3, 3), (4, 4)]


def test_partition() -> None:
    """A record goes to the shard of its key as Kafka would place it, or to the partition that it names."""
    keys = [b"m%d" % number for number in range(40)]
    found, _ = read([record(n, key=key) for n, key in enumerate(keys)], range(4), shards=4)
    assert sorted((each[4], each[1]) for each in found) == [(n, shard_of(key, 4)) for n, key in enumerate(keys)]
    found, _ = read([record(0, key=None, partition=3)], range(4), shards=4)
    assert [each[1] for each in found] == [3]


@given(st.lists(st.tuples(st.integers(0, 30 * ROUND_MS), st.sampled_from(["orders", "listings"])), max_size=60))
def test_shares(times: list[tuple[int, str]]) -> None:
    """Whoever reads some shards gets of these what somebody gets who reads all, late records included."""
    records = [record(at, topic, b"m%d" % (n % 7)) for n, (at, topic) in enumerate(times)]
    whole, _ = read(records, range(4), shards=4)
    for shard in range(4):
        assert read(records, [shard], shards=4)[0] == [each for each in whole if each[1] == shard]


def test_no_time() -> None:
    """A record without a timestamp has the time of its event."""
    given = [ArchiveRecord("orders", b"m", b'{"occurred_at": %d}' % (START + 7))]
    source = ArchiveSource(given, SETTINGS, Plan(shards=1), [0])
    assert source.peek() == 500_000
    ((_, _, _, taken),) = source.take()[0]
    assert taken.timestamp == START + 7
    assert source.peek() is None
