"""Counts kept while writing, so that no page has to count rows."""

import sqlite3
from collections import Counter


class Counters:
    """Adds up what a batch changes.

    Parameters
    ----------
    connection
        The writer's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._changes: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, key: str, count: int = 1) -> None:
        """Count something, or (negative) no longer."""
        self._changes[name, key] += count

    def flush(self) -> None:
        """Write the changes."""
        changes, self._changes = self._changes, Counter()
        self._connection.executemany(
            "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(name, key, count) for (name, key), count in changes.items() if count],
        )

    def forget(self) -> None:
        """Forget a batch that was not written."""
        self._changes.clear()
