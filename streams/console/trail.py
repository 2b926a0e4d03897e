"""The audit trail: who did what in the console, when, and what came of it.

Entries are only ever added. Each holds the hash of the one before, so that an entry that was changed or taken out is
found (:meth:`Trail.verify`); triggers of the table refuse both besides. The same lines go to the log, so that a copy
lies where the console can't write. The file is not part of the index: it can't be made anew from topics.
"""

import hashlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

logger = logging.getLogger("shopwarden.console.trail")

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS trail (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL, before TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS trail_of_subject ON trail (subject, number);
CREATE INDEX IF NOT EXISTS trail_of_event ON trail (json_extract(detail, '$.event'));
CREATE TRIGGER IF NOT EXISTS trail_stays BEFORE UPDATE ON trail
  BEGIN SELECT raise(ABORT, 'the trail is only added to'); END;
CREATE TRIGGER IF NOT EXISTS trail_kept BEFORE DELETE ON trail
  BEGIN SELECT raise(ABORT, 'the trail is only added to'); END;
CREATE TABLE IF NOT EXISTS proposal (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, why TEXT NOT NULL,
  lapses INTEGER NOT NULL, state TEXT NOT NULL, second TEXT, settled INTEGER
);
CREATE INDEX IF NOT EXISTS proposal_open ON proposal (state, number);
"""
_encode = msgspec.json.Encoder(order="deterministic").encode


class TrailEntry(Struct, frozen=True):
    """One entry. ``at`` is ms by the wall clock; ``detail`` what else there is to know, as JSON."""

    number: int
    at: int
    actor: str
    what: str
    subject: str
    detail: str
    before: str
    hash: str

    def digest(self) -> str:
        """The hash that the entry should have."""
        content = (self.number, self.at, self.actor, self.what, self.subject, self.detail, self.before)
        return hashlib.sha256(_encode(content)).hexdigest()


class Trail:
    """The trail and its file, for any thread.

    Parameters
    ----------
    file
        SQLite, made if it is not there.
    clock
        Seconds since the epoch.

    Raises
    ------
    OSError, sqlite3.Error
        The file can't be made, or is none of ours.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # What was done must be there after a crash of the machine too.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)
        self._lock = threading.Lock()
        self._clock = clock

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread, in a transaction."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def now(self) -> int:
        """The wall clock, ms."""
        return round(self._clock() * 1000)

    def add(self, actor: str, what: str, subject: str = "", **detail: Any) -> int:
        """Add an entry; returns its number."""
        with self.transaction() as connection:
            return self.add_in(connection, actor, what, subject, **detail)

    def add_in(self, connection: sqlite3.Connection, actor: str, what: str, subject: str = "", **detail: Any) -> int:
        """Add an entry in a transaction that is open."""
        last = connection.execute("SELECT number, hash FROM trail ORDER BY number DESC LIMIT 1").fetchone()
        number, before = (1, "") if last is None else (last[0] + 1, last[1])
        entry = TrailEntry(number, self.now(), actor, what, subject, _encode(detail).decode(), before, "")
        values = (*msgspec.structs.astuple(entry)[:-1], entry.digest())
        connection.execute("INSERT INTO trail VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        logger.info("%s: %s %s", actor, what, subject, extra={"entry": number, "detail": detail})
        return number

    def entries(
        self, *, before: int | None = None, subject: str = "", what: str = "", most: int = 100
    ) -> list[TrailEntry]:
        """The latest entries, newest first: before a number, about a subject, of one kind; below 0, ``most`` is all."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT * FROM trail WHERE number < ? AND (? = '' OR subject = ?) AND (? = '' OR what = ?)"
                " ORDER BY number DESC LIMIT ?",
                (before or 2**62, subject, subject, what, what, most),
            ).fetchall()
        return [TrailEntry(*row) for row in rows]

    def of_event(self, event_id: str) -> TrailEntry | None:
        """The entry of an event that was sent."""
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM trail WHERE json_extract(detail, '$.event') = ? AND what = 'sent'", (event_id,)
            ).fetchone()
        return None if row is None else TrailEntry(*row)

    def verify(self) -> int | None:
        """The number of the first entry that is not as it was written; None if all are."""
        hash_before = ""
        expected = 1
        with self._lock:
            for row in self._connection.execute("SELECT * FROM trail ORDER BY number"):
                entry = TrailEntry(*row)
                whole = entry.number == expected and entry.before == hash_before and entry.hash == entry.digest()
                if not whole:
                    return expected
                hash_before = entry.hash
                expected += 1
        return None
