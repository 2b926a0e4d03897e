from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from features.timers import Timers

#: Times over a few hours, some of them in the same one.
_times = st.integers(-1, 21).map(lambda quarter: quarter * 900_000)
_keys = st.sampled_from(["oa", "ob", "mc", "md"])
_entries = st.lists(st.tuples(_times.filter(lambda time: time >= 0), _keys), max_size=30)


def popped(timers: Timers, watermark: int) -> list[tuple[int, str]]:
    """Everything that a watermark makes due, in the order in which it comes."""
    found = []
    while (due := timers.pop_due(watermark)) is not None:
        found.append(due)
    return found


@given(_entries, _times)
@settings(max_examples=200, deadline=None)
def test_due_timers_come_in_order_and_none_before_its_time(entries: list[tuple[int, str]], watermark: int) -> None:
    """Ordered by time and then by key, up to the watermark inclusive; the rest stays."""
    timers = Timers()
    for time, key in entries:
        timers.set(key, time)
    expected = sorted(entry for entry in entries if entry[0] <= watermark)
    assert sorted(timers.due(watermark)) == sorted(key for _, key in expected)
    assert len(timers) == len(entries)
    assert popped(timers, watermark) == expected
    assert timers.earliest == min((time for time, _ in entries if time > watermark), default=inf)
    assert popped(timers, 10**9) == sorted(entry for entry in entries if entry[0] > watermark)


@given(_entries, _entries, _times)
@settings(max_examples=100, deadline=None)
def test_restored_timers_go_on_alike(stored: list[tuple[int, str]], more: list[tuple[int, str]], at: int) -> None:
    """Whether timers were set or read from the store makes no difference to what comes."""
    kept, restored = Timers(), Timers()
    for time, key in stored:
        kept.set(key, time)
    restored.restore(list(reversed(stored)))
    assert restored.changed == {}
    for time, key in more:
        kept.set(key, time)
        restored.set(key, time)
    assert sorted(restored.due(at)) == sorted(kept.due(at))
    assert popped(restored, at) == popped(kept, at)


@given(st.lists(_entries, max_size=6), st.lists(_times, min_size=6, max_size=6))
@settings(max_examples=200, deadline=None)
def test_timers_set_while_others_fire_come_in_order(rounds: list[list[tuple[int, str]]], watermarks: list[int]) -> None:
    """Entries may be set at any time, behind the watermark too; the bound says when there is nothing to look for."""
    timers = Timers()
    waiting: list[tuple[int, str]] = []
    for entries, watermark in zip(rounds, watermarks, strict=False):
        for time, key in entries:
            timers.set(key, time)
        waiting.extend(entries)
        assert timers.soonest <= timers.earliest == min((time for time, _ in waiting), default=inf)
        assert popped(timers, watermark) == sorted(entry for entry in waiting if entry[0] <= watermark)
        waiting = [entry for entry in waiting if entry[0] > watermark]
        assert timers.soonest > watermark


def test_changes_hold_the_newest_time_of_each_key() -> None:
    """What a checkpoint writes is each key's last time, 0 where it has none any more."""
    timers = Timers()
    timers.set("oa", 5)
    timers.set("oa", 3)
    timers.set("ob", 4)
    timers.clear("ob")
    assert timers.changed == {"oa": 3, "ob": 0}
