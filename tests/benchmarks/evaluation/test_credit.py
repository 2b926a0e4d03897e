"""Credit, fairness and gaming: what is worked out from what was seen."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.evaluation.credit_figures import attackers, batch, figures, raw_late
from benchmarks.evaluation.credit_simulations import ceiling
from benchmarks.evaluation.credit_snapshots import Snapshot
from benchmarks.evaluation.fairness import summarise as summarise_fairness
from benchmarks.evaluation.gaming import as_text
from benchmarks.evaluation.gaming import summarise as summarise_gaming
from benchmarks.evaluation.order_outcomes import WAYS, OrderOutcomes
from config.settings import Settings
from detectors.credit.policy import CreditPolicy
from detectors.evaluation.scorecard import ScoredParty
from features.events import OrderCancelled, OrderCreated, OrderDelivered, OrderItem, OrderReviewed, OrderShipped
from streams.evaluation.archive_run import evaluation_judge

_DAY = 86_400_000
_NOW = 1_700_000_000_000


@pytest.fixture(scope="module")
def policy() -> CreditPolicy:
    """The packaged credit of merchants."""
    return evaluation_judge(Settings()).policies.credit["merchant"]


def _snapshot(party: str, tier: str, probability: float, bad: int, at: int = 0, late: float | None = 0.1) -> Snapshot:
    row = ScoredParty(party=party, at=at, tier=tier, points=200, probability=probability, orders=100, bad=bad)
    history = dict.fromkeys(WAYS, (50.0, 50.0 * probability))
    return Snapshot(row=row, published=0.1, relative=probability, raw_late=late, shrunk=0.1, history=history)


def test_figures_of_a_score_that_tells_all(policy: CreditPolicy) -> None:
    """Merchants in the order of their probabilities: all separated, tiers monotone, probation apart."""
    rates = {"watch": 60, "standard": 20, "plus": 10, "premier": 2, "probation": 90}
    snapshots = [
        _snapshot(f"{tier}{number}", tier, bad / 100, bad, at)
        for at in (0, 30 * _DAY)
        for tier, bad in rates.items()
        for number in range(30)
    ]
    found = figures(snapshots, policy)
    assert [each["name"] for each in found["tiers"]] == ["watch", "standard", "plus", "premier", "probation"]
    assert found["monotone"] and found["trend"]["z"] < -10
    assert found["gini"] > 0.7 and found["gini_interval"][0] < found["gini"] < found["gini_interval"][1]
    assert found["gini_within_times"] == pytest.approx(found["gini"])
    assert found["raw_late"] == found["published"] == {"gini": 0.0, "ks": 0.0}
    assert all(each["calibrated"] for each in found["tiers"]) and found["calibration_error"] < 1e-9
    assert found["migration"]["stable"] == 1.0
    assert [(each["psi_max"], each["shifted"]) for each in found["stability"].values()] == [(0.0, 0)] * 2


def test_the_ceiling_is_what_the_truth_itself_gives() -> None:
    """Ranked by service alone an attack that has begun is missed, by what is known that of tomorrow."""
    used = [
        replace(_snapshot(party, "standard", 0.1, bad, at=5), truth=own)
        for party, bad, own in (("good", 5, 0.05), ("poor", 20, 0.2), ("attacks", 90, 0.06), ("later", 60, 0.04))
    ]
    found = ceiling(used, {"attacks": 1, "later": 9}, {"attacks": "bust_out", "later": "bust_out"})
    assert found["service"] is not None and found["known"] is not None and found["future"] is not None
    assert found["service"] < found["known"] < found["future"]


def test_a_tier_that_is_worse_than_the_one_below_shows(policy: CreditPolicy) -> None:
    """Standard merchants worse than those on watch: not monotone."""
    snapshots = [
        _snapshot(f"{tier}{number}", tier, 0.1, bad)
        for tier, bad in (("watch", 10), ("standard", 30), ("plus", 5))
        for number in range(20)
    ]
    found = figures(snapshots, policy)
    assert not found["monotone"] and found["trend"]["violations"] == 1


def test_who_attacks_is_told_from_who_is_honest_and_not_from_who_begins_later() -> None:
    """Of two attackers one has begun; the other, who looks honest still, counts as neither."""
    snapshots = [
        _snapshot("begun", "watch", 0.9, 50, at=10),
        _snapshot("later", "standard", 0.01, 5, at=10),
        *(_snapshot(f"h{number}", "standard", 0.1, 5, at=10) for number in range(5)),
        _snapshot("unknown", "standard", 0.99, 5, at=10),
    ]
    found = attackers(snapshots, {"begun": 5, "later": 20}, {f"h{number}" for number in range(5)})
    assert (found["snapshots"], found["attacking"], found["gini"], found["ks"]) == (6, 1, 1.0, 1.0)
    assert found["tiers"] == {"standard": {"honest": 5, "attacking": 0}, "watch": {"honest": 0, "attacking": 1}}


def test_who_has_no_late_rate_has_the_mean_of_its_time() -> None:
    """Of a merchant without deliveries nothing is known but what others do."""
    snapshots = [
        _snapshot("a", "standard", 0.1, 5, late=0.2),
        _snapshot("b", "standard", 0.1, 5, late=0.4),
        _snapshot("c", "standard", 0.1, 5, late=None),
        _snapshot("d", "standard", 0.1, 5, at=9, late=None),
    ]
    assert raw_late(snapshots) == pytest.approx([0.2, 0.4, 0.3, 0.0])


def test_the_batch_model_learns_from_the_past_alone() -> None:
    """It is first trained when the orders of enough snapshots are known, and then ranks as the histories do."""
    snapshots = [
        _snapshot(f"m{number}", "standard", 0.05 + number % 50 / 100, 5 + number % 50, at=month * 30 * _DAY)
        for month in range(6)
        for number in range(120)
    ]
    found = batch(snapshots)
    # Two hundred snapshots, three months before: the fifth and the sixth month are judged.
    assert found["snapshots"] == 240
    assert found["gini"] == pytest.approx(found["score"]["gini"], abs=0.02)


def _order(outcomes: OrderOutcomes, order: str, at: int) -> Callable[..., None]:
    """Places an order due to ship in 2 days and to arrive in 5, and returns what tells of later events."""
    common: dict[str, Any] = {"merchant_id": "m1", "order_id": order}
    outcomes.event(
        OrderCreated(
            event_id=f"{order}/0",
            occurred_at=at,
            **common,
            buyer_id="b1",
            items=[OrderItem("l1", 1, 100)],
            total=100,
            currency="USD",
            ship_by=at + 2 * _DAY,
            deliver_by=at + 5 * _DAY,
        )
    )

    def tell(kind: type, days: float, **fields: object) -> None:
        event_id = f"{order}/{kind.__name__}"
        outcomes.event(kind(event_id=event_id, occurred_at=at + int(days * _DAY), **common, **fields))

    return tell


def test_outcomes_follow_from_the_events_alone() -> None:
    """Late, cancelled, badly rated and good orders; what is not known yet is not told; a repeat counts once."""
    outcomes = OrderOutcomes()
    good, late, cancelled, rated = (_order(outcomes, name, _NOW) for name in ("good", "late", "cancelled", "rated"))
    for tell in (good, rated):
        tell(OrderShipped, 1, carrier="c", tracking_number="t")
        tell(OrderDelivered, 4)
    rated(OrderReviewed, 6, rating=1)
    rated(OrderReviewed, 6, rating=1)
    late(OrderShipped, 3, carrier="c", tracking_number="t")
    late(OrderDelivered, 4.5)
    cancelled(OrderCancelled, 1, by="seller")
    _order(outcomes, "silent", _NOW)
    end = _NOW + 30 * _DAY
    assert list(outcomes.merchants) == ["m1"]
    assert outcomes.between("m1", _NOW, _NOW + 1, end) == (5, 4)
    assert outcomes.between("m1", _NOW, _NOW + 1, _NOW + 10 * _DAY) == (0, 0)
    assert outcomes.between("m2", 0, end, end) == (0, 0)
    assert sum(bad for _, bad in outcomes.known("m1", "late_ship", end)) == 2
    assert sum(bad for _, bad in outcomes.known("m1", "cancel", end)) == 1
    assert sum(bad for _, bad in outcomes.known("m1", "low_rating", end)) == 1
    assert not list(outcomes.known("m1", "late_ship", _NOW + _DAY))


def test_false_alarms_are_compared_with_an_interval() -> None:
    """Twice as many false alarms among the small, over two seeds; without any the ratio is still a number."""
    run = {
        "honest": 200, "suspended": 0, "suspension_asked": 1, "severe_before_review": 0, "held": 1,
        "small": [10, 100], "large": [5, 100], "new": [0, 20], "old": [15, 180],
    }  # fmt: skip
    found = summarise_fairness({1: run, 2: run})
    assert (found["honest"], found["held"]) == (400, 2)
    assert found["small_to_large"]["value"] == pytest.approx(2.0)
    low, high = found["small_to_large"]["interval"]
    assert low < 2 < high and low == pytest.approx(0.955, abs=0.01)
    assert 0 < found["new_to_old"]["value"] < 0.5


def test_a_gain_is_the_mean_difference_of_pairs() -> None:
    """A shop of 150 points that has 160 with the trick, and one that loses 30; one without points is left out."""
    empty = {name: [0.0, 0.0, 0.0] for name in ("rank", "probability", "restricted_days", "decisions")}
    run = {
        "shops": 3,
        "played": empty | {"points": [160, 120, None]},
        "left": empty | {"points": [150, 150, 100]},
    }
    found = summarise_gaming({"score_farming": [run]})
    assert found["gains"] == {"score_farming": -10}
    assert found["details"]["score_farming"]["points"]["error"] == pytest.approx(20)
    assert "150.00 -10.00 (20.00)" in as_text(found)[1]
