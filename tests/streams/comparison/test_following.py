"""A comparison that is made again and again."""

from typing import Any

from config.settings import Settings
from detectors.comparison.published import Published
from streams.comparison.following import _Followed
from streams.comparison.news import MOST, News
from streams.comparison.reading import take
from streams.comparison.request import compare_published
from tests.detectors.comparison.made import decision
from tests.streams.comparison.recorded import decided


class Silent:
    """A reader of two partitions to which nothing comes."""

    partitions = (("events", 0), ("events", 1))

    def poll(self, seconds: float, *, must_come: bool = True) -> list[Any]:
        """Nothing."""
        return []


def published(*days: int) -> Published:
    """A run with a decision on each of these days."""
    found = Published(frozenset())
    for day in days:
        record = decided(decision(day))
        take(found, record.value or b"", record.headers, record.timestamp)
    return found


def test_what_one_has_not_come_to_is_no_difference() -> None:
    """A decision counts up to the time that both have come to in its shard."""
    run = _Followed(Silent(), "live")  # type: ignore[arg-type]
    assert not run.caught_up
    run.published = published(0, 5, 9)
    early, middle, late = run.published.decisions
    run.places = {early.id: 0, middle.id: 1, late.id: 0}
    assert run.until({0: early.starts_at}, 0).decisions == [early]
    assert run.until({0: late.starts_at - 1, 1: middle.starts_at}, 0).decisions == [early, middle]
    assert run.until({0: late.starts_at, 1: middle.starts_at}, middle.starts_at).decisions == [middle, late]
    assert run.published.decisions == [early, middle, late]


def test_each_difference_is_told_once() -> None:
    """And the outcomes whenever they have changed."""
    news, settings = News(), Settings()

    def lines(*days: int) -> list[str]:
        names, runs = ("live", "shadow"), (published(0), published(0, *days))
        return list(news.lines(compare_published(settings, names, runs, (None, None))))

    first = lines(30)
    assert len(first) == 2 and "gained: merchant" in first[0] and first[1].endswith("1 gained")
    assert lines(30) == []
    second = lines(30, 60)
    assert len(second) == 2 and second[0] not in first and second[1].endswith("2 gained")
    many = lines(*range(30, 30 * (MOST + 6), 30))
    assert len(many) == MOST + 2 and many[MOST] == "and 3 more"
