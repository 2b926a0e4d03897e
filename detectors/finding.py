"""What the detectors say of one subject: a level, how strongly, and why."""

from typing import Final

from msgspec import Struct

from detectors.rules import Rule
from features.outputs import Detector, Reason
from features.registry import FEATURES, Context
from features.subject_texts import TEXTS

#: Points of the ordinal score that one level spans: five levels make 1000.
_BAND: Final = 200


class Finding(Struct):
    """What detectors say of one subject: level, strength within the level, and why.

    ``reasons``, ``detectors`` and ``values`` (of the features that the reasons name) are empty until :meth:`explain`:
    rules that go on standing against a merchant fire at every assessment, and are news once.
    """

    level: int = 0
    strength: float = 0.0
    fired: list[Rule] = []
    reasons: list[Reason] = []
    detectors: list[Detector] = []
    values: dict[str, float] = {}
    #: What the rules fired on, where it is at hand.
    context: Context | None = None

    def raise_to(self, level: int, strength: float) -> None:
        """Take a detector's opinion into account: the worst one decides, strength breaks ties."""
        if level > self.level or (level == self.level and strength > self.strength):
            self.level, self.strength = level, strength

    def explain(self, context: Context) -> None:
        """Explain each rule that fired, in words and figures."""
        if self.reasons:
            return
        for rule in self.fired:
            values = {name: FEATURES[name].get(context) for name in rule.features}
            texts = {name: TEXTS[name](context) for name in rule.reason.texts}
            self.reasons.append(rule.explain(values, texts))
            self.detectors.append(Detector(f"rule:{rule.id}", str(rule.version), rule.weight))
            for name, value in values.items():
                if value is not None:
                    self.values[name] = float(f"{value:.6g}")

    @property
    def score(self) -> int:
        """Ordinal score, 0 to 1000: a band of 200 a level, by strength within it."""
        return min(1000, self.level * _BAND + round(self.strength * (_BAND - 1)))
