"""What the page shows at one moment: plain values, so that a page can be drawn without a demo."""

from collections import deque
from typing import Final

from msgspec import Struct

from streams.demo.score import Score
from streams.demo.tally import EnforcementView, MerchantView, Percentiles

_KEPT: Final = 120


class PageView(Struct, kw_only=True):
    """One moment. Rates are per second; times of the simulation in ms of event time, others in seconds."""

    seed: int
    merchants: int
    phase: str
    start: int
    end: int
    event_time: int
    elapsed: float
    duration: float
    events_in: int
    outputs: int
    lag: int
    in_rates: list[float]
    out_rates: list[float]
    latency: Percentiles | None
    latencies: list[float]
    score: Score
    riskiest: list[MerchantView]
    #: The newest first.
    enforcements: list[EnforcementView]
    #: What some merchants really are, by id: an attack's name, or the name of the honest trouble they are in.
    labels: dict[str, str]
    attackers: frozenset[str]
    dead_letters: int
    last_dead_letter: str
    brokers: str
    redis_url: str


class Rates:
    """Counts at moments, turned into rates over the last second or so."""

    def __init__(self, over: float = 1.0) -> None:
        self._over = over
        self._seen: deque[tuple[float, int]] = deque()
        self.history: deque[float] = deque(maxlen=_KEPT)

    def add(self, now: float, count: int) -> None:
        """The count at a moment (seconds of a rising clock)."""
        seen = self._seen
        seen.append((now, count))
        while len(seen) > 2 and now - seen[1][0] >= self._over:
            seen.popleft()
        (then, before), (last, after) = seen[0], seen[-1]
        self.history.append((after - before) / (last - then) if last > then else 0.0)
