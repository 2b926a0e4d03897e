"""Steady traffic with event time that runs far ahead: marketplaces come and go, and records reach their retention."""

import heapq
from collections.abc import Iterator
from itertools import count

from streams.archive import ArchiveRecord
from streams.simulator import Simulation, SimulatorConfig

DAY_MS = 86_400_000
#: 2020-01-01, far from the present of whoever runs this: no tick of the clock gets in.
START = 1_577_836_800_000
SEASON_DAYS = 60


def traffic(seed: int, events_per_day: float) -> Iterator[ArchiveRecord]:
    """Two rows of marketplaces of sixty days each, one after the other; the second row is half a season behind, so
    that neither their beginnings nor their ends make the load jump. Every marketplace has merchants of its own.
    """
    rows = [
        _row(seed * 1000 + 500 * number, events_per_day / 2, START + number * SEASON_DAYS * DAY_MS // 2)
        for number in range(2)
    ]
    return heapq.merge(*rows, key=lambda record: record.timestamp or 0)


def _row(seed: int, events_per_day: float, start: int) -> Iterator[ArchiveRecord]:
    events = max(5000, round(events_per_day * SEASON_DAYS))
    for season in count():
        end = start + (season + 1) * SEASON_DAYS * DAY_MS
        config = SimulatorConfig.for_events(events, seed + season, span_days=SEASON_DAYS, end=end)
        for record in Simulation(config):
            yield ArchiveRecord(record.topic, record.key, record.value, record.timestamp)
