"""Never twice for the same facts: what must have happened since a decision before a rule may decide again.

A rule's minimum evidence (so many late shipments, of so many buyers) must be met by what came after the last decision
under the same policy, by itself. What a warning or a request for review rested on binds that rule alone: a harsher rule
may act on it at once, which is how enforcement escalates.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from detectors.actions import INSTANT, NO_STRIKE
from detectors.circumstances import Circumstances
from detectors.rules import Rule
from features.enforcement_state import EnforcementState, strike_key
from features.events import SubjectKind
from features.facts import FreshFacts, fact_kind, window_days
from features.outputs import Action
from features.windows import DAY_MS

#: Facts are counted for as long after a decision, ms: twice the longest window that a rule looks back.
FACTS_KEPT: Final = 180 * DAY_MS
#: Features that tell how things stand: nothing new, as long as they do not rise.
_STATES: Final = frozenset(
    {
        "linked_merchants",
        "linked_values",
        "linked_to_enforced",
        "linked_restrictions",
        "catalogue_of_enforced",
        "catalogue_copied",
        "creator_joint_merchants",
        "creator_suspended_merchants",
    }
)
#: Parts of the names of features that look back over days but count no cases.
_NO_CASES: Final = (
    "mature",
    "distinct",
    "rate",
    "share",
    "ratio",
    "burst",
    "gmv",
    "concentration",
    "creator_orders",
    "harmed_buyers",
    "harming_merchants",
    "violated_merchants",
)


def scope_of(rule: Rule, kind: SubjectKind, action: Action) -> str:
    """What may not be decided again on the facts of a decision: its policy, or (where it restricted nothing) its rule
    alone.
    """
    if action in INSTANT or action in NO_STRIKE:
        return _rule_scope(rule)
    return strike_key(rule.policy, kind)


def begin(rule: Rule, scope: str, decision_id: str, at: int, circumstances: Circumstances) -> FreshFacts:
    """The count that a decision begins."""
    needs = _needs(rule)
    # As floats, which is how they come back from the store: a whole number would be stored otherwise before and after.
    levels = {name: float(value) for name in needs.states if (value := circumstances.value(name)) is not None}
    return FreshFacts(scope, decision_id, at, dict.fromkeys(needs.cases, 0), [], levels)


def is_fresh(rule: Rule, kind: SubjectKind, standing: EnforcementState, now: int, circumstances: Circumstances) -> bool:
    """Whether what happened since earlier decisions meets the rule's minimum evidence by itself."""
    needs = _needs(rule)
    scopes = strike_key(rule.policy, kind), needs.scope
    return all(
        _met(needs, since, now, circumstances)
        for since in standing.facts
        if since.scope in scopes and now - since.at < FACTS_KEPT
    )


class _Needs(Struct, frozen=True):
    """What a rule's evidence asks for: least numbers of cases by kind, of distinct buyers, features that tell a state,
    and the longest time that other counts look back, ms; and the scope of its own decisions.
    """

    cases: dict[str, float]
    buyers: float
    states: tuple[str, ...]
    looked_back: int
    scope: str


# A rule fires at every assessment while it stands, and its evidence never changes.
@lru_cache(maxsize=4096)
def _needs(rule: Rule) -> _Needs:
    evidence = rule.evidence
    return _Needs(
        cases(rule),
        max((number for name, number in evidence.items() if name.startswith("distinct_buyers")), default=0),
        tuple(name for name in evidence if name in _STATES),
        max((days * DAY_MS for days in _looked_back(evidence)), default=0),
        _rule_scope(rule),
    )


def _met(needs: _Needs, since: FreshFacts, now: int, circumstances: Circumstances) -> bool:
    if now - since.at < needs.looked_back:
        return False
    counts = since.counts
    least = None
    for kind, number in needs.cases.items():
        if kind in counts:
            if counts[kind] < number:
                return False
            least = number if least is None else min(least, number)
    # Of twelve buyers not all need have been wronged, but of five cases not all may be one buyer's.
    if least is not None and len(since.buyers) < min(needs.buyers, least):
        return False
    states = [name for name in needs.states if name in since.levels]
    return not states or any((circumstances.value(name) or 0) > since.levels[name] for name in states)


def cases(rule: Rule) -> dict[str, float]:
    """Kinds of facts that a rule's evidence asks for, with their least number.

    Orders as such are facts only where the rule asks for no cases among them.
    """
    found: dict[str, float] = {}
    for name, number in rule.evidence.items():
        kind = fact_kind(name)
        if kind is not None:
            found[kind] = max(number, found.get(kind, 0))
    if len(found) > 1:
        found.pop("orders", None)
    return found


def _looked_back(evidence: Iterable[str]) -> Iterable[int]:
    """Days that the other counts in some evidence look back: when these have passed, all of it is new."""
    for name in evidence:
        days = window_days(name)
        if days is not None and fact_kind(name) is None and not any(part in name for part in _NO_CASES):
            yield days


def _rule_scope(rule: Rule) -> str:
    return f"rule {rule.id}"
