"""Records that a shard wants next and that its topics don't hold any more: what is missing, and how to go on."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from features.omissions import Gap
from streams.store import JournalEntry
from streams.tails import Extent


class Resumption(Struct, frozen=True):
    """How a shard can go on.

    Attributes
    ----------
    journal
        The flushes to apply again, without the records that are not there.
    starts
        Topic -> offset to read from.
    gaps
        What is missing between these flushes and what the topics hold.
    missing
        All that is missing, in the flushes too.
    """

    journal: list[JournalEntry]
    starts: dict[str, int]
    gaps: list[Gap]
    missing: list[Gap]


def resume(
    offsets: Mapping[str, int], journal: Sequence[JournalEntry], extents: Mapping[str, Extent], claim: int
) -> Resumption:
    """Hold a checkpoint's offsets and the journal after it against what the topics hold.

    ``claim`` marks the entries that had to be changed. Topics that have no offset yet are read from wherever they
    begin: nothing is known to be missing.
    """
    starts = dict(offsets)
    reached = dict(offsets)
    missing: list[Gap] = []
    cut: list[JournalEntry] = []
    for entry in journal:
        ranges: list[tuple[str, int, int]] = []
        gaps: list[Gap] = []
        for topic, first, last in entry.ranges:
            reached[topic] = last + 1
            held = extents.get(topic)
            begin, end = (first, last) if held is None else (max(first, held.earliest), min(last, held.end - 1))
            if first < begin:
                gaps.append(Gap(topic, first, min(last, begin - 1), "expired"))
            if end < last and held is not None:
                gaps.append(Gap(topic, max(first, held.end), last, "truncated"))
            if begin <= end:
                ranges.append((topic, begin, end))
        for gap in entry.gaps:
            reached[gap.topic] = max(reached.get(gap.topic, 0), gap.last + 1) if gap.why == "expired" else gap.first
        missing.extend(gaps)
        if gaps or (cut and cut[-1].claim == claim):
            entry = msgspec.structs.replace(entry, ranges=ranges, gaps=[*entry.gaps, *gaps], claim=claim)  # noqa: PLW2901
        cut.append(entry)
    between = list(_between(reached, extents))
    for topic, start in starts.items():
        held = extents.get(topic)
        if held is not None:
            starts[topic] = min(max(start, held.earliest), max(held.end, held.earliest))
    return Resumption(cut, starts, between, [*missing, *between])


def _between(reached: Mapping[str, int], extents: Mapping[str, Extent]) -> Iterator[Gap]:
    for topic, offset in reached.items():
        held = extents.get(topic)
        if held is None:
            continue
        if offset < held.earliest:
            yield Gap(topic, offset, held.earliest - 1, "expired")
        elif offset > held.end:
            yield Gap(topic, held.end, offset - 1, "truncated")


def described(partition: int, gaps: Sequence[Gap]) -> str:
    """What is missing, in words, for people who have to decide what to do about it."""
    return "; ".join(f"{gap.topic}/{partition} {_WHY[gap.why].format(gap=gap)}" for gap in gaps)


_WHY = {
    "expired": "no longer holds offsets {gap.first} to {gap.last}: they were deleted before they were read",
    "truncated": "ends at offset {gap.first}, but was read up to {gap.last}: it was made anew, or lost records",
}
