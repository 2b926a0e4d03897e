"""Decisions and what became of them.

States: ``waiting`` for a person, ``in_force``, ``given`` (a warning, which does not last), ``ended``, ``superseded`` by
a later decision, ``shadow`` (published by something that does not enforce). Of a decision that a person confirmed, the
one that carries it out supersedes the one that waited, and takes its verdict over.
"""

import sqlite3
from typing import Final

from detectors.actions import INSTANT, NO_STRIKE
from features.outputs import AppealNoted, CreatorStanding, EnforcementDecided, EnforcementReversed, Standing
from streams.console.index.counters import Counters


class DecisionRows:
    """Writes decisions as outputs tell of them.

    Parameters
    ----------
    connection, counters
        The writer's.
    """

    def __init__(self, connection: sqlite3.Connection, counters: Counters) -> None:
        self._connection = connection
        self._counters = counters

    def decided(self, party: int, output: EnforcementDecided) -> None:
        """A decision was taken."""
        state = _state_of(output)
        verdict = self._said(output.decision_id)
        if output.supersedes is not None and output.mode == "live":
            before = self._connection.execute(
                "SELECT verdict, state FROM decision WHERE id = ?", (output.supersedes,)
            ).fetchone()
            if before is not None:
                verdict = verdict or before[0]
                self._connection.execute(
                    "UPDATE decision SET superseded_by = ?, ended_at = coalesce(ended_at, ?) WHERE id = ?",
                    (output.decision_id, output.starts_at, output.supersedes),
                )
                if before[1] in ("waiting", "in_force", "given"):
                    self._move(output.supersedes, before[1], "superseded")
        row = (
            output.decision_id,
            party,
            output.sequence,
            output.subject.kind,
            output.subject.id,
            output.action,
            output.severity,
            output.policy.id,
            output.policy.version,
            output.policy.title,
            output.starts_at,
            output.expires_at,
            output.redress.appeal_until,
            output.review_reason,
            output.review_by,
            output.assessment_id,
            output.mode,
            state,
            output.supersedes,
            verdict,
        )
        if self._connection.execute(_DECISION, row).rowcount:
            self._counters.add("decisions", state)
            self._counters.add("decided", output.action)
            if state in ("waiting", "in_force"):
                self._ended_before(party, output, state)

    def reversed(self, output: EnforcementReversed, time: int) -> None:
        """A decision ended, or was taken back."""
        state = self._state(output.reverses)
        if state is None or output.mode != "live":
            return
        self._connection.execute(
            "UPDATE decision SET ended_at = ?, ended_why = ? WHERE id = ?", (time, output.why, output.reverses)
        )
        if state in ("waiting", "in_force", "given"):
            self._move(output.reverses, state, "ended")

    def appealed(self, output: AppealNoted) -> None:
        """An appeal was filed, answered or left without an answer."""
        row = self._connection.execute("SELECT appeal FROM decision WHERE id = ?", (output.decision_id,)).fetchone()
        if row is None or output.mode != "live":
            return
        self._connection.execute(
            "UPDATE decision SET appeal = ?, appeal_due = ?, appeals = max(appeals, ?) WHERE id = ?",
            (output.state, output.due_at, output.number, output.decision_id),
        )
        waits = ("open", "overdue")
        self._counters.add("appeals", "open", (output.state in waits) - (row[0] in waits))
        self._counters.add("appeals", output.state, int(output.state not in waits))

    def stand(self, party: int, standing: Standing | CreatorStanding) -> None:
        """What is in force by the standing: a decision that is not there any more, and of which nothing was said, has
        ended.
        """
        there = {each.decision_id for each in standing.enforcements}
        rows = self._connection.execute(
            "SELECT id, state FROM decision WHERE party = ? AND state IN ('waiting', 'in_force') AND sequence <= ?"
            " AND mode = 'live'",
            (party, standing.sequence),
        ).fetchall()
        for identifier, state in rows:
            if identifier not in there:
                self._connection.execute(
                    "UPDATE decision SET ended_at = coalesce(ended_at, ?) WHERE id = ?", (standing.as_of, identifier)
                )
                self._move(identifier, state, "ended")

    def _ended_before(self, party: int, output: EnforcementDecided, state: str) -> None:
        """End a decision that a later standing, which was read before, does not know any more."""
        row = self._connection.execute("SELECT sequence, standing, as_of FROM party WHERE id = ?", (party,)).fetchone()
        if row[1] is not None and row[0] > output.sequence and f'"{output.decision_id}"'.encode() not in row[1]:
            self._connection.execute("UPDATE decision SET ended_at = ? WHERE id = ?", (row[2], output.decision_id))
            self._move(output.decision_id, state, "ended")

    def _state(self, identifier: str) -> str | None:
        row = self._connection.execute("SELECT state FROM decision WHERE id = ?", (identifier,)).fetchone()
        return None if row is None else str(row[0])

    def _move(self, identifier: str, before: str, after: str) -> None:
        self._connection.execute("UPDATE decision SET state = ? WHERE id = ?", (after, identifier))
        self._counters.add("decisions", before, -1)
        self._counters.add("decisions", after)

    def _said(self, identifier: str) -> str | None:
        """A verdict that was read before the decision, as topics are not read in one order."""
        row = self._connection.execute(
            "SELECT verdict FROM feedback WHERE decision = ? AND verdict IS NOT NULL ORDER BY time DESC LIMIT 1",
            (identifier,),
        ).fetchone()
        return None if row is None else str(row[0])


def _state_of(output: EnforcementDecided) -> str:
    if output.mode != "live":
        return "shadow"
    if output.requires_review or output.action in NO_STRIKE:
        return "waiting"
    return "given" if output.action in INSTANT else "in_force"


_DECISION: Final = (
    "INSERT OR IGNORE INTO decision (id, party, sequence, subject_kind, subject, action, severity, rule, rule_version,"
    " title, starts_at, expires_at, appeal_until, review_reason, review_by, assessment, mode, state, supersedes,"
    " verdict)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
