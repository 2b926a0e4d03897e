"""Which tier a party is in from now on: in and out of probation, and by its score and conduct."""

from typing import Final

from detectors.credit.assessment import Assessment
from detectors.credit.policy import CreditPolicy
from detectors.credit.tiers import next_tier
from features.credit import Conduct, CreditState

#: When a party that is not new came out of probation: it was never in it.
ESTABLISHED: Final = 1


def may_be_recalled(state: CreditState, policy: CreditPolicy, now: int) -> bool:
    """Whether a party came out of probation a short while ago."""
    return state.graduated > ESTABLISHED and now - state.graduated <= policy.probation.recall_within


def place(
    policy: CreditPolicy, state: CreditState, conduct: Conduct, assessment: Assessment, now: int, *, pardoned: bool
) -> tuple[str, int]:
    """Name of a party's tier, and since when it is in it, ms; notes the end of probation, and a recall.

    When it is ``pardoned``, it is again in the tier that the violation cost it, if nothing else speaks against that.
    """
    probation = policy.probation
    if not state.graduated:
        if not _served(policy, state, conduct, assessment, now):
            return probation.tier.name, state.since
        state.graduated = now
        return policy.standard.name, now
    if any(conduct.rates.get(rate, 0.0) > limit for rate, limit in probation.recall.items()):
        state.graduated = 0
        return probation.tier.name, now
    current, since = state.tier, state.since
    if pardoned:
        # Without the violation it need not have been there for the least time of a restriction.
        current, since = state.before or (current, since if policy.rank(current) >= 0 else 0)
    tier = next_tier(policy, current, since, assessment, now).name
    if tier == state.tier:
        return tier, state.since
    return tier, since if tier == current else now


def _served(policy: CreditPolicy, state: CreditState, conduct: Conduct, assessment: Assessment, now: int) -> bool:
    """Whether a party's probation is over."""
    probation = policy.probation
    stayed = now - state.since
    if stayed >= probation.otherwise and assessment.points >= policy.start:
        return True
    return (
        stayed >= probation.least
        and assessment.matured >= probation.orders
        and conduct.buyers >= probation.buyers
        and assessment.points >= probation.score
    )


def note_what_was_lost(policy: CreditPolicy, state: CreditState, tier: str, *, facts: bool, pardoned: bool) -> None:
    """Keep the tier that ``facts`` against a party cost it, until it comes back or the tier changes otherwise."""
    if tier == state.tier:
        return
    if facts and policy.rank(tier) < policy.rank(state.tier):
        state.before = state.before or (state.tier, state.since)
    elif not pardoned or (state.before is not None and tier == state.before[0]):
        state.before = None
