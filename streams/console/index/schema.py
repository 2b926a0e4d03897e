"""The tables of the index.

The index holds nothing that the topics do not: it may be deleted at any time, and is when its version changes. Figures
that pages show of everything (how many merchants, decisions by state, dead letters by reason) are counted while
writing, in ``counter``: counting rows when a page is asked for would take longer the more there are.

Of input events it keeps who, what, when and a few words; never a buyer, a device, an account value or a text of a
person. Outputs are kept as they were published, and hold none of these.
"""

import sqlite3
from pathlib import Path
from typing import Final

#: Raised when tables change: an index of another version is made anew from the topics.
VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Next offset of each partition: moved in the transaction that writes its records, so each is taken once.
CREATE TABLE place (topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE counter (name TEXT, key TEXT, count INTEGER NOT NULL, PRIMARY KEY (name, key)) WITHOUT ROWID;

-- Merchants and creators. ``level`` is a rank, 0 to 4; ``standing`` the latest one, as published.
CREATE TABLE party (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, partition INTEGER NOT NULL,
  level INTEGER NOT NULL DEFAULT 0, probability REAL, tier TEXT, score INTEGER, as_of INTEGER,
  sequence INTEGER NOT NULL DEFAULT 0, standing BLOB,
  events INTEGER NOT NULL DEFAULT 0, first INTEGER, last INTEGER,
  UNIQUE (kind, name)
);
CREATE INDEX party_by_level ON party (kind, level DESC, as_of DESC);

-- Input events. ``amount`` in minor units, of orders placed; ``creator`` who drove an order.
CREATE TABLE event (
  id INTEGER PRIMARY KEY, party INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, subject TEXT,
  words TEXT NOT NULL, amount INTEGER, currency TEXT, creator INTEGER
);
CREATE INDEX event_of_party ON event (party, time);
CREATE INDEX event_of_subject ON event (subject, time) WHERE subject IS NOT NULL;
CREATE INDEX event_of_creator ON event (creator, time) WHERE creator IS NOT NULL;

CREATE TABLE listing (
  party INTEGER, name TEXT, title TEXT NOT NULL, category TEXT NOT NULL, brand TEXT, price INTEGER NOT NULL,
  currency TEXT NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL, removed INTEGER,
  versions INTEGER NOT NULL, views INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (party, name)
) WITHOUT ROWID;
CREATE INDEX listing_by_name ON listing (name);

-- Turnover by day of event time: of a merchant, of what a creator drove (listing ''), of a merchant's listing.
CREATE TABLE sales (
  party INTEGER, listing TEXT, day INTEGER, currency TEXT, amount INTEGER NOT NULL, orders INTEGER NOT NULL,
  PRIMARY KEY (party, listing, day, currency)
) WITHOUT ROWID;

-- Outputs, as published.
CREATE TABLE output (
  id INTEGER PRIMARY KEY, ce_id TEXT NOT NULL UNIQUE, party INTEGER, time INTEGER NOT NULL, type TEXT NOT NULL,
  subject TEXT, decision TEXT, mode TEXT NOT NULL, value BLOB NOT NULL
);
CREATE INDEX output_of_party ON output (party, time);
CREATE INDEX output_of_subject ON output (subject, time);
CREATE INDEX output_by_type ON output (type, time);
CREATE INDEX output_of_decision ON output (decision) WHERE decision IS NOT NULL;

-- Probabilities of assessments that were published, for the decisions that rest on them.
CREATE TABLE assessment (name TEXT PRIMARY KEY, probability REAL NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;

-- Decisions and what became of them. ``harm`` is probability times dollars at risk; ``verdict`` of people, the last.
CREATE TABLE decision (
  id TEXT PRIMARY KEY, party INTEGER NOT NULL, sequence INTEGER NOT NULL, subject_kind TEXT NOT NULL,
  subject TEXT NOT NULL, action TEXT NOT NULL, severity TEXT NOT NULL, rule TEXT NOT NULL, rule_version TEXT NOT NULL,
  title TEXT NOT NULL, starts_at INTEGER NOT NULL, expires_at INTEGER, appeal_until INTEGER, review_reason TEXT,
  review_by INTEGER, assessment TEXT NOT NULL, mode TEXT NOT NULL, state TEXT NOT NULL, ended_at INTEGER,
  ended_why TEXT, supersedes TEXT, superseded_by TEXT, verdict TEXT, appeal TEXT, appeal_due INTEGER,
  appeals INTEGER NOT NULL DEFAULT 0, probability REAL, at_risk REAL, harm REAL
) WITHOUT ROWID;
CREATE INDEX decision_waiting ON decision (harm DESC) WHERE state = 'waiting';
CREATE INDEX decision_appealed ON decision (appeal_due) WHERE appeal IN ('open', 'overdue');
CREATE INDEX decision_of_party ON decision (party, starts_at);
CREATE INDEX decision_of_subject ON decision (subject);
CREATE INDEX decision_of_rule ON decision (rule, starts_at);
CREATE INDEX decision_by_time ON decision (starts_at);

-- Feedback as it was said, so that what came of it can be found by where it stands.
CREATE TABLE feedback (
  partition INTEGER, offset INTEGER, party INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL,
  event_id TEXT NOT NULL, decision TEXT, verdict TEXT, subject TEXT, words TEXT NOT NULL, by TEXT,
  PRIMARY KEY (partition, offset)
) WITHOUT ROWID;
CREATE INDEX feedback_of_decision ON feedback (decision) WHERE decision IS NOT NULL;
CREATE INDEX feedback_of_party ON feedback (party, time);
CREATE INDEX feedback_by_id ON feedback (event_id);

-- Estimates of governance metrics, as published; the latest of each name, slice and period.
CREATE TABLE estimate (
  period TEXT, start INTEGER, end INTEGER, name TEXT, slice TEXT, value BLOB NOT NULL,
  PRIMARY KEY (period, start, end, name, slice)
) WITHOUT ROWID;

CREATE TABLE dead_letter (
  partition INTEGER, offset INTEGER, time INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
  topic TEXT NOT NULL, source_partition INTEGER, source_offset INTEGER, key TEXT, size INTEGER NOT NULL,
  came_back TEXT NOT NULL, PRIMARY KEY (partition, offset)
) WITHOUT ROWID;
CREATE INDEX dead_letter_by_time ON dead_letter (time);
CREATE INDEX dead_letter_by_source ON dead_letter (topic, source_partition, source_offset);
"""


def open_index(file: Path, identity: str) -> sqlite3.Connection:
    """The index of a deployment for its one writer; made anew where the file's is of another version or deployment.

    Parameters
    ----------
    identity
        Of the cluster and its topics: offsets of another one mean nothing here.

    Raises
    ------
    OSError, sqlite3.Error
        The file cannot be made or is none of ours.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(file)
    wanted = {"version": str(VERSION), "identity": identity}
    if _meta(connection) != wanted:
        connection.close()
        for each in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
            each.unlink(missing_ok=True)
        connection = _connect(file)
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", wanted.items())
    return connection


def open_reader(file: Path) -> sqlite3.Connection:
    """The index, for pages: it can't be written."""
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -32768")
    return connection


def roll_back(connection: sqlite3.Connection) -> None:
    """Leave a transaction that failed, if SQLite has not done so itself, as it does when the disk is full."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
    # Readers go on while one writes; what a crash of the machine loses is read from the topics again.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _meta(connection: sqlite3.Connection) -> dict[str, str]:
    try:
        return dict(connection.execute("SELECT name, value FROM meta").fetchall())
    except sqlite3.Error:
        return {}
