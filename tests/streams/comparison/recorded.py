"""Archives of governance events for tests of comparisons."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from detectors.comparison.published import Decision
from streams.archive import ArchiveRecord, write_archive


def output(kind: str, identifier: str, time: int, body: Any, written: int | None = None) -> ArchiveRecord:
    """An output event as ``shopwarden record`` writes it; ``written`` is when the broker had it."""
    at = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    headers = (
        ("ce_id", identifier.encode()),
        ("ce_type", f"shopwarden.{kind}.v1".encode()),
        ("ce_time", at.encode()),
    )
    return ArchiveRecord("governance-events", b"k", msgspec.json.encode(body), written or time, headers)


def decided(decision: Decision, mode: str = "live", written: int | None = None) -> ArchiveRecord:
    """A decision as it is published."""
    body = {
        "decision_id": decision.id,
        "merchant_id": decision.merchant_id,
        "subject": {"kind": decision.kind, "id": decision.subject_id},
        "action": decision.action,
        "severity": decision.severity,
        "policy": {"id": decision.rule, "version": decision.rule_version, "title": decision.title},
        "starts_at": decision.starts_at,
        "expires_at": decision.expires_at,
        "requires_review": decision.requires_review,
        "facts": decision.facts,
        "mode": mode,
    }
    return output("enforcement.decided", decision.id, decision.starts_at, body, written)


def write(path: Path, records: Iterable[ArchiveRecord]) -> Path:
    """Put records into an archive file."""
    with write_archive(path) as archive:
        for record in records:
            archive.write(record)
    return path
