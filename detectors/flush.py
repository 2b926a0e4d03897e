"""What goes into the core and what comes out of it."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from features.omissions import Gap, Poison
from features.policy_notices import PolicyNotice
from features.shard import Record

#: Where an output goes; the worker knows the topics' names. ``exchange`` holds what shards tell each other.
Stream: TypeAlias = Literal["events", "standing", "creator_standing", "dead_letters", "exchange"]


class Flush(Struct, frozen=True, gc=False):
    """What is applied together: a function of the shard's state and of this alone gives the next state.

    Attributes
    ----------
    sequence
        Number of the flush in its shard.
    records
        Records to apply, in this order.
    tick
        Event time (ms) to move the shard to after them, if any. The source of what it causes is named by this time.
    clock
        The worker's clock (ms) when the flush was made; 0 where it is not known. Recorded input, never read here.
    gaps
        Offsets that are left out before the records.
    poison
        Records among these to put aside instead of applying them.
    policies
        What is noted of published policy sets before the records; who applies has put the one in force in place.
    """

    sequence: int
    records: list[Record]
    tick: int | None = None
    clock: int = 0
    gaps: Sequence[Gap] = ()
    poison: Sequence[Poison] = ()
    policies: Sequence[PolicyNotice] = ()


class Emit(Struct, frozen=True, gc=False):
    """One message to publish. ``id`` is the CloudEvents id, the same whenever the same input is applied; ``partition``
    is where it goes, if not to the partition of its shard's number.
    """

    stream: Stream
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    id: str
    partition: int | None = None
