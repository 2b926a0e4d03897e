import pytest

from features.events import InputEvent
from features.shard import Needed, ShardState
from tests.features.example_events import FIELDS, decoded, example, topic_of


def needed(*kinds: str) -> Needed:
    """What the examples of some event types read."""
    found = Needed()
    for kind in kinds:
        event = decoded(example(kind), topic_of(kind))
        assert isinstance(event, InputEvent)
        found.add(event)
    return found


@pytest.mark.parametrize("kind", FIELDS)
def test_every_event_reads_its_merchant_and_its_subject(kind: str) -> None:
    """An order event its order, one that creates it the listings as well; a listing event its listing."""
    found = needed(kind)
    assert found.merchants == {"m1"}
    # The example of a review is about an order.
    assert found.orders == ({"m1:o1"} if topic_of(kind) == "orders" or kind == "review.decided" else set())
    spoken_of = kind in ("review.decided", "appeal.decided", "enforcement.overridden")
    assert [party for party, _ in found.decisions] == (["m1"] if spoken_of and "decision_id" in FIELDS[kind] else [])
    assert found.listings == ({"m1:l1"} if kind == "order.created" or topic_of(kind) == "listings" else set())


def test_what_is_asked_for_is_made_and_marked() -> None:
    """A record that does not exist is made once; asking marks it as touched, in order."""
    state = ShardState(3)
    assert state.merchant("b").id == "b"
    assert state.merchant("a") is state.merchant("a")
    assert state.order("a:o") is state.order("a:o")
    assert state.listing("a:l") is state.listing("a:l")
    assert [*state.touched_merchants] == ["b", "a"]
    assert ([*state.touched_orders], [*state.touched_listings]) == (["a:o"], ["a:l"])


def test_records_share_nothing() -> None:
    """What is put into one new record is not in another."""
    state = ShardState(0)
    state.order("a:1").seen.append(1)
    state.listing("a:1").seen.append(1)
    state.merchant("a").record.tracking.append(1)
    assert not state.order("a:2").seen
    assert not state.listing("a:2").seen
    assert not state.merchant("b").record.tracking
