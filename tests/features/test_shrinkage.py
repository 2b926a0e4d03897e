import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from features.registry import DEFAULT_PRIORS
from features.shrinkage import (
    LOWER_TAIL,
    MAX_STRENGTH,
    MIN_STRENGTH,
    BetaPrior,
    credible_lower,
    fit_beta,
    posterior_mean,
)

DEFAULT = BetaPrior(2.0, 48.0)
_priors = st.builds(BetaPrior, st.floats(0.01, 50), st.floats(0.1, 400))
_counts = st.integers(0, 5000).flatmap(lambda orders: st.tuples(st.integers(0, orders), st.just(orders)))


@given(_counts, _priors)
@settings(max_examples=200, deadline=None)
def test_posteriors_are_rates(counts: tuple[int, int], prior: BetaPrior) -> None:
    """The mean lies strictly between 0 and 1 and between what was seen and what was believed; the bound lies below."""
    defects, orders = counts
    mean = posterior_mean(defects, orders, prior)
    believed = prior.alpha / (prior.alpha + prior.beta)
    seen = defects / orders if orders else believed
    assert 0 < mean < 1
    assert min(seen, believed) - 1e-12 <= mean <= max(seen, believed) + 1e-12
    assert 0 <= credible_lower(defects, orders, prior) < 1


@given(_counts, st.sampled_from(sorted(DEFAULT_PRIORS)))
@settings(max_examples=200, deadline=None)
def test_one_more_defect_never_lowers_a_figure(counts: tuple[int, int], rate: str) -> None:
    """Both figures rise with the defects and fall with good orders; the bound is below the mean."""
    defects, orders = counts
    prior = DEFAULT_PRIORS[rate]
    for figure in (posterior_mean, credible_lower):
        here = figure(defects, orders, prior)
        assert figure(defects + 1, orders + 1, prior) > here
        assert figure(defects, orders + 1, prior) < here or here == 0
    assert credible_lower(defects, orders, prior) <= posterior_mean(defects, orders, prior)


@given(_counts, _priors)
@settings(max_examples=200, deadline=None)
def test_the_bound_is_the_quantile_of_the_posterior(counts: tuple[int, int], prior: BetaPrior) -> None:
    """It is what scipy's own Beta distribution says."""
    defects, orders = counts
    expected = beta.ppf(LOWER_TAIL, prior.alpha + defects, prior.beta + orders - defects)
    assert credible_lower(defects, orders, prior) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def simulated(mean: float, strength: float, merchants: int, seed: int) -> tuple[int, int, int, int]:
    """Pooled orders, defects, pairs of orders and pairs of defects of merchants with Beta-Binomial defects."""
    random = np.random.default_rng(seed)
    orders = random.integers(1, 60, merchants)
    rates = random.beta(mean * strength, (1 - mean) * strength, merchants)
    defects = random.binomial(orders, rates)
    return (
        int(orders.sum()),
        int(defects.sum()),
        int((orders * (orders - 1)).sum()),
        int((defects * (defects - 1)).sum()),
    )


@pytest.mark.parametrize(("mean", "strength"), [(0.05, 30.0), (0.2, 15.0), (0.02, 100.0)])
def test_the_fit_finds_the_distribution_that_made_the_data(mean: float, strength: float) -> None:
    """Mean and strength of many simulated merchants are found again."""
    prior = fit_beta(*simulated(mean, strength, 8000, seed=1), DEFAULT)
    assert prior.alpha / (prior.alpha + prior.beta) == pytest.approx(mean, rel=0.05)
    assert prior.alpha + prior.beta == pytest.approx(strength, rel=0.3)


def test_merchants_that_are_all_alike_have_a_strong_prior() -> None:
    """Without differences between merchants the strength is the largest, with huge ones the smallest."""
    random = np.random.default_rng(3)
    orders = np.full(2000, 50)
    alike = random.binomial(orders, 0.05)
    apart = random.binomial(orders, np.where(np.arange(2000) % 20 == 0, 0.98, 0.001))
    strengths = []
    for defects in (alike, apart):
        pairs = int((orders * (orders - 1)).sum()), int((defects * (defects - 1)).sum())
        prior = fit_beta(int(orders.sum()), int(defects.sum()), *pairs, DEFAULT)
        strengths.append(prior.alpha + prior.beta)
    assert strengths[0] > 0.5 * MAX_STRENGTH
    assert strengths[1] == pytest.approx(MIN_STRENGTH, rel=1e-3)


def test_little_data_leaves_the_default() -> None:
    """Nothing seen is the default; a few orders move its mean and leave its strength."""
    assert fit_beta(0, 0, 0, 0, DEFAULT) == DEFAULT
    prior = fit_beta(50, 10, 400, 20, DEFAULT)
    assert prior.alpha + prior.beta == pytest.approx(50)
    assert prior.alpha / (prior.alpha + prior.beta) == pytest.approx(12 / 100)


@given(st.lists(_counts, max_size=40), st.sampled_from(sorted(DEFAULT_PRIORS)))
@settings(max_examples=200, deadline=None)
def test_any_data_give_a_proper_prior(merchants: list[tuple[int, int]], rate: str) -> None:
    """Whatever merchants there are, both parameters are positive and the strength is bounded."""
    prior = fit_beta(
        sum(orders for _, orders in merchants),
        sum(defects for defects, _ in merchants),
        sum(orders * (orders - 1) for _, orders in merchants),
        sum(defects * (defects - 1) for defects, _ in merchants),
        DEFAULT_PRIORS[rate],
    )
    assert prior.alpha > 0
    assert prior.beta > 0
    assert MIN_STRENGTH * 0.999 <= prior.alpha + prior.beta <= MAX_STRENGTH * 1.001
