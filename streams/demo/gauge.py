"""Brings the figures of a running demo together: for the page while it runs, for the report at its end."""

import time
from typing import Final

from streams.demo.observer import Observer
from streams.demo.options import DemoOptions
from streams.demo.player import Player
from streams.demo.score import score
from streams.demo.sent import Sent
from streams.demo.stage import Stage
from streams.demo.summary import Report
from streams.demo.tally import Percentiles
from streams.demo.view import PageView, Rates
from streams.simulator import Simulation

_SHOWN_MERCHANTS: Final = 60
_SHOWN_ENFORCEMENTS: Final = 50
_LATENCIES: Final = 120
_DAY_MS: Final = 86_400_000


class Gauge:
    """Reads the player, the observer and the store; changes nothing."""

    def __init__(
        self,
        options: DemoOptions,
        stage: Stage,
        simulation: Simulation,
        player: Player,
        observer: Observer,
        sent: Sent,
    ) -> None:
        self.player = player
        self.observer = observer
        #: Records sent and not yet in a checkpoint.
        self.lag = 0
        self._options = options
        self._stage = stage
        self._simulation = simulation
        self._sent = sent
        self._in, self._out = Rates(), Rates()
        self._latency: Percentiles | None = None
        self._latencies: list[float] = []
        self._played: float | None = None
        self._seconds: float | None = None
        truth = simulation.truth
        trouble = {m: name for name, episode in truth.hard_negatives.items() for m in episode.merchants}
        self._attackers = frozenset(truth.attackers())
        self._labels = trouble | truth.attackers()

    @property
    def elapsed(self) -> float:
        """Seconds since the first record was sent."""
        started = self.player.started
        return 0.0 if started is None else time.monotonic() - started

    def sample(self) -> None:
        """Look at everything once; to be called a few times a second."""
        now = time.monotonic()
        if not self.player.playing and self._played is None:
            self._played = self.elapsed
        # First what was sent: what is sent while the checkpoints are read is not behind.
        ends = list(self._sent.ends())
        checkpointed = self._stage.store.checkpointed()
        self.lag = sum(max(0, end - checkpointed.get(place, 0)) for place, end in ends)
        self._in.add(now, self._sent.total)
        with self.observer.tally() as tally:
            self._out.add(now, tally.total)
            self._latency = tally.recent_percentiles(now)
        if self._latency is not None:
            self._latencies = [*self._latencies[1 - _LATENCIES :], self._latency.p99]

    def done(self) -> None:
        """Everything sent has been worked off."""
        self._seconds = self.elapsed

    def view(self, phase: str) -> PageView:
        """What a page shows now."""
        truth, config = self._simulation.truth, self._simulation.config
        with self.observer.tally() as tally:
            return PageView(
                seed=self._options.seed,
                merchants=truth.merchants,
                phase=phase,
                start=config.start,
                end=config.end,
                event_time=self.player.event_time,
                elapsed=self.elapsed,
                duration=self._options.duration,
                events_in=self._sent.total,
                outputs=tally.total,
                lag=self.lag,
                in_rates=list(self._in.history),
                out_rates=list(self._out.history),
                latency=self._latency,
                latencies=self._latencies,
                score=score(truth, tally.flagged, tally.flagged_for, self.player.event_time),
                riskiest=tally.riskiest(_SHOWN_MERCHANTS),
                enforcements=tally.latest_enforcements(_SHOWN_ENFORCEMENTS),
                labels=self._labels,
                attackers=self._attackers,
                dead_letters=tally.dead_letters.total(),
                last_dead_letter=tally.last_dead_letter,
                brokers=self._stage.settings.kafka.brokers,
                redis_url=self._stage.settings.redis.url,
            )

    def report(self) -> Report:
        """The demo in figures, when all is done and the store still runs."""
        config = self._simulation.config
        played_until = max(self.player.event_time, config.start)
        with self.observer.tally() as tally:
            return Report(
                seed=self._options.seed,
                partitions=self._options.partitions,
                days=(played_until - config.start) / _DAY_MS,
                events_in=self._sent.total,
                played=self._played or 0.0,
                seconds=self._seconds or 0.0,
                outputs=dict(tally.outputs),
                dead_letters=dict(tally.dead_letters),
                latency=tally.percentiles(),
                score=score(self._simulation.truth, tally.flagged, tally.flagged_for, played_until),
                state_bytes=self._stage.store.merchant_bytes(),
            )
