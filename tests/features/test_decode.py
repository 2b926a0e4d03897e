"""Every bad record gets its reason, and every good one its event."""

import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from features.decode import EVENT_TYPES, TOPIC_KINDS, InputLimits, Rejection, TopicKind, decode
from features.events import InputEvent
from features.pseudonyms import Pseudonyms
from tests.features.example_events import AT, FIELDS, Fields, decoded, example, topic_of

HOUR = 3_600_000


def rejected(value: bytes | Fields | None, **options: Any) -> Rejection:
    """The rejection of a value that must not be accepted."""
    found = decoded(value, **options)
    assert isinstance(found, Rejection), found
    return found


def event_with(kind: str, /, **changes: Any) -> InputEvent | Rejection:
    """The event that a valid example, changed, becomes."""
    return decoded(example(kind, **changes), topic_of(kind))


# -- what is accepted -------------------------------------------------------------------------------------------------


def test_examples_cover_every_type() -> None:
    """No event type of the contract goes untested here."""
    assert set(FIELDS) == set().union(*EVENT_TYPES.values())
    assert set(TOPIC_KINDS) == set(EVENT_TYPES)


@pytest.mark.parametrize("kind", FIELDS)
def test_every_type_reads_back(kind: str) -> None:
    """All fields of each type arrive as they were sent."""
    event = event_with(kind)
    assert not isinstance(event, Rejection), event
    assert msgspec.to_builtins(event) == example(kind)


@pytest.mark.parametrize("kind", FIELDS)
def test_optional_fields_may_be_absent_or_null(kind: str) -> None:
    """What the contract marks as optional need not be there, and null says as little as absence."""
    full = event_with(kind)
    assert not isinstance(full, Rejection)
    fields = msgspec.structs.fields(type(full))
    optional = [field.name for field in fields if not field.required]
    absent = event_with(kind, **dict.fromkeys(optional, ...))
    assert not isinstance(absent, Rejection), absent
    assert event_with(kind, **dict.fromkeys(optional)) == absent


@pytest.mark.parametrize("kind", FIELDS)
def test_required_fields_are_required(kind: str) -> None:
    """An event without any one of the others is invalid, and the reason names the field."""
    full = event_with(kind)
    assert not isinstance(full, Rejection)
    for field in msgspec.structs.fields(type(full)):
        if field.required:
            for absent in (..., None):
                found = event_with(kind, **{field.name: absent})
                assert isinstance(found, Rejection), field.name
                assert found.code == "invalid"
                assert field.name in found.detail


@pytest.mark.parametrize("kind", FIELDS)
def test_unknown_fields_are_ignored(kind: str) -> None:
    """Producers may add fields, of any shape."""
    more = {"x_new": {"deep": [1, None, {"a": "b"}]}, "zzz": 1e300}
    assert event_with(kind, **more) == event_with(kind)


