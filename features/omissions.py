"""Records that are left out of what a shard applies, and said to be."""

from typing import Literal, TypeAlias

from msgspec import Struct

#: Why records are missing: deleted by the topic's retention before they were read, or the topic ends before the
#: position.
GapReason: TypeAlias = Literal["expired", "truncated"]


class Gap(Struct, frozen=True, array_like=True):
    """Offsets of a topic, both ends included, whose records can't be read any more."""

    topic: str
    first: int
    last: int
    why: GapReason


class Poison(Struct, frozen=True, array_like=True):
    """A record that is put aside, as applying it failed; ``detail`` says how."""

    topic: str
    offset: int
    detail: str
