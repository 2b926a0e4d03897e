"""Records as no producer should send them: valid events, broken in ways that know their structure.

:func:`mutated_records` is seeded: the same seed gives the same bytes on every machine. Each mutation has a name, by
which the table of ``make fuzz`` counts what became of its records.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

from features.decode import TOPIC_KINDS, TopicKind
from tests.features.example_events import topic_of
from tests.fuzz.valid_events import DAY, START, Event, valid_events

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class Mutated(NamedTuple):
    """A record to be fed, and the mutation that it went through."""

    mutation: str
    topic: TopicKind
    key: bytes | None
    value: bytes | None
    timestamp: int
    headers: Headers = ()


#: A place in a document: names and indices from the top.
Path: TypeAlias = tuple[Any, ...]

_FAR = (0, -1, 1, 946_684_800_000, 4_102_444_800_000, 946_684_799_999, 4_102_444_800_001, START + 400 * DAY)
_EXTREME_NUMBERS = (
    *_FAR,
    10**12,
    10**12 + 1,
    10**9,
    100_000,
    100_001,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63),
    10**100,
    0.1,
    -0.0,
    5e-324,
    1.7976931348623157e308,
)
_EXTREME_TEXTS = (
    "",
    " ",
    "\x00",
    "x" * 128,
    "x" * 129,
    "x" * 256,
    "é" * 128,
    "\U0001f600" * 128,
    "x" * 20_000,
    "a" + "\u0301\u0316" * 9_000,
    "\ufdfa" * 5_000,
    "\u202e\u200b\ufeff",
    "m1:o1",
    "%3A%25:%",
    "{m1}",
    "*[?]\\",
    "\r\n\x1b[2J",
    "İıſK",
    "null",
    "../../etc/passwd",
    "' OR 1=1 --",
    "+1" * 5_000,
    "a@" * 5_000,
    "tel 1" * 3_000,
)
#: Literals that are put into the text as they stand; JSON has only some of them.
_LITERALS = (
    *("1e400", "-1e400", "1e-400", "-0", "-0.0", "NaN", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1"),
    *("1" * 400, "-" + "9" * 5_000, "1e5", "1E+2", "12345678901234567890.5", "0e999999999", "true", "nul"),
)
_SURROGATES = ('"\\ud800"', '"\\udc00\\ud800"', '"a\\udfffb"', '"\\ud83d\\ude00"', '"\\ud83dx"', '"\\u0000"')
_BROKEN_UTF8 = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\x80", b"\xf4\x90\x80\x80")


def paths(document: Any, path: Path = ()) -> list[Path]:
    """Every place in a document below the top."""
    if isinstance(document, dict):
        return [found for name in document for found in [(*path, name), *paths(document[name], (*path, name))]]
    if isinstance(document, list):
        return [found for at in range(len(document)) for found in [(*path, at), *paths(document[at], (*path, at))]]
    return []


def replaced(document: Event, path: Path, value: Any) -> Event:
    """A copy of a document with another value at a place; ``...`` takes the place out."""
    copy = deepcopy(document)
    at: Any = copy
    for name in path[:-1]:
        at = at[name]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return copy


def _place(random: Random, event: Event) -> Path:
    return random.choice(paths(event))


def _json(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _with_literal(random: Random, event: Event, literals: tuple[str, ...]) -> bytes:
    return json.dumps(replaced(event, _place(random, event), "@@")).replace('"@@"', random.choice(literals)).encode()


def _nested(random: Random, depth: int) -> bytes:
    opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
    return (opening * depth + "1" + closing * depth).encode()


# -- what can happen to the value -------------------------------------------------------------------------------------


def _valid(_: Random, event: Event) -> bytes:
    return _json(event)


def _field_dropped(random: Random, event: Event) -> bytes:
    return _json(replaced(event, _place(random, event), ...))


def _field_retyped(random: Random, event: Event) -> bytes:
    values: tuple[object, ...] = (
        None,
        True,
        5,
        1.5,
        "text",
        "5",
        [],
        {},
        [None],
        {"a": 1},
        [[]],
        "",
        event["type"],
        [event["event_id"]],
    )
    return _json(replaced(event, _place(random, event), random.choice(values)))


def _field_added(random: Random, event: Event) -> bytes:
    more = {random.choice(("x", "type ", "", "ITEMS", "\x00", "x" * 5_000)): random.choice((None, 1e300, {"a": [1]}))}
    return _json(more | event)


def _extreme_number(random: Random, event: Event) -> bytes:
    numbers = [path for path in paths(event) if isinstance(_at(event, path), int)]
    return _json(replaced(event, random.choice(numbers), random.choice(_EXTREME_NUMBERS)))


def _extreme_text(random: Random, event: Event) -> bytes:
    texts = [path for path in paths(event) if isinstance(_at(event, path), str) and path != ("type",)]
    return _json(replaced(event, random.choice(texts), random.choice(_EXTREME_TEXTS)))


def _long_list(random: Random, event: Event) -> bytes:
    lists = [path for path in paths(event) if isinstance(_at(event, path), list)]
    if not lists:
        return _json(event | {"items": [{}] * 1_000})
    at = random.choice(lists)
    return _json(replaced(event, at, _at(event, at) * random.choice((0, 64, 65, 200, 201, 1_000))))


def _literal(random: Random, event: Event) -> bytes:
    return _with_literal(random, event, _LITERALS)


def _lone_surrogate(random: Random, event: Event) -> bytes:
    return _with_literal(random, event, _SURROGATES)


def _duplicate_key(random: Random, event: Event) -> bytes:
    name = random.choice(list(event))
    again = json.dumps({name: random.choice((event[name], None, 0, "", [], "other"))})
    text = json.dumps(event)
    return (f"{again[:-1]},{text[1:]}" if random.random() < 0.5 else f"{text[:-1]},{again[1:]}").encode()


def _truncated(random: Random, event: Event) -> bytes:
    value = _json(event)
    return value[: random.randrange(len(value))]


def _byte_flipped(random: Random, event: Event) -> bytes:
    value = bytearray(_json(event))
    for _ in range(random.choice((1, 1, 1, 2, 8))):
        value[random.randrange(len(value))] ^= 1 << random.randrange(8)
    return bytes(value)


def _bytes_inserted(random: Random, event: Event) -> bytes:
    value = _json(event)
    at = random.randrange(len(value) + 1)
    return value[:at] + random.randbytes(random.choice((1, 2, 16))) + value[at:]


def _invalid_utf8(random: Random, event: Event) -> bytes:
    return _json(replaced(event, _place(random, event), "@@")).replace(b"@@", random.choice(_BROKEN_UTF8))


def _deep(random: Random, event: Event) -> bytes:
    nest = _nested(random, random.choice((10, 200, 1_000, 20_000)))
    if random.random() < 0.2:
        return nest
    # An unknown field may be nested; a known one may not.
    place = ("extra",) if random.random() < 0.5 else _place(random, event)
    return _json(replaced(event | {"extra": 0}, place, "@@")).replace(b'"@@"', nest)


def _byte_order_mark(random: Random, event: Event) -> bytes:
    text = _json(event)
    return random.choice((b"\xef\xbb\xbf" + text, text.decode().encode("utf-16"), text.decode().encode("utf-32")))


def _no_object(random: Random, event: Event) -> bytes:
    return random.choice((b"", b" ", b"null", b"5", b"[]", b'"x"', _json([event]), _json(event) * 2, b"{}"))


def _noise(random: Random, _: Event) -> bytes:
    return random.randbytes(random.randrange(200))


def _oversize(random: Random, event: Event) -> bytes:
    return _json(event | {"comment": "x" * random.choice((255 * 1024, 256 * 1024, 300 * 1024))})


def _other_type(random: Random, event: Event) -> bytes:
    types = ("order.teleported", "", "ORDER.CREATED", "order.created", "order.refunded", "listing.updated", "x" * 999)
    return _json(event | {"type": random.choice(types)})


_VALUES: Final[dict[str, tuple[int, Callable[[Random, Event], bytes]]]] = {
    "none": (8, _valid),
    "field dropped": (4, _field_dropped),
    "field retyped": (6, _field_retyped),
    "field added": (2, _field_added),
    "extreme number": (8, _extreme_number),
    "extreme text": (6, _extreme_text),
    "long list": (3, _long_list),
    "number literal": (5, _literal),
    "lone surrogate": (3, _lone_surrogate),
    "duplicate key": (3, _duplicate_key),
    "truncated": (4, _truncated),
    "bytes flipped": (6, _byte_flipped),
    "bytes inserted": (3, _bytes_inserted),
    "invalid UTF-8": (3, _invalid_utf8),
    "deeply nested": (1, _deep),
    "byte order mark": (1, _byte_order_mark),
    "no object": (1, _no_object),
    "noise": (1, _noise),
    "oversize": (1, _oversize),
    "another type": (2, _other_type),
}


# -- what can happen to the record around it --------------------------------------------------------------------------


def _tombstone(_: Random, record: Mutated) -> Mutated:
    return record._replace(value=None)


def _another_key(random: Random, record: Mutated) -> Mutated:
    keys = (None, b"", b"m", b"M1", b"\xff\xfe", b'"m1"', b"m" * 5_000, (record.key or b"") + b" ")
    return record._replace(key=random.choice(keys))


def _another_topic(random: Random, record: Mutated) -> Mutated:
    return record._replace(topic=random.choice([kind for kind in TOPIC_KINDS if kind != record.topic]))


def _from_the_future(random: Random, record: Mutated) -> Mutated:
    return record._replace(timestamp=record.timestamp - random.choice((DAY - 1, DAY + 3 * DAY, 400 * DAY)))


def _another_merchant(random: Random, record: Mutated) -> Mutated:
    """Any text as the merchant's id, and as the key too."""
    merchant = random.choice(_EXTREME_TEXTS)
    event = json.loads(record.value or b"{}") | {"merchant_id": merchant}
    return record._replace(key=merchant.encode(), value=_json(event))