@pytest.mark.parametrize(
    ("kind", "field", "good", "bad"),
    [
        ("order.delivered", "event_id", ["x", "x" * 128, "é" * 128, "\u0000", "a:b%c/{}"], ["", "x" * 129, 5]),
        ("order.delivered", "order_id", ["x", "x" * 128], ["", "x" * 129, ["x"]]),
        ("order.delivered", "occurred_at", [946_684_800_000, AT], [946_684_799_999, AT // 1000, str(AT), AT + 0.5]),
        ("order.created", "ship_by", [946_684_800_000, 4_102_444_800_000], [946_684_799_999, 4_102_444_800_001, 0]),
        ("order.created", "buyer_id", ["x" * 128], ["", "x" * 129]),
        ("order.created", "total", [0, 10**12], [-1, 10**12 + 1, 10**30, 1.5, "5", True]),
        ("order.created", "currency", ["JPY", "EUR"], ["eur", "XXX", "", "EURO", 978]),
        ("order.created", "channel", ["shop", "live", "video", "affiliate"], ["tv", ""]),
        ("order.created", "ship_to", ["x" * 256], ["", "x" * 257]),
        ("order.created", "items", [[{"listing_id": "l", "quantity": 1, "unit_price": 0}] * 200], [[], {}, "x"]),
        ("order.shipped", "weight_grams", [0, 10**9], [-1, 10**9 + 1]),
        ("order.shipped", "carrier", ["x" * 256], ["", "x" * 257]),
        ("order.tracked", "status", ["accepted", "delivered", "exception"], ["lost", ""]),
        ("order.cancelled", "by", ["buyer", "seller", "platform"], ["carrier", ""]),
        ("order.cancelled", "reason", ["", "x" * 20_000], ["x" * 20_001]),
        ("order.refunded", "fault", ["seller", "buyer", "carrier", "platform", "unknown"], ["nobody"]),
        ("order.dispute_resolved", "in_favour_of", ["buyer", "seller"], ["platform"]),
        ("order.reviewed", "rating", [1, 5], [0, 6, 4.5, "5"]),
        ("listing.created", "title", ["", "x" * 20_000], ["x" * 20_001, 5]),
        ("listing.created", "category", ["x" * 256], ["", "x" * 257]),
        ("listing.created", "image_hashes", [[], ["0123456789abcDEF"] * 64], [["0" * 15], ["0" * 17], ["g" * 16]]),
        ("listing.created", "image_hashes", [], [["0" * 16] * 65, ["0" * 16 + "\n"]]),
        ("listing.created", "ship_from", ["DE", "x" * 8], ["D", "x" * 9]),
        ("listing.created", "attributes", [{}, {"a": ""}], [{"a": 1}, ["a"], {"a": None}]),
        ("listing.exposed", "views", [0, 10**9], [-1, 10**9 + 1]),
        ("merchant.registered", "kind", ["business", "individual"], ["company"]),
        ("merchant.account_changed", "what", ["bank", "device"], ["name"]),
        ("review.decided", "sample", [{"stratum": "s", "inclusion_probability": 1}], []),
        ("review.decided", "sample", [], [{"stratum": "s", "inclusion_probability": p} for p in (0, 1.01, -1, None)]),
        ("report.received", "subject", [{"kind": "creator", "id": "c"}], [{"kind": "buyer", "id": "b"}, {"id": "b"}]),
    ],
)
def test_ranges_end_where_the_contract_says(kind: str, field: str, good: list[Any], bad: list[Any]) -> None:
    """The last accepted and the first refused value of each range; the reason says where it was."""
    for value in good:
        found = event_with(kind, **{field: value})
        assert not isinstance(found, Rejection), (value, found)
    for value in bad:
        found = event_with(kind, **{field: value})
        assert isinstance(found, Rejection), value
        assert found.code == "invalid"
        assert field in found.detail


@pytest.mark.parametrize(("field", "bad"), [("quantity", 0), ("quantity", 100_001), ("unit_price", -1)])
def test_items_have_ranges_of_their_own(field: str, bad: int) -> None:
    """One bad line makes the order invalid."""
    item = {"listing_id": "l", "quantity": 100_000, "unit_price": 10**12}
    assert not isinstance(event_with("order.created", items=[item]), Rejection)
    found = event_with("order.created", items=[item, item | {field: bad}])
    assert isinstance(found, Rejection)
    assert "items[" in found.detail


def test_too_many_items_are_refused() -> None:
    """An order has at most 200 lines."""
    item = {"listing_id": "l", "quantity": 1, "unit_price": 0}
    assert rejected(example("order.created", items=[item] * 201)).code == "invalid"


# -- reasons ----------------------------------------------------------------------------------------------------------


def test_no_value_is_empty() -> None:
    """A record without a value, a tombstone, is said to be empty."""
    assert rejected(None).code == "empty"


def test_oversize_begins_above_the_limit() -> None:
    """The limit is inclusive, in bytes of the value, and nothing larger is even parsed."""
    value = orjson.dumps(example("order.delivered"))
    assert not isinstance(decoded(value, max_bytes=len(value)), Rejection)
    assert rejected(value, max_bytes=len(value) - 1).code == "oversize"
    assert rejected(b"{" * (256 * 1024 + 1)).code == "oversize"
    assert rejected(b"{" * 256 * 1024).code == "undecodable"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" ",
        b"\x00",
        b"{",
        b"{}x",
        b"\xff\xfe",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": nul}',
        b"[" * 200_000,
        b'{"a":' * 40_000,
        "\ufeff{}".encode(),
        orjson.dumps(example("order.delivered")) * 2,
        orjson.dumps(example("order.delivered")).decode().encode("utf-16"),
    ],
)
def test_what_is_no_json_is_undecodable(value: bytes) -> None:
    """Broken, deeply nested, doubled or differently encoded text is refused without a crash."""
    found = rejected(value)
    assert found.code == "undecodable"
    assert found.detail.startswith("not JSON: ")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "0x5", "01", "+1", ".5", "5."])
