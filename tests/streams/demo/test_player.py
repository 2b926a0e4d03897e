"""Records are played at a steady rate, each with its own time, and every confirmation is noted."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streams.demo.player import Player, PlayError
from streams.demo.sent import Sent
from streams.simulator import SimulatedRecord

TOPICS = {"orders": "eu.orders", "listings": "eu.listings"}


class Confirmation:
    """A record as a broker confirms it."""

    def __init__(self, topic: str, offset: int) -> None:
        self._topic, self._offset = topic, offset

    def topic(self) -> str:
        """Where it is."""
        return self._topic

    def partition(self) -> int:
        """Always the same."""
        return 3

    def offset(self) -> int:
        """Its number."""
        return self._offset


class Refusal:
    """Why a broker did not take a record."""

    def str(self) -> str:
        """In words."""
        return "no room"


class Broker:
    """A producer that confirms when it is polled, and whose polling is what makes time pass."""

    def __init__(self, *, room: int = 10_000, refuses: int | None = None, silent: bool = False) -> None:
        self.now = 0.0
        self.records: list[tuple[float, str, bytes, bytes, int]] = []
        self._waiting: deque[tuple[Callable[[Any, Any], None], str]] = deque()
        self._offsets: dict[str, int] = {}
        self._room, self._refuses, self._silent = room, refuses, silent

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def produce(self, topic: str, value: bytes, key: bytes, *, timestamp: int, on_delivery: Any) -> None:
        """Take a record, if there is room."""
        if len(self._waiting) >= self._room:
            raise BufferError
        self.records.append((self.now, topic, key, value, timestamp))
        self._waiting.append((on_delivery, topic))

    def poll(self, timeout: float) -> int:
        """Confirm everything and let the time pass."""
        self.now += timeout
        while self._waiting and not self._silent:
            on_delivery, topic = self._waiting.popleft()
            offset = self._offsets.get(topic, 0)
            self._offsets[topic] = offset + 1
            error = Refusal() if self._refuses == offset else None
            on_delivery(error, Confirmation(topic, offset))
        return 0

    def flush(self, timeout: float) -> int:
        """Confirm everything."""
        self.poll(0)
        return len(self._waiting)


def records(count: int) -> Iterator[SimulatedRecord]:
    """Orders, one an hour."""
    return (SimulatedRecord("orders", b"m%d" % n, b"{}", 3_600_000 * n) for n in range(1, count + 1))


def endless() -> Iterator[SimulatedRecord]:
    """Orders without end."""
    while True:
        time.sleep(0.001)
        yield SimulatedRecord("orders", b"m", b"{}", 1)


def played(broker: Broker, count: int, rate: float = 100.0) -> tuple[Player, Sent]:
    """A player that has played."""
    sent = Sent()
    player = Player(records(count), broker, TOPICS, sent, rate, broker.clock)
    player.play()
    return player, sent


def test_rate_is_steady() -> None:
    """A hundred records a second are a hundred in every second, whatever their own times."""
    broker = Broker()
    played(broker, 500)
    times = [at for at, *_ in broker.records]
    assert times[-1] == pytest.approx(4.99, abs=0.01)
    assert [sum(second <= at < second + 1 for at in times) for second in range(5)] == pytest.approx([100] * 5, abs=1)


def test_records_keep_key_value_and_time() -> None:
    """Topics get the names of the settings; key, value and event time are the simulation's."""
    broker = Broker()
    player, _ = played(broker, 2)
    assert [record[1:] for record in broker.records] == [
        ("eu.orders", b"m1", b"{}", 3_600_000),
        ("eu.orders", b"m2", b"{}", 7_200_000),
    ]
    assert player.event_time == 7_200_000


def test_time_of_hand_over_is_noted() -> None:
    """What counts for latency is when a record was handed over, not when it was confirmed."""
    broker = Broker()
    _, sent = played(broker, 50, rate=10.0)
    assert sent.total == 50
    assert [sent.at("eu.orders", 3, n) for n in range(50)] == [at for at, *_ in broker.records]


def test_full_queue_sets_the_pace() -> None:
    """With a full queue the player waits for the broker and loses nothing."""
    broker = Broker(room=5)
    _, sent = played(broker, 100, rate=1e6)
    assert sent.total == len(broker.records) == 100


def test_refusal_is_an_error() -> None:
    """A record that the broker refuses ends the demo with the reason."""
    with pytest.raises(PlayError, match="refused a record of the simulation: no room"):
        played(Broker(refuses=3), 100)


def test_silence_is_an_error() -> None:
    """Records that are never confirmed are counted and named."""
    with pytest.raises(PlayError, match="did not confirm 10 records"):
        played(Broker(silent=True), 10)


def test_stopping_keeps_what_was_sent() -> None:
    """A player that is stopped ends soon, and every record that it sent is confirmed."""
    broker = Broker()
    sent = Sent()
    player = Player(endless(), broker, TOPICS, sent, 1000.0, broker.clock)
    player.start()
    while not sent.total:
        time.sleep(0.005)
    player.stop()
    assert not player.playing
    assert player.error is None
    assert sent.total == len(broker.records)


def test_error_in_the_thread_is_kept() -> None:
    """An error while playing in the background is there for the thread that looks after it."""
    broker = Broker(refuses=0)
    player = Player(records(100), broker, TOPICS, Sent(), 1e4, broker.clock)
    player.start()
    player.stop()
    assert isinstance(player.error, PlayError)
