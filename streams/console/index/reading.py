"""Reads an index, from any thread; nothing here can write it."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from streams.console.index.parties import PartyKind
from streams.console.index.schema import open_reader

Row: TypeAlias = sqlite3.Row


class IndexReader:
    """Questions to an index; each thread has a connection of its own.

    Parameters
    ----------
    file
        The index, which must be there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def rows(self, question: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows that answer a question."""
        return self._connection().execute(question, values).fetchall()

    def row(self, question: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row."""
        found: Row | None = self._connection().execute(question, values).fetchone()
        return found

    def counts(self, name: str) -> dict[str, int]:
        """What is counted under a name, by key."""
        found = self.rows("SELECT key, count FROM counter WHERE name = ? AND count != 0 ORDER BY key", (name,))
        return {row["key"]: row["count"] for row in found}

    def latest(self) -> int:
        """Highest event time that was read, ms; 0 before the first."""
        return self.counts("time").get("latest", 0)

    def party(self, kind: PartyKind, name: str) -> Row | None:
        """A merchant or creator."""
        return self.row("SELECT * FROM party WHERE kind = ? AND name = ?", (kind, name))

    def decision(self, identifier: str) -> Row | None:
        """A decision, with whose it is."""
        return self.row(
            "SELECT d.*, p.kind AS party_kind, p.name AS party_name FROM decision d JOIN party p ON p.id = d.party"
            " WHERE d.id = ?",
            (identifier,),
        )

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for each in self._opened:
                each.close()
            self._opened.clear()

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = open_reader(self._file)
            with self._lock:
                self._opened.append(found)
        return found
