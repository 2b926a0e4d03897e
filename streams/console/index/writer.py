"""Takes records of topics into the index, batch by batch.

Guarantee: a batch and the offsets behind it are one transaction, so each record counts once, however the console
ends.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias

from confluent_kafka import Message

from features.decode import TOPIC_KINDS, InputLimits, TopicKind
from streams.console.index.counters import Counters
from streams.console.index.dead_letters import DeadLetterRows
from streams.console.index.inputs import InputRows
from streams.console.index.outputs import OutputRows
from streams.console.index.parties import Parties
from streams.console.index.schema import roll_back
from streams.reading import Partition, partition_of
from streams.recording import as_bytes, headers_of

Followed: TypeAlias = TopicKind | Literal["events", "merchant_standing", "creator_standing", "dead_letters", "metrics"]
#: What the console reads, by the names of the settings.
FOLLOWED: Final[tuple[Followed, ...]] = (
    *TOPIC_KINDS,
    "events",
    "merchant_standing",
    "creator_standing",
    "dead_letters",
    "metrics",
)
_INPUTS: Final = frozenset(TOPIC_KINDS)


class IndexWriter:
    """Writes an index; for one thread.

    Parameters
    ----------
    connection
        See :func:`streams.console.index.schema.open_index`.
    topics
        Names in Kafka -> what each holds.
    future_tolerance
        How far (ms) an event may lie ahead of the clock, as for the worker.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        topics: Mapping[str, Followed],
        future_tolerance: int = InputLimits().future_tolerance,
    ) -> None:
        self.connection = connection
        self._topics = topics
        self._parties = Parties(connection)
        self._counters = Counters(connection)
        self._inputs = InputRows(connection, self._parties, self._counters, future_tolerance)
        self._outputs = OutputRows(connection, self._parties, self._counters)
        self._dead = DeadLetterRows(connection, self._counters)
        self._places: dict[Partition, int] = {
            (topic, partition): following
            for topic, partition, following in connection.execute("SELECT topic, partition, next FROM place")
        }
        found = connection.execute("SELECT count FROM counter WHERE name = 'time' AND key = 'latest'").fetchone()
        #: Highest event time that was read, ms; 0 before the first.
        self.latest: int = 0 if found is None else found[0]

    @property
    def places(self) -> Mapping[Partition, int]:
        """Next offset of each partition that was read."""
        return self._places

    def take(self, messages: Sequence[Message]) -> None:
        """Take records, in the order of each partition; those that were taken before are passed over.

        Raises
        ------
        sqlite3.Error
            The index can't be written; nothing of the batch is.
        """
        if not messages:
            return
        places = dict(self._places)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            # Inputs first: what outputs are about is known then, as far as it has come.
            for message in messages:
                place, offset = partition_of(message), message.offset() or 0
                if offset < places.get(place, 0):
                    continue
                places[place] = offset + 1
                kind = self._topics[place[0]]
                if kind in _INPUTS:
                    self._inputs.take(kind, place[1], offset, as_bytes(message.key()), as_bytes(message.value()))
                else:
                    self._output(kind, place[1], offset, message)
            self._write(places)
            self.connection.execute("COMMIT")
        except BaseException:
            roll_back(self.connection)
            self._forget()
            raise
        self._places = places

    def _output(self, kind: Followed, partition: int, offset: int, message: Message) -> None:
        value = as_bytes(message.value())
        match kind:
            case "events":
                self._outputs.take(partition, value, dict(headers_of(message)))
            case "merchant_standing":
                self._outputs.stand("merchant", partition, value)
            case "creator_standing":
                self._outputs.stand("creator", partition, value)
            case "dead_letters":
                self._dead.take(partition, offset, message)
            case "metrics":
                self._outputs.estimate(value)

    def _write(self, places: Mapping[Partition, int]) -> None:
        self._parties.introduce()
        self._inputs.flush()
        self._parties.flush()
        latest = max(self._inputs.latest, self._outputs.latest, self.latest)
        if latest > self.latest:
            self._counters.add("time", "latest", latest - self.latest)
            self.latest = latest
        self._counters.flush()
        self.connection.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?)",
            [(*place, following) for place, following in places.items() if self._places.get(place) != following],
        )

    def _forget(self) -> None:
        for each in (self._parties, self._counters, self._inputs):
            each.forget()
        found = self.connection.execute("SELECT count FROM counter WHERE name = 'time' AND key = 'latest'").fetchone()
        self.latest = 0 if found is None else found[0]
