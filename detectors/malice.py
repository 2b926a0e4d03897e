"""Which actions tell others that a party meant harm, so that suspicion follows its links.

A decision that still waits for a person is no finding: nobody else hears of it before it is carried out.
"""

from detectors.actions import HARSHNESS, NO_STRIKE, Limits
from detectors.policy import PolicySet
from detectors.rules import Rule
from features.enforcement_state import ActiveEnforcement
from features.party import Party


def under_malice(party: Party, policies: PolicySet) -> bool:
    """Whether an action for malice (``malice_ladders``) against the party itself has been carried out and is in force.

    An action by hand is one where it keeps money back or is harsher, under a policy that rules enforce by such a
    ladder.
    """
    standing = party.record.enforcement
    return standing is not None and any(
        each.subject_kind == party.kind and _for_malice(each, policies) for each in standing.active
    )


def _for_malice(action: ActiveEnforcement, policies: PolicySet) -> bool:
    if action.requires_review or action.action in NO_STRIKE:
        return False
    rule = policies.rule(action.rule)
    if rule is not None:
        return _is_malicious(rule, policies.limits)
    return HARSHNESS[action.action] >= HARSHNESS["hold_payout"] and any(
        each.policy == action.policy and _is_malicious(each, policies.limits) for each in policies.rules.values()
    )


def _is_malicious(rule: Rule, limits: Limits) -> bool:
    return rule.action in limits.malice or rule.confirmed in limits.malice
