"""What becomes of one order: its facts in any order of arrival, its timers, what is learned from it."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.bad_order import BadOrderModel
from detectors.inputs import Values
from detectors.judge import Judge
from features import order as o
from features.order import outcome_due, scored_values
from features.outputs import RiskAssessed
from tests.builders import DAY, HOUR, START, Shard, listed, make_judge, of_order, placed, shipped, tracked
from tests.strategies import Event, order_lives

FACTS = (
    *("created", "shipped", "first_scan", "delivered", "tracking_reused", "cancelled", "cancelled_by", "claims"),
    *("refunded", "seller_refund", "disputed", "dispute_lost", "rating", "rated_at", "flags"),
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, who publishes everything."""
    return make_judge(publish_level=0, audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def facts(shard: Shard, order: str = "o1", merchant: str = "m1") -> dict[str, Any]:
    """What is known of an order."""
    record = shard.order(order, merchant)
    return {name: getattr(record, name) for name in FACTS} | {"tracking": set(record.tracking)}


# -- facts ------------------------------------------------------------------------------------------------------------


@given(order_lives("m1", 1), st.randoms(), st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_any_arrival_of_the_same_events_gives_the_same_facts_and_flags(
    judge: Judge, events: list[Event], shuffle: Any, days: int
) -> None:
    """Timers before, between or after: once all events are in and time has moved on, everything agrees."""
    found = []
    for _ in range(2):
        shard = Shard(judge)
        cut = shuffle.randint(0, len(events))
        shard.apply(*events[:cut])
        shard.apply(*events[cut:], tick=days * DAY)
        shard.flush([], shard.state.clock.watermark + 1)
        if "m1:o1" in shard.state.orders:
            found.append(facts(shard))
        shuffle.shuffle(events)
    assert len(found) in (0, 2)
    assert found[:1] == found[1:]


@pytest.mark.parametrize(
    ("kind", "field", "values", "kept"),
    [
        ("cancelled", "by", ("seller", "buyer", "platform"), {"cancelled_by": "buyer"}),
        ("cancelled", "by", ("seller", "platform"), {"cancelled_by": "platform"}),
        ("dispute_resolved", "in_favour_of", ("buyer", "seller"), {"dispute_lost": False}),
        ("reviewed", "rating", (1, 5, 3), {"rating": 1}),
    ],
)
def test_contradictions_at_one_time_do_not_depend_on_arrival(
    judge: Judge, kind: str, field: str, values: tuple[Any, ...], kept: dict[str, Any]
) -> None:
    """Of events that exclude each other at the same millisecond the same one counts in every order."""
    for arrival in permutations(values):
        shard = Shard(judge)
        shard.apply(placed(), *(of_order(kind, **{field: value}) for value in arrival))
        assert {name: getattr(shard.order(), name) for name in kept} == kept, arrival


def test_of_two_creations_the_first_counts(shard: Shard) -> None:
    """Another creation of the same order is a repeat, even under another id and with other contents."""
    shard.apply(placed(), placed(at=HOUR, total=9999))
    assert (shard.order().created, shard.order().total) == (START, 1000)
    assert (shard.state.statistics.duplicates, shard.feature("orders_7d")) == (1, 1)


def test_refunds_add_up(shard: Shard) -> None:
    """Each refund counts once, and the seller's fault in any of them stays."""
    refunds = [of_order("refunded", at=DAY + n, amount=n, fault=("buyer", "seller")[n == 200]) for n in (100, 200, 300)]
    shard.apply(placed(), *refunds, *refunds)
    assert shard.order().refunded == 600
    assert shard.feature("refund_share", order="o1") == 0.6
    assert (shard.order().seller_refund, shard.feature("refunds_7d")) == (True, 1)


def test_orders_of_two_merchants_do_not_mix(shard: Shard) -> None:
    """The same order id at another merchant is another order."""
    shard.apply(placed(), placed(merchant="m2"), shipped(merchant="m2"))
    assert shard.order().shipped is None
    assert shard.order(merchant="m2").shipped == START + DAY


def test_the_listing_says_what_was_ordered(shard: Shard) -> None:
    """Category and origin come from the first listing that is known, and each listing counts its orders."""
    items = [{"listing_id": name, "quantity": 2, "unit_price": 500} for name in ("unknown", "l1", "l2")]
    shard.apply(listed(ship_from="DE"), listed("l2", category="toys"), placed(at=1, items=items, total=3000))
    record = shard.order()
    assert (record.category, record.ship_from, record.items, record.quantity) == ("home/kitchen", "DE", 3, 6)
    assert (shard.listing("l1").orders, shard.listing("l2").orders) == (1, 1)


def test_buyers_are_stored_as_pseudonyms(shard: Shard, judge: Judge) -> None:
    """Neither the order nor the merchant holds the buyer's id."""
    shard.apply(placed(buyer_id="anna@example.com"))
    assert shard.order().buyer == judge.pseudonyms.short("buyer", "anna@example.com")
    assert shard.feature("buyer_orders_at_merchant_30d", order="o1") == 1


# -- tracking numbers -------------------------------------------------------------------------------------------------


def test_a_tracking_number_of_another_order_is_noticed(shard: Shard) -> None:
    """The second order with a number is the one that is marked."""
    shard.apply(placed(), placed("o2"), shipped(tracking_number="t"), shipped("o2", at=DAY + 1, tracking_number="t"))
    assert [shard.order(name).tracking_reused for name in ("o1", "o2")] == [False, True]
    assert shard.feature("implausible_scans_30d") == 1


def test_an_orders_own_numbers_may_come_again(shard: Shard) -> None:
    """A parcel that was replaced, and a shipping event that is sent once more, are no reuse."""
    numbers = ["t1", "t2", "t1", "t2"]
    shard.apply(placed(), *(shipped(at=DAY + at, tracking_number=number) for at, number in enumerate(numbers)))
    assert not shard.order().tracking_reused


def test_another_merchant_may_have_the_same_number(shard: Shard) -> None:
    """Carriers' numbers are compared within a merchant only."""
    shard.apply(
        placed(), placed(merchant="m2"), *(shipped(merchant=name, tracking_number="t") for name in ("m1", "m2"))
    )
    assert not shard.order(merchant="m2").tracking_reused


# -- judgement --------------------------------------------------------------------------------------------------------


def levels(shard: Shard) -> list[tuple[str, list[str]]]:
    """Levels of the order's assessments, with the codes of their reasons."""
    found = [one for one in shard.outputs(RiskAssessed) if one.subject.kind == "order"]
    return [(one.level, [reason.code for reason in one.reasons]) for one in found]


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
def test_a_scan_before_the_order_is_found_in_either_order(shard: Shard, arrival: tuple[int, int]) -> None:
    """The carrier's scan lies before the order: whether it arrives before it or after, the order is judged by it."""
    events = [placed(at=DAY), tracked(at=HOUR)]
    for index in arrival:
        shard.apply(events[index])
    assert levels(shard)[-1] == ("high", ["scan-before-order"])
    assert shard.feature("scan_before_order_hours", order="o1") == 23


def test_an_event_that_says_nothing_new_is_not_judged_again(shard: Shard) -> None:
    """Further scans change nothing, and an order is published again only when it is worse."""
    shard.apply(placed(at=DAY), tracked(at=HOUR))
    before = len(shard.emits)
    shard.apply(*(tracked(at=DAY + hour * HOUR) for hour in range(5)))
    assert len(shard.emits) == before


# -- timers and retention ---------------------------------------------------------------------------------------------


def test_an_order_in_time_is_not_looked_at_on_its_dates(shard: Shard) -> None:
    """Shipped and delivered in time, it is next looked at when its outcome is known; what it left behind is ignored."""
    shard.apply(placed())
    assert shard.order().timer == shard.order().ship_by + 1
    shard.apply(shipped(at=DAY))
    assert shard.order().timer == shard.order().deliver_by + 1
    shard.apply(of_order("delivered", at=2 * DAY))
    assert shard.order().timer == outcome_due(shard.order())
    shard.apply(tick=outcome_due(shard.order()) - START - 1)
    assert shard.state.statistics.timers == 0
    shard.apply(tick=outcome_due(shard.order()) - START)
    assert (shard.state.statistics.timers, shard.order().matured) == (1, True)


@pytest.mark.parametrize("ship_by", [DAY, 170 * DAY])
def test_an_order_that_is_promised_oddly_leaves_too(shard: Shard, ship_by: int) -> None:
    """Shipping promised for long after delivery: no timer may stand still in the past."""
    shard.apply(placed(ship_by=START + ship_by, deliver_by=START + DAY), tick=400 * DAY)
    assert not shard.state.orders
    assert len(shard.state.timers) <= len(shard.state.merchants)


def test_an_order_leaves_after_its_retention(judge: Judge) -> None:
    """Its record goes, its counts stay until they leave their windows, and the same event would then be a new one."""
    shard = Shard(make_judge(judge.policies, retention_days=10))
    shard.apply(placed(), tick=30 * DAY - 1)
    assert shard.state.orders
    shard.apply(placed())
    assert shard.feature("orders_30d") == 1
    shard.apply(tick=30 * DAY)
    assert not shard.state.orders
    assert shard.state.removed_orders == {"m1:o1": None}
    assert shard.state.timers.changed["om1:o1"] == 0
    assert shard.feature("orders_60d") == 1


def test_an_overdue_order_leaves_the_count_when_it_is_forgotten(shard: Shard) -> None:
    """Orders that were never shipped do not add up for ever."""
    shard.apply(placed(), placed("o2", at=60 * DAY), tick=79 * DAY)
    assert shard.feature("unshipped_overdue_orders") == 2
    shard.apply(tick=81 * DAY)
    assert (set(shard.state.orders), shard.feature("unshipped_overdue_orders")) == ({"m1:o2"}, 1)
    shard.apply(tick=200 * DAY)
    assert shard.feature("unshipped_overdue_orders") == 0


@pytest.mark.parametrize(
    "event",
    [
        shipped(),
        tracked(status="exception"),
        of_order("delivered"),
        of_order("return_requested", reason="no_longer_needed"),
        of_order("dispute_resolved", in_favour_of="buyer"),
    ],
    ids=lambda event: event["type"],
)
def test_an_order_that_never_comes_is_forgotten(shard: Shard, event: Event) -> None:
    """Events of an unknown order wait for it, for the retention after the first of them, whatever they say."""
    shard.apply(event, tick=61 * DAY - 1)
    assert set(shard.state.orders) == {"m1:o1"}
    shard.apply(tick=61 * DAY)
    assert not shard.state.orders
    assert not [key for key in shard.state.timers.due(START + 2_000 * DAY) if key[0] == "o"]
    assert shard.feature("bad_orders_90d") == 0


def test_events_before_their_order_count_when_it_comes(shard: Shard) -> None:
    """Nothing is lost by coming first."""
    shard.apply(shipped(at=3 * DAY), of_order("reviewed", at=4 * DAY, rating=1))
    assert (shard.order().flags, shard.feature("late_shipments_7d")) == (0, 0)
    shard.apply(placed())
    assert shard.order().flags & o.DEFECTS == o.LATE_SHIP | o.LOW_RATING
    assert (shard.feature("late_shipments_7d"), shard.feature("low_ratings_7d")) == (1, 1)


# -- learning ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def taught(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[float | None], bool]]:
    """What the bad-order model was taught, in order."""
    lessons: list[tuple[list[float | None], bool]] = []
    learn = BadOrderModel.learn

    def note(self: BadOrderModel, values: Values, bad: bool, *rest: Any) -> None:
        if self is shard.core.models.bad_order:
            lessons.append((list(values), bad))
        learn(self, values, bad, *rest)

    monkeypatch.setattr(BadOrderModel, "learn", note)
    return lessons


def test_labels_are_learned_when_the_outcome_is_due_from_the_features_as_scored(
    shard: Shard, taught: list[tuple[list[float | None], bool]]
) -> None:
    """Not before, once, and whatever happened since, what was known when the order was placed is what is learned."""
    shard.apply(placed(), placed("o2", at=HOUR), of_order("delivered", at=4 * DAY, order="o2"))
    scored = {name: scored_values(shard.order(name)) for name in ("o1", "o2")}
    shard.apply(*(placed(f"p{index}", at=DAY + index) for index in range(20)))
    shard.apply(of_order("reviewed", at=6 * DAY, rating=1), tick=20 * DAY - 1)
    assert taught == []
    shard.apply(tick=20 * DAY)
    assert taught == [(scored["o1"], True), (scored["o2"], False)]
    shard.apply(of_order("reviewed", at=6 * DAY, order="o2", rating=1), tick=20 * DAY + 1)
    assert len(taught) == 2
    assert shard.state.statistics.revisions > 0
    assert shard.state.statistics.labels == 2


def test_orders_that_were_called_off_teach_nothing(shard: Shard, taught: list[tuple[list[float | None], bool]]) -> None:
    """A buyer who changes their mind in time says nothing about the order; a seller who cancels does."""
    shard.apply(
        placed(), of_order("cancelled", by="buyer"), placed("o2"), of_order("cancelled", order="o2", by="seller")
    )
    shard.apply(tick=30 * DAY)
    assert [bad for _, bad in taught] == [True]


def test_segments_learn_each_lateness_once(shard: Shard) -> None:
    """When an order is delivered, or its promise passes; a delivery afterwards is not another."""
    orders = [placed(f"o{index}", ship_to="DE-BE") for index in range(4)]
    shard.apply(*orders, of_order("delivered", order="o0"), tick=5 * DAY + 1)
    shard.apply(*(of_order("delivered", order=f"o{index}", at=6 * DAY) for index in range(4)))
    segments = shard.state.population.segments
    assert segments["all"].orders == pytest.approx(4, abs=0.7)
    assert segments["all"].bad == pytest.approx(3)
    assert segments["region/DE-BE"] == segments["all"]


def test_a_delivery_before_its_order_teaches_as_well(shard: Shard) -> None:
    """Once the order has come."""
    shard.apply(of_order("delivered", at=6 * DAY))
    assert "all" not in shard.state.population.segments
    shard.apply(placed())
    assert shard.state.population.segments["all"].bad == 1.0
