"""A deployment for one run of the worker: the defaults, but for addresses, names and the timeouts of joining."""

from streams.embedded import FETCH_WAIT_MS
from tests.deployment import Deployment

__all__ = ["Deployment", "benchmark_deployment"]


def benchmark_deployment(brokers: str, redis_url: str, run: str, inputs: str, partitions: int) -> Deployment:
    """Inputs with the prefix ``inputs`` and so many ``partitions``; outputs, group and keys of the ``run``'s own."""
    # The embedded broker waits for half of the rebalance timeout whenever a worker joins, and for a part of the fetch's
    # time whatever comes.
    kafka = {"rebalance_timeout_s": 2, "fetch_max_wait_ms": FETCH_WAIT_MS}
    return Deployment(brokers, redis_url, inputs, run, partitions, kafka=kafka, defaults={"log_level": "WARNING"})
