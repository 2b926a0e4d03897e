from hypothesis import given
from hypothesis import strategies as st

from features.omissions import Gap
from streams.gaps import Resumption, described, resume
from streams.store import JournalEntry
from streams.tails import Extent

CLAIM = 7


def entry(sequence: int, *ranges: tuple[str, int, int]) -> JournalEntry:
    """A journalled flush of an earlier claim."""
    return JournalEntry(sequence, list(ranges), None, "p", clock=5, claim=1)


def test_what_is_all_there_changes_nothing() -> None:
    """Where topics hold everything, the journal stays as it is and reading starts at the offsets."""
    journal = [entry(4, ("orders", 10, 19)), entry(5, ("listings", 3, 3), ("orders", 20, 24))]
    extents = {"orders": Extent(0, 100), "listings": Extent(3, 4)}
    offsets = {"orders": 10, "listings": 3}
    assert resume(offsets, journal, extents, CLAIM) == Resumption(journal, offsets, [], [])


def test_a_topic_without_an_offset_has_no_gap() -> None:
    """Where a shard begins, what was deleted before was never wanted."""
    assert resume({}, [], {"orders": Extent(50, 60)}, CLAIM) == Resumption([], {}, [], [])


def test_what_expired_before_the_journal_is_cut_out_of_it() -> None:
    """Flushes keep what is left of them, name what is not, and count as this claim's from the first that changed."""
    journal = [entry(4, ("orders", 10, 19)), entry(5, ("orders", 20, 29)), entry(6, ("listings", 0, 1))]
    plan = resume({"orders": 10}, journal, {"orders": Extent(25, 40)}, CLAIM)
    assert [each.ranges for each in plan.journal] == [[], [("orders", 25, 29)], [("listings", 0, 1)]]
    assert [each.gaps for each in plan.journal] == [
        [Gap("orders", 10, 19, "expired")],
        [Gap("orders", 20, 24, "expired")],
        [],
    ]
    assert [each.claim for each in plan.journal] == [CLAIM] * 3
    assert plan.starts == {"orders": 25}
    assert plan.gaps == []


def test_what_expired_behind_the_journal_is_a_gap_of_its_own() -> None:
    """The records between the last flush and the oldest that is left."""
    plan = resume({"orders": 10}, [entry(4, ("orders", 10, 19))], {"orders": Extent(30, 40)}, CLAIM)
    assert plan.gaps == [Gap("orders", 20, 29, "expired")]
    assert plan.missing == [Gap("orders", 10, 19, "expired"), *plan.gaps]


def test_a_topic_made_anew_is_read_from_its_end() -> None:
    """Its records have the offsets of others that were counted."""
    plan = resume({"orders": 100}, [], {"orders": Extent(0, 40)}, CLAIM)
    assert plan.gaps == [Gap("orders", 40, 99, "truncated")]
    assert plan.starts == {"orders": 40}


def test_words_say_what_is_missing() -> None:
    """Topic, partition and offsets, for a person who has to decide."""
    text = described(3, [Gap("orders", 1, 9, "expired"), Gap("listings", 4, 7, "truncated")])
    assert "orders/3 no longer holds offsets 1 to 9" in text
    assert "listings/3 ends at offset 4, but was read up to 7" in text


@given(
    st.lists(st.integers(1, 6), max_size=6), st.integers(0, 30), st.integers(0, 40), st.integers(0, 40), st.booleans()
)
def test_every_offset_is_read_or_named_once(
    sizes: list[int], offset: int, earliest: int, more: int, again: bool
) -> None:
    """From the checkpoint to the topic's end each offset is in a flush, in a gap, or behind the start, and in one only;
    a plan that is made again from its own outcome changes nothing.
    """
    journal, at = [], offset
    for number, size in enumerate(sizes, 1):
        journal.append(entry(number, ("orders", at, at + size - 1)))
        at += size
    end = max(at, earliest) + more
    extents = {"orders": Extent(earliest, end)}
    plan = resume({"orders": offset}, journal, extents, CLAIM)
    if again:
        plan = resume({"orders": offset}, plan.journal, extents, CLAIM + 1)
    covered = [n for each in plan.journal for _, first, last in each.ranges for n in range(first, last + 1)]
    missing = [n for each in plan.journal for gap in each.gaps for n in range(gap.first, gap.last + 1)]
    missing += [n for gap in plan.gaps for n in range(gap.first, gap.last + 1)]
    reached = max([offset, *[n + 1 for n in (*covered, *missing)]])
    assert sorted([*covered, *missing]) == list(range(offset, reached))
    assert reached == max(at, earliest)
    assert all(number >= earliest for number in covered)
    assert all(number < earliest for number in missing)
    assert plan.starts["orders"] == min(max(offset, earliest), end)
