"""Estimates of each day that has ended, as events: the same events in give the same bytes out."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, Literal

import msgspec
from msgspec import Struct

from detectors.metrics.estimate import Estimate
from detectors.metrics.ledger import Ledger
from features.outputs import MetricEstimated
from features.windows import DAY_MS

#: Days that an estimate covers.
WINDOW_DAYS: Final = 30
#: Days after which outcomes are known: the promises, two weeks, and what comes late.
SETTLED_DAYS: Final = 60
_encode: Final = msgspec.json.Encoder().encode


class DailyEstimate(Struct, frozen=True):
    """An event to be published: its id, the end of its period (ms), and its body."""

    identifier: str
    time: int
    name: str
    value: bytes


class DailyEstimates:
    """Notices days that end.

    Call :meth:`until` with the time of each record before the ledger takes it: what it gives is of the days that ended
    before that record, by what the ledger knows then.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._day: int | None = None
        self._first: int | None = None

    def until(self, time: int) -> Iterator[DailyEstimate]:
        """Estimates of the days that ended at a time (ms) or before it and were not given yet."""
        day = time // DAY_MS
        if self._day is None or self._first is None:
            if time > 0:
                self._day = self._first = day
            return
        while self._day < day:
            self._day += 1
            end = self._day * DAY_MS
            self._ledger.advance(end)
            yield from self._of("recent", end, end)
            if self._day - SETTLED_DAYS > self._first:
                yield from self._of("settled", end - SETTLED_DAYS * DAY_MS, end)

    def _of(self, period: Literal["recent", "settled"], end: int, as_of: int) -> Iterator[DailyEstimate]:
        for estimate in self._ledger.estimates(end - WINDOW_DAYS * DAY_MS, end, as_of):
            yield _event(estimate, period, as_of)


def _event(estimate: Estimate, period: Literal["recent", "settled"], as_of: int) -> DailyEstimate:
    # Slices may hold anything; an id is letters, digits and hyphens.
    slice_ = blake2b(_encode(sorted(estimate.slice.items())), digest_size=6).hexdigest()
    body = MetricEstimated(period=period, as_of=as_of, **msgspec.structs.asdict(estimate))
    name = estimate.name.replace("_", "-")
    return DailyEstimate(
        f"metric-{as_of // DAY_MS}-{period}-{name}-{slice_}", estimate.end, estimate.name, _encode(body)
    )
