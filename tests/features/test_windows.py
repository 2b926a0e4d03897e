from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.bucket_text import Buckets, pack_buckets, unpack_buckets
from features.windows import WINDOWS, DayCounters

WIDTH = 3
START = 20_000
#: Sums kept of each lag.
SPAN = WIDTH * len(WINDOWS)

#: ("add", days before the current one, counter, amount) or ("advance", days).
Step: TypeAlias = tuple[str, int, int, int]

_adds = st.tuples(
    st.just("add"),
    st.sampled_from([0, 0, 1, 6, 7, 13, 14, 29, 30, 89, 90, 103, 104, -1, -40]) | st.integers(-120, 130),
    st.integers(0, WIDTH - 1),
    st.sampled_from([1, 1, -1, 250]),
)
_advances = st.tuples(
    st.just("advance"),
    st.sampled_from([0, 1, 1, 7, 16, 17, 90, 104]) | st.integers(-3, 200),
    st.just(0),
    st.just(0),
)
steps_of = st.lists(_adds | _advances, max_size=40)


def sums_by_hand(added: list[tuple[int, int, int]], today: int, lag: int) -> list[int]:
    """Sums over every window that ends ``lag`` days before today, counted from all additions."""
    return [
        sum(amount for day, at, amount in added if at == counter and today - lag - length < day <= today - lag)
        for length in WINDOWS
        for counter in range(WIDTH)
    ]


@given(steps_of, st.sampled_from([(0,), (0, 14)]))
@settings(max_examples=150, deadline=None)
def test_sums_equal_a_recount(steps: list[Step], lags: tuple[int, ...]) -> None:
    """However days come, early, late or to be corrected, each sum is what counting everything anew gives."""
    counters = DayCounters(WIDTH, START, {}, lags)
    added: list[tuple[int, int, int]] = []
    for kind, days, counter, amount in steps:
        if kind == "add":
            counters.add(counters.day - days, counter, amount)
            added.append((counters.day - days, counter, amount))
        else:
            counters.advance(counters.day + days)
        for index, lag in enumerate(lags):
            sums = counters.sums[index * SPAN : (index + 1) * SPAN]
            assert sums == sums_by_hand(added, counters.day, lag), (kind, days)


@given(steps_of, st.sampled_from([(0,), (0, 14)]))
@settings(max_examples=100, deadline=None)
def test_stored_buckets_continue_alike(steps: list[Step], lags: tuple[int, ...]) -> None:
    """Written and read again at any point, counters go on as those that never were."""
    whole = DayCounters(WIDTH, START, {}, lags)
    stored = DayCounters(WIDTH, START, {}, lags)
    for kind, days, counter, amount in steps:
        for counters in (whole, stored):
            if kind == "add":
                counters.add(counters.day - days, counter, amount)
            else:
                counters.advance(counters.day + days)
        stored = DayCounters(WIDTH, stored.day, unpack_buckets(pack_buckets(stored.buckets)), lags)
        assert stored.sums == whole.sums
        assert pack_buckets(stored.buckets) == pack_buckets(whole.buckets)


@given(steps_of, st.sampled_from([(0,), (0, 14)]), st.sets(st.integers(0, 40)))
@settings(max_examples=200, deadline=None)
def test_stored_text_is_that_of_the_buckets(steps: list[Step], lags: tuple[int, ...], pauses: set[int]) -> None:
    """Written anew in part, at any points in between or at each, it is what writing all buckets gives; unless they say
    that they have changed it needs no writing.
    """
    counters = DayCounters(WIDTH, START, {}, lags)
    stored = ""
    for number, (kind, days, counter, amount) in enumerate(steps):
        if kind == "add":
            counters.add(counters.day - days, counter, amount)
        else:
            counters.advance(counters.day + days)
        if number in pauses:
            continue
        changed, before = counters.changed, stored
        stored = counters.packed(stored)
        assert stored == pack_buckets(counters.buckets)
        assert changed or stored == before


def test_text_of_an_older_version_is_written_anew() -> None:
    """What was read is left as it is until it changes, then nothing of its form is kept."""
    old = "20000:1,0,0 1:0,1,0"
    counters = DayCounters(WIDTH, START + 1, unpack_buckets(old))
    assert counters.packed(old) == old
    counters.add(START + 1, 0, 1)
    assert counters.packed(old) == "20000 1:1,1"


def test_a_window_holds_both_its_ends() -> None:
    """Seven days are today and the six before; with a lag of 14 days they end 14 days ago."""
    counters = DayCounters(1, START, {}, (0, 14))
    for age in (0, 6, 7, 14, 20, 21):
        counters.add(START - age, 0, 10**age)
    assert counters.sum(0, 0) == 1 + 10**6
    assert counters.sum(0, 0, lag=1) == 10**14 + 10**20


def test_what_no_window_can_see_is_not_kept() -> None:
    """Buckets of days before the longest window are dropped, and late events for them leave none behind."""
    counters = DayCounters(1, START, {}, (0, 14))
    for age in range(130):
        counters.add(START - age, 0, 1)
    assert min(counters.buckets) == START - 103
    for steps in (1, 5, 30):
        counters.advance(counters.day + steps)
        assert min(counters.buckets) == counters.day - 103
    counters.advance(counters.day + 1000)
    assert counters.buckets == {}
    assert not any(counters.sums)


def test_days_to_come_wait() -> None:
    """A bucket of a later day counts once that day has come, and not before."""
    counters = DayCounters(1, START, {})
    counters.add(START + 2, 0, 5)
    counters.advance(START + 1)
    assert counters.sum(0, 0) == 0
    counters.advance(START + 2)
    assert counters.sum(0, 0) == 5


@given(st.dictionaries(st.integers(-5, 40_000), st.lists(st.integers(-9, 10**12), min_size=1, max_size=12)))
@settings(deadline=None)
def test_packed_buckets_read_back(buckets: Buckets) -> None:
    """Whatever the days and numbers, text and buckets stand for each other, apart from zeros at the end of counters."""
    assert unpack_buckets(pack_buckets(buckets, lists=True)) == buckets
    text = pack_buckets(buckets)
    read = unpack_buckets(text)
    assert pack_buckets(read) == text
    assert read.keys() == buckets.keys()
    for day, bucket in buckets.items():
        assert bucket[: len(read[day])] == read[day]
        assert not any(bucket[len(read[day]) :])


def test_buckets_of_before_are_read_as_they_were_meant() -> None:
    """With zeros in full, as earlier versions wrote them."""
    assert unpack_buckets("20366:1,0,0,4,0 4") == {20366: [1, 0, 0, 4, 0], 20370: [1]}
    assert pack_buckets(unpack_buckets("20366:1,0,0,4,0 4:1,0")) == "20366:1,,,4 4"


def test_packed_buckets_are_short_and_readable() -> None:
    """The usual day, one order, takes a few characters."""
    text = "20366 4:1,4598 5:1,,1"
    assert pack_buckets({20370: [1, 4598], 20366: [1], 20375: [1, 0, 1]}) == text
    assert pack_buckets({}) == ""


@pytest.mark.parametrize("text", ["x", "5:x", "5:1,x", ":1"])
def test_other_text_is_refused(text: str) -> None:
    """Text that is no packed buckets is an error, not a wrong count."""
    with pytest.raises(ValueError, match="invalid literal"):
        unpack_buckets(text)
