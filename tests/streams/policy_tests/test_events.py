from typing import Any, get_args

import msgspec
import pytest
from msgspec.inspect import IntType, StructType, UnionType, type_info

from config.policies import Place, Problem
from config.policy_tests import GivenEvents, PolicyTest
from features.decode import EVENT_TYPES, InputLimits, Rejection, decode
from features.events import InputEvent
from streams.policy_tests.events import START, TIME_FIELDS, TestEvent, expand
from tests.features.example_events import FIELDS

PLACE = Place("t.yaml", 3, {"type": 4})


def given(at: int = 0, every: int = 0, times: int = 1, **fields: Any) -> GivenEvents:
    """What a test gives."""
    return GivenEvents(PLACE, at, every, times, fields)


def expanded(*events: GivenEvents) -> tuple[list[TestEvent], list[Problem]]:
    """Events of a test, and what is wrong with it."""
    problems: list[Problem] = []
    test = PolicyTest(name="t", place=PLACE, given=list(events), until=None, expect=[], never=[], only=True, end={})
    return expand(test, problems), problems


def test_times_are_found_by_their_type() -> None:
    """Every field of an event that holds a time may be written as a length, and no other."""
    found = set()
    for kind in get_args(InputEvent):
        info = type_info(kind)
        assert isinstance(info, StructType)
        for field in info.fields:
            types = field.type.types if isinstance(field.type, UnionType) else (field.type,)
            if any(isinstance(each, IntType) and (each.ge or 0) > 1_000_000_000 for each in types):
                found.add(field.encode_name)
    assert found - {"occurred_at"} == TIME_FIELDS


@pytest.mark.parametrize("kind", list(get_args(InputEvent)), ids=lambda kind: str(kind.__name__))
def test_every_type_can_be_given(kind: Any) -> None:
    """With the fields of an example in it, each type of event is one that the core takes."""
    name = str(kind.__struct_config__.tag)
    fields = FIELDS[name] | dict.fromkeys(TIME_FIELDS & FIELDS[name].keys(), "2d")
    if name in EVENT_TYPES["feedback"]:
        # The feedback of these tests is about merchants.
        fields.pop("creator_id", None)
    (event,), problems = expanded(given(type=name, **fields))
    assert problems == []
    body = msgspec.json.encode(event.body)
    read = decode(event.topic, event.body["merchant_id"].encode(), body, event.time, InputLimits())
    assert not isinstance(read, Rejection), read


def test_a_short_order_is_whole() -> None:
    """Only what matters need be said: the rest has defaults, and times are lengths from the event's own."""
    (event,), problems = expanded(given(at=5, type="order.created", order_id="o1", ship_by="2d", total=900, quantity=3))
    assert problems == []
    assert (event.time, event.topic) == (START + 5, "orders")
    assert event.body["ship_by"] == START + 5 + 2 * 86_400_000
    assert event.body["items"] == [{"listing_id": "listing-1", "quantity": 3, "unit_price": 300}]


def test_repetitions_count() -> None:
    """Each has its own time, number and event id, and all stand in order of time."""
    events, _ = expanded(
        given(every=10, times=3, type="order.created", order_id="o{n}", buyer_id="b{n%2}"),
        given(at=10, type="order.shipped", order_id="o{4n-3}"),
    )
    assert [(event.time - START, event.body["order_id"]) for event in events] == [
        (0, "o1"),
        (10, "o2"),
        (10, "o1"),
        (20, "o3"),
    ]
    assert [event.body["buyer_id"] for event in events if "buyer_id" in event.body] == ["b1", "b0", "b1"]
    assert len({event.body["event_id"] for event in events}) == 4


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "an event needs a type"),
        ({"type": "order.create"}, 'unknown type "order.create"; did you mean "order.created"?'),
        ({"type": "order.created", "ordr_id": "o"}, 'no field "ordr_id"; did you mean "order_id"?'),
        ({"type": "order.created", "occurred_at": 5}, 'no field "occurred_at"'),
        ({"type": "order.created", "order_id": "o", "ship_by": "soon"}, '"soon" is no length of time'),
    ],
)
def test_mistakes_have_a_place(fields: dict[str, Any], words: str) -> None:
    """Each names the test, the file and the line."""
    events, problems = expanded(given(**fields))
    assert events == []
    assert len(problems) == 1 and words in str(problems[0])
    assert str(problems[0]).startswith("t.yaml:")
