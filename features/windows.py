"""Hard windows over event time, exact to the day.

Counters are kept per day (UTC) in sparse buckets, and running sums over the last 7, 30, 60 and 90 days are kept
beside them. A window of W days that ends L days before day D (the lag) holds the days from ``D - L - W + 1`` to ``D -
L``, both inclusive. An event counts in the bucket of its own day, however late it arrives; buckets of days still to
come wait until D reaches them.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

#: Milliseconds of a day.
DAY_MS: Final = 86_400_000
#: Window lengths, days.
WINDOWS: Final = (7, 30, 60, 90)
#: A merchant quiet for longer is summed afresh: cheaper than stepping day by day.
_STEP_LIMIT: Final = 16

Buckets: TypeAlias = dict[int, list[int]]
_ONE: Final = [1]


class DayCounters:
    """Counters per day with running sums over :data:`WINDOWS`, for each of some lags.

    Parameters
    ----------
    width
        Number of counters.
    day
        The current day D.
    buckets
        Day -> counters, owned by the caller's record (it is what is stored); a bucket may be shorter than ``width``,
        the rest is zero.
    lags
        Lags in days, ascending; sums are kept for each.
    """

    __slots__ = ("_entering", "_horizon", "_leaving", "buckets", "day", "lags", "sums", "width")

    def __init__(self, width: int, day: int, buckets: Buckets, lags: Sequence[int] = (0,)) -> None:
        self.width = width
        self.day = day
        self.buckets = buckets
        self.lags = tuple(lags)
        self._horizon = self.lags[-1] + WINDOWS[-1]
        #: One flat list a lag: the sum of counter ``f`` in window ``w`` stands at ``w * width + f``.
        self.sums: list[list[int]] = []
        self._sum_afresh()

    def add(self, day: int, counter: int, amount: int) -> None:
        """Add to a counter in the bucket of a day: past, present or still to come.

        What is older than every window is left out: no sum could ever see it.
        """
        age = self.day - day
        if age >= self._horizon:
            return
        bucket = self.buckets.get(day)
        if bucket is None:
            self.buckets[day] = bucket = [0] * (counter + 1)
        elif len(bucket) <= counter:
            bucket.extend([0] * (counter + 1 - len(bucket)))
        bucket[counter] += amount
        if age < 0:
            return
        width = self.width
        for lag, sums in self._entering:
            lagged = age - lag
            if 0 <= lagged < 90:
                sums[3 * width + counter] += amount
                if lagged < 60:
                    sums[2 * width + counter] += amount
                    if lagged < 30:
                        sums[width + counter] += amount
                        if lagged < 7:
                            sums[counter] += amount

    def advance(self, day: int) -> None:
        """Move on to a later day; an earlier one changes nothing."""
        steps = day - self.day
        if steps <= 0:
            return
        buckets = self.buckets
        if not buckets:
            self.day = day
            return
        if steps > _STEP_LIMIT:
            self.day = day
            oldest = day - self._horizon
            for old in [d for d in buckets if d <= oldest]:
                del buckets[old]
            self._sum_afresh()
            return
        width = self.width
        get = buckets.get
        for today in range(self.day + 1, day + 1):
            for lag, sums in self._entering:
                bucket = get(today - lag)
                if bucket is not None:
                    for counter, amount in enumerate(bucket):
                        if amount:
                            sums[counter] += amount
                            sums[width + counter] += amount
                            sums[2 * width + counter] += amount
                            sums[3 * width + counter] += amount
            for age, start, sums in self._leaving:
                bucket = get(today - age)
                if bucket is not None:
                    for at, amount in enumerate(bucket, start):
                        sums[at] -= amount
            buckets.pop(today - self._horizon, None)
        self.day = day

    def sum(self, counter: int, window: int, lag: int = 0) -> int:
        """Sum of a counter over the window at index ``window`` of :data:`WINDOWS`, at the lag of that index."""
        return self.sums[lag][window * self.width + counter]

    def _sum_afresh(self) -> None:
        width = self.width
        self.sums = []
        for lag in self.lags:
            sums = [0] * (width * len(WINDOWS))
            for day, bucket in self.buckets.items():
                age = self.day - day - lag
                if 0 <= age < WINDOWS[-1]:
                    for window, length in enumerate(WINDOWS):
                        if age < length:
                            for counter, amount in enumerate(bucket):
                                sums[window * width + counter] += amount
            self.sums.append(sums)
        #: Which sums a day enters at which age, and which it leaves: age, first position, sums.
        self._entering = list(zip(self.lags, self.sums, strict=True))
        self._leaving = [
            (lag + length, window * width, sums)
            for lag, sums in self._entering
            for window, length in enumerate(WINDOWS)
        ]


def day_of(time: int) -> int:
    """Day number (UTC) of a time in ms: days since 1970-01-01."""
    return time // DAY_MS


def pack_buckets(buckets: Buckets) -> str:
    """Buckets as text: ``days-since-the-entry-before[:counters]``, blank between entries; ``[1]`` needs no counters.

    Two to six characters for the usual day, a quarter of what JSON takes, and still readable:
    ``20366 4:1,4598 5`` has one order on day 20366, one of 4598 on day 20370, one on day 20375.
    """
    parts = []
    before = 0
    for day in sorted(buckets):
        bucket = buckets[day]
        parts.append(str(day - before) if bucket == _ONE else f"{day - before}:{','.join(map(str, bucket))}")
        before = day
    return " ".join(parts)


def unpack_buckets(text: str) -> Buckets:
    """The buckets that :func:`pack_buckets` wrote. Raises ValueError for any other text."""
    buckets: Buckets = {}
    day = 0
    for part in text.split():
        step, colon, counters = part.partition(":")
        day += int(step)
        buckets[day] = [int(counter) for counter in counters.split(",")] if colon else [1]
    return buckets
