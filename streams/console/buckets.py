"""Token buckets: how often somebody may do something."""

import time
from collections.abc import Callable


class Buckets:
    """A bucket for each key: ``most`` at once, refilled in ``seconds``.

    Parameters
    ----------
    clock
        Seconds, rising.
    keys
        Keys that are remembered; beyond that those that are full again are forgotten.
    """

    def __init__(
        self, most: float, seconds: float, clock: Callable[[], float] = time.monotonic, keys: int = 10_000
    ) -> None:
        self._most = most
        self._rate = most / seconds
        self._clock = clock
        self._keys = keys
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> bool:
        """Take one; False if there is none left now."""
        left = self.left(key)
        if left < 1:
            return False
        self._left[key] = (left - 1, self._clock())
        if len(self._left) > self._keys:
            self._left = {each: kept for each, kept in self._left.items() if self.left(each) < self._most}
        return True

    def left(self, key: str) -> float:
        """How many are left now."""
        left, at = self._left.get(key, (self._most, self._clock()))
        return min(self._most, left + (self._clock() - at) * self._rate)
