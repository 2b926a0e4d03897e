"""From what a person says about a simulation's size to its configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from streams.simulator.config import DEFAULT_END, SimulatorConfig
from streams.simulator.knobs import Knobs
from streams.simulator.live import live_config
from streams.simulator.plans import SCENARIO_NAMES, Plan, default_counts

DEFAULT_EVENTS: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What was said, named as the options of ``shopwarden simulate`` are; ``None`` where nothing was.

    ``scenarios``: knobs by name; ``only``: names beside which nothing happens; ``without``: names of what does not.

    Both methods raise ValueError, with a message for people, for what does not go together or is out of range.
    """

    seed: int = 7
    events: int | None = None
    duration: float | None = None
    rate: float | None = None
    span_days: float | None = None
    end: int | None = None
    merchants: int | None = None
    orders_per_day: float | None = None
    scenarios: Mapping[str, Knobs] = field(default_factory=dict)
    only: Sequence[str] = ()
    without: Sequence[str] = ()
    attacks: bool = True

    def config(self, default_end: int = DEFAULT_END) -> SimulatorConfig:
        """A simulation that ends; ``default_end`` (ms) is when, if nothing was said."""
        said = {"--events": self.events, "--duration": self.duration, "--merchants": self.merchants}
        given = [name for name, value in said.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} each say how large the simulation is; give one of them")
        if (self.merchants is None) != (self.orders_per_day is None):
            raise ValueError("--merchants and --orders-per-day go together")
        span_days = 90.0 if self.span_days is None else self.span_days
        end = default_end if self.end is None else self.end
        if self.merchants is not None and self.orders_per_day is not None:
            size: dict[str, Any] = {"merchants": self.merchants, "orders_per_day": self.orders_per_day}
            usual = {name: Plan(count) for name, count in default_counts(self.merchants).items()}
            return SimulatorConfig(seed=self.seed, span_days=span_days, end=end, **size, **self._plans(usual))
        events = self.events or DEFAULT_EVENTS
        if self.duration is not None:
            if self.rate is None:
                raise ValueError("--duration needs --rate, which says how many events that is")
            events = max(1, round(self.duration * self.rate))
        sized = SimulatorConfig.for_events(events, self.seed, span_days=span_days, end=end)
        return replace(sized, **self._plans(sized.plans()))

    def live(self, now: int) -> SimulatorConfig:
        """A simulation that goes on from ``now`` (ms)."""
        said = {
            "--events": self.events,
            "--duration": self.duration,
            "--end": self.end,
            "--merchants": self.merchants,
            "--orders-per-day": self.orders_per_day,
        }
        for name, value in said.items():
            if value is not None:
                raise ValueError(f"{name} does not go with --live, which takes its size from --rate and goes on")
        if self.rate is None:
            raise ValueError("--live needs --rate, which says how many events a second there are")
        history_days = 30.0 if self.span_days is None else self.span_days
        sized = live_config(self.rate, history_days=history_days, now=now, seed=self.seed)
        return replace(sized, **self._plans(sized.plans()))

    def _plans(self, usual: Mapping[str, Plan]) -> dict[str, Any]:
        """The usual plans with all that was said about scenarios."""
        twice = sorted(self.scenarios.keys() & set(self.without))
        if twice:
            raise ValueError(f"{twice[0]} is asked for and left out at once")
        if self.only and not self.attacks:
            raise ValueError("--only and --no-attacks each say what is left out; give one of them")
        kept = set(self.only) or set(SCENARIO_NAMES if self.attacks else ()) - set(self.without)
        plans = {name: usual[name] if name in kept else Plan(0) for name in SCENARIO_NAMES}
        # What is named happens, also where the marketplace is too small to have it by itself.
        asked = dict.fromkeys(self.only, Knobs()) | dict(self.scenarios)
        return plans | {name: knobs.applied_to(usual[name]) for name, knobs in asked.items()}
