from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from features import events
from features.events import AppealDecided, AppealFiled, FeedbackInput, OrderCancelled, OrderCreated, ReviewDecided
from streams.simulator import GAMING_NAMES, Plan, SimulatorConfig
from streams.simulator.answers import Answers
from streams.simulator.config import DAY_MS
from streams.simulator.plans import attackers_of, default_counts
from tests.streams.simulator.market import Market

#: A time, ms.
_NOW = 1_800_000_000_000


def _market(name: str, *, gaming: bool, stealth: float = 0.5) -> Market:
    plan: dict[str, Any] = {name: Plan(2, stealth=stealth, start=5)}
    return Market(SimulatorConfig(seed=21, merchants=30, orders_per_day=5, span_days=40, gaming=gaming, **plan))


def _shops(market: Market, name: str) -> list[str]:
    return market.truth.gaming[name].merchants


def _orders(market: Market, shops: Iterable[str]) -> list[OrderCreated]:
    return [event for event in market.events if isinstance(event, OrderCreated) and event.merchant_id in set(shops)]


def test_gaming_happens_only_where_it_is_asked_for() -> None:
    """No default has it, so that what was measured before stays as it was; its shops are no honest ones."""
    assert not any(default_counts(5_000)[name] for name in GAMING_NAMES)
    assert [attackers_of(name, 3) for name in GAMING_NAMES] == [3, 3, 6, 3]


@pytest.mark.parametrize("name", GAMING_NAMES)
def test_the_truth_names_the_shops_with_and_without_the_trick(name: str) -> None:
    """They stand under ``gaming``, the same in both runs, and are neither attackers nor honest."""
    played, left = _market(name, gaming=True), _market(name, gaming=False)
    shops = _shops(played, name)
    assert shops == _shops(left, name)
    truth = played.truth
    assert not set(shops) & (set(truth.honest) | truth.attackers().keys())
    assert truth.gaming[name].orders


def test_farmed_orders_are_added_to_the_shops_own() -> None:
    """With the trick the shop has each order that it has without, and three times as many tiny ones beside."""
    played, left = (_market("score_farming", gaming=gaming) for gaming in (True, False))
    shops = _shops(played, "score_farming")
    own = {(order.occurred_at, order.buyer_id, order.total) for order in _orders(left, shops)}
    every = {(order.occurred_at, order.buyer_id, order.total) for order in _orders(played, shops)}
    farmed = every - own
    assert own < every
    assert len(farmed) == pytest.approx(3 * len(own), rel=0.4)
    assert max(total for _, _, total in farmed) < 1_000


def test_stealth_farms_under_more_names() -> None:
    """In the open six names order on two devices, hidden each order has its own."""
    names, devices = [], []
    for stealth in (0.0, 1.0):
        market = _market("score_farming", gaming=True, stealth=stealth)
        own = {
            (order.occurred_at, order.buyer_id)
            for order in _orders(_market("score_farming", gaming=False), _shops(market, "score_farming"))
        }
        farmed = [
            order
            for order in _orders(market, _shops(market, "score_farming"))
            if (order.occurred_at, order.buyer_id) not in own
        ]
        names.append(len({order.buyer_id for order in farmed}) / len(farmed))
        devices.append(len({order.device_id for order in farmed}) / len(farmed))
    assert names[0] < 0.1 and devices[0] < 0.05
    assert names[1] == devices[1] == 1.0


def test_what_would_be_late_is_cancelled_just_before() -> None:
    """No order ships late with the trick; each cancellation of it comes within half a day before the promise."""
    played, left = (_market("late_cancelling", gaming=gaming) for gaming in (True, False))
    shops = set(_shops(played, "late_cancelling"))

    def late(market: Market) -> int:
        return sum(story.shipped_late for story in market.orders if story.order.merchant_id in shops)

    assert late(left) > 10
    assert late(played) == 0
    by: Counter[str] = Counter()
    for story in played.orders:
        if story.order.merchant_id not in shops:
            continue
        for event in story.all(OrderCancelled):
            assert isinstance(event, OrderCancelled) and story.order.ship_by is not None
            if 0 < story.order.ship_by - event.occurred_at <= DAY_MS // 2:
                by[event.by] += 1
    assert by["seller"] > 3 and by["buyer"] > 3


def test_a_split_shop_has_half_its_orders_elsewhere() -> None:
    """The second account has orders and details of the first only where the trick is played; in all they are alike."""
    played, left = (_market("split_shop", gaming=gaming) for gaming in (True, False))
    shops = _shops(played, "split_shop")
    assert len(shops) == 4
    counts = [Counter(order.merchant_id for order in _orders(market, shops)) for market in (played, left)]
    assert sum(counts[0].values()) == pytest.approx(sum(counts[1].values()), abs=3)
    assert set(counts[0]) == set(shops) and len(counts[1]) == 2
    values = [
        Counter(
            event.value_hash
            for event in market.events
            if isinstance(event, events.MerchantAccountChanged) and event.merchant_id in shops
        )
        for market in (played, left)
    ]
    assert max(values[0].values()) == 2
    assert max(values[1].values()) == 1


def _taken(answers: Answers) -> list[FeedbackInput]:
    found = [record for day in range(20) for record in answers.take(_NOW + day * DAY_MS)]
    assert [record.timestamp for record in found] == sorted(record.timestamp for record in found)
    assert {record.key for record in found} <= {b"m1"}
    assert not answers.take(2**62)
    return [msgspec.json.decode(record.value, type=FeedbackInput) for record in found]


def test_appellants_contest_each_decision_three_times() -> None:
    """Each appeal is upheld before the next is filed; about others nobody appeals; the seed decides when."""

    def contest(seed: int) -> list[FeedbackInput]:
        answers = Answers({"m1"}, {}, seed)
        answers.decided("m1", "d1", _NOW)
        answers.decided("m2", "d2", _NOW)
        assert answers.filed == 3
        return _taken(answers)

    first = contest(1)
    assert [type(event) for event in first] == [AppealFiled, AppealDecided] * 3
    assert all(event.decision_id == "d1" for event in first if isinstance(event, AppealFiled))
    assert first == contest(1) != contest(2)


def test_reviewers_find_what_is_there() -> None:
    """They confirm what the shop really does, and leave open what it does not."""
    answers = Answers((), {"m1": {"brushing"}}, 1)
    answers.asked("m1", "d1", "brushing", _NOW)
    answers.asked("m1", "d2", "anomaly", _NOW)
    answers.asked("m2", "d3", "brushing", _NOW)
    (event,) = _taken(answers)
    assert isinstance(event, ReviewDecided)
    assert (event.decision_id, event.verdict) == ("d1", "violation")
    assert 0 < event.occurred_at - _NOW <= 3 * DAY_MS
