"""Policy sets: rules, ladders, levels and term lists, checked against the known features and compiled.

For example::

    policies = compile_policies(load_policies(directory), FEATURES)
    group = policies.group("order", "order.created")
    fired = group.fired([values[name] for name in group.features]) if group else []
"""

import hashlib
from bisect import bisect_right
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from config.credit_specs import CreditSpec
from config.policies import Place, PolicyError, PolicyFiles, Problem
from config.policy_specs import LevelsSpec, StatementSpec, TermsSpec
from detectors.actions import Ladder, Limits
from detectors.allowances import Allowances
from detectors.breaker import Breaker
from detectors.credit.checks import SECTIONS as CREDIT_SECTIONS
from detectors.credit.checks import CreditChecker, plain
from detectors.credit.policy import CreditPolicy
from detectors.duty_laws import DutyLaws, compile_duties
from detectors.holdout import Holdout
from detectors.levels import LevelScale, level_scale
from detectors.policy_checks import Checker
from detectors.remedy_table import RemedyTable, compile_remedies
from detectors.rules import Rule, RuleGroup
from features.decode import EVENT_TYPES
from features.events import SubjectKind
from features.exchange import NOTICES
from features.listing_text import Terms, compile_terms
from features.party import PartyKind

#: Events of each subject that can trigger a rule on it.
SUBJECT_EVENTS = {
    "order": EVENT_TYPES["orders"].union(NOTICES["order"].values()),
    "listing": EVENT_TYPES["listings"].union(NOTICES["listing"].values()),
}


class PolicySet(Struct, frozen=True, kw_only=True, eq=False):
    """Everything that judges and enforces by written rules.

    ``version`` depends on the content alone: not on comments, sources, the order of rules, or files.
    """

    version: str
    #: All rules by id, those that are off too.
    rules: dict[str, Rule]
    ladders: dict[str, Ladder]
    limits: Limits
    holdout: Holdout
    breaker: Breaker | None
    allowances: Allowances
    #: Levels of a bad-order probability (0 to 1).
    probability_levels: LevelScale
    #: Levels of a percentile of the anomaly model (0 to 1).
    anomaly_levels: LevelScale
    terms: Terms
    statements: StatementSpec
    #: Remedies for orders that went wrong, where the files have some.
    remedies: RemedyTable | None = None
    #: Duties of the law about merchants, likewise.
    duties: DutyLaws | None = None
    #: By the kind of party; one that is not there has no credit.
    credit: dict[PartyKind, CreditPolicy]
    #: Rules that fire by the credit score or by repetition, and not by features.
    by_score: dict[str, Rule]
    _groups: dict[tuple[str, str], RuleGroup]

    def rule(self, rule_id: str) -> Rule | None:
        """A rule of that id, whether features fire it or the credit does; None where there is none any more."""
        return self.rules.get(rule_id) or self.by_score.get(rule_id)

    def group(self, subject: SubjectKind, event_type: str = "") -> RuleGroup | None:
        """The rules on a subject that an event triggers, or None; rules on merchants and creators need no
        event.
        """
        return self._groups.get((subject, "" if subject in ("merchant", "creator") else event_type))

    def groups(self) -> Collection[RuleGroup]:
        """Every group that :meth:`group` can return."""
        return self._groups.values()

    def level_of_probability(self, probability: float) -> int:
        """Rank of the level that a probability of a bad order means, 0 (low) to 4 (critical)."""
        scale = self.probability_levels
        return scale.ranks[bisect_right(scale.cutoffs, probability)]

    def level_of_anomaly(self, percentile: float) -> int:
        """Rank of the level that a percentile of the anomaly model means, 0 (low) to 4 (critical)."""
        scale = self.anomaly_levels
        return scale.ranks[bisect_right(scale.cutoffs, percentile)]


