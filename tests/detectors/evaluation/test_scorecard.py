from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from detectors.evaluation.proportions import wilson
from detectors.evaluation.scorecard import (
    ScoredParty,
    armitage,
    by_party,
    clustered_interval,
    gini,
    gini_interval,
    group_rate,
    isotonic,
    rates_by_decile,
    rates_by_tier,
    separation,
    trend,
)

#: Score, orders, bad orders of some parties; both kinds of orders are there.
_PARTIES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 9), st.integers(0, 9)).map(
        lambda row: (row[0], row[1], min(row[1], row[2]))
    ),
    min_size=1,
    max_size=30,
).filter(lambda rows: 0 < sum(bad for _, _, bad in rows) < sum(orders for _, orders, _ in rows))


def _row(party: str, tier: str, orders: int, bad: int, probability: float = 0.1, at: int = 0) -> ScoredParty:
    return ScoredParty(party=party, at=at, tier=tier, points=None, probability=probability, orders=orders, bad=bad)


def _spelled_out(rows: Sequence[tuple[int, int, int]]) -> tuple[list[bool], list[int]]:
    """A label and a score for each order."""
    labels, scores = [], []
    for score, orders, bad in rows:
        labels += [True] * bad + [False] * (orders - bad)
        scores += [score] * orders
    return labels, scores


@given(_PARTIES)
def test_gini_and_ks_are_those_of_single_orders(rows: list[tuple[int, int, int]]) -> None:
    """Counting orders by party gives what scikit-learn's AUC and SciPy's KS say of one row an order."""
    labels, scores = _spelled_out(rows)
    columns = [score for score, _, _ in rows], [bad for _, _, bad in rows], [orders for _, orders, _ in rows]
    assert gini(*columns) == pytest.approx(2 * roc_auc_score(labels, scores) - 1)
    worse = [score for label, score in zip(labels, scores, strict=True) if label]
    better = [score for label, score in zip(labels, scores, strict=True) if not label]
    assert separation(*columns) == pytest.approx(ks_2samp(worse, better, method="asymp").statistic)


def test_there_is_no_gini_without_both_kinds() -> None:
    """Where all orders are good or all bad there is nothing to tell apart."""
    assert gini([1, 2], [0, 0], [3, 3]) is None
    assert separation([1, 2], [3, 3], [3, 3]) is None
    assert gini_interval([1, 2], [0, 0], [3, 3], ["a", "b"]) is None


def test_counts_that_cannot_be_are_refused() -> None:
    """More bad orders than orders, columns of different length and NaN are mistakes of the caller."""
    with pytest.raises(ValueError, match="more orders"):
        gini([1], [2], [1])
    with pytest.raises(ValueError, match="do not go with"):
        gini([1, 2], [1], [1])
    with pytest.raises(ValueError, match="NaN"):
        gini([float("nan")], [1], [2])


def test_the_interval_of_a_gini_holds_the_truth_as_often_as_it_says() -> None:
    """Of samples from known parties, about 95 % of the intervals hold the Gini of all of them."""
    random = np.random.default_rng(11)
    rates = random.beta(1, 6, 20_000)
    truth = gini(rates.tolist(), (rates * 10).tolist(), [10.0] * len(rates))
    assert truth is not None
    held = 0
    for trial in range(60):
        chosen = random.choice(rates, 150)
        bad = random.binomial(10, chosen)
        interval = gini_interval(chosen.tolist(), bad.tolist(), [10] * 150, range(150), draws=100, seed=trial)
        assert interval is not None
        held += interval[0] <= truth <= interval[1]
    assert held >= 52


def test_independent_orders_have_wilsons_interval() -> None:
    """Clusters of one order each are no clusters."""
    assert clustered_interval([1, 0, 0, 0] * 10, [1] * 40) == pytest.approx(wilson(10, 40), abs=0.004)
    assert clustered_interval([0, 0], [5, 5]) == wilson(0, 10)


def test_orders_that_stand_or_fall_together_tell_less() -> None:
    """Two parties of ten orders each, one all bad: hardly anything is known, however many the orders are."""
    low, high = clustered_interval([10, 0, 0], [10, 10, 10])
    assert low < wilson(10, 30)[0] and high > wilson(10, 30)[1]
    assert high - low > 0.5


def test_intervals_by_party_cover_where_wilsons_does_not() -> None:
    """With parties that differ much, the interval by party holds the true rate about 95 % of the time."""
    random = np.random.default_rng(4)
    held = naive = 0
    for _ in range(300):
        rates = random.beta(0.5, 2.0, 60)
        bad = random.binomial(20, rates)
        low, high = clustered_interval(bad.tolist(), [20] * 60)
        held += low <= 0.2 <= high
        low, high = wilson(int(bad.sum()), 1200)
        naive += low <= 0.2 <= high
    assert held >= 270
    assert naive < 240


