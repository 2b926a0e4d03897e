"""Outputs about a subject, in the order in which they were published, each once."""

from collections.abc import Sequence
from typing import Any, cast, get_args

import msgspec
from msgspec import Struct

from features.events import SubjectKind
from streams.archive import ArchiveRecord
from streams.explain.story import Entry

_KINDS = frozenset(get_args(SubjectKind))


class Published(Struct, frozen=True):
    """An output: whose, about what, and what it says. ``kind`` is None where the output does not say (a reversal)."""

    merchant: str
    subject: str
    kind: SubjectKind | None
    shard: int
    entry: Entry


def published_of(record: ArchiveRecord, shard: int) -> Published | None:
    """An output out of a record of ``governance-events``; None if it is something else."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    try:
        event = msgspec.json.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(event, dict) or "ce_id" not in headers:
        return None
    about = event.get("subject")
    kind = about.get("kind") if isinstance(about, dict) else None
    return Published(
        merchant=(record.key or b"").decode(errors="replace"),
        subject=headers.get("ce_subject", ""),
        kind=cast("SubjectKind", kind) if kind in _KINDS else None,
        shard=shard,
        entry=Entry(headers.get("ce_time", "?"), headers["ce_id"], event),
    )


def entries_of(published: Sequence[Published], kind: SubjectKind, subject: str, merchant: str) -> list[Entry]:
    """What was published about a subject: all about its orders and listings too, if it is a merchant.

    ``merchant`` is whose it is: the key of its outputs, for a creator its own id.
    """
    entries: dict[str, Entry] = {}
    for one in published:
        if one.merchant != merchant:
            continue
        if kind in ("merchant", "creator") or (one.subject == subject and one.kind in (None, kind)):
            # A repeat (docs/contracts.md) has the id of the first.
            entries.setdefault(one.entry.id, one.entry)
    return sorted(entries.values(), key=_sequence)


def _sequence(entry: Entry) -> int:
    sequence: Any = entry.event.get("sequence")
    return sequence if isinstance(sequence, int) else 0
