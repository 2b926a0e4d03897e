"""Journals of all shards over a whole run, read from the store's append-only file.

The worker cuts its journal at every checkpoint. The append-only file has each entry that was ever written and not
undone by a store set back, so it tells, whatever happened, in which order each shard's input was applied. It is the
store's own account and not the worker's.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from streams.store import JournalEntry

_JOURNAL = b"}:journal"


def commands(path: Path) -> Iterator[list[bytes]]:
    """The commands of an append-only file (RESP arrays of bulk strings); a last one that was cut off is left out."""
    with path.open("rb") as file:
        while line := file.readline():
            if line[:1] == b"#":  # an annotation
                continue
            if line[:1] != b"*" or not line.endswith(b"\r\n"):
                raise ValueError(f"{path} is not an append-only file: {line[:40]!r}")
            words = []
            for _ in range(int(line[1:])):
                head = file.readline()
                if not head.endswith(b"\r\n"):
                    return
                size = int(head[1:])
                word = file.read(size + 2)
                if len(word) < size + 2:
                    return
                words.append(word[:-2])
            yield words


def journals(path: Path, namespace: str) -> dict[int, list[JournalEntry]]:
    """Per shard its flushes in order.

    An entry that is written replaces the one of its number, and with it all that followed: that has not happened.

    Raises
    ------
    ValueError
        A number is missing.
    """
    begin = b"{%s:" % namespace.encode()
    found: dict[int, dict[int, JournalEntry]] = defaultdict(dict)
    decode = msgspec.json.Decoder(JournalEntry).decode
    for words in commands(path):
        if words[0].upper() != b"RPUSH" or not words[1].startswith(begin) or not words[1].endswith(_JOURNAL):
            continue
        shard = int(words[1][len(begin) : -len(_JOURNAL)])
        for value in words[2:]:
            entry = decode(value)
            for later in [number for number in found[shard] if number > entry.sequence]:
                del found[shard][later]
            found[shard][entry.sequence] = entry
    for shard, entries in found.items():
        if missing := set(range(1, max(entries) + 1)) - entries.keys():
            raise ValueError(f"the journal of shard {shard} lacks the flushes {sorted(missing)[:5]}")
    return {shard: [entries[number] for number in sorted(entries)] for shard, entries in sorted(found.items())}
