"""From the bytes of a record to a valid event, or to the reason why there is none.

A record that cannot be used is an ordinary outcome here, not an exception that stops a stream: :func:`decode` returns a
:class:`Rejection`, which the worker publishes to the dead letters with the record's own bytes.
"""

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec
import orjson
from msgspec import Struct

from features import events
from features.events import InputEvent
from features.exchange import Message

TopicKind: TypeAlias = Literal["listings", "orders", "merchants", "feedback"]
#: The input topics, in the order in which one flush applies them: a merchant before its listings, those before orders.
TOPIC_KINDS: Final[tuple[TopicKind, ...]] = ("merchants", "listings", "orders", "feedback")

#: What a record can be: of an input topic, or a message of another shard on the internal exchange topic.
RecordKind: TypeAlias = TopicKind | Literal["exchange"]
#: All of them, in the order in which one flush applies them.
RECORD_KINDS: Final[tuple[RecordKind, ...]] = (*TOPIC_KINDS, "exchange")

RejectionCode: TypeAlias = Literal[
    "empty",
    "oversize",
    "undecodable",
    "invalid",
    "unknown_type",
    "wrong_topic",
    "wrong_key",
    "future",
    "inapplicable",
    "unprocessable",
]


class Rejection(Struct, frozen=True, gc=False):
    """Why a record cannot be used: a code for programs, a sentence for people."""

    code: RejectionCode
    detail: str


#: A record as decoded.
Decoded: TypeAlias = InputEvent | Message | Rejection


class InputLimits(Struct, frozen=True, gc=False):
    """What is still accepted: bytes of a value, and how far (ms) an event may lie after its record's own timestamp."""

    max_bytes: int = 256 * 1024
    future_tolerance: int = 24 * 3_600_000


_DECODE: Final[dict[TopicKind, Callable[[bytes], InputEvent]]] = {
    "merchants": msgspec.json.Decoder(events.MerchantInput).decode,
    "listings": msgspec.json.Decoder(events.ListingInput).decode,
    "orders": msgspec.json.Decoder(events.OrderInput).decode,
    "feedback": msgspec.json.Decoder(events.FeedbackInput).decode,
}


def _types_of(union: object) -> frozenset[str]:
    members: tuple[type[Struct], ...] = union.__args__  # type: ignore[attr-defined]
    return frozenset(str(member.__struct_config__.tag) for member in members)


#: Event types by the topic they belong to.
EVENT_TYPES: Final[dict[TopicKind, frozenset[str]]] = {
    "merchants": _types_of(events.MerchantInput),
    "listings": _types_of(events.ListingInput),
    "orders": _types_of(events.OrderInput),
    "feedback": _types_of(events.FeedbackInput),
}


def decode(
    kind: TopicKind, key: bytes | None, value: bytes | None, timestamp: int, limits: InputLimits, clock: int = 0
) -> InputEvent | Rejection:
    """Decode and validate one record.

    Parameters
    ----------
    kind
        Which input topic the record came from.
    key, value
        The record's bytes; ``None`` where Kafka has none.
    timestamp
        The record's own timestamp, ms.
    limits
        Size and time limits.
    clock
        The worker's clock, ms, as journalled with the flush; 0 where it is not known. A producer's clock may be wrong
        by years, in the event and in the record alike, and must not move a shard's time there.
    """
    if value is None:
        return Rejection("empty", "the record has no value")
    if len(value) > limits.max_bytes:
        return Rejection("oversize", f"the value has {len(value)} bytes, at most {limits.max_bytes} are accepted")
    try:
        event = _DECODE[kind](value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _diagnose(kind, value, error)
    try:
        right_key = event.merchant_id.encode() == key
    except UnicodeEncodeError:
        return Rejection("undecodable", "merchant_id holds a lone surrogate")
    if not right_key:
        shown = "absent" if key is None else repr(key[:128])
        return Rejection("wrong_key", f"the record's key is {shown}, but merchant_id is {event.merchant_id!r}")
    if kind == "feedback" and event.creator_id not in (None, event.merchant_id):  # type: ignore[union-attr]
        return Rejection(
            "wrong_key",
            f"creator_id is {event.creator_id!r}, but merchant_id and the key are {event.merchant_id!r}: "  # type: ignore[union-attr]
            "feedback about a creator is keyed by it",
        )
    earliest = event.occurred_at - limits.future_tolerance
    if earliest > timestamp:
        ahead = (event.occurred_at - timestamp) / 3_600_000
        return Rejection("future", f"occurred_at lies {ahead:.1f} h after the record's own timestamp {timestamp}")
    if clock and earliest > clock:
        ahead = (event.occurred_at - clock) / 3_600_000
        return Rejection("future", f"occurred_at lies {ahead:.1f} h after the worker's clock, {clock}")
    return event


def decode_message(value: bytes | None) -> Message | Rejection:
    """Decode a message of another shard."""
    if value is None:
        return Rejection("empty", "the record has no value")
    try:
        return _decode_message(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejection("invalid", f"not a message of a shard: {error}")


_decode_message: Final = msgspec.json.Decoder(Message).decode


def _diagnose(kind: TopicKind, value: bytes, error: Exception) -> Rejection:
    """Say what was wrong with a value that the fast decoder refused; slow, and only for those."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as reason:
        return Rejection("undecodable", f"not JSON: {reason}")
    if not isinstance(document, dict):
        return Rejection("invalid", f"a JSON object was expected, not {type(document).__name__}")
    name = document.get("type")
    if not isinstance(name, str):
        return Rejection("invalid", "the field 'type' is missing or not a string")
    if name in EVENT_TYPES[kind]:
        return Rejection("invalid", str(error))
    for other, names in EVENT_TYPES.items():
        if name in names:
            return Rejection("wrong_topic", f"{name!r} belongs to the topic of {other}, not of {kind}")
    return Rejection("unknown_type", f"{name[:128]!r} is not an event type of {kind}")
