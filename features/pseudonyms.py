"""Keyed pseudonyms: buyers, devices and bank accounts never reach the state or an output as themselves.

HMAC-SHA-256 under a secret key that stays apart from the data (EDPB Guidelines 01/2025 on pseudonymisation). The
domain is part of the message, so that the same value as a buyer and as a device gives two unrelated pseudonyms.
"""

from hashlib import sha256
from typing import Final

_BLOCK: Final = 64
_INNER: Final = bytes(each ^ 0x36 for each in range(256))
_OUTER: Final = bytes(each ^ 0x5C for each in range(256))


class Pseudonyms:
    """Makes pseudonyms under one key (at least 16 bytes).

    HMAC is written out (RFC 2104), as ``hmac.digest`` gives up Python's lock for every message: with a second thread at
    work, that made a pseudonym cost 49 microseconds instead of one.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the pseudonym key must have at least 16 bytes")
        padded = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self._inner = sha256(padded.translate(_INNER))
        self._outer = sha256(padded.translate(_OUTER))

    def short(self, domain: str, value: str) -> int:
        """A 24-bit pseudonym: enough to count the buyers of one merchant, too little to be a name."""
        return int.from_bytes(self._digest(domain, value)[:3], "big")

    def pair(self, domain: str, value: str) -> tuple[int, int]:
        """The pseudonym of :meth:`short`, and one of 48 bits: enough to tell the buyers of a marketplace apart."""
        digest = self._digest(domain, value)
        return int.from_bytes(digest[:3], "big"), int.from_bytes(digest[:6], "big")

    def long(self, domain: str, value: str) -> str:
        """A 128-bit pseudonym in hexadecimal, for joining."""
        return self._digest(domain, value)[:16].hex()

    def draw(self, domain: str, value: str) -> float:
        """A number from 0 to below 1, evenly spread over values: the same each time, and unknown without the key."""
        return int.from_bytes(self._digest(domain, value)[:6], "big") / (1 << 48)

    def derived(self, label: str) -> bytes:
        """A key (32 bytes) for another purpose, named by its label, where there is none of its own."""
        return self._digest("derived", label)

    def _digest(self, domain: str, value: str) -> bytes:
        inner = self._inner.copy()
        inner.update(f"{domain}:{value}".encode())
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()
