"""Metrics of any process of ours: its version, its memory and what memory it may have."""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.telemetry.families import gauge

#: Where a container's limit stands: of cgroup version 2, then 1.
_LIMITS: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
#: Version 1 writes a number near 2^63 where there is no limit.
_NO_LIMIT: Final = 2**60


def memory_limit(places: Iterable[Path] = _LIMITS) -> float:
    """Bytes of memory that the container may have; infinite without a limit, or where that is not known."""
    for place in places:
        try:
            text = place.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit() and int(text) < _NO_LIMIT:
            return float(text)
    return inf


class ProcessMetrics(Collector):
    """``shopwarden_build_info`` and ``shopwarden_memory_limit_bytes``."""

    def __init__(self, role: str) -> None:
        self._labels = (version("shopwarden"), platform.python_version(), role)
        self._limit = memory_limit()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The families."""
        yield gauge(
            "shopwarden_build_info",
            "Version of Shopwarden and of Python, and what the process does; always 1.",
            [(self._labels, 1)],
            ("version", "python", "role"),
        )
        yield gauge(
            "shopwarden_memory_limit_bytes",
            "Memory that the container of the process may have; +Inf without a limit.",
            self._limit,
        )


def process_registry(role: str) -> CollectorRegistry:
    """A registry with what every process has: ours, and ``process_*`` and ``python_gc_*`` of the client library."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(ProcessMetrics(role))
    return registry
