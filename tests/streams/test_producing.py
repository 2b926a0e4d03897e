import io
import itertools

import pytest

from config.topics import TopicSettings
from streams.producing import Pace
from streams.progress import Progress
from streams.topic_names import contract_names, deployed_names


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_pace_is_exact_however_long_it_runs() -> None:
    """A thousand records at 300 a second take 999 intervals, without drift, when every wait is kept."""
    clock = Clock()
    pace = Pace(300, clock)
    for _ in range(1000):
        clock.now += pace.delay()
    assert clock.now - 100 == pytest.approx(999 / 300)


def test_a_pace_makes_up_for_waits_that_were_too_long() -> None:
    """A sleep that overshoots does not lower the rate: the next records follow at once."""
    clock = Clock()
    pace = Pace(100, clock)
    delays = []
    for _ in range(50):
        delay = pace.delay()
        delays.append(delay)
        clock.now += delay + (0.004 if delay else 0.0)
    assert clock.now - 100 == pytest.approx(0.49, abs=0.005)


def test_a_pace_does_not_burst_after_a_stall() -> None:
    """After ten seconds of a stuck broker only a quarter of a second's records are made up at once."""
    clock = Clock()
    pace = Pace(100, clock)
    pace.delay()
    clock.now += 10
    at_once = sum(1 for _ in itertools.takewhile(lambda delay: delay == 0, (pace.delay() for _ in range(100))))
    assert 20 <= at_once <= 30


def test_without_a_rate_there_is_no_wait() -> None:
    """The default is as fast as possible."""
    assert {Pace(None).delay() for _ in range(100)} == {0.0}


def test_archives_name_topics_as_the_contract_does() -> None:
    """A deployment's own names are translated both ways; all topics are covered."""
    topics = TopicSettings(prefix="eu.", orders="eu.bestellungen")
    names = deployed_names(topics)
    assert names["orders"] == "eu.bestellungen"
    assert names["governance-dead-letters"] == "eu.governance-dead-letters"
    assert contract_names(topics)["eu.bestellungen"] == "orders"
    assert len(names) == len(contract_names(topics)) == len(TopicSettings.NAMES)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """True."""
        return True


def test_progress_rewrites_its_line_on_a_terminal_and_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the count stands in one line, which is gone at the end."""
    clock = Clock()
    monkeypatch.setattr("streams.progress.time.monotonic", clock)
    stream = Terminal()
    with Progress("rows", stream) as progress:
        clock.now += 1
        progress.advance(1234)
        clock.now += 1
        progress.advance(1)
        progress.advance(765, note="nearly done")
    first, second, end, _ = stream.getvalue().split("\r")[1:]
    assert first == "rows: 1,234 (1,234/s)"
    assert second.strip() == "rows: 2,000 (1,000/s), nearly done"
    assert end.strip() == ""


def test_progress_in_a_log_is_a_line_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets few lines and no control characters."""
    clock = Clock()
    monkeypatch.setattr("streams.progress.time.monotonic", clock)
    stream = io.StringIO()
    with Progress("rows", stream) as progress:
        for _ in range(30):
            clock.now += 1
            progress.advance(100)
    assert stream.getvalue() == "rows: 1,000 (100/s)\nrows: 2,000 (100/s)\nrows: 3,000 (100/s)\n"
