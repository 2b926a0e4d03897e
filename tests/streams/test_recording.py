from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streams.recording import OrderedMerge


def drain(merge: OrderedMerge[str, str], arrived_by: float = float("inf")) -> list[str]:
    """Everything the merge gives now."""
    return [item for _, item in merge.pop(arrived_by)]


def test_nothing_goes_before_every_sequence_has_spoken() -> None:
    """The earliest record may be in the partition that has not answered yet."""
    merge: OrderedMerge[str, str] = OrderedMerge(["a", "b"])
    merge.add("a", 5, "a5")
    assert drain(merge) == []
    merge.add("b", 3, "b3")
    assert drain(merge) == ["b3"]
    merge.end("b")
    assert drain(merge) == ["a5"]


def test_times_that_are_equal_keep_the_order_of_the_sequences() -> None:
    """The result does not depend on who answers first."""
    for first, second in (("a", "b"), ("b", "a")):
        merge: OrderedMerge[str, str] = OrderedMerge(["a", "b"])
        merge.add(first, 1, first)
        merge.add(second, 1, second)
        merge.end("a")
        merge.end("b")
        assert drain(merge) == ["a", "b"]


def test_a_late_record_stays_where_it_is_in_its_sequence() -> None:
    """The order within a partition is part of what happened, and the others keep in step with it."""
    merge: OrderedMerge[str, str] = OrderedMerge(["a", "b"])
    for moment, item in ((10, "a10"), (2, "a2 late"), (11, "a11")):
        merge.add("a", moment, item)
    for moment in (1, 10, 12):
        merge.add("b", moment, f"b{moment}")
    merge.end("a")
    merge.end("b")
    assert drain(merge) == ["b1", "a10", "a2 late", "b10", "a11", "b12"]


def test_a_sequence_that_had_ended_may_go_on() -> None:
    """A partition that was read to its end and grows is waited for again, until its end is reached once more."""
    merge: OrderedMerge[str, str] = OrderedMerge(["a", "b"])
    merge.end("b")
    merge.add("a", 1, "a1")
    merge.add("a", 9, "a9")
    merge.add("b", 4, "b4")
    assert drain(merge) == ["a1", "b4"]
    merge.add("b", 5, "b5")
    merge.end("b")
    assert drain(merge) == ["b5", "a9"]


def test_what_has_just_arrived_can_be_held_back() -> None:
    """While recording live, a record waits a moment for an earlier one on its way."""
    merge: OrderedMerge[str, str] = OrderedMerge(["a"])
    merge.add("a", 1, "old", arrived=10.0)
    merge.add("a", 2, "new", arrived=20.0)
    assert drain(merge, arrived_by=15.0) == ["old"]
    assert merge.size("a") == 1


@given(st.lists(st.lists(st.integers(0, 50)), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_merging_is_complete_keeps_each_order_and_rises(sequences: list[list[int]], random: Random) -> None:
    """However the pieces arrive: all come out, each sequence in its order, and rising where the sequences rise."""
    merge: OrderedMerge[int, tuple[int, int]] = OrderedMerge(range(len(sequences)))
    waiting = {key: list(enumerate(sequence)) for key, sequence in enumerate(sequences)}
    result: list[tuple[int, tuple[int, int]]] = []
    while waiting:
        key = random.choice(sorted(waiting))
        if waiting[key]:
            position, moment = waiting[key].pop(0)
            merge.add(key, moment, (position, moment))
        else:
            merge.end(key)
            del waiting[key]
        result += merge.pop()
    for key, sequence in enumerate(sequences):
        assert [item for found, item in result if found == key] == list(enumerate(sequence))
    if all(sequence == sorted(sequence) for sequence in sequences):
        moments = [moment for _, (_, moment) in result]
        assert moments == sorted(moments)
