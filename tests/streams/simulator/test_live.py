import pytest

from streams.simulator import SimulatedRecord, Simulation
from streams.simulator.live import live_config, run_live

NOW = 1_800_000_000_000


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.seconds = NOW / 1000
        self.waits: list[float] = []

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.seconds

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.seconds += seconds


def _records(*times: int) -> list[SimulatedRecord]:
    return [SimulatedRecord("orders", b"m", b"{}", time) for time in times]


def test_history_goes_at_once_and_the_rest_when_its_time_has_come() -> None:
    """No wait before records of the past; afterwards each leaves at its event time, not earlier."""
    clock = Clock()
    sent: list[tuple[int, float]] = []
    records = _records(NOW - 5000, NOW, NOW + 1000, NOW + 1000, NOW + 3500)
    count = run_live(
        records,
        lambda record: sent.append((record.timestamp, clock() * 1000)),
        clock.wait,
        stopped=lambda: False,
        clock=clock,
    )
    assert count == 5
    assert [round(time - NOW) for _, time in sent] == [0, 0, 1000, 1000, 3500]
    assert max(clock.waits) <= 0.25


def test_stopping_does_not_wait_for_the_next_record() -> None:
    """A stop while waiting ends it within a quarter of a second, without sending."""
    clock = Clock()
    sent: list[SimulatedRecord] = []
    stop_at = NOW / 1000 + 2
    count = run_live(
        _records(NOW, NOW + 60_000), sent.append, clock.wait, stopped=lambda: clock() >= stop_at, clock=clock
    )
    assert count == len(sent) == 1
    assert clock() <= stop_at + 0.25


def test_the_live_part_has_the_wanted_rate() -> None:
    """After the history, events come at the rate that was asked for, within a fifth."""
    rate = 0.02
    config = live_config(rate, history_days=30, now=NOW, seed=1)
    assert config.start <= NOW - 30 * 86_400_000 + 1000
    live = 0
    for record in Simulation(config):
        if record.timestamp >= NOW + 20 * 86_400_000:
            break
        live += record.timestamp >= NOW
    assert live / (20 * 86_400) == pytest.approx(rate, rel=0.2)


def test_attacks_go_on_in_the_live_part() -> None:
    """There are onsets in the history and in every stretch of its length after it."""
    config = live_config(0.02, history_days=30, now=NOW, seed=1)
    onsets = Simulation(config).truth.attacks["bust_out"].onsets.values()
    stretches = {(onset - config.start) // (30 * 86_400_000) for onset in onsets}
    assert stretches == set(range(13))


def test_a_history_too_short_for_attacks_is_refused() -> None:
    """The message says how long it must be."""
    for days in (0, 5):
        with pytest.raises(ValueError, match="at least 21 days"):
            live_config(1, history_days=days, now=NOW, seed=1)
