from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ks_2samp
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from detectors.evaluation.proportions import share, wilson
from detectors.evaluation.ranking import average_precision, kolmogorov_smirnov, roc_auc
from detectors.evaluation.reliability import brier_score, calibration_error, reliability
from detectors.evaluation.survival import median_time

#: Labels of both classes, with scores of which many are equal.
_ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


@given(_ROWS)
def test_ranking_is_that_of_other_implementations(rows: list[tuple[bool, float]]) -> None:
    """AUC and AP equal scikit-learn's, KS equals SciPy's, with ties as well."""
    labels, scores = [label for label, _ in rows], [score for _, score in rows]
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    bad = [score for label, score in rows if label]
    good = [score for label, score in rows if not label]
    assert kolmogorov_smirnov(labels, scores) == pytest.approx(ks_2samp(bad, good).statistic)


@given(_ROWS)
def test_the_brier_score_is_that_of_another_implementation(rows: list[tuple[bool, float]]) -> None:
    """Equal to scikit-learn's."""
    labels, scores = [label for label, _ in rows], [score for _, score in rows]
    assert brier_score(labels, scores) == pytest.approx(brier_score_loss(labels, scores))


def test_the_reliability_diagram_is_that_of_another_implementation() -> None:
    """Bins of alike many rows equal scikit-learn's quantile bins, and ECE is their weighed distance."""
    random = np.random.default_rng(3)
    probabilities = random.beta(1, 8, 5_000)
    labels = random.random(5_000) < probabilities * 0.7
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10, strategy="quantile")
    found = reliability(labels, probabilities)
    assert [each.rows for each in found] == [500] * 10
    assert [each.observed for each in found] == pytest.approx(observed.tolist(), abs=0.003)
    assert [each.predicted for each in found] == pytest.approx(predicted.tolist(), abs=0.003)
    assert calibration_error(labels, probabilities) == pytest.approx(np.abs(observed - predicted).mean(), abs=0.001)


def test_a_calibrated_probability_has_hardly_an_error() -> None:
    """ECE is near zero where outcomes follow the probabilities, and large where they do not."""
    random = np.random.default_rng(5)
    probabilities = random.random(40_000)
    labels = random.random(40_000) < probabilities
    right, wrong = calibration_error(labels, probabilities), calibration_error(labels, 1 - probabilities)
    assert right is not None and right < 0.01
    assert wrong is not None and wrong > 0.4


@given(st.integers(1, 2_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_is_that_of_another_implementation(counts: tuple[int, int]) -> None:
    """The interval equals SciPy's."""
    hits, total = counts
    other = binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total) == pytest.approx((other.low, other.high), abs=1e-12)


def test_wilson_has_the_published_figures() -> None:
    """0 of 300 leaves up to 1.26 %, 10 of 1,000 are 0.54 % to 1.83 %."""
    assert wilson(0, 300) == pytest.approx((0.0, 0.0126), abs=5e-5)
    assert wilson(10, 1_000) == pytest.approx((0.0054, 0.0183), abs=5e-5)


def test_nothing_measured_is_none() -> None:
    """Without positives, negatives or rows there is no figure, instead of an error or zero."""
    assert roc_auc([True], [0.5]) is None
    assert kolmogorov_smirnov([False, False], [0.1, 0.2]) is None
    assert average_precision([False], [0.5]) is None
    assert (calibration_error([], []), brier_score([], [])) == (None, None)
    assert share(0, 0).value is None


@pytest.mark.parametrize("measure", [roc_auc, average_precision, calibration_error])
@pytest.mark.parametrize("scores", [[0.1, float("nan")], [0.1]])
def test_what_does_not_go_together_is_refused(measure: Callable[..., object], scores: list[float]) -> None:
    """NaN and unequal lengths are errors."""
    with pytest.raises(ValueError, match=r"NaN|no probability|do not go"):
        measure([True, False], scores)


def test_the_median_time_counts_those_still_waiting() -> None:
    """Kaplan and Meier's own way: who was watched no longer leaves the number at risk, and never found is no median."""
    assert median_time([1, 2, 3], [True, True, True]) == 2
    assert median_time([1, 2, 3, 4], [True, False, True, True]) == 3
    assert median_time([5, 5, 9], [True, True, False]) == 5
    assert median_time([1, 9, 9], [True, False, False]) is None
    assert median_time([], []) is None