@pytest.mark.parametrize(
    ("kind", "field"), [("order.created", "total"), ("order.created", "occurred_at"), ("review.decided", "sample")]
)
def test_numbers_that_json_has_not_are_refused(kind: str, field: str, number: str) -> None:
    """No value that is not finite gets in, neither as an integer nor as a fraction."""
    text = json.dumps(example(kind, **{field: "@"}))
    sample = '{"stratum": "s", "inclusion_probability": @}' if field == "sample" else "@"
    found = rejected(text.replace('"@"', sample.replace("@", number)).encode(), kind=topic_of(kind))
    assert found.code == "undecodable"


@pytest.mark.parametrize("document", [b"null", b"5", b'"text"', b"[]", b"[{}]", b"true"])
def test_what_is_no_object_is_invalid(document: bytes) -> None:
    """Other JSON than an object is named for what it is."""
    assert rejected(document).code == "invalid"


@pytest.mark.parametrize("kind", [..., None, 5, ["order.created"], {}])
def test_a_type_that_is_no_text_is_invalid(kind: object) -> None:
    """The reason says that the type is what is missing."""
    found = rejected(example("order.delivered", type=kind))
    assert found.code == "invalid"
    assert "'type'" in found.detail


@pytest.mark.parametrize("kind", ["order.teleported", "", "ORDER.CREATED", "order.created ", "x" * 1000])
def test_unknown_types_are_named(kind: str) -> None:
    """A type that no topic has is an unknown type, quoted, but not at any length."""
    found = rejected(example("order.delivered", type=kind))
    assert found.code == "unknown_type"
    assert kind[:128] in found.detail
    assert len(found.detail) < 250


@pytest.mark.parametrize("kind", FIELDS)
def test_every_type_belongs_to_one_topic(kind: str) -> None:
    """In each of the other topics it is refused, and the reason says where it belongs."""
    for topic in TOPIC_KINDS:
        if topic != topic_of(kind):
            found = rejected(example(kind), kind=topic)
            assert found.code == "wrong_topic"
            assert topic_of(kind) in found.detail


@pytest.mark.parametrize("key", [None, b"", b"m2", b"M1", b"m1 ", b'"m1"', b"\xff", b"m" * 10_000])
def test_the_key_must_be_the_merchant(key: bytes | None) -> None:
    """Any other key, or none, would bring a merchant's events to another shard."""
    found = rejected(example("order.delivered"), key=key)
    assert found.code == "wrong_key"
    assert "m1" in found.detail
    assert len(found.detail) < 1000


def test_keys_are_compared_as_utf8() -> None:
    """A merchant's id may hold any characters."""
    event = example("order.delivered", merchant_id="münze/€:%")
    assert not isinstance(decoded(event, key="münze/€:%".encode()), Rejection)
    assert rejected(event, key="münze/€:%".encode("utf-16")).code == "wrong_key"


def test_the_future_begins_after_the_tolerance() -> None:
    """A day after the record's own timestamp is still accepted, a millisecond more is not; the past always is."""
    event = example("order.delivered")
    assert not isinstance(decoded(event, timestamp=AT - 24 * HOUR), Rejection)
    found = rejected(event, timestamp=AT - 24 * HOUR - 1)
    assert found.code == "future"
    assert "24.0 h" in found.detail
    assert not isinstance(decoded(event, timestamp=AT + 10_000 * 24 * HOUR), Rejection)
    assert not isinstance(decoded(event, timestamp=AT - 5, future_tolerance=5), Rejection)
    assert rejected(event, timestamp=AT - 6, future_tolerance=5).code == "future"


