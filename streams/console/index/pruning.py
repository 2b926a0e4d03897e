"""Forgets what is older than the index keeps: little at a time, so that pages never wait for it."""

import sqlite3
from typing import Final

from streams.console.index.inputs import DAY

#: Rows that one step deletes at most.
STEP: Final = 20_000


def prune(connection: sqlite3.Connection, now: int, days: float, most_events: int) -> int:
    """Delete one step's worth of old rows; returns how many.

    Events go by their age and by their number, outputs of the log (not the decisions themselves) and turnover by age.

    Parameters
    ----------
    now
        Highest event time seen, ms.
    days, most_events
        What is kept.
    """
    before = now - round(days * DAY)
    deleted = 0
    first, last = connection.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM event").fetchone()
    # Numbers rise by one: the difference is how many there are, or a little more.
    excess = last - first + 1 - most_events
    if excess > 0:
        deleted += connection.execute("DELETE FROM event WHERE id < ?", (first + min(excess, STEP),)).rowcount
    # In the order of reading, which is nearly that of time: the oldest rows are looked at, and those that are old go.
    for table in ("event", "output"):
        deleted += connection.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?) AND time < ?",  # noqa: S608
            (STEP, before),
        ).rowcount
    deleted += connection.execute("DELETE FROM assessment WHERE time < ?", (before,)).rowcount
    deleted += connection.execute("DELETE FROM dead_letter WHERE time < ?", (before,)).rowcount
    deleted += connection.execute("DELETE FROM estimate WHERE end < ?", (before,)).rowcount
    deleted += connection.execute("DELETE FROM sales WHERE day < ?", (before // DAY,)).rowcount
    return deleted
