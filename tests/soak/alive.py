"""Which orders and listings must still be stored, worked out from the events alone (docs/operations.md says when what
leaves).
"""

from collections.abc import Iterator
from typing import Any

import orjson

from config.retention import RetentionSettings
from streams.archive import ArchiveRecord

DAY_MS = 86_400_000
OUTCOME_DAYS = 14
DEFAULT_DELIVER_DAYS = 10


class Alive:
    """Notes every order and listing that passes by, and when each may go."""

    def __init__(self, records: Iterator[ArchiveRecord], retention: RetentionSettings) -> None:
        self._records = records
        self._kept = retention
        self._orders: dict[str, int] = {}
        self._listings: dict[str, int] = {}
        self._removed: set[str] = set()

    def __iter__(self) -> "Alive":
        return self

    def __next__(self) -> ArchiveRecord:
        record = next(self._records)
        if record.value is not None:
            self._note(orjson.loads(record.value))
        return record

    def orders(self, watermark: int) -> int:
        """Orders that have not left when the watermark is there."""
        return sum(until > watermark for until in self._orders.values())

    def listings(self, watermark: int) -> int:
        """Listings that have not left."""
        return sum(until > watermark for until in self._listings.values())

    def _note(self, event: dict[str, Any]) -> None:
        at = event["occurred_at"]
        match event["type"]:
            case "order.created":
                deliver_by = event.get("deliver_by", at + DEFAULT_DELIVER_DAYS * DAY_MS)
                key = f"{event['merchant_id']}:{event['order_id']}"
                self._orders[key] = deliver_by + (OUTCOME_DAYS + self._kept.order_days) * DAY_MS
                for item in event["items"]:
                    self._seen(f"{event['merchant_id']}:{item['listing_id']}", at)
            case "listing.removed":
                key = f"{event['merchant_id']}:{event['listing_id']}"
                self._removed.add(key)
                self._listings[key] = at + self._kept.removed_listing_days * DAY_MS
            case "listing.created" | "listing.updated":
                key = f"{event['merchant_id']}:{event['listing_id']}"
                self._removed.discard(key)
                self._listings.setdefault(key, 0)
                self._seen(key, at)
            case "listing.exposed":
                self._seen(f"{event['merchant_id']}:{event['listing_id']}", at)

    def _seen(self, key: str, at: int) -> None:
        if key in self._listings and key not in self._removed:
            self._listings[key] = max(self._listings[key], at + self._kept.idle_listing_days * DAY_MS)
