"""Numbers of merchants and creators in the index, and what is counted of each while a batch is taken."""

import sqlite3
from typing import Literal, TypeAlias

from msgspec import Struct

PartyKind: TypeAlias = Literal["merchant", "creator"]
#: Names kept with their numbers; beyond that all are forgotten and looked up again.
_CACHED = 500_000


class _Seen(Struct):
    events: int = 0
    first: int = 0
    last: int = 0


class Parties:
    """Gives each party a number and adds up what a batch says of it.

    Parameters
    ----------
    connection
        The writer's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[PartyKind, str], int] = {}
        self._next = int(connection.execute("SELECT coalesce(max(id), 0) FROM party").fetchone()[0]) + 1
        self._new: list[tuple[int, PartyKind, str, int]] = []
        self._seen: dict[int, _Seen] = {}

    def number(self, kind: PartyKind, name: str, partition: int) -> int:
        """The number of a party, which is made known if it is new."""
        found = self._numbers.get((kind, name))
        if found is not None:
            return found
        row = self._connection.execute("SELECT id FROM party WHERE kind = ? AND name = ?", (kind, name)).fetchone()
        if row is None:
            number = self._next
            self._next += 1
            self._new.append((number, kind, name, partition))
        else:
            number = row[0]
        if len(self._numbers) >= _CACHED:
            # Those that are not in the table yet can't be looked up.
            self._numbers = {(kind, name): new for new, kind, name, _ in self._new}
        self._numbers[kind, name] = number
        return number

    def saw(self, number: int, time: int) -> None:
        """Count an event of a party."""
        seen = self._seen.get(number)
        if seen is None:
            self._seen[number] = _Seen(1, time, time)
            return
        seen.events += 1
        seen.first = min(seen.first, time)
        seen.last = max(seen.last, time)

    def introduce(self) -> int:
        """Write new parties; returns how many. Call it before anything else of theirs is written."""
        new, self._new = self._new, []
        self._connection.executemany("INSERT INTO party (id, kind, name, partition) VALUES (?, ?, ?, ?)", new)
        return len(new)

    def flush(self) -> None:
        """Write what was counted."""
        seen, self._seen = self._seen, {}
        self._connection.executemany(
            "UPDATE party SET events = events + ?, first = min(coalesce(first, ?), ?), last = max(coalesce(last, ?), ?)"
            " WHERE id = ?",
            [(each.events, each.first, each.first, each.last, each.last, number) for number, each in seen.items()],
        )

    def forget(self) -> None:
        """Forget a batch that was not written."""
        self._new.clear()
        self._seen.clear()
        self._numbers.clear()
        self._next = int(self._connection.execute("SELECT coalesce(max(id), 0) FROM party").fetchone()[0]) + 1
