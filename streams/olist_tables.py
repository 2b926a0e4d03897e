"""Read the Olist CSV files row by row, and keep account of the rows that cannot be used."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec import Struct

#: Columns that the mapping needs; a file may have more.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "olist_customers_dataset": ("customer_id", "customer_unique_id", "customer_state"),
    "olist_order_items_dataset": (
        "order_id",
        "order_item_id",
        "product_id",
        "seller_id",
        "shipping_limit_date",
        "price",
        "freight_value",
    ),
    "olist_order_payments_dataset": ("order_id", "payment_value"),
    "olist_order_reviews_dataset": (
        "review_id",
        "order_id",
        "review_score",
        "review_comment_message",
        "review_creation_date",
    ),
    "olist_orders_dataset": (
        "order_id",
        "customer_id",
        "order_status",
        "order_purchase_timestamp",
        "order_approved_at",
        "order_delivered_carrier_date",
        "order_delivered_customer_date",
        "order_estimated_delivery_date",
    ),
    "olist_products_dataset": ("product_id", "product_category_name"),
    "olist_sellers_dataset": ("seller_id", "seller_state"),
    "product_category_name_translation": ("product_category_name", "product_category_name_english"),
}
#: Without them what was paid at the checkout in all is not known, and categories keep their Portuguese names.
OPTIONAL: Final = frozenset({"olist_order_payments_dataset", "product_category_name_translation"})

_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - Olist's times have no zone
_MILLISECOND: Final = timedelta(milliseconds=1)


class OlistError(Exception):
    """The folder does not hold the Olist files; the message says what is missing or wrong."""


class Reject(Struct, frozen=True):
    """A row that was not used: where it stands (first line of the row, 1 is the header) and why."""

    file: str
    line: int
    reason: str
    detail: str


class FieldError(ValueError):
    """A field of a row that cannot be used; ``reason`` is its code in the report."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Row(Struct, frozen=True):
    """A row of a table with the place it came from; its clock is ``clock_ahead`` ms ahead of UTC."""

    table: str
    line: int
    fields: dict[str, str]
    clock_ahead: int

    def text(self, column: str) -> str:
        """The field, which must not be empty."""
        text = self.fields[column]
        if not text:
            raise FieldError("missing_value", f"{column} is empty")
        return text

    def cents(self, column: str) -> int:
        """The field, an amount of money with at most two decimals, in hundredths."""
        text = self.text(column)
        cents = Decimal(text) * 100 if _AMOUNT.fullmatch(text) else None
        if cents is None or cents != cents.to_integral_value():
            raise FieldError("bad_amount", f"{column} is {text!r}, not an amount in whole hundredths from 0")
        return int(cents)

    def millis(self, column: str) -> int:
        """The field, ``2017-05-01`` (its first moment) or ``2017-05-01 13:45:00``, in ms of UTC."""
        text = self.text(column)
        try:
            moment = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
        except ValueError:  # such as the 30th of February
            moment = None
        if moment is None:
            raise FieldError("bad_time", f"{column} is {text!r}, not a time like 2017-05-01 13:45:00")
        return (moment - _EPOCH) // _MILLISECOND - self.clock_ahead

    def optional_millis(self, column: str) -> int | None:
        """Like :meth:`millis`; an empty field is ``None``."""
        return self.millis(column) if self.fields[column] else None


class Tables:
    """The files of a folder, plain (``.csv``) or gzipped (``.csv.gz``).

    Their clock is ``utc_offset`` ahead of UTC. ``rows`` counts rows read by table, ``rejects`` lists those not used.

    Raises
    ------
    OlistError
        A file is missing. All missing files are named at once.
    """

    def __init__(self, folder: Path, utc_offset: timedelta, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._clock_ahead = utc_offset // _MILLISECOND
        self._paths = {table: path for table in COLUMNS if (path := _find(folder, table))}
        missing = [table for table in COLUMNS if table not in self._paths and table not in OPTIONAL]
        if missing:
            names = ", ".join(f"{table}.csv" for table in missing)
            raise OlistError(f"{folder} lacks {names} (plain or gzipped as .csv.gz), files of the Olist data set")
        self.rows: Counter[str] = Counter()
        self.rejects: list[Reject] = []

    def has(self, table: str) -> bool:
        """True when the folder holds an optional file."""
        return table in self._paths

    def reject(self, row: Row, reason: str, detail: str) -> None:
        """Note that a row is not used."""
        self._reject(row.table, row.line, reason, detail)

    def read(self, table: str) -> Iterator[Row]:
        """The well-formed rows of a table; others are rejected.

        Raises
        ------
        OlistError
            The file cannot be read to its end, or lacks columns.
        """
        path = self._paths[table]
        try:
            with _open(path) as file:
                yield from self._parse(path, table, file)
        except (OSError, EOFError, zlib.error) as error:
            raise OlistError(f"{path} cannot be read after row {self.rows[table]:,}: {error}") from error

    def _parse(self, path: Path, table: str, file: io.TextIOBase) -> Iterator[Row]:
        reader = csv.reader(file)
        names = next(reader, [])
        lacking = [name for name in COLUMNS[table] if name not in names]
        if lacking:
            raise OlistError(f"{path} lacks the columns {', '.join(lacking)}; it has {', '.join(names)[:300]}")
        positions = [(name, names.index(name)) for name in COLUMNS[table]]
        while True:
            line = reader.line_num + 1
            try:
                values = next(reader, None)
            except csv.Error as error:
                self.rows[table] += 1
                self._reject(table, line, "unreadable_row", str(error))
                continue
            if values is None:
                return
            if not values:
                continue  # an empty line holds no row
            self.rows[table] += 1
            self._progress(1)
            if len(values) != len(names):
                self._reject(table, line, "wrong_column_count", f"{len(values)} fields, the header has {len(names)}")
                continue
            fields = {name: values[position].strip() for name, position in positions}
            if not _is_utf8(fields):
                self._reject(table, line, "not_utf8", "the row has bytes that are not UTF-8")
                continue
            yield Row(table, line, fields, self._clock_ahead)

    def _reject(self, table: str, line: int, reason: str, detail: str) -> None:
        self.rejects.append(Reject(self._paths[table].name, line, reason, detail))


def _is_utf8(fields: dict[str, str]) -> bool:
    try:
        for value in fields.values():
            value.encode()
    except UnicodeEncodeError:  # a surrogate, see _open
        return False
    return True


def _find(folder: Path, table: str) -> Path | None:
    for suffix in (".csv", ".csv.gz"):
        path = folder / f"{table}{suffix}"
        if path.is_file():
            return path
    return None


def _open(path: Path) -> io.TextIOWrapper:
    # A wrong byte spoils its own row alone, so it must get past the decoder: surrogateescape marks it.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
