"""The meaning of policy files: names that must exist, rules and ladders that must make sense.

Collects every problem instead of stopping at the first.
"""

import math
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import cast, get_args

from config.policies import Place, PolicyFiles, Problem, did_you_mean
from config.policy_specs import LadderSpec, LimitsSpec, RuleSpec, StepSpec
from detectors.actions import DAY_MS, HARSHNESS, INSTANT, STRIKE_RETENTION, TARGETS, Ladder, Limits, Step
from detectors.expressions import Expression, ExpressionError, parse
from detectors.holdout import HOLDABLE, Holdout
from detectors.reason_text import ReasonText, TemplateError, parse_reason
from detectors.rules import Rule
from features.outputs import LEVELS, Action, Level

ACTIONS: frozenset[str] = frozenset(get_args(Action))


class Checker:
    """Turns what files say into rules and ladders, noting in ``problems`` what is wrong with them."""

    def __init__(
        self,
        files: PolicyFiles,
        known: frozenset[str],
        subject_events: Mapping[str, Collection[str]],
        problems: list[Problem],
    ) -> None:
        self.files = files
        self.known = known
        self.subject_events = subject_events
        self.problems = problems

    # -- ladders ------------------------------------------------------------------------------------------------------

    def limits(self) -> Limits | None:
        """Limits on all ladders; None if the files have none."""
        if self.files.limits is None:
            return None
        spec, place = self.files.limits
        for action in spec.review_required:
            self._known(action, ACTIONS, "action", "limits: review_required", place, "review_required")
        for ladder in spec.malice_ladders:
            self._known(ladder, self.files.ladders, "ladder", "limits: malice_ladders", place, "malice_ladders")
        return Limits(_ms(spec.appeal_days), _ms(spec.strike_merge_days), frozenset(spec.malice_ladders))

    def holdout(self) -> Holdout:
        """What may be held out from enforcement; nothing if the files do not say."""
        if self.files.holdout is None:
            return Holdout()
        spec, place = self.files.holdout
        known = self.files.statements[0].policies if self.files.statements is not None else {}
        for code in spec.policies:
            if not self._known(code, known, "policy", "holdout: policies", place, "policies"):
                continue
            if known[code].ground == "illegal" or known[code].also_illegal:
                message = f'holdout: policies: "{code}" is about what is against the law, so it is always enforced'
                self.problems.append(place.problem(message, "policies"))
        for action in spec.actions:
            if not self._known(action, ACTIONS, "action", "holdout: actions", place, "actions"):
                continue
            if action not in HOLDABLE:
                message = (
                    f'holdout: actions: "{action}" protects buyers from harm that cannot be undone, so it is always '
                    f"taken; what may be held out is {', '.join(sorted(HOLDABLE))}"
                )
                self.problems.append(place.problem(message, "actions"))
        return Holdout(frozenset(spec.policies), frozenset(cast("list[Action]", spec.actions)), _ms(spec.period_days))

    def ladders(self) -> dict[str, Ladder]:
        """Every ladder, also those with problems, so that rules can be checked against them."""
        limits = self.files.limits[0] if self.files.limits else None
        return {name: self._ladder(name, spec, place, limits) for name, (spec, place) in self.files.ladders.items()}

    def _ladder(self, name: str, spec: LadderSpec, place: Place, limits: LimitsSpec | None) -> Ladder:
        label = f"ladder {name}"
        if _ms(spec.look_back_days) > STRIKE_RETENTION:
            message = f"{label}: look_back_days is above the {STRIKE_RETENTION // DAY_MS} days that strikes are kept"
            self.problems.append(place.problem(message, "look_back_days"))
        steps: list[Step] = []
        for number, step in enumerate(spec.steps, 1):
            where = f"{label}, step {number}"
            if not self._known(step.action, ACTIONS, "action", where, place, "steps"):
                continue
            action = cast("Action", step.action)
            if action in INSTANT and step.days is not None:
                self.problems.append(place.problem(f'{where}: "{action}" is done at once and takes no days', "steps"))
            duration = None if step.days is None else _ms(step.days)
            steps.append(Step(action, duration, step.review or _needs_review(step, limits)))
        for number, (milder, harsher) in enumerate(pairwise(steps), 2):
            if _severity(harsher) < _severity(milder):
                message = f"{label}, step {number}: milder than the step before it ({milder.action})"
                self.problems.append(place.problem(message, "steps"))
        return Ladder(name, tuple(steps), _ms(spec.cool_down_days), _ms(spec.look_back_days))

    # -- rules --------------------------------------------------------------------------------------------------------

    def rules(self, ladders: Mapping[str, Ladder]) -> list[Rule]:
        """The rules without problems."""
        compiled = (self._rule(spec, place, ladders) for spec, place in self.files.rules)
        return [rule for rule in compiled if rule is not None]

    def _rule(self, spec: RuleSpec, place: Place, ladders: Mapping[str, Ladder]) -> Rule | None:
        before = len(self.problems)
        label = f"rule {spec.id}"
        if self.files.statements is not None:
            self._known(spec.policy, self.files.statements[0].policies, "policy", label, place, "policy")
        self._known(spec.severity, LEVELS, "level", label, place, "severity")
        for name, number in (*spec.evidence.items(), *spec.null.items()):
            key = "evidence" if name in spec.evidence else "null"
            self._known(name, self.known, "feature", f"{label}: {key}", place, key)
            if not math.isfinite(number):
                self.problems.append(place.problem(f"{label}: {key}: {name} must be a finite number", key))
        if spec.observed is not None:
            self._known(spec.observed, self.known, "feature", f"{label}: observed", place, "observed")
        self._events(spec, place)
        self._action(spec, place, ladders)
        when = self._condition(spec, place)
        reason = self._reason(spec, place)
        if when is not None:
            for name in spec.null:
                if name not in when.names and name not in spec.evidence:
                    self.problems.append(place.problem(f'{label}: null: the rule does not use "{name}"', "null"))
        if len(self.problems) > before or when is None or reason is None:
            return None
        return Rule(
            id=spec.id,
            version=str(spec.version),
            title=spec.title,
            policy=spec.policy,
            subject=spec.subject,
            on=tuple(dict.fromkeys(spec.on)),
            when=when,
            evidence=spec.evidence,
            nulls=spec.null,
            severity=cast("Level", spec.severity),
            weight=spec.weight,
            reason=reason,
            observed=spec.observed,
            expected=spec.expected,
            window=spec.window,
            mode=spec.mode,
            action=spec.action,
            source=spec.source,
            place=f"{place.file}:{place.line}",
        )

    def _condition(self, spec: RuleSpec, place: Place) -> Expression | None:
        try:
            return parse(spec.when, self.known)
        except ExpressionError as error:
            for fault in error.faults:
                message = f"rule {spec.id}: when, column {fault.column}: {fault.message}"
                self.problems.append(place.problem(message, "when"))
            return None

    def _reason(self, spec: RuleSpec, place: Place) -> ReasonText | None:
        try:
            return parse_reason(spec.reason, self.known)
        except TemplateError as error:
            self.problems.append(place.problem(f"rule {spec.id}: reason: {error}", "reason"))
            return None

    def _events(self, spec: RuleSpec, place: Place) -> None:
        label = f"rule {spec.id}: on"
        if spec.subject == "merchant":
            if spec.on:
                message = f"{label}: leave it out; merchant rules are evaluated whenever the merchant is assessed"
                self.problems.append(place.problem(message, "on"))
            return
        events = self.subject_events[spec.subject]
        if not spec.on:
            message = f"{label}: name at least one event, such as {min(events)}"
            self.problems.append(place.problem(message, "on"))
        for event in spec.on:
            self._known(event, events, f"event of a rule on {spec.subject}s", label, place, "on")

    def _action(self, spec: RuleSpec, place: Place, ladders: Mapping[str, Ladder]) -> None:
        if spec.action is None or not self._known(
            spec.action, ladders, "ladder", f"rule {spec.id}: action", place, "action"
        ):
            return
        steps = ladders[spec.action].steps
        for step in steps:
            if spec.subject not in TARGETS[step.action]:
                message = f'rule {spec.id}: action: "{step.action}" cannot be taken against a rule\'s {spec.subject}'
                self.problems.append(place.problem(message, "action"))
        restricts = any(step.action != "require_review" for step in steps)
        if spec.subject == "merchant" and spec.mode == "enforce" and restricts and not spec.evidence:
            message = (
                f"rule {spec.id}: a rule that acts against merchants needs evidence: the least number of cases, "
                "such as {orders_30d: 20, distinct_buyers_30d: 4}"
            )
            self.problems.append(place.problem(message))

    def _known(self, word: str, known: Collection[str], what: str, label: str, place: Place, key: str) -> bool:
        if word in known:
            return True
        hint = did_you_mean(word, known)
        if not hint and len(known) <= 12:
            hint = f"; known are {', '.join(sorted(known))}"
        self.problems.append(place.problem(f'{label}: unknown {what} "{word}"{hint}', key))
        return False


def _needs_review(step: StepSpec, limits: LimitsSpec | None) -> bool:
    if limits is None:
        return False
    if step.action == "hold_payout":
        return step.days is None or step.days > limits.review_hold_payout_above_days
    return step.action in limits.review_required


def _severity(step: Step) -> tuple[int, float]:
    return HARSHNESS[step.action], math.inf if step.duration is None else step.duration


def _ms(days: float) -> int:
    return round(days * DAY_MS)
