"""A party's credit, put so that it can be read without the code."""

from typing import Any

from detectors.credit.harm import risk_points
from detectors.credit.ledger import lost
from detectors.credit.policy import CreditPolicy
from features.credit import CreditState
from streams.explain.story import moment


def credit_state(credit: CreditState | None, policy: CreditPolicy | None, now: int) -> dict[str, Any]:
    """Score and how it comes about, tier and since when, probability of harm, and every entry that counts at ``now``
    (ms); empty where no credit is kept.
    """
    if credit is None or policy is None:
        return {}
    return {
        "score": credit.score,
        "start": policy.start,
        "earned": credit.earned,
        "lost": lost(credit.ledger, policy, now),
        "tier": credit.tier or None,
        "tier_since": moment(credit.since) if credit.since else None,
        "in_probation": not credit.graduated,
        "lowest_milestone": credit.reached,
        "bad_order_probability": credit.probability or None,
        "risk_points": risk_points(credit.probability, policy.harm) if credit.probability else None,
        "looked_at_next": moment(credit.due) if credit.due else None,
        "entries": [
            {
                "points": each.points,
                "code": each.code,
                "at": moment(each.at),
                "counts_until": moment(each.at + policy.window),
                "decision": each.decision,
                "about": each.subject or None,
                "confirmed": each.confirmed,
                "given_back": each.returned or None,
            }
            for each in credit.ledger
            if each.points and now < each.at + policy.window
        ],
    }
