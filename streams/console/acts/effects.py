"""What came of an act: seen in the stream, never assumed.

A worker names the record that caused an output in the output's id (docs/contracts.md): ``feedback-3-1234-0`` follows
from the record at offset 1234 of partition 3 of ``feedback``. So everything that an act led to is found by where its
record stands, and a refusal is a dead letter with the same coordinates. That it was taken at all, even where nothing
follows, shows in the shard's checkpoint.
"""

import re
from typing import Literal

from msgspec import Struct

from streams.console.index.reading import IndexReader, Row
from streams.console.state import StateError, StateReader

_NOT_IN_IDS = re.compile(r"\W")


class Effect(Struct, frozen=True):
    """One output that an act led to."""

    id: str
    type: str
    time: int
    value: bytes


class Outcome(Struct, frozen=True):
    """What is known of an act. ``refused``: why the worker could not use it; ``effects``: what followed."""

    state: Literal["sent", "applied", "refused"]
    effects: list[Effect]
    refused: str = ""


def outcome_of(index: IndexReader, states: StateReader, topic: str, partition: int, offset: int) -> Outcome:
    """What came of the feedback at an offset."""
    prefix = f"{_NOT_IN_IDS.sub('-', topic)}-{partition}-{offset}-"
    rows = index.rows(
        "SELECT ce_id, type, time, value FROM output WHERE ce_id >= ? AND ce_id < ? ORDER BY id",
        (prefix, prefix[:-1] + "."),
    )
    effects = [Effect(row["ce_id"], row["type"], row["time"], row["value"]) for row in rows]
    letter: Row | None = index.row(
        "SELECT reason, detail FROM dead_letter WHERE topic = ? AND source_partition = ? AND source_offset = ?",
        (topic, partition, offset),
    )
    if letter is not None:
        return Outcome("refused", effects, f"{letter['reason']}: {letter['detail']}")
    if effects:
        return Outcome("applied", effects)
    return Outcome("applied" if _covered(index, states, topic, partition, offset) else "sent", effects)


def _covered(index: IndexReader, states: StateReader, topic: str, partition: int, offset: int) -> bool:
    """Whether the shard's checkpoint covers the record, and the index all that had been published by then: only then
    does it mean something that nothing was seen.
    """
    try:
        position = states.position(partition)
    except StateError:
        return False
    if position.offsets.get(topic, 0) <= offset:
        return False
    rows = index.rows("SELECT topic, next FROM place WHERE partition = ?", (partition,))
    read = {row["topic"]: row["next"] for row in rows}
    return all(read[each] >= end for each, end in position.published.items() if each in read)
