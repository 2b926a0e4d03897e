"""Archive files as Parquet, for tools that read tables: a row a record, byte for byte what an archive of lines holds.

Columns: ``topic`` (text), ``key`` and ``value`` (bytes, as they lay in Kafka), ``timestamp`` (ms, UTC), ``partition``,
``offset``, and ``headers`` (a list of ``name`` and ``value``). Files of others are read too, as long as they have a
topic, a key and a value; keys and values may be text there, and times whole numbers of ms.

pyarrow comes with the extra ``parquet`` and is imported when such a file is opened.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from streams.archive_lines import ArchiveRecord

#: Records of a row group: some MB, so that neither side needs much memory.
_ROWS: Final = 20_000
_NEEDED: Final = ("topic", "key", "value")
_READ: Final = (*_NEEDED, "timestamp", "partition", "offset", "headers")


class ParquetError(ValueError):
    """A file that is none, or lacks what an archive has; or pyarrow is missing."""


def is_parquet(path: Path) -> bool:
    """Whether a file's name says that it is one."""
    return path.suffix == ".parquet"


def read_parquet(path: Path, file: IO[bytes], advance: Callable[[int], object]) -> Iterator[ArchiveRecord]:
    """The records of a file, one after the other; memory does not grow with the file.

    ``advance`` is called with about the number of bytes that were read since the call before.

    Raises
    ------
    ParquetError
        It is none, or has not the columns of an archive.
    """
    pyarrow, parquet = _library()
    size = path.stat().st_size
    try:
        opened = parquet.ParquetFile(file)
        schema = opened.schema_arrow
        missing = [name for name in _NEEDED if name not in schema.names]
        if missing:
            raise ParquetError(f"no column {', '.join(missing)}: an archive has topic, key and value")
        columns = [name for name in _READ if name in schema.names]
        rows = max(1, opened.metadata.num_rows)
        for batch in opened.iter_batches(batch_size=_ROWS, columns=columns):
            found = {name: _values(pyarrow, name, batch.column(name)) for name in columns}
            yield from _records(found, batch.num_rows)
            advance(size * batch.num_rows // rows)
    except pyarrow.ArrowException as error:
        raise ParquetError(str(error)) from error


def _values(pyarrow: Any, name: str, column: Any) -> list[Any]:
    """A column as Python has it."""
    kind = column.type
    types = pyarrow.types
    if types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if name in ("key", "value") and (types.is_string(kind) or types.is_large_string(kind)):
        column = column.cast(pyarrow.large_binary())
    elif name == "timestamp" and types.is_timestamp(kind):
        column = column.cast(pyarrow.timestamp("ms", tz=kind.tz), safe=False).cast(pyarrow.int64())
    elif name in ("timestamp", "partition", "offset"):
        column = column.cast(pyarrow.int64())
    found: list[Any] = column.to_pylist()
    return found


def _records(columns: dict[str, list[Any]], count: int) -> Iterator[ArchiveRecord]:
    nothing: Sequence[None] = [None] * count
    rows = zip(*(columns.get(name, nothing) for name in _READ), strict=True)
    for number, (topic, key, value, timestamp, partition, offset, headers) in enumerate(rows):
        if not topic or not isinstance(topic, str):
            raise ParquetError(f"row {number} of a batch has no topic")
        for name, part in (("key", key), ("value", value)):
            if part is not None and not isinstance(part, bytes):
                raise ParquetError(f"the column {name} is neither bytes nor text")
        try:
            pairs = tuple((each["name"], each["value"]) for each in headers or ())
        except (KeyError, TypeError):
            raise ParquetError("the column headers is no list of name and value") from None
        yield ArchiveRecord(topic, key, value, timestamp, pairs, partition, offset)


class ParquetSink:
    """Writes records into a file; call :meth:`close` in the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._pyarrow, parquet = _library()
        arrow = self._pyarrow
        header = arrow.struct([("name", arrow.string()), ("value", arrow.binary())])
        self._schema = arrow.schema(
            [
                arrow.field("topic", arrow.string(), nullable=False),
                arrow.field("key", arrow.binary()),
                arrow.field("value", arrow.binary()),
                arrow.field("timestamp", arrow.timestamp("ms", tz="UTC")),
                arrow.field("partition", arrow.int32()),
                arrow.field("offset", arrow.int64()),
                arrow.field("headers", arrow.list_(header)),
            ],
            metadata={"shopwarden": "archive of records"},
        )
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._waiting: list[ArchiveRecord] = []

    def write(self, record: ArchiveRecord) -> None:
        """Append a record."""
        self._waiting.append(record)
        if len(self._waiting) >= _ROWS:
            self._write_group()

    def close(self) -> None:
        """Write what is left and the file's end."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        columns = {
            "topic": [each.topic for each in waiting],
            "key": [each.key for each in waiting],
            "value": [each.value for each in waiting],
            "timestamp": [each.timestamp for each in waiting],
            "partition": [each.partition for each in waiting],
            "offset": [each.offset for each in waiting],
            "headers": [[{"name": name, "value": value} for name, value in each.headers] for each in waiting],
        }
        arrow = self._pyarrow
        arrays = [arrow.array(columns[field.name], type=field.type) for field in self._schema]
        self._writer.write_table(arrow.Table.from_arrays(arrays, schema=self._schema))


def _library() -> tuple[Any, Any]:
    """Pyarrow and its part for Parquet."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ParquetError("Parquet files need pyarrow: pip install 'shopwarden[parquet]'") from None
    return pyarrow, parquet
