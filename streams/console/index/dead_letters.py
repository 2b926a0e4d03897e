"""Rows of dead letters: where each came from and why; its value stays in the topic, as it may hold anything."""

import sqlite3

from confluent_kafka import Message

from streams.console.index.counters import Counters
from streams.dead_letters import OFFSET, PARTITION, as_dead_letter

_KEY_CHARACTERS = 128


class DeadLetterRows:
    """Writes dead letters.

    Parameters
    ----------
    connection, counters
        The writer's.
    """

    def __init__(self, connection: sqlite3.Connection, counters: Counters) -> None:
        self._connection = connection
        self._counters = counters

    def take(self, partition: int, offset: int, message: Message) -> None:
        """Take a record of ``governance-dead-letters``."""
        letter = as_dead_letter(message)
        row = (
            partition,
            offset,
            letter.record_time or letter.timestamp,
            letter.reason or "?",
            letter.header("dlq_detail")[:2000],
            letter.topic,
            _number(letter.header(PARTITION)),
            _number(letter.header(OFFSET)),
            None if letter.key is None else letter.key[:_KEY_CHARACTERS].decode(errors="replace"),
            len(letter.value or b""),
            letter.came_back,
        )
        self._connection.execute("INSERT OR IGNORE INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._counters.add("dead_letters", letter.reason or "?")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
