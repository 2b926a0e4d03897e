"""Timelines: what came in and what was published, together, newest first."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.console.index.reading import IndexReader
from streams.explain.page import entry_lines

SIZE: Final = 60
_SHORT: Final = 12


class Entry(Struct, frozen=True):
    """One line of a timeline: an input event (``kind`` in) or an output (out), with what it says."""

    time: int
    kind: str
    type: str
    subject: str | None
    lines: list[str]
    decision: str | None = None


def entries(index: IndexReader, question: str, values: Sequence[Any]) -> list[Entry]:
    """Outputs that answer a question."""
    return [_output(row["time"], row["type"], row["value"], None) for row in index.rows(question, values)]


def of_party(index: IndexReader, party: int, kind: str, before: int) -> list[Entry]:
    """What happened to a party before a time, ms; for creators, the orders that they drove too."""
    found = _events(index, _PARTY_EVENTS, (party, before, SIZE))
    if kind == "creator":
        found += _events(index, _DRIVEN_EVENTS, (party, before, SIZE))
    found += _outputs(index, _PARTY_OUTPUTS, (party, before, SIZE))
    return _latest(found)


def of_subject(index: IndexReader, party: int, subject: str, before: int) -> list[Entry]:
    """What happened to an order or listing of a party before a time, ms."""
    found = _events(index, _SUBJECT_EVENTS, (subject, party, before, SIZE))
    return _latest(found + _outputs(index, _SUBJECT_OUTPUTS, (subject, party, before, SIZE)))


def _latest(found: list[Entry]) -> list[Entry]:
    return sorted(found, key=lambda entry: -entry.time)[:SIZE]


def _events(index: IndexReader, question: str, values: Sequence[Any]) -> list[Entry]:
    return [
        Entry(row["time"], "in", row["type"], row["subject"], [row["words"]] if row["words"] else [])
        for row in index.rows(question, values)
    ]


def _outputs(index: IndexReader, question: str, values: Sequence[Any]) -> list[Entry]:
    return [_output(row["time"], row["type"], row["value"], row["subject"]) for row in index.rows(question, values)]


def _output(time: int, kind: str, value: bytes, subject: str | None) -> Entry:
    try:
        event = msgspec.json.decode(value, type=dict[str, Any])
    except msgspec.DecodeError:
        return Entry(time, "out", kind, subject, ["(it can't be read)"])
    decision = event.get("decision_id")
    if kind.startswith("shopwarden.enforcement.reversed"):
        decision = event.get("reverses")
    lines = entry_lines(event)
    shown = [line.strip() for line in lines[:_SHORT]]
    return Entry(time, "out", kind, subject, shown, decision if isinstance(decision, str) else None)


_EVENT_COLUMNS: Final = "SELECT time, type, subject, words FROM event"
_OUTPUT_COLUMNS: Final = "SELECT time, type, subject, value FROM output"
_PARTY_EVENTS: Final = f"{_EVENT_COLUMNS} WHERE party = ? AND time < ? ORDER BY time DESC LIMIT ?"
_DRIVEN_EVENTS: Final = f"{_EVENT_COLUMNS} WHERE creator = ? AND time < ? ORDER BY time DESC LIMIT ?"
_PARTY_OUTPUTS: Final = f"{_OUTPUT_COLUMNS} WHERE party = ? AND time < ? ORDER BY time DESC LIMIT ?"
_SUBJECT_EVENTS: Final = f"{_EVENT_COLUMNS} WHERE subject = ? AND party = ? AND time < ? ORDER BY time DESC LIMIT ?"
_SUBJECT_OUTPUTS: Final = f"{_OUTPUT_COLUMNS} WHERE subject = ? AND party = ? AND time < ? ORDER BY time DESC LIMIT ?"
