"""When a process counts as ready."""

from streams.telemetry.readiness import Readiness


class Situation:
    """A clock and what is in the way, both set by hand."""

    def __init__(self, grace: float = 30) -> None:
        self.now = 0.0
        self.waiting_for: list[str] = []
        self.readiness = Readiness(lambda: self.waiting_for, grace, lambda: self.now)

    def ready(self, now: float, *waiting_for: str) -> bool:
        """Whether it is ready at a time with this in the way."""
        self.now, self.waiting_for = now, list(waiting_for)
        return self.readiness.verdict().ready


def test_nothing_is_granted_at_the_start() -> None:
    """What never was ready is not, until nothing is in the way any more."""
    situation = Situation()
    assert not situation.ready(0, "the group")
    assert not situation.ready(10, "the journal")
    assert situation.ready(11)


def test_a_rebalance_does_not_make_it_flap() -> None:
    """What was ready stays so while something is in the way for less than the grace, again and again."""
    situation = Situation(grace=30)
    assert situation.ready(0)
    for start in (100, 200, 300):
        assert situation.ready(start, "the group")
        assert situation.ready(start + 29, "the journal")
        assert situation.ready(start + 30)


def test_what_lasts_counts() -> None:
    """Once something has been in the way for the grace it is not ready, and gets no second grace before it was."""
    situation = Situation(grace=30)
    assert situation.ready(0)
    assert situation.ready(100, "Redis")
    assert not situation.ready(130, "Redis")
    assert not situation.ready(140, "Kafka")
    assert situation.ready(150)


def test_without_grace_it_follows_at_once() -> None:
    """A grace of 0 makes anything in the way count."""
    situation = Situation(grace=0)
    assert situation.ready(0)
    assert not situation.ready(1, "Redis")


def test_what_stops_is_not_ready() -> None:
    """Told to stop, it is not ready at once, whatever the grace."""
    situation = Situation()
    assert situation.ready(0)
    situation.readiness.stopping = True
    assert not situation.ready(1)
    assert "stop" in situation.readiness.verdict().waiting_for[0]


def test_what_is_in_the_way_is_told_also_within_the_grace() -> None:
    """People see what it waits for although it still counts as ready."""
    situation = Situation()
    situation.ready(0)
    assert situation.ready(1, "Redis to answer")
    assert situation.readiness.verdict().waiting_for == ["Redis to answer"]
