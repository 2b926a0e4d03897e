"""The recorded stream: dev Olist (where its files are) and a simulated marketplace, merged by time, without an end.

Olist's sparse years are moved so that they begin with the simulation, which is sized to bring about as many events a
day. A simulated marketplace lasts half a year; then the next begins, with other merchants, so a run may be as long as
it likes. Event time runs far ahead of the wall clock: windows move, promises break, records reach their retention.
"""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

from streams.archive import ArchiveRecord
from streams.olist import read_olist
from streams.simulator import Simulation, SimulatorConfig

OLIST = Path(__file__).parents[3] / "shared" / "data" / "olist"
DAY_MS = 86_400_000
#: 2019-01-01, far from the present of whoever runs this: no tick of the clock gets in.
START = 1_546_300_800_000
#: When Olist's trade became brisk, 2017-02-01.
OLIST_START = 1_485_907_200_000
SEASON_DAYS = 180
SEASON_EVENTS = 20_000


def recorded_stream(seed: int, *, olist: bool = True) -> Iterator[ArchiveRecord]:
    """Records in the order of their times; the same seed gives the same."""
    sources = [simulated(seed)]
    if olist and OLIST.is_dir():
        sources.append(moved_olist())
    return heapq.merge(*sources, key=lambda record: record.timestamp or 0)


def simulated(seed: int) -> Iterator[ArchiveRecord]:
    """One marketplace after the other."""
    for season in count():
        end = START + (season + 1) * SEASON_DAYS * DAY_MS
        config = SimulatorConfig.for_events(SEASON_EVENTS, seed + season, span_days=SEASON_DAYS, end=end)
        for record in Simulation(config):
            yield ArchiveRecord(record.topic, record.key, record.value, record.timestamp)


def moved_olist() -> Iterator[ArchiveRecord]:
    """Olist from its brisk time on, as if that had begun with the simulation."""
    # By the import's own option: a clock that is years behind.
    history = read_olist(OLIST, utc_offset=timedelta(milliseconds=OLIST_START - START))
    return (record for record in history.records if (record.timestamp or 0) >= START)
