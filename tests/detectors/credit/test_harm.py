"""The probability of harm: against oracles, and what it must never do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats

from detectors.credit.harm import moved, posterior, put_away, risk_points
from detectors.credit.policy import Harm
from features.credit import Component, Conduct

HARM = Harm(
    half_life_days=180,
    strengths={"late": 5, "claims": 10},
    slope=1.0,
    cases={"listing": 0.4, "service": 0.1},
    cases_at_most=2,
    cases_within=1,
    signs={"new": 0.5},
    tail=0.05,
    news=0.5,
    scale_score=600,
    scale_odds=50,
    scale_double=50,
)


def log_odds(probability: float) -> float:
    """Of a probability, 0 to 1."""
    return float(np.log(probability / (1 - probability)))


def conduct(*, day: int = 100, **days: list[tuple[int, int, int]]) -> Conduct:
    """A conduct with two components: mean rates of all 10 and 5 %."""
    means = {"late": 0.1, "claims": 0.05}
    components = {name: Component(days.get(name, []), mean) for name, mean in means.items()}
    return Conduct(day, [], components, pending=False, orders=0, buyers=0, since=0)


def test_without_orders_it_is_what_all_have() -> None:
    """1 - 0.9 x 0.95, and bounds around it."""
    found = posterior(conduct(), [], 0, 1.0, {}, HARM)
    assert found.mean == found.of_all == pytest.approx(1 - 0.9 * 0.95)
    assert found.lower < found.mean < found.upper


@pytest.mark.parametrize(("late", "claims"), [((0, 0), (0, 0)), ((30, 3), (30, 0)), ((200, 90), (150, 3))])
def test_bounds_are_those_of_simulated_components(late: tuple[int, int], claims: tuple[int, int]) -> None:
    """5 % and 95 % quantiles of the union of two Beta-distributed rates, within a hundredth; the mean to 1e-3."""
    given_days = conduct(late=[(100, *late)], claims=[(100, *claims)])
    found = posterior(given_days, [], 0, 1.0, {}, HARM)
    random = np.random.default_rng(7)
    draws = 1.0 - np.prod(
        [
            1.0 - random.beta(strength * mean + bad, strength * (1 - mean) + orders - bad, 400_000)
            for strength, mean, (orders, bad) in ((5, 0.1, late), (10, 0.05, claims))
        ],
        axis=0,
    )
    assert found.mean == pytest.approx(draws.mean(), abs=1e-3)
    assert found.lower == pytest.approx(np.quantile(draws, 0.05), abs=1e-2)
    assert found.upper == pytest.approx(np.quantile(draws, 0.95), abs=1e-2)


def test_with_one_component_it_is_the_beta_posterior() -> None:
    """Mean and bounds are scipy's to 1e-6."""
    one = replace(HARM, strengths={"late": 5})
    alone = Conduct(100, [], {"late": Component([(100, 40, 6)], 0.1)}, pending=False, orders=0, buyers=0, since=0)
    found = posterior(alone, [], 0, 1.0, {}, one)
    beta = stats.beta(0.5 + 6, 4.5 + 34)
    assert found.mean == pytest.approx(beta.mean(), abs=1e-6)
    assert found.lower == pytest.approx(beta.ppf(0.05), abs=1e-6)
    assert found.upper == pytest.approx(beta.ppf(0.95), abs=1e-6)


def test_an_order_of_a_half_life_ago_counts_half() -> None:
    """200 orders then are 100 now."""
    old = posterior(conduct(day=280, late=[(100, 200, 40)]), [], 0, 1.0, {}, HARM)
    new = posterior(conduct(day=280, late=[(280, 100, 20)]), [], 0, 1.0, {}, HARM)
    assert old.mean == pytest.approx(new.mean)
    assert old.upper == pytest.approx(new.upper)


def test_orders_from_few_buyers_prove_less() -> None:
    """A thousand good orders from ten buyers weigh as ten: farming evidence does not pay."""
    good = conduct(late=[(100, 1000, 0)], claims=[(100, 1000, 0)])
    few = conduct(late=[(100, 10, 0)], claims=[(100, 10, 0)])
    one, other = posterior(good, [], 0, 0.01, {}, HARM), posterior(few, [], 0, 1.0, {}, HARM)
    assert (one.mean, one.lower, one.upper) == (other.mean, other.lower, other.upper)


