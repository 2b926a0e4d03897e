"""Rows of outputs: what was published, as it was, and the parties and decisions that it is about."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from features.outputs import (
    LEVELS,
    AppealNoted,
    CreatorStanding,
    CreditChanged,
    EnforcementDecided,
    EnforcementReversed,
    MetricEstimated,
    Output,
    RiskAssessed,
    Standing,
)
from streams.console.index.counters import Counters
from streams.console.index.decisions import DecisionRows
from streams.console.index.parties import Parties, PartyKind

_RANK: Final = {level: rank for rank, level in enumerate(LEVELS)}
_decode_output = msgspec.json.Decoder(Output).decode
_decode_estimate = msgspec.json.Decoder(MetricEstimated).decode
_decode_standing = msgspec.json.Decoder(Standing).decode
_decode_creator = msgspec.json.Decoder(CreatorStanding).decode


class OutputRows:
    """Takes output records and writes what there is to be written of them, one after another: they build on each
    other, and are few beside events.

    Parameters
    ----------
    connection, parties, counters
        The writer's.
    """

    def __init__(self, connection: sqlite3.Connection, parties: Parties, counters: Counters) -> None:
        self._connection = connection
        self._parties = parties
        self._counters = counters
        self._decisions = DecisionRows(connection, counters)
        #: Highest event time seen, ms.
        self.latest = 0

    def take(self, partition: int, value: bytes | None, headers: Mapping[str, bytes | None]) -> None:
        """Take a record of ``governance-events``; a type that is not known yet is kept as it is."""
        identifier = _text(headers.get("ce_id"))
        time = _milliseconds(_text(headers.get("ce_time")))
        kind = _text(headers.get("ce_type"))
        if not identifier or time is None or value is None or "ce_run" in headers:
            self._counters.add("unusable", "events")
            return
        try:
            output: Output | None = _decode_output(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            output = None
        party = None if output is None else self._party(output, partition)
        decision = _decision_of(output)
        row = (
            identifier,
            party,
            time,
            kind,
            _text(headers.get("ce_subject")) or None,
            decision,
            getattr(output, "mode", "live"),
            value,
        )
        if not self._connection.execute(_OUTPUT, row).rowcount:
            # A repeat (docs/contracts.md) has the id of the first.
            return
        self.latest = max(self.latest, time)
        self._counters.add("outputs", kind)
        if party is not None and output is not None:
            self._apply(party, output, time)

    def _party(self, output: Output, partition: int) -> int | None:
        creator = getattr(output, "creator_id", None)
        name = creator or getattr(output, "merchant_id", "")
        if not name:
            return None
        kind: PartyKind = "creator" if creator else "merchant"
        number = self._parties.number(kind, name, partition)
        self._parties.introduce()
        return number

    def _apply(self, party: int, output: Output, time: int) -> None:
        match output:
            case RiskAssessed(mode="live"):
                self._connection.execute(
                    "INSERT OR REPLACE INTO assessment VALUES (?, ?, ?)",
                    (output.assessment_id, output.probability, time),
                )
                if output.subject.kind in ("merchant", "creator"):
                    self._connection.execute(
                        "UPDATE party SET probability = ? WHERE id = ?", (output.probability, party)
                    )
            case CreditChanged(mode="live"):
                self._connection.execute(
                    "UPDATE party SET score = ?, tier = ? WHERE id = ?", (output.score, output.tier, party)
                )
            case EnforcementDecided():
                self._decisions.decided(party, output)
            case EnforcementReversed():
                self._decisions.reversed(output, time)
            case AppealNoted():
                self._decisions.appealed(output)

    def estimate(self, value: bytes | None) -> None:
        """Take a record of ``governance-metrics``; the same estimate again takes the place of the first."""
        try:
            found = _decode_estimate(value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._counters.add("unusable", "metrics")
            return
        slices = msgspec.json.encode(found.slice, order="deterministic").decode()
        self._connection.execute(
            "INSERT OR REPLACE INTO estimate VALUES (?, ?, ?, ?, ?, ?)",
            (found.period, found.start, found.end, found.name, slices, value),
        )

    def stand(self, kind: PartyKind, partition: int, value: bytes | None) -> None:
        """Take a record of ``merchant-standing`` or ``creator-standing``."""
        if value is None:
            return
        try:
            standing = _decode_standing(value) if kind == "merchant" else _decode_creator(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._counters.add("unusable", f"{kind}-standing")
            return
        name = standing.merchant_id if isinstance(standing, Standing) else standing.creator_id
        if standing.mode != "live" or not name:
            return
        party = self._parties.number(kind, name, partition)
        self._parties.introduce()
        level = _RANK[standing.level]
        before = self._connection.execute(
            "SELECT level, sequence, standing FROM party WHERE id = ?", (party,)
        ).fetchone()
        if before[1] > standing.sequence:
            return
        credit = standing.credit
        self._connection.execute(
            _STANDING,
            (
                level,
                standing.sequence,
                standing.as_of,
                value,
                partition,
                None if credit is None else credit.tier,
                None if credit is None else credit.score,
                party,
            ),
        )
        if before[2] is not None:
            self._counters.add(f"{kind}s", LEVELS[before[0]], -1)
        self._counters.add(f"{kind}s", LEVELS[level])
        self._decisions.stand(party, standing)


def _decision_of(output: Output | None) -> str | None:
    """The decision that an output is about, for the decision's page."""
    match output:
        case EnforcementDecided() | AppealNoted():
            return output.decision_id
        case EnforcementReversed():
            return output.reverses
    return None


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


def _milliseconds(time: str) -> int | None:
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError:
        return None


_BEFORE: Final = "SELECT level, sequence, standing FROM party WHERE id = ?"
_STANDING: Final = (
    "UPDATE party SET level = ?, sequence = ?, as_of = ?, standing = ?, partition = ?, tier = coalesce(?, tier),"
    " score = ? WHERE id = ?"
)
_OUTPUT: Final = (
    "INSERT OR IGNORE INTO output (ce_id, party, time, type, subject, decision, mode, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
