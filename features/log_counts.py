"""Counts of positive figures per logarithmic bin: a median and a low decile that adapt, in little memory."""

from math import exp, floor, log
from typing import Final

from msgspec import Struct, field

#: Width of a bin in natural log units: about 10 %.
BIN: Final = 0.1
#: When so many are counted, every count is halved: the past fades, and a bin of one is forgotten.
FADING: Final = 4_000
#: Outliers are figures like others once they are more than one in so many.
OUTLIER_PART: Final = 4


class LogCounts(Struct, array_like=True):
    """Figures counted per bin; the median and the lowest tenth are exact to a bin."""

    total: int = 0
    bins: dict[int, int] = field(default_factory=dict)
    #: Cached bins of the median and of the lowest tenth, and how many figures came since they were computed.
    median_bin: int = 0
    tenth_bin: int = 0
    changes: int = 0
    #: Figures that were far below and were not counted.
    outliers: int = 0

    def add(self, figure: float) -> None:
        """Count a figure above zero."""
        at = floor(log(figure) / BIN)
        bins = self.bins
        bins[at] = bins.get(at, 0) + 1
        self.total += 1
        self.changes += 1
        if self.total >= FADING:
            self.bins = {each: count >> 1 for each, count in sorted(bins.items()) if count > 1}
            self.total = sum(self.bins.values())
            self.outliers >>= 1

    def add_outlier(self, figure: float) -> None:
        """Count a figure that lies far below the others only if such are no exceptions any more.

        A few who send empty boxes must not move the line that they are judged by; a category that has changed must.
        """
        self.outliers += 1
        if self.outliers * OUTLIER_PART > self.total:
            self.add(figure)

    def far_below(self, least: float, spreads: float) -> float:
        """The figure under which one is far below the others: below the median by ``least`` in log units and by
        ``spreads`` times the distance of median and lowest tenth. Counts must not be empty.
        """
        # Quantiles of many move slowly: recomputed when 5 % of the figures are new.
        if self.changes * 20 >= self.total:
            self._find()
        return exp((self.median_bin + 0.5) * BIN - max(least, spreads * (self.median_bin - self.tenth_bin) * BIN))

    def _find(self) -> None:
        tenth, half = self.total / 10, self.total / 2
        seen, found = 0, False
        for at in sorted(self.bins):
            seen += self.bins[at]
            if not found and seen >= tenth:
                self.tenth_bin, found = at, True
            if seen >= half:
                self.median_bin = at
                break
        self.changes = 0
