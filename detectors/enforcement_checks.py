"""The meaning of what policy files say of enforcement: ladders, limits, hold-out, circuit breaker and allow-lists."""

import math
from collections.abc import Collection
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, cast, get_args

from config.policies import Place, PolicyFiles, Problem, did_you_mean
from config.policy_specs import DetectorFamily, LadderSpec, LimitsSpec, ReliefSpec, StepSpec, UnansweredSpec
from detectors.actions import HARSHNESS, INSTANT, STRIKE_RETENTION, TARGETS, Ladder, Limits, Relief, Step, Unanswered
from detectors.allowances import Allowance, Allowances
from detectors.breaker import Breaker
from detectors.expressions import ExpressionError, parse
from detectors.holdout import HOLDABLE, Holdout
from detectors.relief import compile_relief
from features.outputs import Action
from features.windows import DAY_MS, HOUR_MS, days_in_ms

ACTIONS: Final[frozenset[str]] = frozenset(get_args(Action))


class EnforcementChecker:
    """Turns what files say of enforcement into ladders and limits, noting in ``problems`` what is wrong with them."""

    def __init__(self, files: PolicyFiles, known: frozenset[str], problems: list[Problem]) -> None:
        self.files = files
        self.known = known
        self.problems = problems

    def limits(self) -> Limits | None:
        """Limits on all ladders; None if the files have none."""
        if self.files.limits is None:
            return None
        spec, place = self.files.limits
        for action in spec.review_required:
            self._known(action, ACTIONS, "action", "limits: review_required", place, "review_required")
        for ladder in spec.malice_ladders:
            self._known(ladder, self.files.ladders, "ladder", "limits: malice_ladders", place, "malice_ladders")
        taxonomy = self.files.statements[0].policies if self.files.statements is not None else {}
        for code in spec.promoted_policies:
            self._known(code, taxonomy, "policy", "limits: promoted_policies", place, "promoted_policies")
        for action in spec.always_reviewed:
            self._known(action, ACTIONS, "action", "limits: always_reviewed", place, "always_reviewed")
        return Limits(
            appeal=days_in_ms(spec.appeal_days),
            strike_merge=days_in_ms(spec.strike_merge_days),
            malice=frozenset(spec.malice_ladders),
            appeal_answer=days_in_ms(spec.appeal_answer_days),
            appeals_per_decision=spec.appeals_per_decision,
            promoted=frozenset(spec.promoted_policies),
            hold_above=spec.review_hold_payout_above,
            detectors=spec.independent_detectors,
            sources=self._sources(spec, place),
            corroboration=days_in_ms(spec.corroboration_days),
            verdict=days_in_ms(spec.verdict_days),
            unanswered=self._unanswered("limits", spec.unanswered, place),
        )

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
        return Holdout(
            frozenset(spec.policies), frozenset(cast("list[Action]", spec.actions)), days_in_ms(spec.period_days)
        )

    def ladders(self) -> dict[str, Ladder]:
        """Every ladder, also those with problems, so that rules can be checked against them."""
        limits = self.files.limits[0] if self.files.limits else None
        return {name: self._ladder(name, spec, place, limits) for name, (spec, place) in self.files.ladders.items()}

    def _ladder(self, name: str, spec: LadderSpec, place: Place, limits: LimitsSpec | None) -> Ladder:
        label = f"ladder {name}"
        if days_in_ms(spec.look_back_days) > STRIKE_RETENTION:
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
            duration = None if step.days is None else days_in_ms(step.days)
            self._numbers(step.evidence, f"{where}: evidence", "steps", place)
            person = step.review or (limits is not None and step.action in limits.always_reviewed)
            steps.append(Step(action, duration, person, not person and _is_severe(step, limits), step.evidence))
        for number, (milder, harsher) in enumerate(pairwise(steps), 2):
            if _severity(harsher) < _severity(milder):
                message = f"{label}, step {number}: milder than the step before it ({milder.action})"
                self.problems.append(place.problem(message, "steps"))
        relief = None if spec.relief is None else self._relief(label, spec.relief, place)
        unanswered = None if spec.unanswered is None else self._unanswered(label, spec.unanswered, place)
        return Ladder(
            name, tuple(steps), days_in_ms(spec.cool_down_days), days_in_ms(spec.look_back_days), relief, unanswered
        )

    def _sources(self, spec: LimitsSpec, place: Place) -> dict[str, str]:
        """Sources of evidence by family of detectors."""
        sources: dict[str, str] = {}
        for source, families in spec.evidence_sources.items():
            for family in families:
                if family in sources:
                    message = f"limits: evidence_sources: {family} is named under {sources[family]} and under {source}"
                    self.problems.append(place.problem(message, "evidence_sources"))
                sources[family] = source
        there = {sources.get(family, family) for family in get_args(DetectorFamily)}
        if len(there) < spec.independent_detectors:
            message = (
                f"limits: independent_detectors: {spec.independent_detectors} sources can never agree, as "
                f"evidence_sources has {len(there)}"
            )
            self.problems.append(place.problem(message, "independent_detectors"))
        return sources

    def _unanswered(self, label: str, spec: UnansweredSpec, place: Place) -> Unanswered:
        if spec.lapse_days is not None and spec.lapse_days <= spec.remind_days:
            message = (
                f"{label}: unanswered: lapse_days must be above remind_days, or nobody is reminded before it lapses"
            )
            self.problems.append(place.problem(message, "unanswered"))
        return Unanswered(
            days_in_ms(spec.remind_days), None if spec.lapse_days is None else days_in_ms(spec.lapse_days)
        )

    def _relief(self, label: str, spec: ReliefSpec, place: Place) -> Relief | None:
        try:
            return compile_relief(days_in_ms(spec.after_days), parse(spec.when, self.known))
        except ExpressionError as error:
            for fault in error.faults:
                message = f"{label}: relief: when, column {fault.column}: {fault.message}"
                self.problems.append(place.problem(message, "relief"))
            return None

    def breaker(self) -> Breaker | None:
        """The circuit breaker; None if the files have none."""
        if self.files.breaker is None:
            return None
        spec, place = self.files.breaker
        for action in spec.actions:
            if self._known(action, ACTIONS, "action", "breaker: actions", place, "actions") and (
                not TARGETS[cast("Action", action)] & {"merchant", "creator"}
            ):
                message = f'breaker: actions: "{action}" is not taken against merchants or creators'
                self.problems.append(place.problem(message, "actions"))
        return Breaker(
            round(spec.interval_hours * HOUR_MS),
            frozenset(cast("list[Action]", spec.actions)),
            spec.max_actions,
            spec.max_merchant_share,
            spec.max_gmv_share,
            spec.least_merchants,
            dict(spec.currencies),
        )

    def allowances(self) -> Allowances:
        """The allow-lists; empty if the files have none."""
        if self.files.allow is None:
            return Allowances()
        spec, place = self.files.allow
        codes = self.files.statements[0].policies if self.files.statements is not None else {}
        names = {"*", *codes, *(rule.id for rule, _ in self.files.rules)}
        found: dict[str, tuple[Allowance, ...]] = {}
        for number, entry in enumerate(spec.entries, 1):
            self._known(entry.name, names, "rule or policy", f"allow: entry {number}", place, "entries")
            until = None
            if entry.until is not None:
                try:
                    until = int(datetime.fromisoformat(entry.until).replace(tzinfo=UTC).timestamp()) * 1000
                except ValueError:
                    message = f'allow: entry {number}: until: there is no day "{entry.until}"'
                    self.problems.append(place.problem(message, "entries"))
            found[entry.party] = (*found.get(entry.party, ()), Allowance(entry.party, entry.name, until))
        return Allowances(found)

    # -- names and numbers --------------------------------------------------------------------------------------------

    def _numbers(self, numbers: dict[str, float], label: str, key: str, place: Place) -> None:
        """Check that features are known and numbers are finite."""
        for name, number in numbers.items():
            self._known(name, self.known, "feature", label, place, key)
            if not math.isfinite(number):
                self.problems.append(place.problem(f"{label}: {name} must be a finite number", key))

    def _known(self, word: str, known: Collection[str], what: str, label: str, place: Place, key: str) -> bool:
        if word in known:
            return True
        hint = did_you_mean(word, known)
        if not hint and len(known) <= 12:
            hint = f"; known are {', '.join(sorted(known))}"
        self.problems.append(place.problem(f'{label}: unknown {what} "{word}"{hint}', key))
        return False


def _is_severe(step: StepSpec, limits: LimitsSpec | None) -> bool:
    if limits is None:
        return False
    if step.action == "hold_payout":
        return step.days is None or step.days > limits.review_hold_payout_above_days
    return step.action in limits.review_required


def _severity(step: Step) -> tuple[int, float]:
    return HARSHNESS[step.action], math.inf if step.duration is None else step.duration
