"""Day buckets as they are stored: short text, of which only the days that changed are written anew.

A busy merchant has a hundred buckets of each kind, and few of them change between two checkpoints. To write all anew
was most of what a checkpoint kept a shard from its records.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeAlias

#: Day -> counters.
Buckets: TypeAlias = dict[int, list[int]]


def pack_buckets(buckets: Buckets, *, lists: bool = False) -> str:
    """Buckets as text: ``days-since-the-entry-before[:counters]``, blank between entries; ``[1]`` needs no counters,
    and a counter of 0 behind the first no text.

    Two to six characters for the usual day, a quarter of what JSON takes, and still readable:
    ``20366 4:1,4598 5:1,,1`` has one order on day 20366, one of 4598 on day 20370, one that went wrong on day 20375.
    Zeros at the end are left out, so that buckets of the same counts are the same text; not of ``lists``, whose length
    says something.
    """
    parts = []
    before = 0
    for day in sorted(buckets):
        parts.append(_part(day - before, buckets[day], lists))
        before = day
    return " ".join(parts)


def _part(step: int, bucket: Sequence[int], lists: bool) -> str:
    """The text of one bucket, so many days after the one before."""
    # No counter but 0 begins with one.
    counters = ",".join(map(str, bucket)).replace(",0", ",")
    if not lists:
        counters = counters.rstrip(",")
    return str(step) if counters == "1" else f"{step}:{counters}"


def unpack_buckets(text: str) -> Buckets:
    """The buckets that :func:`pack_buckets` wrote. Raises ValueError for any other text."""
    buckets: Buckets = {}
    day = 0
    for part in text.split():
        step, colon, counters = part.partition(":")
        day += int(step)
        buckets[day] = [int(counter) if counter else 0 for counter in counters.split(",")] if colon else [1]
    return buckets


class BucketEdits:
    """What became of day buckets since their text was last written.

    Attributes
    ----------
    stale
        Days whose bucket was changed.
    made
        Days that had no bucket before.
    dropped
        How many buckets are no more; they were the oldest.
    whole
        Whether this is not to be told by days: everything has to be written.
    """

    __slots__ = ("dropped", "made", "stale", "whole")

    def __init__(self) -> None:
        self.stale: set[int] = set()
        self.made: set[int] = set()
        self.dropped = 0
        # Text that an older version wrote may be written otherwise than today's.
        self.whole = True

    def drop(self, day: int) -> None:
        """Note that the oldest bucket, that of ``day``, is no more."""
        self.dropped += 1
        if day in self.stale:
            # Whether it is in the text is not known here.
            self.whole = True

    def rewrite(
        self, text: str, days: Sequence[int], counters: Callable[[int], list[int]], *, lists: bool = False
    ) -> str:
        """The text that :func:`pack_buckets` gives, made from the one before.

        Parameters
        ----------
        text
            What was written last.
        days
            The days that have a bucket, sorted.
        counters
            Gives the counters of a day.
        lists
            As for ``pack_buckets``.
        """
        if self.whole:
            text = pack_buckets({day: counters(day) for day in days}, lists=lists)
        else:
            parts = text.split()[self.dropped :]
            again = {bisect_left(days, day) for day in self.stale}
            for day in sorted(self.made):
                # Each stands before those after it, which are counted from it.
                at = bisect_left(days, day)
                parts.insert(at, "")
                again |= {at, at + 1}
            if self.dropped:
                again.add(0)
            for at in again:
                if at < len(days):
                    day = days[at]
                    parts[at] = _part(day - (days[at - 1] if at else 0), counters(day), lists)
            text = " ".join(parts)
        self.stale.clear()
        self.made.clear()
        self.dropped, self.whole = 0, False
        return text
