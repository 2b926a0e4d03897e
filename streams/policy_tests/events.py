"""From what a policy test gives to input events.

What a test leaves out has a default, so that it says only what matters: the merchant ``shop``, the currency EUR, for
an order a buyer of its own and one piece of ``listing-1`` at the total of 10.00, for a listing a title and a price.
``{n}`` in a text is the number of the repetition, from 1; ``{4n-1}`` counts 3, 7, 11, …, and ``{n%5}`` begins again
after 4. Times in fields (``ship_by``) are lengths from the event's own time on.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from config.policies import Problem, did_you_mean
from config.policy_tests import GivenEvents, PolicyTest, milliseconds
from features import events
from features.decode import EVENT_TYPES, TopicKind

#: Event time at which every test starts: 2026-01-01, UTC.
START: Final = 1_767_225_600_000
#: Fields that hold a time.
TIME_FIELDS: Final = frozenset({"deliver_by", "registered_at", "ship_by", "until"})
#: In place of ``decision_id``: the rule whose latest decision is meant.
DECISION: Final = "decision"
MERCHANT: Final = "shop"
_TYPES: Final[Mapping[str, type[Struct]]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(events.InputEvent)
}
_TOPICS: Final[Mapping[str, TopicKind]] = {name: topic for topic, names in EVENT_TYPES.items() for name in names}
_NUMBER: Final = re.compile(r"\{([1-9][0-9]{0,3})?n([+-][0-9]{1,6})?(?:%([1-9][0-9]{0,5}))?\}")
#: Filled in by the runner, so not to be written.
_OWN: Final = frozenset({"occurred_at"})


class TestEvent(Struct, frozen=True):
    """One event to be: its topic, time (ms) and body. ``decision``: the rule whose latest decision it is about."""

    __test__ = False

    topic: TopicKind
    time: int
    body: dict[str, Any]
    decision: str | None
    given: GivenEvents


def expand(test: PolicyTest, problems: list[Problem]) -> list[TestEvent]:
    """All events of a test by time, those at the same time as they are written; what is wrong goes to ``problems``."""
    found = [event for number, given in enumerate(test.given, 1) for event in _events(test, number, given, problems)]
    return sorted(found, key=lambda event: event.time)


def _events(test: PolicyTest, number: int, given: GivenEvents, problems: list[Problem]) -> Iterator[TestEvent]:
    label = f'test "{test.name}"'
    name = given.fields.get("type")
    kind = _TYPES.get(name) if isinstance(name, str) else None
    if kind is None:
        if name is None:
            problems.append(given.place.problem(f"{label}: an event needs a type, such as order.created"))
        else:
            problems.append(
                given.place.problem(f'{label}: unknown type "{name}"{did_you_mean(str(name), _TYPES)}', "type")
            )
        return
    known = {"type", DECISION, *(field.encode_name for field in msgspec.structs.fields(kind))} - _OWN
    if kind is events.OrderCreated:
        known |= {"listing_id", "quantity"}
    unknown = [key for key in given.fields if key not in known]
    problems += [
        given.place.problem(f'{label}: {name} has no field "{key}"{did_you_mean(key, known)}', key) for key in unknown
    ]
    if unknown:
        return
    for repetition in range(1, given.times + 1):
        time = START + given.at + (repetition - 1) * given.every
        fields = {key: _filled(value, repetition) for key, value in given.fields.items()}
        decision = fields.pop(DECISION, None)
        for key in TIME_FIELDS.intersection(fields):
            try:
                fields[key] = time + milliseconds(str(fields[key]))
            except ValueError as error:
                problems.append(given.place.problem(f"{label}: {key}: {error}", key))
                return
        body = _defaults(kind, fields, f"{number}-{repetition}") | fields
        body["occurred_at"] = time
        yield TestEvent(_TOPICS[str(name)], time, body, None if decision is None else str(decision), given)


def _filled(value: Any, repetition: int) -> Any:
    """The value with its number put in, also within lists and mappings."""
    if isinstance(value, str):
        return _NUMBER.sub(lambda found: str(_number(found, repetition)), value)
    if isinstance(value, list):
        return [_filled(each, repetition) for each in value]
    if isinstance(value, Mapping):
        return {key: _filled(each, repetition) for key, each in value.items()}
    return value


def _number(found: re.Match[str], repetition: int) -> int:
    number = int(found[1] or 1) * repetition + int(found[2] or 0)
    return number % int(found[3]) if found[3] else number


def _defaults(kind: type[Struct], fields: dict[str, Any], number: str) -> dict[str, Any]:
    found: dict[str, Any] = {"event_id": f"event-{number}", "merchant_id": MERCHANT}
    if kind is events.OrderCreated:
        total = fields.get("total", 1_000)
        quantity = fields.pop("quantity", 1)
        item = {"listing_id": fields.pop("listing_id", "listing-1"), "quantity": quantity, "unit_price": total}
        if isinstance(total, int) and isinstance(quantity, int) and quantity > 0:
            item["unit_price"] = total // quantity
        found |= {"buyer_id": f"buyer-{number}", "items": [item], "total": total, "currency": "EUR"}
    elif issubclass(kind, events.ListingVersion):
        found |= {"title": "Desk lamp", "category": "home/lighting", "price": 1_000, "currency": "EUR"}
    elif kind is events.MerchantRegistered:
        found |= {"kind": "business", "country": "DE", "registered_at": START}
    elif kind is events.OrderShipped:
        found |= {"carrier": "post", "tracking_number": f"tracking-{number}"}
    elif kind is events.ReviewDecided:
        found |= {"source": "human"}
    return found
