"""Orders are scored three times, and learned when their outcome is due and when it changes."""

from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.apply import Core
from detectors.challenger import EVERY
from detectors.inputs import Input
from detectors.judge import Judge, bad_order_models, fresh_models
from detectors.order_stages import AFTER_DELIVERY, AFTER_DISPATCH, BAD_AT
from features.order import BAD, LATE_DELIVERY, LATE_SHIP, LOW_RATING, OrderRecord, scored_values
from features.outputs import RiskAssessed
from features.shard import ShardState
from features.stage_vectors import DELIVERY_INPUTS, DISPATCH_INPUTS, checkout_ratio
from tests.builders import DAY, HOUR, START, Shard, make_judge, of_order, placed, shipped
from tests.strategies import Event, order_lives

MODELS = bad_order_models()


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, who publishes from guarded on."""
    return make_judge(publish_level=1, audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def labels(shard: Shard) -> list[int]:
    """Labels learned by each stage's model."""
    return [model.metrics().labels for model in shard.core.models.stages]


def value(order: OrderRecord, stage: int, name: str) -> float | None:
    """An input of a stage as scored."""
    values = scored_values(order, stage)
    assert values is not None
    return values[[each.name for each in MODELS[stage].inputs].index(name)]


def test_an_order_is_scored_when_placed_shipped_and_delivered(shard: Shard) -> None:
    """Each stage knows what was judged at purchase and what has happened since."""
    shard.apply(placed())
    order = shard.order("o1")
    purchase = order.probability
    assert purchase is not None
    assert (scored_values(order, 1), scored_values(order, 2)) == (None, None)
    shard.apply(shipped(at=HOUR))
    assert order.probability_dispatch is not None
    assert value(order, 1, "dispatch_days") == pytest.approx(1 / 24, abs=0.01)
    assert value(order, 1, "purchase_log_odds") == pytest.approx(log(purchase / (1 - purchase)), abs=0.001)
    shard.apply(of_order("delivered", at=4 * DAY))
    assert order.probability_delivery is not None
    assert value(order, 2, "undelivered") == value(order, 2, "late") == 0
    assert value(order, 2, "delivery_days") == 4
    shard.apply(tick=30 * DAY)
    assert labels(shard) == [1, 1, 1]


def test_an_overdue_order_is_scored_as_undelivered_and_again_when_it_arrives(shard: Shard) -> None:
    """Its buyer may complain before it comes; what counts in the end is how late it was."""
    shard.apply(placed(), shipped(at=HOUR), tick=6 * DAY)
    order = shard.order("o1")
    assert value(order, 2, "undelivered") == 1
    shard.apply(of_order("delivered", at=9 * DAY))
    assert value(order, 2, "undelivered") == 0
    assert value(order, 2, "late_days") == 4
    shard.apply(tick=30 * DAY)
    assert labels(shard)[2] == 1


def test_a_complaint_before_the_delivery_is_learned_from_what_was_known_just_before(shard: Shard) -> None:
    """Not from the complaint itself, which raises the merchant's own rates."""
    shard.apply(placed(), shipped(at=HOUR), of_order("reviewed", at=3 * DAY, rating=1))
    order = shard.order("o1")
    assert value(order, 2, "undelivered") == 1
    assert value(order, 2, "delivery_days") == 3
    kept = order.scored_delivery
    shard.apply(of_order("delivered", at=4 * DAY))
    assert order.scored_delivery == kept


def test_a_parcel_sent_after_its_promise_passed_is_not_asked_about(shard: Shard) -> None:
    """That it comes late is known."""
    shard.apply(placed(), shipped(at=8 * DAY))
    assert shard.order("o1").probability_dispatch is None


def test_what_is_bad_depends_on_the_stage() -> None:
    """Shipped late is bad at purchase, but not what may still happen at dispatch; late alone is no complaint."""
    assert not LATE_SHIP & AFTER_DISPATCH
    assert LATE_DELIVERY & AFTER_DISPATCH
    assert not LATE_DELIVERY & AFTER_DELIVERY
    assert LOW_RATING & AFTER_DELIVERY & AFTER_DISPATCH
    assert BAD_AT[0] == BAD


def test_an_outcome_that_changes_is_learned_anew_and_back(shard: Shard) -> None:
    """A rating after the outcome was due makes it bad; a dispute that is lost and then won leaves it as it was."""
    shard.apply(placed(), shipped(at=HOUR), of_order("delivered", at=2 * DAY), tick=21 * DAY)
    models = shard.core.models.stages
    before = [model.weights() for model in models]
    shard.apply(of_order("disputed", at=21 * DAY, reason="damaged"))
    assert shard.state.statistics.revisions == 3
    assert all(model.weights() != kept for model, kept in zip(models, before, strict=True))
    shard.apply(of_order("dispute_resolved", at=22 * DAY, in_favour_of="seller"))
    assert shard.state.statistics.revisions == 6
    for model, kept in zip(models, before, strict=True):
        assert model.weights() == pytest.approx(kept, abs=1e-9)
    assert labels(shard) == [1, 1, 1]


