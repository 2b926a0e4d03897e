"""Input events about a subject, without what a person could be known by."""

from typing import Any, Final

import msgspec

from features.events import SubjectKind
from features.pseudonyms import Pseudonyms
from streams.archive import ArchiveRecord
from streams.explain.state import buyer_name
from streams.explain.story import InputEntry, moment

#: Characters of a pseudonym, as many as shards tell each other.
_SHOWN: Final = 20
#: Words of people; by event, as elsewhere the same field holds a code.
_WORDS: Final = {"order.reviewed": "text", "order.cancelled": "reason", "order.disputed": "reason"}
_HIDDEN: Final = "(hidden: no pseudonym key is set)"


def parse_event(record: ArchiveRecord) -> dict[str, Any] | None:
    """The JSON object in an input record; None if there is none."""
    try:
        event = msgspec.json.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event, dict) else None


def concerns(event: dict[str, Any], kind: SubjectKind, subject: str) -> bool:
    """Whether an event of the subject's merchant is about the subject."""
    if kind == "merchant":
        return True
    if event.get(f"{kind}_id") == subject:
        return True
    about = event.get("subject")
    if isinstance(about, dict) and about.get("kind") == kind and about.get("id") == subject:
        return True
    items = event.get("items")
    return kind == "listing" and isinstance(items, list) and any(_names(item, subject) for item in items)


def _names(item: object, listing: str) -> bool:
    return isinstance(item, dict) and item.get("listing_id") == listing


def without_persons(event: dict[str, Any], pseudonyms: Pseudonyms | None) -> dict[str, Any]:
    """The event with keyed hashes in the place of buyers, devices and account values, and without words of buyers."""
    shown = dict(event)
    buyer = shown.get("buyer_id")
    if isinstance(buyer, str):
        shown["buyer_id"] = _HIDDEN if pseudonyms is None else buyer_name(pseudonyms.short("buyer", buyer))
    # A device has the same name in an order and as the merchant's own.
    for field, domain in (("device_id", "device"), ("value_hash", str(shown.get("what")))):
        value = shown.get(field)
        if isinstance(value, str):
            shown[field] = _HIDDEN if pseudonyms is None else pseudonyms.long(domain, value)[:_SHOWN]
    field = _WORDS.get(str(shown.get("type")), "")
    words = shown.get(field)
    if isinstance(words, str):
        shown[field] = f"({len(words)} characters)"
    return shown


def input_entry(
    record: ArchiveRecord, event: dict[str, Any], partition: int, offset: int, pseudonyms: Pseudonyms | None
) -> InputEntry:
    """An input event as it is shown."""
    at = event.get("occurred_at")
    try:
        time = moment(at if isinstance(at, int) else record.timestamp or 0)
    except (ValueError, OverflowError, OSError):
        time = "?"
    return InputEntry(time, record.topic, partition, offset, without_persons(event, pseudonyms))
