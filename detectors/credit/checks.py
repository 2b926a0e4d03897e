"""The meaning of a credit policy: names that must exist, figures that must make sense together.

Collects every problem instead of stopping at the first; each says where it is.
"""

import ast
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any, Final, cast, get_args

import msgspec
from msgspec import Struct

from config.credit_specs import BoundsSpec, CreditSpec, TierSpec
from config.policies import Place, Problem, did_you_mean
from detectors.actions import HARSHNESS, TARGETS, Ladder
from detectors.credit.policy import (
    Bounds,
    Correction,
    CreditPolicy,
    Earning,
    Harm,
    Milestone,
    Probation,
    Repeat,
    Tier,
    Violation,
)
from detectors.expressions import Expression
from detectors.reason_text import parse_reason
from detectors.rules import Rule
from features.credit import CREATOR_COMPONENTS
from features.events import SubjectKind
from features.merchant_conduct import MERCHANT_COMPONENTS, MERCHANT_SIGNS
from features.order import OUTCOME_DAYS
from features.outputs import LEVELS, Level
from features.party import PartyKind
from features.population import PRIOR_FAMILIES
from features.windows import WINDOWS, days_in_ms

#: Policy code of what follows from the score alone.
ACCOUNT_HEALTH: Final = "account_health"
#: Sections of the policy files, by the kind of party.
SECTIONS: Final[dict[PartyKind, str]] = {"merchant": "credit", "creator": "creator_credit"}
#: Ways in which the orders of a party go bad.
COMPONENTS: Final[dict[PartyKind, tuple[str, ...]]] = {"merchant": MERCHANT_COMPONENTS, "creator": CREATOR_COMPONENTS}
#: What else tells of harm to come from a party.
SIGNS: Final[dict[PartyKind, tuple[str, ...]]] = {"merchant": MERCHANT_SIGNS, "creator": ()}
#: Weight of a rule that fires by the score: it is not one sign among others.
_WEIGHT: Final = 1.0


