"""Keeps a probability true on average while the world drifts faster than a model's weights may follow."""

from math import log
from typing import Final

from msgspec import Struct

from detectors.model import SnapshotMismatch
from features.windows import DAY_MS

#: Half-life of what was expected and seen, ms: long enough that a good week does not hide a bad one behind it, short
#: enough that a slow season is over when the next begins. On Olist's dev rows 14 to 30 days calibrate alike; shorter
#: ones rank worse, as orders of different weeks are compared too.
HALF_LIFE_MS: Final = 21 * DAY_MS
#: Pseudo-positives, as many expected as seen: what a few labels say is not believed.
STRENGTH: Final = 5.0
#: Log-odds that a correction may reach: more than sevenfold, something is wrong with the model or the labels.
_BOUND: Final = 2.0


class BaseRateState(Struct, frozen=True, array_like=True):
    """What a :class:`BaseRate` has counted."""

    at: int = 0
    expected: float = 0.0
    seen: float = 0.0


class BaseRate:
    """Positives that a model expected among labelled examples against those seen, both decayed over event time.

    Their ratio corrects the odds: with positives as rare as bad orders, it moves the mean probability to the share
    seen (prior correction; M. Saerens, P. Latinne, C. Decaestecker, Neural Computation 14, 2002). It moves all alike,
    so it ranks the orders of one moment as the model does.
    """

    __slots__ = ("_at", "_expected", "_seen", "shift")

    def __init__(self) -> None:
        self._at = 0
        self._expected = 0.0
        self._seen = 0.0
        #: Log-odds to add to the model's own.
        self.shift = 0.0

    def add(self, time: int, expected: float, positive: bool) -> None:
        """Count a label that became known at ``time`` (ms) and the model's own probability of it; a late one counts
        in full.
        """
        elapsed = time - self._at
        if elapsed > 0:
            if self._at:
                factor = 0.5 ** (elapsed / HALF_LIFE_MS)
                self._expected *= factor
                self._seen *= factor
            self._at = time
        self._expected += expected
        if positive:
            self._seen += 1.0
        self._refresh()

    def revise(self, learned_at: int, positive: bool) -> None:
        """A label counted at ``learned_at`` (ms) turned out to be the opposite, ``positive``."""
        weight = 0.5 ** (max(0, self._at - learned_at) / HALF_LIFE_MS)
        self._seen = self._seen + weight if positive else max(0.0, self._seen - weight)
        self._refresh()

    def state(self) -> BaseRateState:
        """What was counted, to be stored."""
        return BaseRateState(self._at, self._expected, self._seen)

    def restore(self, state: BaseRateState) -> None:
        """Continue from a state; :class:`~detectors.model.SnapshotMismatch` when its numbers can't be."""
        if state.at < 0 or not all(0.0 <= value < float("inf") for value in (state.expected, state.seen)):
            raise SnapshotMismatch("the snapshot's base rate has counts that can't be")
        self._at, self._expected, self._seen = state.at, state.expected, state.seen
        self._refresh()

    def _refresh(self) -> None:
        shift = log((self._seen + STRENGTH) / (self._expected + STRENGTH))
        self.shift = min(max(shift, -_BOUND), _BOUND)