def compile_policies(files: PolicyFiles, known_features: Collection[str]) -> PolicySet:
    """Check policy files against the features there are, and compile them.

    Raises
    ------
    PolicyError
        Names everything that is wrong, with file and line.
    """
    problems = list(files.problems)
    known = frozenset(known_features)
    for section in ("levels", "limits", "terms", "statements"):
        if getattr(files, section) is None and not any(f"{section}:" in problem.message for problem in problems):
            problems.append(Problem(files.directory, 0, f'no file has a section "{section}"'))
    checker = Checker(files, known, SUBJECT_EVENTS, problems)
    ladders = checker.ladders()
    rules = checker.rules(ladders)
    levels = _levels(files.levels, problems)
    terms = _terms(files.terms, problems)
    limits = checker.limits()
    holdout = checker.holdout()
    breaker = checker.breaker()
    allowances = checker.allowances()
    credit = _credit(files, ladders, problems)
    tiers = credit["merchant"].names() if "merchant" in credit else ()
    remedies = compile_remedies(files, tiers, problems)
    duties = compile_duties(files, problems)
    if problems or levels is None or terms is None or limits is None or files.statements is None:
        raise PolicyError(problems)
    return PolicySet(
        version=_version(files),
        rules={rule.id: rule for rule in rules},
        ladders=ladders,
        limits=limits,
        holdout=holdout,
        breaker=breaker,
        allowances=allowances,
        probability_levels=levels[0],
        anomaly_levels=levels[1],
        terms=terms,
        statements=files.statements[0],
        remedies=remedies,
        credit=credit,
        by_score={rule.id: rule for each in credit.values() for rule in each.rules()},
        duties=duties,
        _groups=_groups(rules),
    )


def _groups(rules: list[Rule]) -> dict[tuple[str, str], RuleGroup]:
    """Rules in force or in shadow, by subject and event."""
    sorted_out: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        if rule.mode != "off":
            for event in rule.on or ("",):
                sorted_out.setdefault((rule.subject, event), []).append(rule)
    return {key: RuleGroup(members) for key, members in sorted_out.items()}


def _credit(files: PolicyFiles, ladders: dict[str, Ladder], problems: list[Problem]) -> dict[PartyKind, CreditPolicy]:
    """The credit policies there are."""
    codes = files.statements[0].policies if files.statements is not None else {}
    found = {}
    for party, section in CREDIT_SECTIONS.items():
        spec: tuple[CreditSpec, Place] | None = getattr(files, section)
        if spec is not None:
            policy = CreditChecker(party, spec, ladders, codes, problems).policy()
            if policy is not None:
                found[party] = policy
    return found


def _levels(found: tuple[LevelsSpec, Place] | None, problems: list[Problem]) -> tuple[LevelScale, LevelScale] | None:
    if found is None:
        return None
    spec, place = found
    scales = []
    for key, cutoffs in (("probability", spec.probability), ("anomaly", spec.anomaly)):
        try:
            scales.append(level_scale(cutoffs))
        except ValueError as error:
            problems.append(place.problem(f"levels: {key}: {error}", key))
    return (scales[0], scales[1]) if len(scales) == 2 else None


def _terms(found: tuple[TermsSpec, Place] | None, problems: list[Problem]) -> Terms | None:
    if found is None:
        return None
    spec, place = found
    try:
        return compile_terms(spec)
    except ValueError as error:
        problems.append(place.problem(f"terms: {error}"))
        return None


def _version(files: PolicyFiles) -> str:
    """First 12 hex digits of the SHA-256 of what the files mean."""
    content: dict[str, Any] = {
        "rules": {spec.id: _plain(spec) for spec, _ in files.rules},
        "ladders": {name: _plain(spec) for name, (spec, _) in files.ladders.items()},
    }
    for section in ("levels", "limits", "terms", "statements"):
        content[section] = _plain(getattr(files, section)[0])
    for section in ("holdout", "breaker", "allow", "remedies", "duties"):
        if (found := getattr(files, section)) is not None:
            content[section] = _plain(found[0])
    for section in CREDIT_SECTIONS.values():
        spec: tuple[CreditSpec, Place] | None = getattr(files, section)
        if spec is not None:
            content[section] = plain(spec[0])
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:12]


def _plain(spec: Struct) -> Any:
    """What a section says, without where it has it from."""
    return _without_sources(msgspec.to_builtins(spec))


def _without_sources(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_sources(each) for key, each in value.items() if key != "source"}
    return [_without_sources(each) for each in value] if isinstance(value, list) else value
