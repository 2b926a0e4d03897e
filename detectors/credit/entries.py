"""Entries of a ledger as they are published."""

from typing import Final

from config.policy_specs import StatementSpec
from detectors.credit.policy import CreditPolicy
from features.credit import LedgerEntry
from features.outputs import CreditEntry

#: Code of the points that clean orders earn, and of those that come back when a violation is put right.
CLEAN_ORDERS: Final = "clean_orders"
CORRECTION: Final = "correction"


class Told:
    """What has changed in a ledger and is not published yet: entries that are new, and those that count no longer."""

    __slots__ = ("entries", "removed")

    def __init__(self) -> None:
        self.entries: list[CreditEntry] = []
        self.removed: list[CreditEntry] = []

    def __bool__(self) -> bool:
        return bool(self.entries or self.removed)


def title_of(code: str, statements: StatementSpec) -> str:
    """A policy in words."""
    known = statements.policies.get(code)
    return code if known is None else known.title


def told_of(entry: LedgerEntry, policy: CreditPolicy, statements: StatementSpec) -> list[CreditEntry]:
    """An entry, where it costs something, and what came back of it."""
    found = [violation_entry(entry, policy, statements)] if entry.points else []
    if entry.returned:
        found.append(correction_entry(entry, policy, statements))
    return found


def violation_entry(entry: LedgerEntry, policy: CreditPolicy, statements: StatementSpec) -> CreditEntry:
    """What a violation costs."""
    return CreditEntry(
        points=entry.points,
        code=entry.code,
        text=title_of(entry.code, statements),
        occurred_at=entry.at,
        expires_at=entry.at + policy.window,
        order_id=entry.subject[2:] if entry.subject.startswith("o:") else None,
        listing_id=entry.subject[2:] if entry.subject.startswith("l:") else None,
        decision_id=entry.decision,
    )


def correction_entry(entry: LedgerEntry, policy: CreditPolicy, statements: StatementSpec) -> CreditEntry:
    """What comes back of a violation on a listing that was put right."""
    return CreditEntry(
        points=entry.returned,
        code=CORRECTION,
        text=f"{title_of(entry.code, statements)}: put right",
        occurred_at=entry.corrected,
        expires_at=entry.at + policy.window,
        listing_id=entry.subject[2:],
        decision_id=entry.decision,
    )


def clean_orders_entry(points: int, policy: CreditPolicy, now: int) -> CreditEntry:
    """What clean orders earned since that was last told, or what of it has left the window."""
    earning = policy.earning
    text = f"Orders that went well, {earning.points} points for each {earning.orders}"
    return CreditEntry(points=points, code=CLEAN_ORDERS, text=text, occurred_at=now, expires_at=now + policy.window)