def _fresh_names(random: Random, record: Mutated) -> Mutated:
    """Names that nothing had before: what is kept by name must have bounds."""
    event = json.loads(record.value or b"{}")
    for name in ("order_id", "listing_id", "ship_to", "category", "carrier", "tracking_number", "brand", "ship_from"):
        if name in event:
            event[name] = f"{random.getrandbits(28):x}"
    return record._replace(value=_json(event))


def _strange_headers(random: Random, record: Mutated) -> Mutated:
    headers: tuple[Headers, ...] = (
        (("ce_id", b"not yours"), ("dlq_reason", b"none"), ("dlq_reason", b"again")),
        (("", b""), ("\x00", b"\x00" * 100), ("é", None)),
        tuple((f"h{number}", b"x") for number in range(100)),
        (("long", b"x" * 20_000),),
    )
    return record._replace(headers=random.choice(headers))


_RECORDS: Final[dict[str, tuple[int, Callable[[Random, Mutated], Mutated]]]] = {
    "tombstone": (2, _tombstone),
    "another key": (3, _another_key),
    "another topic": (2, _another_topic),
    "from the future": (3, _from_the_future),
    "strange headers": (2, _strange_headers),
    "another merchant": (3, _another_merchant),
    "fresh names": (6, _fresh_names),
}

#: Every mutation, by name.
MUTATIONS: Final = (*_VALUES, *_RECORDS)


def mutate_value(random: Random, event: Event) -> bytes:
    """A value made of a valid event by one of the mutations."""
    return random.choice(list(_VALUES.values()))[1](random, event)


def mutated_records(seed: int, count: int | None = None) -> Iterator[Mutated]:
    """Records in the order in which they are fed; endlessly many without a count."""
    return islice(_endless(seed), count)


def _endless(seed: int) -> Iterator[Mutated]:
    random = Random(seed)
    weights = [*(weight for weight, _ in _VALUES.values()), *(weight for weight, _ in _RECORDS.values())]
    for event in valid_events(seed):
        topic, key, at = topic_of(event["type"]), event["merchant_id"].encode(), event["occurred_at"]
        name = random.choices(MUTATIONS, weights)[0]
        if name in _VALUES:
            yield Mutated(name, topic, key, _VALUES[name][1](random, event), at)
        else:
            yield _RECORDS[name][1](random, Mutated(name, topic, key, _valid(random, event), at))


def _at(document: Any, path: Path) -> Any:
    for name in path:
        document = document[name]
    return document
