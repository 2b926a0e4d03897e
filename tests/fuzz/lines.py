"""Inputs of the coverage-guided fuzzer: records as lines, and how a line becomes another one.

The first byte of a line chooses the topic, the rest is the value.
"""

from random import Random

import orjson

from features.decode import TOPIC_KINDS
from tests.features.example_events import topic_of
from tests.fuzz.mutations import mutate_value
from tests.fuzz.valid_events import START, Event, valid_event

#: Event time of new events, ms after the start: about as long as an order is kept.
_SPAN = 120 * 86_400_000
#: More than any valid event here has; orjson writes no deeper nesting than 254.
_MOST_BRACKETS = 100
_ENTITIES = ("merchant_id", "order_id", "listing_id", "tracking_number", "buyer_id", "decision_id")


def line_of(event: Event) -> bytes:
    """The line of an event."""
    return bytes([ord("0") + TOPIC_KINDS.index(topic_of(str(event["type"])))]) + orjson.dumps(event)


def mutate(data: bytes, seed: int) -> bytes:
    """Another input: one event more about the same entities, one less, one changed, or one broken."""
    random = Random(seed)
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    event = _event(lines[at])
    fresh = valid_event(random, random.getrandbits(24), START + random.randrange(_SPAN))
    related = fresh | {name: event[name] for name in _ENTITIES if name in event and name in fresh}
    match random.randrange(5):
        case 0:
            lines.insert(at, line_of(related))
        case 1 if len(lines) > 1:
            del lines[at]
        case 2:
            names = [name for name in fresh if name in event and name != "type"]
            if names:
                name = random.choice(names)
                lines.append(lines[at][:1] + orjson.dumps(event | {"event_id": fresh["event_id"], name: fresh[name]}))
        case 3:
            lines[at] = line_of(related)[:1] + mutate_value(random, related).replace(b"\n", b" ")
        case _:
            lines[at] = line_of(fresh)
    return b"\n".join(lines)


def _event(line: bytes) -> Event:
    """The event of a line; nothing where there is none that could be written again."""
    if line.count(b"{") + line.count(b"[") > _MOST_BRACKETS:
        return {}
    try:
        event = orjson.loads(line[1:])
    except orjson.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) and all(isinstance(event.get(name, ""), str) for name in _ENTITIES) else {}