@given(order_lives("m1", 1), st.integers(20, 60))
@settings(max_examples=100, deadline=None)
def test_what_was_learned_is_what_the_facts_say(judge: Judge, events: list[Event], days: int) -> None:
    """Whatever comes before or after the outcome is due: each stage that learned has the label of the flags now."""
    shard = Shard(judge)
    cut = len(events) * 2 // 3
    shard.apply(*events[:cut], tick=days * DAY)
    shard.apply(*events[cut:])
    for order in shard.state.orders.values():
        for stage, mask in enumerate(BAD_AT):
            known = order.learned >> 2 * stage & 3
            if known & 1 and scored_values(order, stage) is not None:
                assert (known > 1) == bool(order.flags & mask)


def test_a_level_that_a_later_stage_raises_is_published_with_its_reasons(judge: Judge) -> None:
    """Elevated at most: that a buyer will be disappointed is no accusation."""
    shard = Shard(judge)
    delivery = shard.core.models.delivery
    values: list[float | None] = [0.0, 9.0, 1.0, 0.0, 14.0, 5.0, 1.0, 1.0, 0.1]
    calm: list[float | None] = [-2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 1.0, 1.0, 0.1]
    for _ in range(1_500):
        for each, bad in ((values, True), (calm, False)):
            delivery.observe(each)
            delivery.learn(each, bad)
    shard.apply(placed(deliver_by=START + 13 * DAY), shipped(at=5 * DAY + HOUR), of_order("delivered", at=22 * DAY))
    order = shard.order("o1")
    assert order.probability_delivery is not None and order.probability_delivery > 0.75
    last = [each for each in shard.outputs(RiskAssessed) if each.subject.kind == "order"][-1]
    assert last.level == "elevated"
    assert last.probability == order.probability_delivery
    reasons = [each for each in last.reasons if each.code == "bad_order_delivery_model"]
    assert reasons
    assert all(each.observed is not None and each.expected is not None and each.window for each in reasons)
    assert {each.name for each in last.detectors} >= {"bad-order", "bad-order-delivery"}


@given(st.data(), st.sampled_from((1, 2)))
@settings(max_examples=60, deadline=None)
def test_explanations_of_later_stages_add_up(data: st.DataObject, stage: int) -> None:
    """Base and contributions are the log-odds, within the inputs' ranges and beyond."""
    model = MODELS[stage]
    drawn = st.none() | st.floats(-1e3, 1e3)
    values = [data.draw(drawn) for _ in model.inputs]
    if data.draw(st.booleans()):
        model.observe(values)
        model.learn(values, data.draw(st.booleans()), time=1)
    parts = model.contributions(values)
    assert model.base() + sum(part for _, part in parts) == pytest.approx(model.log_odds(values), abs=1e-9)


def test_vectors_have_their_inputs() -> None:
    """One value for each, by position."""
    for stage, inputs in ((1, DISPATCH_INPUTS), (2, DELIVERY_INPUTS)):
        assert MODELS[stage].inputs == tuple(Input(*each) for each in inputs)


@pytest.mark.parametrize(
    ("total", "checkout", "ratio"), [(1_000, 0, 1.0), (1_000, 900, 1.0), (1_000, 2_500, 2.5), (0, 9, 1.0)]
)
def test_a_checkout_beyond_the_order_shows(total: int, checkout: int, ratio: float) -> None:
    """And nothing else does."""
    assert checkout_ratio(OrderRecord(created=1, total=total, checkout_total=checkout)) == ratio


def test_the_challenger_meets_every_fourth_order(judge: Judge) -> None:
    """In shadow: nothing that is published differs, and its examples are kept beside the models."""
    plain, beside = Shard(judge), Shard(judge)
    beside.core = Core(ShardState(0), fresh_models(42, challenger=True), judge)
    for shard in (plain, beside):
        shard.apply(*(placed(f"o{number}", at=number * HOUR) for number in range(40)), tick=60 * DAY)
    challenger = beside.core.models.challenger
    assert challenger is not None
    assert challenger.history == 40 // EVERY
    assert [each.value for each in plain.emits] == [each.value for each in beside.emits]
    assert len(beside.core.models.examples.take()["examples:bad-order-forest"][0]) == 40 // EVERY
    assert "bad-order-forest (in shadow)" in beside.core.models.metrics()
