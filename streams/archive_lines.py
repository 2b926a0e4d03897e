"""One record as one line of an archive file, byte for byte; :mod:`streams.archive` says what the lines look like."""

import base64
from typing import Annotated, Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

#: Deeper JSON is kept as base64: parsers differ in how deep they follow.
_MAX_BRACKETS: Final = 400

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class ArchiveRecord(Struct, frozen=True):
    """A Kafka record outside Kafka. ``timestamp`` is the record's own, in ms; ``None`` leaves it to the producer.

    ``partition`` and ``offset`` say where it lay, if it was read from a topic: a producer takes no notice of them.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    headers: Headers = ()
    partition: int | None = None
    offset: int | None = None


class _Binary(Struct):
    base64: bytes


_HeaderValue: TypeAlias = str | _Binary | None


class _Line(Struct):
    topic: Annotated[str, Meta(min_length=1)]
    key: str | UnsetType | None = UNSET
    key_base64: bytes | UnsetType = UNSET
    value: Raw | UnsetType = UNSET
    value_base64: bytes | UnsetType = UNSET
    timestamp: Annotated[int, Meta(ge=0)] | None = None
    headers: dict[str, _HeaderValue | list[_HeaderValue]] | None = None
    partition: Annotated[int, Meta(ge=0)] | None = None
    offset: Annotated[int, Meta(ge=0)] | None = None


_decode_line = msgspec.json.Decoder(_Line).decode


def encode_record(record: ArchiveRecord) -> bytes:
    """The line of one record, with its line feed."""
    line: dict[str, Any] = {"topic": record.topic}
    key = record.key
    if key is None:
        line["key"] = None
    else:
        text = _as_text(key)
        line["key_base64" if text is None else "key"] = base64.b64encode(key).decode() if text is None else text
    value = record.value
    if value is None:
        line["value"] = None
    elif _can_be_embedded(value):
        line["value"] = orjson.Fragment(value)
    else:
        line["value_base64"] = base64.b64encode(value).decode()
    if record.timestamp is not None:
        line["timestamp"] = record.timestamp
    if record.headers:
        line["headers"] = _encode_headers(record.headers)
    if record.partition is not None:
        line["partition"] = record.partition
    if record.offset is not None:
        line["offset"] = record.offset
    return orjson.dumps(line) + b"\n"


def decode_record(line: bytes) -> ArchiveRecord:
    """The record of one line.

    Raises
    ------
    ValueError
        The line is not a record; the message says why.
    """
    try:
        fields = _decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    key: bytes | None
    if fields.key is not UNSET:
        key = None if fields.key is None else fields.key.encode()
    elif fields.key_base64 is not UNSET:
        key = fields.key_base64
    else:
        raise ValueError("the field 'key' is missing (null says that the record has none)")
    value: bytes | None
    if fields.value is not UNSET:
        value = bytes(fields.value)
        if value == b"null":
            value = None
    elif fields.value_base64 is not UNSET:
        value = fields.value_base64
    else:
        raise ValueError("the field 'value' is missing (null says that the record has none)")
    headers = _decode_headers(fields.headers) if fields.headers else ()
    return ArchiveRecord(fields.topic, key, value, fields.timestamp, headers, fields.partition, fields.offset)


def _as_text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _can_be_embedded(value: bytes) -> bool:
    """True when the value is JSON that stays on one line and comes out of it as it went in."""
    if not value or value == b"null" or b"\n" in value or b"\r" in value or value != value.strip(b" \t"):
        return False
    if value.count(b"{") + value.count(b"[") > _MAX_BRACKETS:
        return False
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


def _encode_headers(headers: Headers) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in headers:
        text = None if value is None else _as_text(value)
        shown = {"base64": base64.b64encode(value).decode()} if value is not None and text is None else text
        if name not in fields:
            fields[name] = shown
        elif isinstance(fields[name], list):
            fields[name].append(shown)
        else:
            fields[name] = [fields[name], shown]
    return fields


def _decode_headers(fields: dict[str, _HeaderValue | list[_HeaderValue]]) -> Headers:
    return tuple(
        (name, value.base64 if isinstance(value, _Binary) else None if value is None else value.encode())
        for name, values in fields.items()
        for value in (values if isinstance(values, list) else [values])
    )
