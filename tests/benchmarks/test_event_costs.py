"""What detectors cost: the clock measures what it should, and knows all parts."""

from time import thread_time

import pytest

from benchmarks.event_costs import PARTS, REST, measure, table
from benchmarks.stopwatch import Stopwatch


class Work:
    """Work that lasts as long as it is told to."""

    def inner(self, seconds: float) -> None:
        """Busy for a while."""
        until = thread_time() + seconds
        while thread_time() < until:
            pass

    def outer(self) -> int:
        """Work of its own, and twice that of another part."""
        self.inner(0.01)
        self.inner(0.01)
        until = thread_time() + 0.01
        while thread_time() < until:
            pass
        return 7


def test_a_part_is_charged_with_its_own_work_alone() -> None:
    """What it calls is another part's; results pass through, and at the end everything is as it was."""
    work = Work()
    watch = Stopwatch()
    watch.watch_attribute(work, "inner", "inner")
    watch.watch_attribute(work, "outer", "outer")
    assert work.outer() == 7
    watch.stop()
    work.outer()
    assert (watch.costs["inner"].calls, watch.costs["outer"].calls) == (2, 1)
    assert watch.costs["inner"].seconds >= 0.02
    assert 0.009 <= watch.costs["outer"].seconds < watch.costs["inner"].seconds + 0.02


def test_the_clock_takes_its_own_cost_off() -> None:
    """A function that does nothing costs next to nothing, however often it is called."""
    watch = Stopwatch()
    nothing = watch.timed(lambda: None, "nothing")
    for _ in range(20_000):
        nothing()
    assert watch.costs["nothing"].calls == 20_000
    assert abs(watch.costs["nothing"].seconds) / 20_000 < 1e-6


def test_a_part_that_is_not_there_is_an_error() -> None:
    """A function that was renamed is not left out in silence."""
    with pytest.raises(AttributeError, match="no_such"):
        Stopwatch().watch("detectors.apply:Core.no_such", "x")


def test_the_table_holds_every_part() -> None:
    """Parts together make up the whole, and every part of the catalogue was called."""
    whole, found = measure(5_000, rounds=1)
    assert {each.part for each in found} == {part.name for part in PARTS} | {REST}
    assert sum(each.us_per_event for each in found) == pytest.approx(whole, rel=0.02)
    assert [each.part for each in found if not each.calls_per_event] == []
    assert len(table(whole, found)) == len(found) + 3
