"""Who may enter the reference that others are compared with: extremes only up to a bounded share.

A model that learns whatever comes takes a burst of like anomalies for the new normal after a window or two. One that
learns nothing unusual narrows itself down, and never follows when the world has changed. Here unusual points are
learned as long as they stay about as rare as unusual points always are; what goes beyond that is scored and left out,
until unusual points have been most of what comes for so long that they are what is usual now.
"""

from typing import Final

from msgspec import Struct

from detectors.model import SnapshotMismatch

#: A point is extreme above this percentile of the reference.
_EXTREME: Final = 0.95
#: The most that extremes may make up of the latest points learned. By chance, 5 % are; over about 500 points that share
#: varies by 0.7 points.
_LARGEST_SHARE: Final = 0.075
_RECENT: Final = 500
#: From this share on, of all points over the memory, extremes are what is usual now.
_NEW_NORMAL: Final = 0.5


class ShareState(Struct, frozen=True, array_like=True):
    """Decayed shares of extremes: among the points learned, and among all."""

    learned: float
    all: float


class BoundedShare:
    """Decides point by point, from its percentile, whether it is learned.

    Parameters
    ----------
    memory
        Points over which it is judged what is usual: when all points are extreme, they are learned again after 0.7
        times as many.
    """

    __slots__ = ("_all", "_learned", "_pace")

    def __init__(self, memory: int) -> None:
        self._pace = 1.0 / memory
        self._learned = 0.0
        self._all = 0.0

    def admits(self, percentile: float | None) -> bool:
        """Whether a point of this percentile is to be learned, and note that it came; ``None`` (warm-up) always is."""
        if percentile is None:
            return True
        extreme = 1.0 if percentile > _EXTREME else 0.0
        self._all += self._pace * (extreme - self._all)
        if extreme and self._learned > _LARGEST_SHARE and self._all < _NEW_NORMAL:
            return False
        self._learned += (extreme - self._learned) / _RECENT
        return True

    def state(self) -> ShareState:
        """What was learned, to be stored."""
        return ShareState(self._learned, self._all)

    def restore(self, state: ShareState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        if not (0.0 <= state.learned <= 1.0 and 0.0 <= state.all <= 1.0):
            raise SnapshotMismatch("the snapshot's shares of extremes are outside 0..1")
        self._learned, self._all = state.learned, state.all
