"""The meaning of rules in policy files: names that must exist, conditions that must make sense.

Collects every problem instead of stopping at the first; :mod:`detectors.enforcement_checks` has the rest.
"""

from collections.abc import Collection, Mapping
from typing import Final, cast

from msgspec import structs

from config.policies import Place, PolicyFiles, Problem
from config.policy_specs import ReviewSpec, RuleSpec
from detectors.actions import NO_STRIKE, TARGETS, Ladder
from detectors.enforcement_checks import EnforcementChecker
from detectors.expressions import Expression, ExpressionError, parse
from detectors.levels import LEVEL_RANK
from detectors.reason_text import ReasonText, TemplateError, parse_reason
from detectors.rules import Rule
from features.outputs import LEVELS, Level

#: Highest severity of what only asks a person to look.
_REVIEW_SEVERITY: Final = "elevated"
#: Subjects whose rules no event triggers, and what their evidence may look like.
PARTIES: Final = frozenset(("merchant", "creator"))
EVIDENCE_EXAMPLES: Final = {
    "merchant": "{orders_30d: 20, distinct_buyers_30d: 4}",
    "creator": "{creator_mature_orders_90d: 30, creator_harmed_buyers_90d: 5}",
}
#: What the names of a creator's features begin with.
CREATOR_PREFIX: Final = "creator_"


class Checker(EnforcementChecker):
    """Turns what files say into rules and ladders, noting in ``problems`` what is wrong with them."""

    def __init__(
        self,
        files: PolicyFiles,
        known: frozenset[str],
        subject_events: Mapping[str, Collection[str]],
        problems: list[Problem],
    ) -> None:
        super().__init__(files, known, problems)
        self.subject_events = subject_events

    def rules(self, ladders: Mapping[str, Ladder]) -> list[Rule]:
        """The rules without problems."""
        ids = {spec.id for spec, _ in self.files.rules}
        compiled: list[Rule | None] = []
        for spec, place in self.files.rules:
            compiled.append(self._rule(spec, place, ladders))
            if spec.review_at is not None:
                compiled.append(self._review(spec, spec.review_at, place, ladders, ids))
        return [rule for rule in compiled if rule is not None]

    def _review(
        self, spec: RuleSpec, review: ReviewSpec, place: Place, ladders: Mapping[str, Ladder], ids: Collection[str]
    ) -> Rule | None:
        """The rule of a second, lower threshold: it asks a person, and names nobody."""
        label = f"rule {spec.id}: review_at"
        if spec.severity not in LEVEL_RANK:
            return None
        below = structs.replace(
            spec,
            id=f"{spec.id}-review",
            title=f"{spec.title}: near the threshold"[:500],
            when=review.when,
            evidence=spec.evidence if review.evidence is None else review.evidence,
            severity=min(spec.severity, _REVIEW_SEVERITY, key=LEVEL_RANK.__getitem__),
            weight=spec.weight / 2,
            action=review.action,
            confirmed=spec.action,
            review_at=None,
        )
        if below.id in ids:
            self.problems.append(place.problem(f'{label}: there is a rule "{below.id}" already', "review_at"))
        ladder = ladders.get(review.action)
        if ladder is not None and any(step.action != "require_review" for step in ladder.steps):
            message = f'{label}: action: the ladder "{review.action}" does more than ask a person to look'
            self.problems.append(place.problem(message, "review_at"))
        return self._rule(below, place, ladders)

    def _rule(self, spec: RuleSpec, place: Place, ladders: Mapping[str, Ladder]) -> Rule | None:
        before = len(self.problems)
        label = f"rule {spec.id}"
        if self.files.statements is not None:
            self._known(spec.policy, self.files.statements[0].policies, "policy", label, place, "policy")
        self._known(spec.severity, LEVELS, "level", label, place, "severity")
        self._numbers(spec.evidence, f"{label}: evidence", "evidence", place)
        self._numbers(spec.null, f"{label}: null", "null", place)
        if spec.observed is not None:
            self._known(spec.observed, self.known, "feature", f"{label}: observed", place, "observed")
        self._events(spec, place)
        self._action(spec, place, ladders)
        self._confirmed(spec, place, ladders)
        if spec.limited_to is not None and spec.subject != "creator":
            message = f"{label}: limited_to: actions of rules on creators alone can be limited to merchants"
            self.problems.append(place.problem(message, "limited_to"))
        when = self._condition(spec, place)
        reason = self._reason(spec, place)
        named = {*spec.evidence, *spec.null, *(when.names if when else ()), *(reason.names if reason else ())}
        self._whose(spec, place, named | ({spec.observed} if spec.observed else set()))
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
            confirmed=spec.confirmed,
            limited_to=spec.limited_to,
            detector=spec.detector,
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
        if spec.subject in PARTIES:
            if spec.on:
                message = (
                    f"{label}: leave it out; {spec.subject} rules are evaluated whenever the {spec.subject} is assessed"
                )
                self.problems.append(place.problem(message, "on"))
            return
        events = self.subject_events[spec.subject]
        if not spec.on:
            message = f"{label}: name at least one event, such as {min(events)}"
            self.problems.append(place.problem(message, "on"))
        for event in spec.on:
            self._known(event, events, f"event of a rule on {spec.subject}s", label, place, "on")

    def _confirmed(self, spec: RuleSpec, place: Place, ladders: Mapping[str, Ladder]) -> None:
        """Check the ladder that follows when a person finds a violation."""
        label = f"rule {spec.id}: confirmed"
        if spec.confirmed is None or not self._known(spec.confirmed, ladders, "ladder", label, place, "confirmed"):
            return
        asking = None if spec.action is None else ladders.get(spec.action)
        if asking is None or all(step.action not in NO_STRIKE for step in asking.steps):
            message = f"{label}: nobody is asked by the rule's ladder, so nothing can be confirmed"
            self.problems.append(place.problem(message, "confirmed"))
        for step in ladders[spec.confirmed].steps:
            if spec.subject not in TARGETS[step.action]:
                message = f'{label}: "{step.action}" cannot be taken against a rule\'s {spec.subject}'
                self.problems.append(place.problem(message, "confirmed"))

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
        if spec.subject in PARTIES and spec.mode == "enforce" and restricts and not spec.evidence:
            example = EVIDENCE_EXAMPLES[spec.subject]
            message = (
                f"rule {spec.id}: a rule that acts against {spec.subject}s needs evidence: the least number of cases, "
                f"such as {example}"
            )
            self.problems.append(place.problem(message))

    def _whose(self, spec: RuleSpec, place: Place, names: Collection[str]) -> None:
        """Features of creators are known in rules on creators alone, and nothing else is known there."""
        for name in sorted(names):
            of_creator = name.startswith(CREATOR_PREFIX)
            if name in self.known and of_creator != (spec.subject == "creator"):
                whose = "a creator" if of_creator else "a merchant, order or listing"
                message = f'rule {spec.id}: "{name}" is a feature of {whose}; the rule is on a {spec.subject}'
                self.problems.append(place.problem(message))
