"""Which tier a party is in: probation for the new, rewards above the standard, restrictions below.

Every move is asymmetric on purpose. A reward rests on the *upper* credible bound of the bad rate, a restriction on the
*lower* one, so neither follows from a few orders; the bounds to stay are wider than those to enter, and a promotion
takes a least time in the tier before. A probability alone never restricts: the policy checks see to it that every bound
of a restriction asks for lost points as well. Without a score (too few orders) there is neither.
"""

from typing import Protocol

from detectors.credit.policy import Bounds, CreditPolicy, Tier


class Standing(Protocol):
    """What decides about the tier."""

    @property
    def score(self) -> int | None:
        """None below the minimum volume."""

    @property
    def lower(self) -> float:
        """Lower credible bound of the bad rate, as a multiple of the rate of all."""

    @property
    def upper(self) -> float:
        """Upper credible bound likewise."""


def next_tier(policy: CreditPolicy, current: str, since: int, standing: Standing, now: int) -> Tier:
    """The tier of a party out of probation that is in ``current`` since a time, ms."""
    score = standing.score
    if score is None:
        return policy.standard
    stayed = now - since
    for tier in reversed(policy.restrictions):
        if _holds(tier.enter, score, standing):
            return tier
        if tier.name == current and (stayed < tier.least or _holds(tier.stay, score, standing)):
            return tier
    before = policy.tier(current)
    for tier in policy.rewards:
        if policy.rank(current) >= policy.rank(tier.name):
            # Its own tier, or one that it falls back to.
            if _holds(tier.stay, score, standing):
                return tier
        elif stayed >= before.least and _holds(tier.enter, score, standing):
            return tier
    return policy.standard


def _holds(any_of: tuple[Bounds, ...], score: int, standing: Standing) -> bool:
    return any(_hold(bounds, score, standing) for bounds in any_of)


def _hold(bounds: Bounds, score: int, standing: Standing) -> bool:
    """Whether bounds hold; those of the rate are looked at last, as they cost most."""
    return not (
        (bounds.score_at_least is not None and score < bounds.score_at_least)
        or (bounds.score_at_most is not None and score > bounds.score_at_most)
        or (bounds.upper_at_most is not None and standing.upper > bounds.upper_at_most)
        or (bounds.lower_at_least is not None and standing.lower < bounds.lower_at_least)
    )
