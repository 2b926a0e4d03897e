"""ADWIN: an adaptive window that notices when the mean of a bounded stream has changed.

River's own (``river.drift.ADWIN``) lives in compiled code whose state can't be taken out as numbers, so this is the
same algorithm in Python; a test compares the two value by value. Unlike River's class, what remains of the window after
a change is kept, as in the paper.
"""

from math import fsum, log, sqrt
from typing import Final

from msgspec import Struct

from detectors.model import SnapshotMismatch

#: Buckets of one size before two of them are merged into one of twice the size; River's value.
_MOST_BUCKETS: Final = 5
#: Least length of either part of the window, and values before any change is looked for; River's values.
_LEAST_PART: Final = 5
_GRACE: Final = 10
_LARGEST_ROWS: Final = 48


class Shift(Struct, frozen=True):
    """A change that was found: the mean of what was dropped, that of what remains, and how many values that is."""

    before: float
    after: float
    window: int


class AdwinState(Struct, frozen=True, array_like=True):
    """What an :class:`AdaptiveWindow` remembers: sums and variances of the buckets, oldest first within a size."""

    sums: list[list[float]]
    variances: list[list[float]]
    total: float
    variance: float
    width: int
    tick: int


class AdaptiveWindow:
    """A window over the latest values on 0..1 that grows while nothing changes, and is cut where something did.

    The window is split at every bucket; where the means of the two parts differ by more than chance allows at level
    ``delta``, the older is dropped bucket by bucket. Memory grows with the logarithm of the window's length.

    The bound assumes independent values. Those of a shop are not quite (the same merchants, the time of day), so that
    ``delta`` is chosen far below the share of false alarms that it would stand for.

    Parameters
    ----------
    delta
        Confidence of a cut; River's default is 0.002.
    clock
        Changes are looked for once in as many values.

    References
    ----------
    A. Bifet, R. Gavaldà: Learning from time-changing data with adaptive windowing. SDM 2007.
    """

    __slots__ = ("_clock", "_delta", "_sums", "_tick", "_total", "_variance", "_variances", "_width")

    def __init__(self, *, delta: float = 0.002, clock: int = 32) -> None:
        if not 0.0 < delta < 1.0 or clock < 1:
            raise ValueError("an adaptive window needs a delta between 0 and 1 and a clock of at least 1")
        self._delta = delta
        self._clock = clock
        self._sums: list[list[float]] = [[]]
        self._variances: list[list[float]] = [[]]
        self._total = 0.0
        #: Sum of squared deviations from the mean.
        self._variance = 0.0
        self._width = 0
        self._tick = 0

    @property
    def width(self) -> int:
        """Values in the window."""
        return self._width

    @property
    def mean(self) -> float | None:
        """Their mean; ``None`` while there is none."""
        return self._total / self._width if self._width else None

    def update(self, value: float) -> Shift | None:
        """Take a value (0 to 1) in; the change that it reveals, if any.

        Raises
        ------
        ValueError
            The value is outside 0..1, or NaN.
        """
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{value} is not between 0 and 1")
        self._sums[0].append(value)
        self._variances[0].append(0.0)
        self._width += 1
        if self._width > 1:
            distance = value - self._total / (self._width - 1)
            self._variance += (self._width - 1) * distance * distance / self._width
        self._total += value
        if len(self._sums[0]) > _MOST_BUCKETS:
            self._compress()
        self._tick += 1
        if self._tick % self._clock or self._width <= _GRACE:
            return None
        return self._look_for_change()

    def state(self) -> AdwinState:
        """What is remembered, to be stored."""
        return AdwinState(
            [list(row) for row in self._sums],
            [list(row) for row in self._variances],
            self._total,
            self._variance,
            self._width,
            self._tick,
        )

    def restore(self, state: AdwinState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        rows = list(zip(state.sums, state.variances, strict=False))
        if not 0 < len(rows) == len(state.sums) == len(state.variances) <= _LARGEST_ROWS:
            raise SnapshotMismatch("the snapshot's adaptive window has buckets of impossible sizes")
        width = 0
        for exponent, (sums, variances) in enumerate(rows):
            size = 1 << exponent
            if len(sums) != len(variances) or len(sums) > _MOST_BUCKETS:
                raise SnapshotMismatch("the snapshot's adaptive window has buckets too many or too few")
            if not all(0.0 <= each <= size + 1e-6 for each in sums) or not all(-1e-6 <= v <= size for v in variances):
                raise SnapshotMismatch("the snapshot's adaptive window has sums that can't be")
            width += size * len(sums)
        if width != state.width or state.tick < 0 or not abs(fsum(map(fsum, state.sums)) - state.total) < 1e-3:
            raise SnapshotMismatch("the snapshot's adaptive window doesn't add up")
        if not -1e-3 <= state.variance <= width:
            raise SnapshotMismatch("the snapshot's adaptive window has a variance that can't be")
        self._sums = [list(row) for row in state.sums]
        self._variances = [list(row) for row in state.variances]
        self._total, self._variance = state.total, state.variance
        self._width, self._tick = state.width, state.tick

    def _compress(self) -> None:
        """Merge the two oldest buckets of a size where there are too many of them."""
        for exponent, (sums, variances) in enumerate(zip(self._sums, self._variances, strict=True)):
            if len(sums) <= _MOST_BUCKETS:
                return
            if exponent + 1 == len(self._sums):
                self._sums.append([])
                self._variances.append([])
            size = 1 << exponent
            distance = (sums[0] - sums[1]) / size
            self._sums[exponent + 1].append(sums[0] + sums[1])
            self._variances[exponent + 1].append(variances[0] + variances[1] + size * distance * distance / 2)
            del sums[:2], variances[:2]

    def _look_for_change(self) -> Shift | None:
        width, total = self._width, self._total
        while self._has_changed():
            self._drop_oldest()
        dropped = width - self._width
        if not dropped:
            return None
        before = min(1.0, max(0.0, (total - self._total) / dropped))
        return Shift(before, min(1.0, max(0.0, self._total / self._width)), self._width)

    def _has_changed(self) -> bool:
        """Whether somewhere the older and the newer part of the window differ by more than chance allows."""
        width, total = self._width, self._total
        if width < 2 * _LEAST_PART:
            return False
        confidence = log(2.0 * log(width) / self._delta)
        # Where all values are alike, rounding may leave a variance just below 0.
        noise = 2.0 * max(0.0, self._variance) / width * confidence
        older, older_total = 0, 0.0
        for exponent in range(len(self._sums) - 1, -1, -1):
            size = 1 << exponent
            for bucket in self._sums[exponent]:
                older += size
                older_total += bucket
                newer = width - older
                if newer < _LEAST_PART:
                    return False
                if older < _LEAST_PART:
                    continue
                reach = 1.0 / (older - _LEAST_PART + 1) + 1.0 / (newer - _LEAST_PART + 1)
                limit = sqrt(reach * noise) + 2.0 / 3.0 * confidence * reach
                if abs(older_total / older - (total - older_total) / newer) > limit:
                    return True
        return False

    def _drop_oldest(self) -> None:
        """Take the oldest bucket out of the window."""
        size = 1 << (len(self._sums) - 1)
        bucket, variance = self._sums[-1].pop(0), self._variances[-1].pop(0)
        self._width -= size
        self._total -= bucket
        distance = bucket / size - self._total / self._width
        self._variance -= variance + size * self._width * distance * distance / (size + self._width)
        while len(self._sums) > 1 and not self._sums[-1]:
            self._sums.pop()
            self._variances.pop()
