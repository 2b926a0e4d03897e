"""What goes into the core and what comes out of it."""

from typing import Literal, TypeAlias

from msgspec import Struct

from features.shard import Record

#: Where an output goes; the worker knows the topics' names.
Stream: TypeAlias = Literal["events", "standing", "dead_letters"]


class Flush(Struct, frozen=True, gc=False):
    """Records to apply, in this order, and a tick of event time (ms) after them, if any.

    ``sequence`` numbers the flushes of a shard. The source of what a tick causes is named by the tick's time.
    """

    sequence: int
    records: list[Record]
    tick: int | None = None


class Emit(Struct, frozen=True, gc=False):
    """One message to publish. ``id`` is the CloudEvents id, the same whenever the same input is applied."""

    stream: Stream
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    id: str
