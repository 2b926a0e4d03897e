"""Signatures of model snapshots: what somebody else put into the store is not continued.

HMAC-SHA-256 (RFC 2104) over the whole snapshot and where it belongs, so that neither altered bytes nor those of another
model or shard pass. An old snapshot of the same place does: whoever may write to the store may also put back what was
there.
"""

import hmac
from hashlib import sha256
from typing import Final

from detectors.model import SnapshotMismatch

_SIZE: Final = sha256().digest_size


class Signer:
    """Signs and checks bytes under one key (at least 16 bytes)."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise ValueError("the key of the model snapshots must have at least 16 bytes")
        self._key = key

    def sign(self, place: str, data: bytes) -> bytes:
        """The bytes behind their signature; ``place`` names the shard and model that they belong to."""
        return self._signature(place, data) + data

    def open(self, place: str, signed: bytes) -> bytes:
        """The bytes that were signed.

        Raises
        ------
        SnapshotMismatch
            The signature is not that of these bytes at this place under this key.
        """
        data = signed[_SIZE:]
        if not hmac.compare_digest(self._signature(place, data), signed[:_SIZE]):
            raise SnapshotMismatch("the snapshot's signature is wrong: it is damaged, of another key, or not ours")
        return data

    def _signature(self, place: str, data: bytes) -> bytes:
        return hmac.digest(self._key, place.encode() + b"\0" + data, sha256)
