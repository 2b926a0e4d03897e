"""Rounds of event time: the steps in which a replay goes, whatever it reads from and however many processes share it.

A record belongs to the round of its *moment*: its own timestamp or, where that steps back, the highest before it in its
partition. Within a round a shard applies, in this order:

1. messages that shards sent :data:`LATENCY` rounds ago, by the round, the number of the sender, and their order;
2. its records by their moments; at the same moment by the kind of the topic (:data:`features.decode.RECORD_KINDS`), and
   by offset;
3. where the round ends an hour and has no record for it, a tick to that end less the allowed lateness, once it has a
   time of its own: a shard has none before its first order.

All of this follows from the records alone. Nothing depends on when a message arrives or who is ahead, so shards may be
run in any order, and processes need to wait for each other only every so many rounds. (Conservative parallel simulation
with a lookahead, after Chandy, Misra and Bryant.)
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final, Protocol, TypeAlias

from features.decode import RECORD_KINDS, RecordKind
from features.shard import Record

#: Event time of a round: as long as nothing that is judged is told apart by, and long enough for many records.
ROUND_MS: Final = 30 * 60_000
#: Rounds between sending a message and taking it in. With two, a process may be one round ahead of the others.
LATENCY: Final = 2
#: Rounds from one tick of a quiet shard to the next. Whether a timer is due plays no part: a shard that was restored
#: does not have the calendar's leftovers of one that was not, so it would be ticked at other times.
TICK_EVERY: Final = 3_600_000 // ROUND_MS
#: Rounds after the last record: an answer to what was asked in its round still arrives.
AFTER: Final = 2 * LATENCY

RANK: Final[Mapping[RecordKind, int]] = {kind: rank for rank, kind in enumerate(RECORD_KINDS)}

#: Moment (ms), rank of the topic, offset, record.
Entry: TypeAlias = tuple[int, int, int, Record]
#: Entries of one round by shard, in order.
Batches: TypeAlias = dict[int, list[Entry]]


class Source(Protocol):
    """Where records come from, round by round.

    Attributes
    ----------
    late
        Records that came too late for their round.
    part
        The share of everything that was read so far, 0 to 1.
    """

    @property
    def late(self) -> int: ...  # noqa: D102

    @property
    def part(self) -> float: ...  # noqa: D102

    def peek(self) -> int | None:
        """Number of the next round with records, all of which are there; ``None`` at the end."""

    def take(self) -> Batches:
        """The records of that round."""

    def close(self) -> None:
        """Let go of what was opened."""


class RoundBuffer:
    """Sorts entries into rounds as they come."""

    def __init__(self) -> None:
        self._rounds: dict[int, Batches] = {}
        self._numbers: list[int] = []
        self.size = 0

    def add(self, number: int, shard: int, entry: Entry) -> None:
        """Add an entry to a round that was not taken yet."""
        batches = self._rounds.get(number)
        if batches is None:
            batches = self._rounds[number] = {}
            heappush(self._numbers, number)
        entries = batches.get(shard)
        if entries is None:
            batches[shard] = [entry]
        else:
            entries.append(entry)
        self.size += 1

    @property
    def first(self) -> int | None:
        """Number of the first round that has entries."""
        return self._numbers[0] if self._numbers else None

    def take(self) -> Batches:
        """Take the first round out."""
        batches = self._rounds.pop(heappop(self._numbers))
        for entries in batches.values():
            # Mostly in order already. No two have the same topic and offset, so records are never compared.
            entries.sort()
            self.size -= len(entries)
        return batches
