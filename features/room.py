"""Room in tables that must not grow without end."""

from collections.abc import Callable
from heapq import nsmallest
from typing import TypeVar

K = TypeVar("K", int, str)
V = TypeVar("V")


def make_room(table: dict[K, V], limit: int, worth: Callable[[V], float]) -> None:
    """Have the twentieth of the entries leave that is worth least, where a table has ``limit`` entries; of those worth
    the same, the ones with the lower keys.

    So many at once, as finding them takes a walk through all: too long for each new entry.
    """
    if len(table) >= limit:
        for key in nsmallest(limit // 20, table, key=lambda key: (worth(table[key]), key)):
            del table[key]
