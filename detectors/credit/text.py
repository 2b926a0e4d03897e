"""The score in words: what an action that follows from it gives as its facts."""

from collections.abc import Sequence

from config.policy_specs import StatementSpec
from detectors.credit.assessment import Assessment
from detectors.credit.policy import CreditPolicy
from features.credit import LedgerEntry
from features.windows import DAY_MS


def score_in_words(
    entries: Sequence[LedgerEntry], policy: CreditPolicy, assessment: Assessment, statements: StatementSpec
) -> str:
    """How a score comes about: start, what was earned, and what was lost by which policy. No personal data."""
    costs: dict[str, int] = {}
    returned = 0
    for entry in entries:
        if entry.points and not entry.ended:
            costs[entry.code] = costs.get(entry.code, 0) - entry.points
            returned += entry.returned
    parts = [
        f"{points} by {statements.policies[code].title.lower() if code in statements.policies else code}"
        for code, points in sorted(costs.items(), key=lambda item: (-item[1], item[0]))
    ]
    words = [f"{policy.start} at the start", f"{assessment.earned} earned by clean orders"]
    if parts:
        words.append(f"lost {', '.join(parts)}")
    if returned:
        words.append(f"{returned} back for what was put right")
    limit = policy.start + assessment.earned - sum(costs.values()) + returned
    if max(0, limit) > assessment.points:
        words.append("held down by a critical violation")
    days = policy.window // DAY_MS
    return f"The credit score is {assessment.points}, over {days} days: {'; '.join(words)}"