@given(
    st.integers(0, 10),
    st.integers(0, 10),
    st.floats(0, 1),
    st.integers(0, 500),
    st.integers(0, 500),
    st.floats(0.3, 1.5),
)
def test_cases_and_signs_add_to_the_log_odds(
    listing: int, service: int, new: float, orders: int, bad: int, slope: float
) -> None:
    """What the policy says of each class, two cases at most, and of a sign as far as it is there; bounds likewise."""
    days = conduct(late=[(100, max(orders, bad), bad)])
    harm = replace(HARM, slope=slope)
    without = posterior(days, [], 0, 1.0, {}, harm)
    days.signs = {"new": new}
    found = posterior(days, [], 0, 1.0, {"listing": listing, "service": service}, harm)
    expected = 0.4 * min(listing, 2) + 0.1 * min(service, 2) + 0.5 * new
    for one, other in ((found.mean, without.mean), (found.lower, without.lower), (found.upper, without.upper)):
        assert log_odds(one) - log_odds(other) == pytest.approx(expected, abs=1e-6)
    assert 0 < found.lower <= found.mean <= found.upper < 1


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), st.floats(0.3, 1.5), st.integers(0, 3))
def test_the_parts_make_the_difference_from_all(orders: int, late: int, claims: int, slope: float, cases: int) -> None:
    """What each way, class and sign is said to add is, together, what lies between the party and all."""
    days = conduct(late=[(100, orders, min(late, orders))], claims=[(100, orders, min(claims, orders))])
    days.signs = {"new": 0.7}
    found = posterior(days, [], 0, 1.0, {"listing": cases}, replace(HARM, slope=slope))
    assert sum(found.parts.values()) == pytest.approx(log_odds(found.mean) - log_odds(found.of_all), abs=1e-6)


def test_a_way_that_went_better_than_usual_speaks_for_the_party() -> None:
    """Punctual, but with many claims: one part is below 0, the other above."""
    found = posterior(conduct(late=[(100, 100, 0)], claims=[(100, 100, 20)]), [], 0, 1.0, {}, HARM)
    assert found.parts["late"] < 0 < found.parts["claims"]


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0.3, 1.5))
def test_the_slope_is_how_much_of_the_distance_is_carried_on(orders: int, share: float, slope: float) -> None:
    """In log-odds from what all have; 1 leaves the rate as it is."""
    days = conduct(late=[(100, orders, int(orders * share))])
    whole, part = (posterior(days, [], 0, 1.0, {}, replace(HARM, slope=each)) for each in (1.0, slope))
    apart = [log_odds(each.mean) - log_odds(each.of_all) for each in (whole, part)]
    assert apart[1] == pytest.approx(slope * apart[0], abs=1e-6)


def test_weeks_put_away_count_like_those_at_hand() -> None:
    """Counts decayed week by week give the same as all the days together, to the hundredths in which they are kept."""
    days = [(day, 10, day % 3) for day in range(100)]
    all_days = posterior(conduct(day=120, late=days, claims=days), [], 0, 1.0, {}, HARM)
    past: list[int] = []
    for first in range(0, 70, 7):
        past = put_away(past, conduct(late=days, claims=days).ways(), first, first + 7, HARM)
    split = posterior(conduct(day=120, late=days, claims=days), past, 70, 1.0, {}, HARM)
    assert split.mean == pytest.approx(all_days.mean, abs=1e-4)
    assert split.lower == pytest.approx(all_days.lower, abs=1e-4)


def test_what_is_put_away_fades_to_nothing() -> None:
    """Weeks without orders decay the past until nothing of it is stored."""
    past = put_away([], conduct(late=[(0, 3, 1)]).ways(), 0, 7, HARM)
    assert past == [292, 97]
    for week in range(1, 400):
        past = put_away(past, conduct().ways(), week * 7, week * 7 + 7, HARM)
    assert sum(past) < 40


@pytest.mark.parametrize(
    ("probability", "points"),
    [(0.5, 318), (0.2, 418), (0.1, 476), (0.05, 530), (0.02, 599), (0.01, 649), (0.005, 700), (0.001, 816)],
)
def test_risk_points_are_those_of_the_scorecard(probability: float, points: int) -> None:
    """600 at 50 to 1 and 50 points to double the odds: the table of GOVERNANCE section 5."""
    assert risk_points(probability, HARM) == points


def test_risk_points_are_bounded() -> None:
    """Certainty gives an end of the scale, not an error."""
    assert risk_points(0.0, HARM) == 1000
    assert risk_points(1.0, HARM) == 0


def test_a_probability_is_news_when_its_odds_have_moved() -> None:
    """From 10 % to 15.5 %, or to 6.3 %, and from nothing to anything; not by less."""
    assert moved(0.1, 0.155, HARM)
    assert moved(0.1, 0.063, HARM)
    assert not moved(0.1, 0.15, HARM)
    assert not moved(0.1, 0.065, HARM)
    assert moved(0.0, 0.01, HARM)