def test_a_group_counts_a_party_once() -> None:
    """Rows of one party at several times are one cluster, and the prediction is weighed by orders."""
    found = group_rate(
        "watch", [_row("a", "watch", 10, 5, 0.4), _row("a", "watch", 30, 5, 0.2, 1), _row("b", "watch", 0, 0)]
    )
    assert (found.parties, found.orders, found.bad, found.rate) == (2, 40, 10, 0.25)
    assert found.predicted == pytest.approx(0.25)
    assert found.calibrated
    empty = group_rate("plus", [])
    assert empty.rate is empty.low is empty.predicted is empty.calibrated is None


def test_a_prediction_outside_the_interval_is_not_calibrated() -> None:
    """A tier that is told to be good and is bad shows."""
    rows = [_row(str(number), "plus", 20, number % 2 * 10, 0.01) for number in range(40)]
    assert group_rate("plus", rows).calibrated is False


def test_tiers_and_deciles_hold_all_orders() -> None:
    """Each row is in one group; deciles begin with the worst and keep equal scores together."""
    rows = [_row(str(n), "watch" if n < 20 else "plus", 5, n % 3, probability=1 - n // 2 / 100) for n in range(100)]
    assert [each.orders for each in rates_by_tier(rows, ["watch", "standard", "plus"])] == [100, 0, 400]
    deciles = rates_by_decile(rows, lambda row: row.probability)
    assert sum(each.orders for each in deciles) == 500
    assert [each.orders for each in deciles] == [50] * 10
    assert [each.predicted for each in deciles] == sorted((each.predicted for each in deciles), reverse=True)  # type: ignore[type-var]
    same = rates_by_decile([_row(str(n), "watch", 5, 1) for n in range(50)], lambda row: row.probability)
    assert [each.orders for each in same] == [250]


def test_the_trend_is_that_of_a_textbook() -> None:
    """A. Agresti: Categorical Data Analysis (1990), malformations by alcohol: with scores 0 to 4, z squared is 1.83."""
    groups = [(48, 17114), (38, 14502), (5, 793), (1, 127), (1, 38)]
    z = armitage(groups)
    assert z is not None
    assert z * z == pytest.approx(1.83, abs=0.01)


def test_the_trend_is_a_correlation() -> None:
    """Squared, it is the number of orders times the squared correlation of group and badness."""
    groups = [(30, 100), (25, 120), (10, 90), (12, 200)]
    place = np.concatenate([np.full(orders, number) for number, (_, orders) in enumerate(groups)])
    bad = np.concatenate([np.arange(orders) < hits for hits, orders in groups])
    z = armitage(groups)
    assert z is not None and z < 0
    assert z * z == pytest.approx(len(bad) * np.corrcoef(place, bad)[0, 1] ** 2)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 50)), min_size=1, max_size=12))
def test_isotonic_rates_are_those_of_another_implementation(groups: list[tuple[float, int]]) -> None:
    """Pooling neighbours gives what scikit-learn's isotonic regression gives."""
    rates, weights = [rate for rate, _ in groups], [weight for _, weight in groups]
    expected = IsotonicRegression(increasing=False).fit_transform(np.arange(len(rates)), rates, sample_weight=weights)
    assert isotonic(rates, weights) == pytest.approx(expected.tolist(), abs=1e-9)


def test_rates_that_rise_are_named() -> None:
    """One pair of neighbours in the wrong order makes a table not monotone; empty groups are passed over."""
    groups = [
        group_rate("watch", [_row("a", "watch", 100, 40)]),
        group_rate("standard", [_row("b", "standard", 100, 10)]),
        group_rate("empty", []),
        group_rate("plus", [_row("c", "plus", 100, 20)]),
    ]
    found = trend(groups)
    assert (found.monotone, found.violations) == (False, 1)
    assert found.fitted == pytest.approx([0.4, 0.15, 0.15])
    assert found.z is not None and found.z < 0
    assert trend(groups[:3]).monotone


def test_rows_of_a_party_come_by_time() -> None:
    """What a party was, month after month."""
    rows = [_row("a", "plus", 1, 0, at=5), _row("b", "plus", 1, 0), _row("a", "watch", 1, 0, at=2)]
    assert [row.tier for row in by_party(rows)["a"]] == ["watch", "plus"]
