"""Archive files: history outside Kafka as JSON lines, plain or Zstandard (by the suffix ``.zst``).

One record a line, in event-time order::

    {"topic": "orders", "key": "m1", "value": {...}, "timestamp": 1514764800000, "headers": {"name": "text"}}

What is read is what was written, byte for byte. A value that is JSON stands in the line as it came; anything else (and
JSON that would break the line) stands as ``"value_base64"``, a key that is not UTF-8 as ``"key_base64"``. A header is
text, null, ``{"base64": ...}``, or a list of these where its name repeats. ``timestamp`` (ms) and ``headers`` may be
absent; other fields are ignored.
"""

import base64
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TypeAlias

import msgspec
import orjson
import zstandard
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

#: A longer line is no record: brokers take 1 MiB by default, and base64 adds a third.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
#: Deeper JSON is kept as base64: parsers differ in how deep they follow.
_MAX_BRACKETS: Final = 400
_CHUNK: Final = 256 * 1024
_ZSTD_LEVEL: Final = 3

Headers: TypeAlias = tuple[tuple[str, bytes | None], ...]


class ArchiveRecord(Struct, frozen=True):
    """A Kafka record outside Kafka. ``timestamp`` is the record's own, in ms; ``None`` leaves it to the producer."""

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp: int | None = None
    headers: Headers = ()


class ArchiveError(Exception):
    """An archive file, or a line of one, that cannot be used; the message names the file and the line."""


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


_decode_line = msgspec.json.Decoder(_Line).decode


# -- one line ---------------------------------------------------------------------------------------------------------


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
    return ArchiveRecord(fields.topic, key, value, fields.timestamp, headers)


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


# -- reading ----------------------------------------------------------------------------------------------------------


def read_archive(path: Path) -> Iterator[ArchiveRecord]:
    """The records of an archive file, one after the other; memory does not grow with the file.

    Raises
    ------
    ArchiveError
        The file cannot be opened, is cut off, or has a line that is not a record.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file, compressed=path.suffix == ".zst"), start=1):  # noqa: B007
                if line.strip():
                    yield decode_record(line)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror or error}") from error
    except (ValueError, zstandard.ZstdError) as error:
        raise ArchiveError(f"{path}, line {max(number, 1)}: {error}") from error


def _lines(file: BinaryIO, *, compressed: bool) -> Iterator[bytes]:
    rest: list[bytes] = []
    size = 0
    for chunk in _decompressed(file) if compressed else iter(lambda: file.read(_CHUNK), b""):
        first, *others = chunk.split(b"\n")
        rest.append(first)
        size += len(first)
        if others:
            yield b"".join(rest)
            *complete, last = others
            yield from complete
            rest, size = [last], len(last)
        if size > MAX_LINE_BYTES:
            raise ValueError(f"a line after it is longer than {MAX_LINE_BYTES >> 20} MiB, so this is no archive file")
    if size:
        yield b"".join(rest)


def _decompressed(file: BinaryIO) -> Iterator[bytes]:
    """Plain bytes of one or more Zstandard frames. A stream reader would take a cut-off file for a whole one."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    complete = True
    while data := file.read(_CHUNK // 4):
        while data:
            if frame.eof:
                frame = zstandard.ZstdDecompressor().decompressobj()
            plain = frame.decompress(data)
            data = frame.unused_data if frame.eof else b""
            complete = frame.eof
            if plain:
                yield plain
    if not complete:
        raise ValueError("the file is cut off after it: the Zstandard frame has no end")


# -- writing ----------------------------------------------------------------------------------------------------------


class ArchiveWriter:
    """Takes records and puts them into the file of :func:`write_archive`; ``count`` says how many it has taken."""

    def __init__(self, path: Path, sink: Any) -> None:
        self._path = path
        self._sink = sink
        self._buffer: list[bytes] = []
        self._buffered = 0
        self.count = 0

    def write(self, record: ArchiveRecord) -> None:
        """Append a record. The caller keeps the order of event time."""
        line = encode_record(record)
        self._buffer.append(line)
        self._buffered += len(line)
        self.count += 1
        if self._buffered >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Hand what has been collected to the file."""
        with _explained(self._path):
            self._sink.write(b"".join(self._buffer))
        self._buffer.clear()
        self._buffered = 0


@contextlib.contextmanager
def write_archive(path: Path, *, overwrite: bool = False) -> Iterator[ArchiveWriter]:
    """Write an archive file that appears under its name when it is complete, and not at all after an exception.

    Raises
    ------
    ArchiveError
        The file exists and ``overwrite`` is not set, or cannot be written.
    """
    check_writable(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with _explained(path):
            file = temporary.open("xb")
        with file:
            sink: Any = file
            if path.suffix == ".zst":
                compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
                sink = compressor.stream_writer(file, closefd=False)
            writer = ArchiveWriter(path, sink)
            yield writer
            writer.flush()
            with _explained(path):
                if sink is not file:
                    sink.close()  # writes the end of the frame
                file.flush()
                os.fsync(file.fileno())
        with _explained(path):
            _publish(temporary, path, overwrite=overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Refuse a target that exists, is a folder or has no folder, before hours of work go into it."""
    if path.is_dir():
        raise ArchiveError(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise ArchiveError(f"{path} cannot be written: the folder {path.parent} does not exist")
    if path.exists() and not overwrite:
        raise ArchiveError(f"{path} exists already; choose another name or pass --overwrite")


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{path} cannot be written: {error.strerror or error}") from error


def _publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)  # unlike a rename, fails when another has made the file meanwhile
    except FileExistsError:
        raise ArchiveError(f"{path} was made by someone else meanwhile and is left as it is") from None
    except OSError:  # a file system without hard links
        temporary.replace(path)
