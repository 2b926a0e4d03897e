"""Keyed pseudonyms: buyers, devices and bank accounts never reach the state or an output as themselves.

HMAC-SHA-256 under a secret key that stays apart from the data (EDPB Guidelines 01/2025 on pseudonymisation). The
domain is part of the message, so that the same value as a buyer and as a device gives two unrelated pseudonyms.
"""

from hmac import digest


class Pseudonyms:
    """Makes pseudonyms under one key (at least 16 bytes)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the pseudonym key must have at least 16 bytes")
        self._key = key

    def short(self, domain: str, value: str) -> int:
        """A 24-bit pseudonym: enough to count the buyers of one merchant, too little to be a name."""
        return int.from_bytes(digest(self._key, f"{domain}:{value}".encode(), "sha256")[:3], "big")

    def long(self, domain: str, value: str) -> str:
        """A 128-bit pseudonym in hexadecimal, for joining."""
        return digest(self._key, f"{domain}:{value}".encode(), "sha256")[:16].hex()
