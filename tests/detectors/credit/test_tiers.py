"""Tiers: asymmetric bounds, hysteresis, and what never happens."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from detectors.credit.tiers import next_tier
from detectors.policy import PolicySet
from features.windows import DAY_MS


class Standing(Struct, frozen=True):
    """What decides about a tier, as given."""

    score: int | None
    lower: float
    upper: float


NOW = 1000 * DAY_MS
SCORES = st.integers(0, 400)
#: Bounds of the bad rate, as multiples of the rate of all: the lower one first.
RATES = st.tuples(st.floats(0.01, 4), st.floats(0.01, 4)).map(sorted)
TIERS = st.sampled_from(["premier", "plus", "standard", "watch"])


def tier_of(policies: PolicySet, current: str, days: float, score: int | None, lower: float, upper: float) -> str:
    """The tier after so many days in the current one."""
    policy = policies.credit["merchant"]
    return next_tier(policy, current, NOW - round(days * DAY_MS), Standing(score, lower, upper), NOW).name


@given(current=TIERS, days=st.floats(0, 200), score=st.integers(181, 400), rates=RATES)
def test_a_probability_alone_never_restricts(
    packaged: PolicySet, current: str, days: float, score: int, rates: list[float]
) -> None:
    """Whoever has lost fewer than 20 points comes under no restriction, however bad its orders are."""
    found = tier_of(packaged, current, days, score, *rates)
    assert found != "watch" or current == "watch"


@given(current=TIERS, days=st.floats(0, 200), score=SCORES, lower=st.floats(0.01, 2), upper=st.floats(1.21, 4))
def test_a_few_orders_are_no_reason_for_a_reward(
    packaged: PolicySet, current: str, days: float, score: int, lower: float, upper: float
) -> None:
    """A reward rests on the upper bound: while it may be worse than all, there is none."""
    assert tier_of(packaged, current, days, score, min(lower, upper), upper) in ("standard", "watch")


@given(current=TIERS, days=st.floats(0, 200), rates=RATES)
def test_without_a_score_there_is_neither_reward_nor_restriction(
    packaged: PolicySet, current: str, days: float, rates: list[float]
) -> None:
    """Null is not low."""
    assert tier_of(packaged, current, days, None, *rates) == "standard"


@given(current=TIERS, days=st.floats(0, 200), score=SCORES, rates=RATES)
def test_a_tier_that_was_entered_is_kept_under_the_same_figures(
    packaged: PolicySet, current: str, days: float, score: int, rates: list[float]
) -> None:
    """No flapping: what leads into a tier does not lead out of it at the next look."""
    found = tier_of(packaged, current, days, score, *rates)
    if found != current:
        assert tier_of(packaged, found, 0, score, *rates) == found


@given(current=TIERS, days=st.floats(0, 200), score=SCORES, more=st.integers(0, 100), rates=RATES)
def test_more_points_never_make_it_worse(
    packaged: PolicySet, current: str, days: float, score: int, more: int, rates: list[float]
) -> None:
    """Points are all for the better, at whatever rate."""
    policy = packaged.credit["merchant"]
    fewer = tier_of(packaged, current, days, score, *rates)
    assert policy.rank(tier_of(packaged, current, days, score + more, *rates)) >= policy.rank(fewer)


def test_a_promotion_takes_its_time_and_a_restriction_does_not(packaged: PolicySet) -> None:
    """Four weeks in the standard before plus; watched at once, and for four weeks."""
    assert tier_of(packaged, "standard", 27, 210, 0.1, 0.5) == "standard"
    assert tier_of(packaged, "standard", 28, 210, 0.1, 0.5) == "premier"
    assert tier_of(packaged, "premier", 0, 150, 0.1, 0.5) == "watch"
    assert tier_of(packaged, "watch", 27, 200, 0.1, 0.5) == "watch"


def test_bounds_to_stay_are_wider_than_those_to_enter(packaged: PolicySet) -> None:
    """201 points and a bad rate of 1.1 times all others keep plus, and don't give it."""
    assert tier_of(packaged, "plus", 100, 201, 0.1, 1.1) == "plus"
    assert tier_of(packaged, "standard", 100, 201, 0.1, 1.1) == "standard"
    assert tier_of(packaged, "premier", 100, 201, 0.1, 1.1) == "plus"
    assert tier_of(packaged, "watch", 100, 164, 0.1, 1.1) == "watch"
    assert tier_of(packaged, "standard", 100, 164, 0.1, 1.1) == "standard"
