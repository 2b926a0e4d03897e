"""Archive files: history outside Kafka as JSON lines, plain or Zstandard (by the suffix ``.zst``), or as Parquet
(``.parquet``, :mod:`streams.parquet`).

One record a line, in event-time order::

    {"topic": "orders", "key": "m1", "value": {...}, "timestamp": 1514764800000, "headers": {"name": "text"},
     "partition": 3, "offset": 1207}

What is read is what was written, byte for byte. A value that is JSON stands in the line as it came; anything else (and
JSON that would break the line) stands as ``"value_base64"``, a key that is not UTF-8 as ``"key_base64"``. A header is
text, null, ``{"base64": ...}``, or a list of these where its name repeats. ``timestamp`` (ms) and ``headers`` may be
absent. So may ``partition`` and ``offset``, which say where a record lay in Kafka when it was recorded: a replay of the
archive then names its records as they were. Other fields are ignored.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import zstandard

from streams.archive_lines import ArchiveRecord, Headers, decode_record, encode_record
from streams.parquet import ParquetError, ParquetSink, is_parquet, read_parquet

__all__ = [
    "ArchiveError",
    "ArchiveRecord",
    "ArchiveWriter",
    "Headers",
    "check_name",
    "check_writable",
    "decode_record",
    "encode_record",
    "read_archive",
    "write_archive",
]

#: A longer line is no record: brokers take 1 MiB by default, and base64 adds a third.
MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_CHUNK: Final = 256 * 1024
_ZSTD_LEVEL: Final = 3
_NAMES: Final = re.compile(r".\.(jsonl(\.zst)?|parquet)$")


class ArchiveError(Exception):
    """An archive file, or a line of one, that cannot be used; the message names the file and the line."""


# -- reading ----------------------------------------------------------------------------------------------------------


def read_archive(path: Path, advance: Callable[[int], object] = lambda _: None) -> Iterator[ArchiveRecord]:
    """The records of an archive file, one after the other; memory does not grow with the file.

    ``advance`` is called with the number of bytes of the file that were read since the call before.

    Raises
    ------
    ArchiveError
        The file cannot be opened, is cut off, or has a line that is not a record.
    """
    number = 0
    try:
        with path.open("rb") as file:
            if is_parquet(path):
                yield from read_parquet(path, file, advance)
                return
            for number, line in enumerate(_lines(file, advance, compressed=path.suffix == ".zst"), start=1):  # noqa: B007
                if line.strip():
                    yield decode_record(line)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror or error}") from error
    except ParquetError as error:
        raise ArchiveError(f"{path}: {error}") from error
    except (ValueError, zstandard.ZstdError) as error:
        raise ArchiveError(f"{path}, line {max(number, 1)}: {error}") from error


def _lines(file: BinaryIO, advance: Callable[[int], object], *, compressed: bool) -> Iterator[bytes]:
    rest: list[bytes] = []
    size = 0
    at = 0
    for chunk in _decompressed(file) if compressed else iter(lambda: file.read(_CHUNK), b""):
        before, at = at, file.tell()
        advance(at - before)
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
        if isinstance(self._sink, ParquetSink):
            with _explained(self._path):
                self._sink.write(record)
            self.count += 1
            return
        line = encode_record(record)
        self._buffer.append(line)
        self._buffered += len(line)
        self.count += 1
        if self._buffered >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Hand what has been collected to the file."""
        if self._buffer:
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
            if is_parquet(path):
                with _explained(path):
                    sink = ParquetSink(file)
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


def check_name(path: Path) -> None:
    """Refuse a name that does not say what kind of archive it is; raises ArchiveError."""
    if not _NAMES.search(path.name):
        raise ArchiveError(f"name a file NAME.jsonl, NAME.jsonl.zst or NAME.parquet; not {path.name!r}")


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
    except ParquetError as error:
        raise ArchiveError(f"{path} cannot be written: {error}") from error


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
