from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decode import RecordKind
from features.shard import Record
from streams.intake import Intake, ranges_of
from streams.store import JournalEntry
from tests.streams.shard_fakes import Fetched

TOPICS: dict[RecordKind, str] = {"listings": "l", "orders": "o", "merchants": "m", "feedback": "f"}


def intake(highwater: Callable[[str], int | None] = lambda _: 0, capacity: int = 1000) -> Intake:
    """An intake of four topics; by default the broker has nothing more than what is offered."""
    return Intake(TOPICS, 3, capacity, highwater)


def fetched(*timestamps: int, start: int = 0) -> list[Fetched]:
    """Records of one topic with these timestamps, from an offset on."""
    return [Fetched(start + index, timestamp) for index, timestamp in enumerate(timestamps)]


def places(records: Sequence[Record]) -> list[tuple[str, int]]:
    """Topic and offset of records."""
    return [(record.topic, record.offset) for record in records]


def test_a_record_keeps_everything_of_the_fetched_one() -> None:
    """Topic, kind, partition, offset, timestamp, key, value and headers reach the core."""
    given_in = intake()
    given_in.offer("o", [Fetched(7, 42, b"k", b"v", (("h", b"x"),))])
    assert given_in.take(1) == [Record("orders", "o", 3, 7, 42, b"k", b"v", (("h", b"x"),))]
    assert len(given_in) == 0


def test_topics_are_merged_by_time_and_keep_their_own_order() -> None:
    """The earlier timestamp goes first; at the same one merchants go before listings, orders and feedback."""
    given_in = intake()
    given_in.offer("f", fetched(1, 5))
    given_in.offer("o", fetched(2, 5))
    given_in.offer("l", fetched(3, 5))
    given_in.offer("m", fetched(4, 5))
    assert places(given_in.take(100)) == [
        ("f", 0), ("o", 0), ("l", 0), ("m", 0), ("m", 1), ("l", 1), ("o", 1), ("f", 1),
    ]  # fmt: skip


def test_a_timestamp_that_steps_back_keeps_its_place() -> None:
    """Offsets rule within a topic, and the other topics are merged around the time reached."""
    given_in = intake()
    given_in.offer("o", fetched(10, 2, 20))
    given_in.offer("l", fetched(5, 11))
    assert places(given_in.take(100)) == [("l", 0), ("o", 0), ("o", 1), ("l", 1), ("o", 2)]


def test_what_was_taken_before_is_dropped() -> None:
    """Records that are fetched again, wholly or in part, are taken once; offsets may have gaps."""
    given_in = intake()
    given_in.next_offset["o"] = 2
    given_in.offer("o", fetched(1, 1, 1))
    assert places(given_in.take(100)) == [("o", 2)]
    given_in.offer("o", fetched(1, 1, start=1))
    assert len(given_in) == 0
    given_in.offer("o", fetched(1, 1, start=9))
    assert places(given_in.take(100)) == [("o", 9), ("o", 10)]


def test_a_flush_has_a_limit() -> None:
    """So many records and no more, the rest stays for the next flush."""
    given_in = intake()
    given_in.offer("o", fetched(*range(0, 10, 2)))
    given_in.offer("l", fetched(*range(1, 11, 2)))
    assert len(given_in.take(4)) == 4
    assert len(given_in) == 6
    assert places(given_in.take(100))[0] == ("o", 2)


def test_a_full_topic_says_so() -> None:
    """A topic with as many records waiting as there is room for wants no more until some are taken."""
    given_in = intake(capacity=3)
    given_in.offer("o", fetched(1, 2))
    assert given_in.full() == []
    given_in.offer("o", fetched(3, 4, start=2))
    assert given_in.full() == ["o"]
    given_in.take(2)
    assert given_in.full() == []


def test_a_topic_that_lags_holds_the_others_back() -> None:
    """Of a topic with more at its broker only what is known to be next is taken, and an empty one is waited for."""
    ends = {"o": 2, "l": 4, "m": 0, "f": 0}
    given_in = intake(ends.get)
    given_in.offer("o", fetched(10, 30))
    assert given_in.waiting_for()
    given_in.offer("l", fetched(5, 20))
    assert not given_in.waiting_for()
    assert places(given_in.take(100)) == [("l", 0), ("o", 0), ("l", 1)]
    assert given_in.waiting_for()
    given_in.offer("l", fetched(25, 35, start=2))
    assert not given_in.waiting_for()
    assert places(given_in.take(100)) == [("l", 2), ("o", 1), ("l", 3)]


