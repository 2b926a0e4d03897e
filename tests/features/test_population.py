import random
from math import exp

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.population import (
    BRAND_LIMIT,
    PRICE_MINIMUM,
    PRIOR_FAMILIES,
    SEGMENT_LIFE_MS,
    SEGMENT_LIMIT,
    Moments,
    Population,
    PriceLevel,
    Segment,
)
from features.shrinkage import BetaPrior

START = 1_704_067_200_000
_prices = st.integers(1, 10**6)


def bin_of(price: float) -> int:
    """Number of the bin, a tenth of a natural logarithm wide, that a price falls into."""
    return int(np.log(price) / 0.1)


@given(st.lists(_prices, min_size=PRICE_MINIMUM, max_size=60), st.integers(0, 20), st.lists(_prices, max_size=20))
@settings(max_examples=150, deadline=None)
def test_the_median_is_right_to_a_bin(prices: list[int], removed: int, added: list[int]) -> None:
    """After prices came and went, the median lies in the bin of the middle price, or of one of the middle two."""
    level = PriceLevel()
    for price in prices:
        level.add(price)
    level.median_log()
    kept = prices[removed:] + added
    for price in prices[:removed]:
        level.remove(price)
    for price in added:
        level.add(price)
    median = level.median_log()
    assert level.total == len(kept)
    assert sum(level.bins.values()) == len(kept)
    if len(kept) < PRICE_MINIMUM:
        assert median is None
        return
    assert median is not None
    kept.sort()
    low, high = kept[(len(kept) - 1) // 2], kept[len(kept) // 2]
    assert bin_of(low) <= bin_of(exp(median)) <= bin_of(high)


def test_a_median_follows_prices_that_are_edited() -> None:
    """A category whose listings all change their price has another median, although it did not grow."""
    level = PriceLevel()
    for _ in range(500):
        level.add(1000)
    assert exp(level.median_log() or 0) == pytest.approx(1000, rel=0.1)
    for _ in range(500):
        level.remove(1000)
        level.add(5000)
    assert exp(level.median_log() or 0) == pytest.approx(5000, rel=0.1)


def test_a_price_that_is_not_there_cannot_be_taken_back() -> None:
    """Counts never become negative: what is unknown stays so."""
    level = PriceLevel()
    for _ in range(PRICE_MINIMUM):
        level.add(100)
    level.remove(9999)
    assert (level.total, sum(level.bins.values())) == (PRICE_MINIMUM, PRICE_MINIMUM)


#: Orders due of each family, then the defects of each rate.
_contributions = st.lists(
    st.just(0) | st.integers(0, 50), min_size=3 + len(PRIOR_FAMILIES), max_size=3 + len(PRIOR_FAMILIES)
)


@given(st.lists(st.tuples(st.integers(0, 5), _contributions), max_size=30))
@settings(max_examples=100, deadline=None)
def test_moments_are_those_of_the_merchants_as_they_are_now(changes: list[tuple[int, list[int]]]) -> None:
    """Exchanging contributions one by one leaves the sums over the last one of each merchant, for every rate."""
    population = Population()
    now: dict[int, list[int]] = {}
    for merchant, contribution in changes:
        population.exchange(now.get(merchant, []), contribution)
        now[merchant] = contribution
    for index, (rate, family) in enumerate(PRIOR_FAMILIES.items(), 3):
        moments = population.moments.get(rate, Moments())
        orders = np.array([each[family] for each in now.values()], dtype=int)
        bad = np.array([each[index] for each in now.values()], dtype=int)
        assert (moments.orders, moments.defects) == (orders.sum(), bad.sum()), rate
        assert moments.order_pairs == (orders * (orders - 1)).sum(), rate
        assert moments.defect_pairs == (bad * (bad - 1)).sum(), rate


def test_priors_are_fitted_on_what_was_exchanged() -> None:
    """Merchants' contributions give each rate the mean over all of them; trailing zeros may be left out."""
    generator = np.random.default_rng(5)
    population = Population()
    total = np.zeros(3 + len(PRIOR_FAMILIES), dtype=int)
    for _ in range(500):
        ship, delivery, outcome = (int(one) for one in generator.integers(20, 60, 3))
        flat = [ship, delivery, outcome]
        for index, family in enumerate(PRIOR_FAMILIES.values()):
            flat.append(int(generator.binomial(flat[family], generator.beta(2 + index, 40))))
        population.exchange([], [5, 5, 5])
        population.exchange([5, 5, 5], flat)
        total += flat
    for index, (rate, family) in enumerate(PRIOR_FAMILIES.items(), 3):
        prior = population.moments[rate].prior(BetaPrior(1.0, 49.0))
        expected = total[index] / total[family]
        assert prior.alpha / (prior.alpha + prior.beta) == pytest.approx(expected, rel=0.02), rate
        assert 15 < prior.alpha + prior.beta < 100, rate


@given(st.lists(st.tuples(st.integers(0, 90), st.booleans()), min_size=1, max_size=20), st.randoms())
@settings(max_examples=100, deadline=None)
def test_segments_do_not_depend_on_the_order_of_outcomes(
    outcomes: list[tuple[int, bool]], shuffle: random.Random
) -> None:
    """The same outcomes in any order leave the same decayed counts; a half-life halves them."""
    found = []
    for _ in range(2):
        segment = Segment()
        for day, bad in outcomes:
            segment.add(START + day * SEGMENT_LIFE_MS // 14, bad)
        found.append(segment)
        shuffle.shuffle(outcomes)
    first, second = found
    assert (first.at, first.orders, first.bad) == pytest.approx((second.at, second.orders, second.bad))
    latest = max(day for day, _ in outcomes)
    assert first.orders == pytest.approx(sum(0.5 ** ((latest - day) / 14) for day, _ in outcomes))
    assert first.bad == pytest.approx(sum(0.5 ** ((latest - day) / 14) for day, bad in outcomes if bad))


def test_segment_rates_start_from_the_overall_rate_and_leave_it_with_evidence() -> None:
    """An unknown segment has the overall rate, one with many late orders comes near its own."""
    population = Population()
    for index in range(1000):
        population.learn_segment("all", START, index % 10 == 0)
        population.learn_segment("region/BR-SP", START, index % 10 == 0)
    overall, unknown, nowhere, nothing = population.segment_rates("BR-AM", "", "")
    assert overall == pytest.approx(0.1, abs=0.01)
    assert unknown == nowhere == nothing == overall
    for index in range(200):
        population.learn_segment("region/BR-AM", START, index % 2 == 0)
    assert 0.4 < population.segment_rates("BR-AM", "", "")[1] < 0.5
    assert population.segment_rates("BR-SP", "", "")[1] == pytest.approx(0.1, abs=0.01)


def test_segments_and_prices_are_bounded() -> None:
    """A flood of made-up names pushes out the stalest segments and the smallest categories, not those in use."""
    population = Population()
    for _ in range(20):
        population.price_level("EUR", "home").add(100)
    for index in range(SEGMENT_LIMIT + 50):
        population.learn_segment("all", START + index, False)
        population.learn_segment(f"region/{index}", START + index, False)
        population.price_level("EUR", f"made-up-{index}").add(100)
        population.brand_level("EUR", "home", f"made-up-{index}").add(100)
    assert 0.94 * BRAND_LIMIT < len(population.brand_prices) <= BRAND_LIMIT
    for table in (population.segments, population.prices):
        assert 0.94 * SEGMENT_LIMIT < len(table) <= SEGMENT_LIMIT
    assert "all" in population.segments
    assert f"region/{SEGMENT_LIMIT + 49}" in population.segments
    assert "region/0" not in population.segments
    assert population.prices["EUR/home"].total == 20


def test_a_population_reads_back() -> None:
    """What is stored is everything."""
    population = Population(priors={"cancel": BetaPrior(1.0, 2.0)}, prior_day=5)
    population.learn_segment("all", START, True)
    population.exchange([], [10, 10, 10, 1])
    for price in range(1, 40):
        population.price_level("EUR", "home").add(price)
    population.price_level("EUR", "home").median_log()
    assert msgspec.json.decode(msgspec.json.encode(population), type=Population) == population
