"""What was asked for, and the settings that follow from it."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from config.settings import Settings
from config.sources import DELIMITER, PREFIX
from streams.embedded import FETCH_WAIT_MS
from streams.simulator import SimulatorConfig

#: Simulated time that is played: long enough for the 90-day windows to fill and for outcomes to arrive.
SPAN_DAYS: Final = 90.0
#: Fewer events make no marketplace with attacks in it.
LEAST_EVENTS: Final = 5_000
#: The embedded broker lets a join wait for half of the larger one.
_REBALANCE_SECONDS: Final = 1
_SESSION_SECONDS: Final = 3


class DemoOptions(Struct, frozen=True, kw_only=True):
    """``duration`` in seconds of playing, ``rate`` in events a second; ``policies`` is a folder of policy files;
    ``console``: whether there is a console too.
    """

    duration: float
    rate: float
    seed: int
    partitions: int
    policies: Path | None = None
    console: bool = False

    def __post_init__(self) -> None:
        if self.duration * self.rate < LEAST_EVENTS:
            raise ValueError(
                f"{self.duration:g} s at {self.rate:g} events/s are {self.duration * self.rate:,.0f} events, and a "
                f"marketplace with attacks needs at least {LEAST_EVENTS:,}; play longer or faster"
            )

    def marketplace(self) -> SimulatorConfig:
        """The simulation that takes about so long at about this rate."""
        return SimulatorConfig.for_events(round(self.duration * self.rate), self.seed, span_days=SPAN_DAYS)


def demo_values(options: DemoOptions, brokers: str, redis_url: str) -> dict[str, Any]:
    """Settings of everything in the demo, nested as in a TOML file. The pseudonym key is a new one each time."""
    values: dict[str, Any] = {
        "kafka": {
            "brokers": brokers,
            "rebalance_timeout_s": _REBALANCE_SECONDS,
            "session_timeout_s": _SESSION_SECONDS,
            "fetch_max_wait_ms": FETCH_WAIT_MS,
        },
        "redis": {"url": redis_url},
        # Records carry the simulation's time, which lies in the past: a broker that deletes by it would delete them.
        "topics": {"partitions": options.partitions, "retention_inputs_days": 0},
        "worker": {"log_format": "console"},
        "pseudonym_key": secrets.token_hex(32),
    }
    if options.policies is not None:
        values["policy_dir"] = str(options.policies.resolve())
    return values


def demo_settings(values: Mapping[str, Any]) -> Settings:
    """The settings as an object. No environment and no file has a say, so that the demo is the same everywhere."""
    return Settings(**values)


def worker_environment(values: Mapping[str, Any]) -> dict[str, str]:
    """The environment of this process with all of its Shopwarden variables replaced by the demo's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for name, value in values.items():
        if isinstance(value, Mapping):
            environment |= {f"{PREFIX}{name}{DELIMITER}{key}".upper(): str(item) for key, item in value.items()}
        else:
            environment[f"{PREFIX}{name}".upper()] = str(value)
    return environment