def test_of_two_values_for_a_field_one_counts() -> None:
    """A key that is there twice is no reason to stop; the last one counts, and is checked."""
    text = orjson.dumps(example("order.delivered"))[:-1]
    assert getattr(decoded(text + b',"order_id":"o2"}'), "order_id", None) == "o2"
    assert rejected(text + b',"merchant_id":"m2"}').code == "wrong_key"
    assert rejected(text + b',"occurred_at":0}').code == "invalid"


# -- text that cannot be written again --------------------------------------------------------------------------------

_SURROGATES = ["\ud800", "\udc00", "a\udc00\ud800b", "\ud800\ud800", "\udbff", "x" * 50 + "\udfff", "\ud83d A"]


def _strings(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all strings in a document, keys of free mappings included."""
    if isinstance(value, str):
        return [path]
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, child in children for found in _strings(child, (*path, name))]


def _with(document: Any, path: tuple[Any, ...], text: str) -> Any:
    """A copy of a document with another string at a path."""
    copy = json.loads(json.dumps(document))
    at = copy
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = text
    return copy


@pytest.mark.parametrize("kind", FIELDS)
def test_lone_surrogates_are_refused_in_every_string(kind: str) -> None:
    r"""Half of a character, as "\ud800", cannot be hashed or written again, so it must not get in anywhere."""
    for path in _strings(example(kind)):
        for text in _SURROGATES:
            value = json.dumps(_with(example(kind), path, text)).encode()
            found = decoded(value, topic_of(kind), key=None)
            assert isinstance(found, Rejection), (path, text)
            assert found.code in ("undecodable", "invalid"), (path, text)
            found.detail.encode()


@pytest.mark.parametrize("raw", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"a\x80", b"\xc0\x80"])
def test_broken_utf8_is_refused_in_every_string(raw: bytes) -> None:
    """Bytes that are no UTF-8, surrogates written as three bytes among them, are refused."""
    for kind in FIELDS:
        for path in _strings(example(kind)):
            value = json.dumps(_with(example(kind), path, "@@")).encode().replace(b"@@", raw)
            found = decoded(value, topic_of(kind), key=None)
            assert isinstance(found, Rejection), (kind, path)
            assert found.code in ("undecodable", "invalid")


@given(st.text(alphabet=st.characters(codec=None), min_size=1, max_size=30), st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_can_be_written_again(text: str, escaped: bool) -> None:
    """Any text, surrogates alone and in pairs: refused, or good for hashing, pseudonyms and JSON."""
    document = example("order.created", event_id=text, order_id=text, buyer_id=text, merchant_id=text)
    encoded = json.dumps(document, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    event = decode("orders", text.encode("utf-8", "replace"), encoded, AT, InputLimits())
    if isinstance(event, Rejection):
        assert any("\ud800" <= character <= "\udfff" for character in text)
        assert orjson.loads(orjson.dumps(event.detail))
        return
    xxh3_64_intdigest(text.encode())
    Pseudonyms(bytes(16)).short("buyer", text)
    assert orjson.loads(msgspec.json.encode(event)) == json.loads(encoded)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from(TOPIC_KINDS))
@settings(max_examples=200, deadline=None)
def test_no_bytes_crash_the_decoder(value: bytes, kind: TopicKind) -> None:
    """Any bytes give an event or a reason."""
    assert isinstance(decode(kind, b"m1", value, AT, InputLimits()), Rejection)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    ),
    st.sampled_from(sorted(FIELDS)),
    st.randoms(),
)
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_field_is_judged(value: Any, kind: str, choice: Any) -> None:
    """Whatever stands in a field, the record is accepted or gets a reason that can be written."""
    field = choice.choice([*example(kind)])
    raw = json.dumps(example(kind, **{field: value})).encode()
    found = decode(topic_of(kind), b"m1", raw, AT, InputLimits())
    if isinstance(found, Rejection):
        assert orjson.dumps(found.detail)
