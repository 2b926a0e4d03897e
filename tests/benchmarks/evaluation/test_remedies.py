"""Figures of remedies: from a handful of recommendations by hand, and that a small simulation gives some."""

import pytest

from benchmarks.evaluation.remedies import Claimed, claimed_of, figures, lines
from streams.simulator import Plan, Simulation, SimulatorConfig


def test_figures_by_hand() -> None:
    """Two abusive and two honest claims: ranking, squared error, shares and amounts."""
    found = figures(
        [
            Claimed(0.9, True, 100, False, True),
            Claimed(0.1, True, 300, True, False),
            Claimed(0.5, False, 50, False, False),
            Claimed(0.1, False, 150, True, False),
        ]
    )
    assert (found["claims"], found["abusive"]) == (4, 2)
    assert found["auc"] == pytest.approx(0.625)
    assert found["brier"] == pytest.approx((0.01 + 0.81 + 0.25 + 0.01) / 4)
    assert found["abusers"] == {"reviewed": 0.5, "instant": 0.5, "instant_of_amount": 0.75}
    assert found["honest"] == {"reviewed": 0.0, "instant": 0.5, "instant_of_amount": 0.75}
    assert [row[:3] for row in found["bins"]] == [(0.1, 0.2, 2), (0.3, 0.6, 1), (0.9, 1.0, 1)]
    assert lines(found)[0] == "4 recommendations after claims, 2 of buyers who abuse refunds"


def test_abusive_buyers_of_a_simulation_are_told_from_honest_ones() -> None:
    """Their claims have higher probabilities, and few of them are refunded at once."""
    config = SimulatorConfig(seed=9, merchants=40, orders_per_day=40.0, span_days=60.0, refund_abuse=Plan(3))
    found = figures(claimed_of(Simulation(config)))
    assert found["abusive"] >= 20
    assert found["auc"] > 0.75
    assert found["abusers"]["reviewed"] > 4 * found["honest"]["reviewed"]
    assert found["honest"]["reviewed"] < 0.1
