"""The streaming percentile against the definition."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.percentile import StreamingPercentile


def _distance_from_uniform(ranks: list[float]) -> float:
    """Kolmogorov-Smirnov distance from the uniform distribution."""
    count = len(ranks)
    return max(max(abs(rank - at / count), abs(rank - (at + 1) / count)) for at, rank in enumerate(sorted(ranks)))


def _ranks(percentile: StreamingPercentile, scores: list[float]) -> list[float]:
    found = []
    for score in scores:
        rank = percentile.rank(score)
        if rank is not None:
            found.append(rank)
        percentile.add(score)
    return found


def test_there_is_no_rank_during_warm_up() -> None:
    """Before the minimum of scores a rank would say little; from then on there is one."""
    percentile = StreamingPercentile(0.0, 1.0, minimum=50)
    for _ in range(50):
        assert percentile.rank(0.5) is None
        percentile.add(0.5)
    assert percentile.rank(0.5) == 0.5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", ["uniform", "skewed", "narrow"])
def test_ranks_of_like_scores_are_uniform(seed: int, shape: str) -> None:
    """Right after warm-up, and whatever their distribution, independent scores get uniform percentiles."""
    random = Random(seed)
    shapes: dict[str, Callable[[], float]] = {
        "uniform": random.random,
        "skewed": lambda: random.betavariate(1, 8),
        "narrow": lambda: min(max(random.gauss(0.8, 0.02), 0.0), 1.0),
    }
    ranks = _ranks(StreamingPercentile(0.0, 1.0), [shapes[shape]() for _ in range(5_200)])
    # 1.63 / sqrt(n) is the 1 % critical value for exact percentiles; the first ranks rest on 200 scores only.
    assert _distance_from_uniform(ranks) < 0.023 + 0.03
    assert _distance_from_uniform(ranks[:800]) < 0.058 + 0.05


def test_ranks_follow_a_shift() -> None:
    """After a shift everything looks extreme at first, and usual again once memory has turned over."""
    random = Random(1)
    percentile = StreamingPercentile(0.0, 1.0, memory=1_000)
    _ranks(percentile, [random.uniform(0.0, 0.5) for _ in range(3_000)])
    after = _ranks(percentile, [random.uniform(0.5, 1.0) for _ in range(10_000)])
    assert min(after[:20]) > 0.95
    assert _distance_from_uniform(after[6_000:]) < 0.05


def test_memory_is_what_it_says() -> None:
    """After as many new scores as the memory, the old ones weigh 1/e."""
    percentile = StreamingPercentile(0.0, 1.0, memory=500, minimum=1)
    for _ in range(20_000):
        percentile.add(0.1)
    for _ in range(500):
        percentile.add(0.9)
    assert percentile.rank(0.5) == pytest.approx(0.368, abs=0.002)


def test_ties_rank_in_the_middle() -> None:
    """A merchant base that behaves all alike is usual, not extreme."""
    percentile = StreamingPercentile(0.0, 1.0)
    for _ in range(1_000):
        percentile.add(0.997)
    assert percentile.rank(0.997) == pytest.approx(0.5)
    assert percentile.rank(0.999) == pytest.approx(1.0)
    assert percentile.rank(0.5) == 0.0


def test_scores_beyond_the_range_count_at_its_ends() -> None:
    """Nothing is lost, and no rank leaves 0..1."""
    percentile = StreamingPercentile(0.0, 1.0, memory=1e9, minimum=1)
    for score in (-5.0, 0.5, 7.0):
        percentile.add(score)
    assert percentile.rank(-9.0) == pytest.approx(1 / 6)
    assert percentile.rank(9.0) == pytest.approx(5 / 6)


def test_weights_stay_finite_for_ever() -> None:
    """Growing weights are brought back before they overflow, without a jump in the ranks."""
    percentile = StreamingPercentile(0.0, 1.0, memory=10, minimum=1)
    random = Random(2)
    ranks = _ranks(percentile, [random.random() for _ in range(20_000)])
    assert percentile.state().weight < 2e9
    assert _distance_from_uniform(ranks) < 0.06
    assert percentile.state().total == pytest.approx(sum(percentile.state().bins))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    alpha=st.floats(0.5, 20.0),
    beta=st.floats(0.5, 20.0),
    memory=st.sampled_from([200, 1_000, 5_000]),
)
def test_ranks_are_those_of_numpy(seed: int, alpha: float, beta: float, memory: int) -> None:
    """Once warm, ranks of numpy's own quantiles lie within the stated bound, for scores of many shapes."""
    scores = np.random.default_rng(seed).beta(alpha, beta, size=4 * memory)
    percentile = StreamingPercentile(0.0, 1.0, memory=memory)
    for score in scores.tolist():
        percentile.add(score)
    counts, _ = np.histogram(scores, bins=512, range=(0.0, 1.0))
    in_bin = float(counts.max()) / len(scores)
    for quantile in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999):
        rank = percentile.rank(float(np.quantile(scores, quantile)))
        assert rank is not None
        # What lies within a bin, and chance: fading weights are worth twice the memory in equal ones (DKW, 1:10,000).
        assert abs(rank - quantile) < in_bin + 2.3 / (2 * memory) ** 0.5


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), drift=st.floats(-0.5, 0.5), memory=st.sampled_from([200, 1_000]))
def test_under_drift_ranks_are_those_of_the_weighted_past(seed: int, drift: float, memory: int) -> None:
    """While scores move, a rank is the exponentially weighted share of lower ones, but for what shares its bin."""
    random = np.random.default_rng(seed)
    count = 3 * memory
    scores = np.clip(0.5 + drift * np.linspace(-0.5, 0.5, count) + random.normal(0.0, 0.1, count), 0.0, 1.0)
    percentile = StreamingPercentile(0.0, 1.0, memory=memory)
    for score in scores.tolist():
        percentile.add(score)
    weights = (1.0 - 1.0 / (memory + 1.0)) ** np.arange(count)[::-1]
    for at in np.linspace(0.05, 0.95, 19):
        rank = percentile.rank(float(at))
        exact = float(weights[scores < at].sum() / weights.sum())
        in_bin = float(weights[np.abs(scores - at) < 1 / 512].sum() / weights.sum())
        assert rank is not None
        assert abs(rank - exact) <= in_bin + 1e-9


def test_memory_is_fixed() -> None:
    """A hundred thousand scores take no more room than the first."""
    percentile = StreamingPercentile(0.0, 1.0, memory=100)
    random = Random(5)
    sizes = set()
    for at in range(100_000):
        percentile.add(random.random())
        if at % 10_000 == 0:
            sizes.add(len(percentile.state().bins))
    assert sizes == {512}
