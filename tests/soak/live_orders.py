"""Which orders must still be stored, worked out from the events alone."""

from collections import Counter
from collections.abc import Iterator

import orjson

from streams.archive import ArchiveRecord

DAY_MS = 86_400_000
#: As docs/operations.md has it: an order is kept until 60 days after its outcome is due, 14 days after ``deliver_by``.
KEPT_DAYS = 60
OUTCOME_DAYS = 14
DEFAULT_DELIVER_DAYS = 10


class LiveOrders:
    """Notes every order that passes by, and when it may go."""

    def __init__(self, records: Iterator[ArchiveRecord]) -> None:
        self._records = records
        #: Orders by the day on which they leave.
        self._leaving: Counter[int] = Counter()

    def __iter__(self) -> "LiveOrders":
        return self

    def __next__(self) -> ArchiveRecord:
        record = next(self._records)
        if record.topic == "orders" and b'"order.created"' in (record.value or b""):
            event = orjson.loads(record.value or b"")
            deliver_by = event.get("deliver_by", event["occurred_at"] + DEFAULT_DELIVER_DAYS * DAY_MS)
            self._leaving[(deliver_by + (OUTCOME_DAYS + KEPT_DAYS) * DAY_MS) // DAY_MS] += 1
        return record

    def number(self, watermark: int) -> int:
        """Orders that have not left when the watermark is there, to a day."""
        return sum(number for day, number in self._leaving.items() if day * DAY_MS > watermark)
