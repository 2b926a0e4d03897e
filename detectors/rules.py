"""Policy rules and groups of them: the part of the judgement that people wrote."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from msgspec import Struct

from config.policy_specs import DetectorFamily, Mode, RuleSubject
from detectors.expressions import Expression
from detectors.levels import LEVEL_RANK
from detectors.reason_text import ReasonText
from detectors.rule_code import Condition, bind_conditions, compile_conditions
from features.outputs import Level, Reason

Values: TypeAlias = Sequence[float | None]
C = TypeVar("C")


class Rule(Struct, frozen=True, kw_only=True, eq=False):
    """A compiled rule.

    It fires when every feature named in ``when`` and ``evidence`` is known (or has a stand-in in ``nulls``), each
    feature of ``evidence`` is at least the number beside it, and ``when`` holds. ``weight`` (0 to 1) is its share of
    the judgement.
    """

    id: str
    version: str
    title: str
    #: Code of the taxonomy in the statements section, as ``counterfeit``.
    policy: str
    subject: RuleSubject
    #: Event types that have the rule evaluated; none for merchant rules, which are whenever the merchant is assessed.
    on: tuple[str, ...]
    when: Expression
    evidence: dict[str, float]
    nulls: dict[str, float]
    severity: Level
    weight: float
    reason: ReasonText
    observed: str | None
    expected: float | str | None
    window: str | None
    mode: Mode
    #: Name of a ladder; without one the rule only adds to the assessment.
    action: str | None
    #: Ladder that follows where a person, asked by ``action``, finds a violation.
    confirmed: str | None = None
    #: What its actions are limited to; None: nothing.
    limited_to: str | None = None
    #: Family of what the rule reads; two families that agree are independent. One without a family agrees with nobody.
    detector: DetectorFamily | None = None
    #: Where the figures come from.
    source: str | None = None
    #: File and line of the rule.
    place: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature that the rule needs or shows, each once."""
        shown = (self.observed,) if self.observed else ()
        return tuple(dict.fromkeys((*self.evidence, *self.when.names, *shown, *self.reason.names)))

    def explain(self, features: Mapping[str, float | None], texts: Mapping[str, str | None] = {}) -> Reason:
        """Why the rule fired, in words and figures, with the texts that its reason quotes. Costs several microseconds:
        only for rules that did.
        """
        value = features.get(self.observed) if self.observed else None
        return Reason(
            code=self.id,
            text=self.reason.fill(features, texts),
            weight=self.weight,
            # Six digits say all there is; the rest is noise of the arithmetic.
            observed=None if value is None else float(f"{value:.6g}"),
            expected=self.expected,
            window=self.window,
        )


class RuleGroup:
    """The rules that are evaluated together, worst first, as one function.

    Attributes
    ----------
    features
        Names of all features that the rules need or show, each once: the order of ``values``.
    fired
        ``fired(values)`` returns the rules that fire, worst severity first; an empty list mostly. Values are finite
        numbers or None (null); exactly one for each of ``features``, else ValueError.
    """

    __slots__ = ("_conditions", "features", "fired", "rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules: tuple[Rule, ...] = tuple(sorted(rules, key=lambda rule: (-LEVEL_RANK[rule.severity], rule.id)))
        self.features: tuple[str, ...] = tuple(dict.fromkeys(name for rule in self.rules for name in rule.features))
        self._conditions = [Condition(rule, rule.when, rule.evidence, rule.nulls) for rule in self.rules]
        self.fired: Callable[[Values], list[Rule]] = compile_conditions(self._conditions, self.features)

    def bind(self, getters: Mapping[str, Callable[[C], float | None]]) -> Callable[[C], list[Rule]]:
        """The same as ``fired``, on whatever the features are computed from, each only when a rule comes to it."""
        return bind_conditions(self._conditions, getters)

    def reason(self, rule: Rule, values: Values) -> Reason:
        """Why a rule of the group fired on these values."""
        return rule.explain(dict(zip(self.features, values, strict=True)))

    def __repr__(self) -> str:
        return f"RuleGroup({', '.join(rule.id for rule in self.rules)})"
