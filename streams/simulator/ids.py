"""Opaque ids: unique, the same for the same seed, and telling nothing about what they stand for."""

from typing import Final

_MASK: Final = (1 << 64) - 1


def opaque(index: int, salt: int) -> str:
    """Sixteen hex digits for ``index``; a one-to-one map of the 64-bit numbers for each ``salt``."""
    x = (index * 0x9E3779B97F4A7C15 + salt) & _MASK
    x = ((x ^ (x >> 32)) * 0xD6E8FEB86659FD93) & _MASK
    x = ((x ^ (x >> 32)) * 0xD6E8FEB86659FD93) & _MASK
    return f"{x ^ (x >> 32):016x}"


class IdMaker:
    """Makes ids of one kind, one after the other."""

    __slots__ = ("_next", "_salt")

    def __init__(self, salt: int) -> None:
        self._salt = salt
        self._next = 0

    def __call__(self) -> str:
        """The next id."""
        self._next += 1
        return opaque(self._next, self._salt)
