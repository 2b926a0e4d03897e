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
    assert alignment.take() == []
    assert alignment.take(rest=True) == [(START + 2 * HELD_BACK, "b")]


def test_whoever_is_slowest_never_waits() -> None:
    """Partitions with more records an hour than may wait are read to their ends all the same; one ahead waits."""
    most, minute = 10, HOUR_MS // 60
    # A record a minute, one every three minutes, and one that begins late.
    left = [
        [START + n * step + late for n in range(600)]
        for step, late in ((minute, 0), (3 * minute, 0), (minute, 200 * minute))
    ]
    alignment: Alignment[int] = Alignment(len(left))
    given, waiting, waited = 0, set[int](), False
    while any(left):
        reading = [number for number, each in enumerate(left) if each and number not in waiting]
        assert reading, "all wait for each other"
        for number in reading:
            alignment.add(number, left[number].pop(0), number)
            if not left[number]:
                alignment.end(number)
            elif alignment.should_wait(number, most):
                waiting.add(number)
                waited = True
        given += len(alignment.take())
        waiting = {number for number in waiting if not alignment.may_go_on(number, most)}
    assert waited and given + len(alignment.take(rest=True)) == 1_800


def test_a_clock_that_is_wrong_by_years_moves_nothing() -> None:
    """A leap counts when a second record has made it too."""
    clock = RisingTime()
    year = 365 * DAY_MS
    assert [clock.at(START + moment) for moment in (0, year, 5, 10)] == [START, START, START + 5, START + 10]
    assert [clock.at(START + moment) for moment in (year, year + 3)] == [START + 10, START + year]
