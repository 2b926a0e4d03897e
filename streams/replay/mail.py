"""What shards tell each other during a replay: kept until the round in which it is taken in."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

from detectors.flush import Emit
from streams.replay.rounds import LATENCY

#: Before everything that can be.
NEVER: Final = 1 << 62


class Letter(Struct, frozen=True, order=True, array_like=True):
    """A message on its way: when it was sent, by whom, as the how manieth of that round; to whom, and what it says."""

    sent: int
    sender: int
    index: int
    to: int
    key: bytes
    value: bytes


Letters: TypeAlias = list[Letter]


class Mailroom:
    """Letters to the shards of this process that were not delivered yet."""

    def __init__(self) -> None:
        #: Round of sending -> shard -> letters.
        self._waiting: dict[int, dict[int, Letters]] = {}

    @property
    def next_delivery(self) -> int:
        """The round in which the first of them arrives."""
        return min(self._waiting) + LATENCY if self._waiting else NEVER

    def put(self, letters: Iterable[Letter]) -> None:
        """Take letters in, in any order."""
        for letter in letters:
            self._waiting.setdefault(letter.sent, {}).setdefault(letter.to, []).append(letter)

    def sent_before(self, number: int) -> Letters:
        """Those that were sent before a round and not delivered."""
        waiting = ((sent, letters) for sent, found in self._waiting.items() for letters in found.values())
        return [letter for sent, letters in waiting if sent < number for letter in letters]

    def deliver(self, number: int) -> Mapping[int, Letters]:
        """Letters that arrive in a round, by addressee, in the order in which they are taken in."""
        found = self._waiting.pop(number - LATENCY, {})
        for letters in found.values():
            letters.sort()
        return found


def letters_of(emits: Iterable[Emit], sent: int, sender: int) -> Letters:
    """The messages among what a shard published in a round."""
    return [
        Letter(sent, sender, index, emit.partition or 0, emit.key or b"", emit.value or b"")
        for index, emit in enumerate(emits)
        if emit.stream == "exchange"
    ]
