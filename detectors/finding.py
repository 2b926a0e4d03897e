"""What the detectors say of one subject: a level, how strongly, and why."""

from typing import Final

from msgspec import Struct

from detectors.rules import Rule
from features.outputs import Detector, Reason

#: Points of the ordinal score that one level spans: five levels make 1000.
_BAND: Final = 200


class Finding(Struct):
    """What detectors say of one subject: level, strength within the level, and why."""

    level: int = 0
    strength: float = 0.0
    fired: list[Rule] = []
    reasons: list[Reason] = []
    detectors: list[Detector] = []
    values: dict[str, float] = {}

    def raise_to(self, level: int, strength: float) -> None:
        """Take a detector's opinion into account: the worst one decides, strength breaks ties."""
        if level > self.level or (level == self.level and strength > self.strength):
            self.level, self.strength = level, strength

    @property
    def score(self) -> int:
        """Ordinal score, 0 to 1000: a band of 200 a level, by strength within it."""
        return min(1000, self.level * _BAND + round(self.strength * (_BAND - 1)))
