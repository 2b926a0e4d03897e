"""A deployment for one run of the worker: the defaults, but for addresses, names and the timeouts of joining."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from config.settings import Settings


@dataclass(frozen=True)
class Deployment:
    """Inputs with the prefix ``inputs`` and so many ``partitions``; outputs, group and keys of the ``run``'s own."""

    brokers: str
    redis_url: str
    run: str
    inputs: str
    partitions: int

    @cached_property
    def settings(self) -> Settings:
        """What a worker of this deployment sees, whatever the environment of the benchmark says."""
        return Settings(**self._sections())

    def environment(self) -> dict[str, str]:
        """Our environment with this deployment's variables, and no other settings."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("SHOPWARDEN_")}
        for section, values in self._sections().items():
            if isinstance(values, dict):
                for name, value in values.items():
                    variables[f"SHOPWARDEN_{section}__{name}".upper()] = str(value)
            else:
                variables[f"SHOPWARDEN_{section}".upper()] = str(values)
        return variables

    def _sections(self) -> dict[str, Any]:
        outputs = ("events", "merchant_standing", "creator_standing", "dead_letters")
        return {
            # The embedded broker waits for half of the rebalance timeout whenever a worker joins.
            "kafka": {"brokers": self.brokers, "session_timeout_s": 6, "rebalance_timeout_s": 2},
            "redis": {"url": self.redis_url},
            "topics": {
                "prefix": self.inputs,
                "partitions": self.partitions,
                # Records carry the simulation's times, which a broker would find too old to keep.
                "retention_inputs_days": 0,
                **{topic: f"{self.inputs}{self.run}.{topic}" for topic in outputs},
            },
            "worker": {"group_id": self.run, "namespace": self.run, "log_level": "WARNING"},
            # Any will do for simulated buyers.
            "pseudonym_key": "benchmark-benchmark-benchmark",
        }
