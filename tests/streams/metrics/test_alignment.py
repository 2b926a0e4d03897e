"""One order of records, whoever reads which partition first."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from features.windows import DAY_MS, HOUR_MS
from streams.metrics.alignment import HELD_BACK, Alignment, RisingTime

START = 1_767_225_600_000
moments = st.lists(st.lists(st.integers(0, 10 * HOUR_MS), max_size=12), min_size=1, max_size=4)


def read(partitions: list[list[int]], seed: int) -> list[tuple[int, tuple[int, int]]]:
    """Read the partitions in some interleaving, taking what is ready now and then, and the rest at the end."""
    random = Random(seed)
    alignment: Alignment[tuple[int, int]] = Alignment(len(partitions))
    left = [list(enumerate(each)) for each in partitions]
    found = []
    while any(left):
        number = random.choice([number for number, each in enumerate(left) if each])
        offset, moment = left[number].pop(0)
        alignment.add(number, START + moment, (number, offset))
        if random.random() < 0.3:
            found += alignment.take()
    for number in range(len(partitions)):
        alignment.end(number)
    found += alignment.take()
    return found + alignment.take(rest=True)


@given(partitions=moments, seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_the_order_does_not_depend_on_when_what_was_read(partitions: list[list[int]], seeds: tuple[int, int]) -> None:
    """Two interleavings give the same sequence, with times that never fall and each partition in its own order."""
    first, second = (read(partitions, seed) for seed in seeds)
    assert first == second
    assert [time for time, _ in first] == sorted(time for time, _ in first)
    for number, each in enumerate(partitions):
        assert [record for _, record in first if record[0] == number] == [(number, n) for n in range(len(each))]


def test_records_are_held_back_until_all_are_an_hour_further() -> None:
    """A partition that still has records to come holds the others up; one at its end does not."""
    alignment: Alignment[str] = Alignment(2)
    alignment.add(0, START, "a")
    alignment.add(0, START + 2 * HELD_BACK, "b")
    assert alignment.take() == []
    alignment.end(1)
    assert alignment.take() == [(START, "a")]
    assert alignment.held(0) == 1


def test_a_clock_that_is_wrong_by_years_moves_nothing() -> None:
    """A leap counts when a second record has made it too."""
    clock = RisingTime()
    year = 365 * DAY_MS
    assert [clock.at(START + moment) for moment in (0, year, 5, 10)] == [START, START, START + 5, START + 10]
    assert [clock.at(START + moment) for moment in (year, year + 3)] == [START + 10, START + year]
