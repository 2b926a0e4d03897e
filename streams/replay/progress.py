"""How far a replay has come."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Self

from msgspec import Struct


class Reached(Struct, frozen=True, array_like=True):
    """How far.

    Attributes
    ----------
    records
        Applied so far.
    moment
        How far event time has come, ms.
    late
        Records of an archive that came too late for their round.
    part
        The share of the input that was read, 0 to 1.
    """

    records: int = 0
    moment: int = 0
    late: int = 0
    part: float = 0.0

    @classmethod
    def together(cls, each: Iterable[Self]) -> "Reached":
        """What several processes have reached: time is that of the slowest."""
        found = list(each)
        return Reached(
            sum(one.records for one in found),
            min(one.moment for one in found),
            sum(one.late for one in found),
            min(one.part for one in found),
        )


def described(reached: Reached, seconds: float) -> str:
    """Where a replay is after so many seconds, and about how long it will go on."""
    day = datetime.fromtimestamp(reached.moment / 1000, UTC).strftime("%Y-%m-%d")
    if not 0 < reached.part < 1:
        return day
    return f"{day}, {reached.part:.0%}, {_clock(seconds * (1 - reached.part) / reached.part)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
