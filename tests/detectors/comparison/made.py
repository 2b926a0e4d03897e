"""Decisions and output events for tests of comparisons."""

from typing import Any

import msgspec

from detectors.comparison.published import Decision, Published
from features.windows import DAY_MS

#: 2026-01-01.
START = 1_767_225_600_000


def decision(day: float = 0.0, **fields: Any) -> Decision:
    """A decision so many days after the start: a warning of merchant m1, unless said otherwise."""
    starts_at = START + round(day * DAY_MS)
    said: dict[str, Any] = {
        "merchant_id": "m1",
        "kind": "merchant",
        "action": "warn",
        "severity": "guarded",
        "rule": "late-dispatch",
        "rule_version": "1",
        "title": "Late",
        "starts_at": starts_at,
        "expires_at": None,
        "requires_review": False,
        "facts": "5 of 50",
    }
    said |= fields
    said.setdefault("subject_id", said["merchant_id"])
    said.setdefault("id", f"{said['rule']}-{said['merchant_id']}-{said['subject_id']}-{said['starts_at']}")
    return Decision(**said)


def restriction(day: float = 0.0, days: float | None = 7.0, **fields: Any) -> Decision:
    """A decision that limits orders for so many days; without, until it is reversed."""
    starts_at = START + round(day * DAY_MS)
    expires_at = None if days is None else starts_at + round(days * DAY_MS)
    return decision(
        day, **{"action": "limit_orders", "rule": "late-dispatch-severe", "expires_at": expires_at} | fields
    )


def published(*decisions: Decision, onto: Published | None = None) -> Published:
    """A run that took these decisions, after what it had said before."""
    run = onto or Published()
    for each in decisions:
        body = {
            "decision_id": each.id,
            "merchant_id": each.merchant_id,
            "subject": {"kind": each.kind, "id": each.subject_id},
            "action": each.action,
            "severity": each.severity,
            "policy": {"id": each.rule, "version": each.rule_version, "title": each.title},
            "starts_at": each.starts_at,
            "expires_at": each.expires_at,
            "requires_review": each.requires_review,
            "facts": each.facts,
            "mode": "live",
        }
        take(run, "enforcement.decided", each.id, each.starts_at, body)
    return run


def take(run: Published, kind: str, identifier: str, time: int, body: object, written: int | None = None) -> None:
    """Put an output event into a run."""
    run.take(f"shopwarden.{kind}.v1", identifier, time, msgspec.json.encode(body), written)