class CreditChecker:
    """Turns a section into a credit policy, noting in ``problems`` what is wrong with it."""

    def __init__(
        self,
        party: PartyKind,
        found: tuple[CreditSpec, Place],
        ladders: Mapping[str, Ladder],
        codes: Collection[str],
        problems: list[Problem],
    ) -> None:
        self._party: PartyKind = party
        self._section = SECTIONS[party]
        self._spec, self._place = found
        self._ladders = ladders
        self._codes = codes
        self._problems = problems

    def policy(self) -> CreditPolicy | None:
        """The policy, or None where it cannot be used."""
        before = len(self._problems)
        spec = self._spec
        self._codes_and_classes()
        self._harm()
        self._milestones()
        self._tiers()
        self._probation()
        if len(self._problems) > before:
            return None
        names = list(spec.tiers)
        middle = names.index(spec.standard)
        tiers = {name: _tier(name, tier) for name, tier in spec.tiers.items()}
        below = [name for name in names[middle + 1 :] if name != spec.probation.tier]
        probation = spec.probation
        return CreditPolicy(
            start=spec.start,
            window=days_in_ms(spec.window_days),
            minimum_orders=spec.minimum_orders,
            earning=Earning(spec.earning.points, spec.earning.orders, spec.earning.weekly_orders, spec.earning.at_most),
            correction=Correction(
                spec.corrections.share, days_in_ms(spec.corrections.days), frozenset(spec.corrections.classes)
            ),
            daily_loss={name: each.daily_loss for name, each in spec.classes.items()},
            violations={code: self._violation(code) for code in spec.violations},
            actions=spec.actions,
            subjects=spec.subjects,
            repetition=tuple(spec.repetition.factors),
            merge=days_in_ms(spec.repetition.merge_days),
            repeat=Repeat(
                spec.repeat_rule.times,
                days_in_ms(spec.repeat_rule.days),
                self._rule(
                    "credit-repeat",
                    "The same violation again and again",
                    spec.repeat_rule.severity,
                    spec.repeat_rule.ladder,
                    spec.repeat_rule.source,
                ),
            ),
            milestones=tuple(self._milestone(index) for index in range(len(spec.milestones))),
            margin=spec.warning.margin,
            harm=Harm(
                spec.harm.half_life_days,
                spec.harm.strengths,
                spec.harm.slope,
                spec.harm.cases,
                spec.harm.cases_at_most,
                days_in_ms(spec.harm.cases_days),
                spec.harm.signs,
                spec.harm.tail,
                spec.harm.news,
                spec.harm.scale_score,
                spec.harm.scale_odds,
                spec.harm.scale_double,
            ),
            rewards=tuple(tiers[name] for name in names[:middle]),
            standard=tiers[spec.standard],
            restrictions=tuple(tiers[name] for name in below),
            probation=Probation(
                tiers[probation.tier],
                days_in_ms(probation.days),
                probation.orders,
                probation.buyers,
                probation.score_at_least,
                days_in_ms(probation.otherwise_days),
                days_in_ms(probation.recall_days),
                probation.recall,
                days_in_ms(probation.established_days),
            ),
        )

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _codes_and_classes(self) -> None:
        spec = self._spec
        for code, violation in spec.violations.items():
            label = f"violations: {code}"
            self._known(code, self._codes, "policy", "violations", "violations")
            self._known(violation.kind, spec.classes, "class", label, "violations")
            self._known(violation.severity, spec.severities, "severity", label, "violations")
        for name in spec.corrections.classes:
            self._known(name, spec.classes, "class", "corrections", "corrections")
        for action in spec.actions:
            self._known(action, HARSHNESS, "action", "actions", "actions")
        for subject in spec.subjects:
            self._known(subject, get_args(SubjectKind), "subject", "subjects", "subjects")
        ordered = list(spec.severities.values())
        for (milder, low), (harsher, high) in pairwise(zip(spec.severities, ordered, strict=True)):
            if high.points < low.points:
                self._wrong(f'severities: "{harsher}" costs less than "{milder}" before it', "severities")
        for previous, factor in pairwise(spec.repetition.factors):
            if factor < previous:
                self._wrong(f"repetition: factor {factor:g} is below {previous:g} before it", "repetition")
        if spec.window_days < WINDOWS[-1]:
            self._wrong(f"window_days: at least {WINDOWS[-1]}, the days of which orders are known", "window_days")
        if spec.repeat_rule.days > spec.window_days:
            self._wrong("repeat_rule: days is above window_days, after which violations leave", "repeat_rule")
        self._ladder("repeat_rule", spec.repeat_rule.ladder, spec.repeat_rule.severity)

    def _harm(self) -> None:
        spec = self._spec
        for name in spec.harm.strengths:
            self._known(name, COMPONENTS[self._party], "component", "harm: strengths", "harm")
        for name in COMPONENTS[self._party]:
            if name not in spec.harm.strengths:
                self._wrong(f'harm: strengths: "{name}" is missing', "harm")
        for name in spec.harm.cases:
            self._known(name, spec.classes, "class", "harm: cases", "harm")
        for name in spec.harm.signs:
            self._known(name, SIGNS[self._party], "sign", "harm: signs", "harm")

    def _milestones(self) -> None:
        spec = self._spec
        for number, milestone in enumerate(spec.milestones, 1):
            label = f"milestones, number {number}"
            self._ladder("milestones", milestone.ladder, milestone.severity, label)
            if milestone.score >= spec.start:
                self._wrong(f"{label}: {milestone.score} is not below the start, {spec.start}", "milestones")
        for higher, lower in pairwise(spec.milestones):
            if lower.score + spec.warning.margin >= higher.score:
                message = (
                    f"milestones: {lower.score} with its warning at {lower.score + spec.warning.margin} is not below "
                    f"{higher.score}; name them from the highest to the lowest"
                )
                self._wrong(message, "milestones")
        self._ladder("warning", spec.warning.ladder, "guarded")

    def _ladder(self, key: str, ladder: str, severity: str, label: str | None = None) -> None:
        where = label or key
        self._known(severity, LEVELS, "level", where, key)
        if not self._known(ladder, self._ladders, "ladder", where, key):
            return
        for step in self._ladders[ladder].steps:
            if self._party not in TARGETS[step.action]:
                self._wrong(f'{where}: "{step.action}" cannot be taken against a {self._party}', key)

    def _tiers(self) -> None:
        spec = self._spec
        names = list(spec.tiers)
        if not self._known(spec.standard, spec.tiers, "tier", "standard", "standard"):
            return
        self._known(spec.probation.tier, spec.tiers, "tier", "probation", "probation")
        middle = names.index(spec.standard)
        for index, (name, tier) in enumerate(spec.tiers.items()):
            label = f"tiers: {name}"
            asks = name not in (spec.standard, spec.probation.tier)
            if asks != bool(tier.enter) or asks != bool(tier.stay):
                message = "needs enter and stay" if asks else "asks for nothing: leave enter and stay out"
                self._wrong(f"{label}: {message}", "tiers")
            for bounds in (*tier.enter, *tier.stay):
                self._bounds(label, bounds, reward=index < middle)
        for better, worse in pairwise(tier.limits for name, tier in spec.tiers.items() if name != spec.probation.tier):
            if better.settlement_days > worse.settlement_days or better.reserve_share > worse.reserve_share:
                self._wrong("tiers: a better tier settles later, or holds back more, than the one after it", "tiers")

    def _bounds(self, label: str, bounds: BoundsSpec, *, reward: bool) -> None:
        if reward:
            if bounds.score_at_least is None or bounds.upper_at_most is None:
                message = f"{label}: a reward asks for score_at_least and for upper_at_most: luck is not rewarded"
                self._wrong(message, "tiers")
            if bounds.score_at_most is not None or bounds.lower_at_least is not None:
                self._wrong(f"{label}: a reward takes score_at_least and upper_at_most only", "tiers")
            return
        if bounds.score_at_most is None or bounds.score_at_most >= self._spec.start:
            message = (
                f"{label}: a restriction asks for score_at_most below the start ({self._spec.start}): a probability "
                "alone never restricts"
            )
            self._wrong(message, "tiers")
        if bounds.score_at_least is not None or bounds.upper_at_most is not None:
            self._wrong(f"{label}: a restriction takes score_at_most and lower_at_least only", "tiers")

    def _probation(self) -> None:
        probation = self._spec.probation
        for rate in probation.recall:
            self._known(rate, PRIOR_FAMILIES, "rate", "probation: recall", "probation")
        if probation.otherwise_days < probation.days:
            self._wrong("probation: otherwise_days is below days", "probation")
        if probation.days <= OUTCOME_DAYS and probation.orders:
            message = f"probation: days must be above the {OUTCOME_DAYS} after which the outcome of an order is due"
            self._wrong(message, "probation")

    # -- compiled -----------------------------------------------------------------------------------------------------

    def _violation(self, code: str) -> Violation:
        spec = self._spec.violations[code]
        severity = self._spec.severities[spec.severity]
        return Violation(spec.kind, severity.points, severity.at_most)

    def _milestone(self, index: int) -> Milestone:
        spec = self._spec.milestones[index]
        margin = self._spec.warning.margin
        return Milestone(
            spec.score,
            self._rule(
                f"credit-milestone-{spec.score}",
                f"The credit score has come down to {spec.score}",
                spec.severity,
                spec.ladder,
                spec.source,
            ),
            self._rule(
                f"credit-warning-{spec.score}",
                f"The credit score has come within {margin} points of {spec.score}",
                "guarded",
                self._spec.warning.ladder,
                self._spec.warning.source,
            ),
        )

    def _rule(self, name: str, title: str, severity: str, ladder: str, source: str) -> Rule:
        """A rule that no feature fires: the credit book does, with a reason of its own."""
        return Rule(
            id=name if self._party == "merchant" else f"creator-{name}",
            version="1",
            title=title,
            policy=ACCOUNT_HEALTH,
            subject=cast(Any, self._party),
            on=(),
            when=Expression(title, (), ast.Constant(value=True), divides=False),
            evidence={},
            nulls={},
            severity=cast(Level, severity),
            weight=_WEIGHT,
            reason=parse_reason(title, ()),
            observed=None,
            expected=None,
            window=f"{self._spec.window_days:g} d",
            mode="enforce",
            action=ladder,
            source=source,
            place=f"{self._place.file}:{self._place.line}",
        )

    # -- problems -----------------------------------------------------------------------------------------------------

    def _known(self, word: str, known: Collection[str], what: str, label: str, key: str) -> bool:
        if word in known:
            return True
        hint = did_you_mean(word, known)
        if not hint and len(known) <= 12:
            hint = f"; known are {', '.join(sorted(known))}"
        self._wrong(f'{label}: unknown {what} "{word}"{hint}', key)
        return False

    def _wrong(self, message: str, key: str) -> None:
        self._problems.append(self._place.problem(f"{self._section}: {message}", key))


def _tier(name: str, spec: TierSpec) -> Tier:
    return Tier(name, _compiled(spec.enter), _compiled(spec.stay), days_in_ms(spec.least_days), spec.limits)


def _compiled(bounds: Collection[BoundsSpec]) -> tuple[Bounds, ...]:
    return tuple(Bounds(b.score_at_least, b.score_at_most, b.upper_at_most, b.lower_at_least) for b in bounds)


def plain(spec: Struct) -> Any:
    """What a section means: without the sources of its rows, which say where a figure comes from."""
    return _without_sources(msgspec.to_builtins(spec))


def _without_sources(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_sources(each) for key, each in value.items() if key != "source"}
    if isinstance(value, list):
        return [_without_sources(each) for each in value]
    return value
