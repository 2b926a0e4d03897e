"""Severe actions: who may take them without a person.

An action is severe where it ends a livelihood or keeps back a good deal of money: suspending, closing, holding payouts
for long or above an amount (``limits`` of the policy files). It is carried out at once where a person has found a
violation of the same policy before, or where independent detectors agree; else it waits for a person.

Independent is what could not be wrong for the same reason. Two rules that read the same signs are one detector, so each
names its family; and families whose evidence comes from the same source are one witness (``evidence_sources``): a
buyer who lies about orders, or a carrier who loses them, is seen in claims, in parcels and in who buys alike.
"""

from typing import Final

from detectors.actions import Limits, Step
from detectors.circumstances import GRAVE, Circumstances
from detectors.levels import LEVEL_RANK
from detectors.policy import PolicySet
from detectors.rules import Rule
from features.enforcement_state import EnforcementState, strike_key
from features.events import SubjectKind
from features.outputs import Action, ReviewReason

_HOLDS: Final[frozenset[Action]] = frozenset({"hold_payout", "freeze_commission"})


def review_reason(
    rule: Rule,
    kind: SubjectKind,
    step: Step,
    standing: EnforcementState,
    now: int,
    policies: PolicySet,
    circumstances: Circumstances,
) -> ReviewReason | None:
    """Why a step waits for a person, or None if it doesn't."""
    limits = policies.limits
    holds = step.action in _HOLDS
    above = holds and _above(limits, circumstances)
    # One order's payout is a matter of its amount, however long it is held.
    severe = step.severe and not (holds and kind == "order")
    if not (step.requires_review or severe or above):
        return None
    verdict = standing.verdicts.get(strike_key(rule.policy, kind))
    if verdict is not None and 0 <= now - verdict < limits.verdict:
        return None
    if step.requires_review:
        return "rule"
    if len(witnesses_against(rule, standing, now, policies, circumstances)) >= limits.detectors:
        return None
    return "severe" if severe else "amount"


def witnesses_against(
    rule: Rule, standing: EnforcementState, now: int, policies: PolicySet, circumstances: Circumstances
) -> frozenset[str]:
    """Sources of evidence that speak against a party: those of the detectors that do."""
    sources = policies.limits.sources
    families = detectors_against(rule, standing, now, policies, circumstances)
    return frozenset(sources.get(family, family) for family in families)


def detectors_against(
    rule: Rule, standing: EnforcementState, now: int, policies: PolicySet, circumstances: Circumstances
) -> frozenset[str]:
    """Families of the detectors that speak against a party: those that fire now, those of its strikes lately, and
    ``reports`` where a rights owner or an authority has reported it, or what is its, under the rule's policy. (Buyers'
    reports are none: they are many, and easily had.)
    """
    found = set(circumstances.detectors)
    if rule.detector is not None:
        found.add(rule.detector)
    since = now - policies.limits.corroboration
    for strikes in standing.strikes.values():
        for strike in strikes:
            other = policies.rule(strike.rule) if since < strike.at <= now else None
            if other is not None and other.detector is not None and LEVEL_RANK[other.severity] >= GRAVE:
                found.add(other.detector)
    for notice in standing.notices:
        if notice.by != "buyer" and notice.policy == rule.policy and since < notice.at <= now:
            found.add("reports")
    return frozenset(found)


def _above(limits: Limits, circumstances: Circumstances) -> bool:
    limit = limits.hold_above.get(circumstances.currency)
    return limit is not None and circumstances.amount > limit
