"""Hard windows over event time, exact to the day.

Counters are kept per day (UTC) in sparse buckets, and running sums over the last 7, 30, 60 and 90 days are kept
beside them. A window of W days that ends L days before day D (the lag) holds the days from ``D - L - W + 1`` to ``D -
L``, both inclusive. An event counts in the bucket of its own day, however late it arrives; buckets of days still to
come wait until D reaches them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from features.bucket_text import BucketEdits, Buckets

#: Milliseconds of an hour and of a day.
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
#: Window lengths, days.
WINDOWS: Final = (7, 30, 60, 90)
#: A merchant quiet for longer is summed afresh: cheaper than stepping day by day.
_STEP_LIMIT: Final = 16


def days_in_ms(days: float) -> int:
    """Days, or a part of one, in ms."""
    return round(days * DAY_MS)


class _Layout:
    """Where counters of a width and lags stand among the running sums, and at which ages a bucket moves them.

    ``entering[age]`` and ``leaving[age]`` are the first positions of the windows that a bucket enters, or leaves, when
    it becomes that old; ``inside[age]`` those of the windows that hold it.
    """

    __slots__ = ("crossings", "entering", "horizon", "inside", "leaving", "size", "within")

    def __init__(self, width: int, lags: tuple[int, ...]) -> None:
        windows = [(lag, lag + length) for lag in lags for length in WINDOWS]
        starts = [width * index for index in range(len(windows))]
        self.size = width * len(windows)
        #: Age at which a bucket has left every window.
        self.horizon = lags[-1] + WINDOWS[-1]
        ages = range(self.horizon + 1)
        bounds = list(zip(starts, windows, strict=True))
        self.entering = [tuple(start for start, (first, _) in bounds if first == age) for age in ages]
        self.leaving = [tuple(start for start, (_, end) in bounds if end == age) for age in ages]
        self.inside = [tuple(start for start, (first, end) in bounds if first <= age < end) for age in ages]
        #: One bit for each age at which anything moves: bit ``horizon - age``.
        self.crossings = sum(1 << (self.horizon - age) for age in ages if self.entering[age] or self.leaving[age])
        #: One bit for each age from which a bucket moves anything within so many days.
        self.within = [0]
        for days in range(1, _STEP_LIMIT + 1):
            self.within.append(self.within[-1] | self.crossings << days)


_layout = lru_cache(maxsize=32)(_Layout)


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

    Attributes
    ----------
    changed
        Whether any bucket has changed since the text of :meth:`packed`.
    sums
        The sum of counter ``f`` in window ``w`` at lag number ``l`` stands at ``(l * 4 + w) * width + f``.
    """

    # Most days nothing enters or leaves a window, as most merchants don't sell every day. So the days that have a
    # bucket are kept as bits of one number as well, bit ``horizon - age``: a day on is a shift, and what that moves is
    # the bits in common with the ages at which anything moves. That takes a third of looking each of them up.
    __slots__ = ("_days", "_edits", "_layout", "_stale", "buckets", "changed", "day", "sums", "width")

    def __init__(self, width: int, day: int, buckets: Buckets, lags: Sequence[int] = (0,)) -> None:
        self.width = width
        self.day = day
        self.buckets = buckets
        self.changed = False
        self._edits = BucketEdits()
        self._stale = self._edits.stale
        self._layout = _layout(width, tuple(lags))
        self.sums: list[int] = []
        self._days = 0
        self._sum_afresh()

    def add(self, day: int, counter: int, amount: int) -> None:
        """Add to a counter in the bucket of a day: past, present or still to come.

        What is older than every window is left out: no sum could ever see it.
        """
        age = self.day - day
        layout = self._layout
        if age >= layout.horizon:
            return
        bucket = self.buckets.get(day)
        if bucket is None:
            self.buckets[day] = bucket = [0] * (counter + 1)
            self._days |= 1 << (layout.horizon - age)
            self._edits.made.add(day)
        elif len(bucket) <= counter:
            bucket.extend([0] * (counter + 1 - len(bucket)))
        bucket[counter] += amount
        self.changed = True
        self._stale.add(day)
        if age >= 0:
            sums = self.sums
            for start in layout.inside[age]:
                sums[start + counter] += amount

    def advance(self, day: int) -> None:
        """Move on to a later day; an earlier one changes nothing."""
        steps = day - self.day
        if steps <= 0:
            return
        layout = self._layout
        days = self._days
        if steps > _STEP_LIMIT:
            self.day = day
            oldest = day - layout.horizon
            for old in [d for d in self.buckets if d <= oldest]:
                del self.buckets[old]
                self._edits.drop(old)
                self.changed = True
            self._sum_afresh()
            return
        if not days & layout.within[steps]:
            # Nothing moves in all these days.
            self._days = days >> steps
            self.day = day
            return
        crossings = layout.crossings
        for today in range(self.day + 1, day + 1):
            days >>= 1
            moved = days & crossings
            if moved:
                self._cross(today, moved)
        self._days = days
        self.day = day

    def _cross(self, today: int, moved: int) -> None:
        """Move the buckets at these bits into and out of windows, now that it is ``today``."""
        layout = self._layout
        sums = self.sums
        while moved:
            lowest = moved & -moved
            moved ^= lowest
            age = layout.horizon + 1 - lowest.bit_length()
            bucket = self.buckets[today - age]
            for start in layout.entering[age]:
                for at, amount in enumerate(bucket, start):
                    sums[at] += amount
            for start in layout.leaving[age]:
                for at, amount in enumerate(bucket, start):
                    sums[at] -= amount
            if age == layout.horizon:
                del self.buckets[today - age]
                self._edits.drop(today - age)
                self.changed = True

    def packed(self, text: str) -> str:
        """The buckets as :func:`~features.bucket_text.pack_buckets` writes them, given the text of the time before."""
        if not self.changed:
            return text
        self.changed = False
        return self._edits.rewrite(text, sorted(self.buckets), self.buckets.__getitem__)

    def sum(self, counter: int, window: int, lag: int = 0) -> int:
        """Sum of a counter over the window at index ``window`` of :data:`WINDOWS`, at the lag of that index."""
        return self.sums[(lag * len(WINDOWS) + window) * self.width + counter]

    def _sum_afresh(self) -> None:
        layout = self._layout
        self.sums = sums = [0] * layout.size
        self._days = 0
        for day, bucket in self.buckets.items():
            age = self.day - day
            if age < layout.horizon:
                self._days |= 1 << (layout.horizon - age)
                if age >= 0:
                    for start in layout.inside[age]:
                        for at, amount in enumerate(bucket, start):
                            sums[at] += amount