def test_a_topic_that_no_fetch_spoke_of_is_waited_for_at_the_start_only() -> None:
    """Until a fetch tells how far a topic reaches it may have something; patience ends that."""
    given_in = intake(lambda _: None)
    given_in.offer("o", fetched(1))
    assert given_in.waiting_for()
    given_in.patient = False
    assert not given_in.waiting_for()
    assert places(given_in.take(100)) == [("o", 0)]


def test_times_out_of_order_never_stop_the_intake() -> None:
    """A lagging topic whose timestamps step back yields record by record rather than nothing."""
    given_in = intake(lambda topic: 100 if topic == "o" else 0)
    given_in.offer("o", fetched(50, 10))
    found = []
    while len(given_in):
        taken = given_in.take(100)
        assert taken
        found += places(taken)
    assert found == [("o", 0), ("o", 1)]


@given(
    times=st.lists(st.lists(st.integers(0, 12), max_size=12).map(sorted), min_size=4, max_size=4),
    cuts=st.lists(st.tuples(st.sampled_from("lomf"), st.integers(1, 4), st.integers(1, 5)), max_size=60),
)
def test_how_fetches_are_cut_does_not_change_the_order(
    times: list[list[int]], cuts: list[tuple[str, int, int]]
) -> None:
    """However records of rising times arrive, topic by topic and piece by piece, they are applied in one order."""
    ranks = {"m": 0, "l": 1, "o": 2, "f": 3}
    topics = dict(zip("lomf", (fetched(*each) for each in times), strict=True))
    given_in = intake(lambda topic: len(topics[topic]))
    found: list[Record] = []
    for topic, size, limit in [*cuts, *((topic, 12, 100) for topic in "lomf")]:
        start = given_in.next_offset.get(topic, 0)
        if piece := topics[topic][start : start + size]:
            given_in.offer(topic, piece)
        if len(given_in) and not given_in.waiting_for():
            found += given_in.take(limit)
    while len(given_in):
        found += given_in.take(5)
    wanted = sorted(
        (record.timestamp, ranks[topic], record.offset, topic)
        for topic, records in topics.items()
        for record in records
    )
    assert places(found) == [(topic, offset) for _, _, offset, topic in wanted]


def test_an_entry_of_the_journal_is_taken_as_it_was() -> None:
    """Only when all its records are there, in its order whatever their times, and nothing beyond it."""
    entry = JournalEntry(1, [("o", 0, 1), ("l", 4, 5), ("o", 2, 2)], None, "p")
    given_in = intake()
    given_in.next_offset["l"] = 4
    given_in.offer("o", fetched(9, 9, 9, 9))
    assert given_in.take_entry(entry) is None
    given_in.offer("l", fetched(1, start=4))
    assert given_in.take_entry(entry) is None
    given_in.offer("l", fetched(1, 1, start=5))
    taken = given_in.take_entry(entry)
    assert taken is not None
    assert places(taken) == [("o", 0), ("o", 1), ("l", 4), ("l", 5), ("o", 2)]
    assert places(given_in.take(100)) == [("l", 6), ("o", 3)]


@pytest.mark.parametrize(
    ("flush", "ranges"),
    [
        ([], []),
        ([("o", 4)], [("o", 4, 4)]),
        ([("o", 4), ("o", 5), ("o", 9)], [("o", 4, 9)]),
        ([("o", 4), ("l", 0), ("l", 1), ("o", 5)], [("o", 4, 4), ("l", 0, 1), ("o", 5, 5)]),
    ],
)
def test_ranges_name_the_runs_of_a_flush(flush: list[tuple[str, int]], ranges: list[tuple[str, int, int]]) -> None:
    """First and last offset of each run of one topic, in the order of the flush."""
    assert ranges_of([Record("orders", topic, 0, offset, 0, None, None) for topic, offset in flush]) == ranges


@given(st.lists(st.tuples(st.sampled_from("lomf"), st.integers(0, 9)), max_size=40), st.integers(1, 10))
def test_ranges_give_the_flush_again(arrivals: list[tuple[str, int]], limit: int) -> None:
    """What the journal says of a flush, a successor with the same records turns into the same flush."""
    first, second = intake(), intake()
    for topic, timestamp in arrivals:
        for each in (first, second):
            each.offer(topic, fetched(timestamp, start=each.next_offset.get(topic, 0)))
    sequence = 0
    while len(first):
        sequence += 1
        flush = first.take(limit)
        assert second.take_entry(JournalEntry(sequence, ranges_of(flush), None, "p")) == flush
    assert len(second) == 0
