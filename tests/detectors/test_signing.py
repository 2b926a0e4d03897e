"""Signatures: what passes, and what does not."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.model import SnapshotMismatch
from detectors.signing import Signer
from features.pseudonyms import Pseudonyms

KEY = b"a key for tests, and no other use"


@given(st.binary(max_size=200), st.text(max_size=20), st.integers(0, 1_000), st.integers(1, 255))
def test_altered_bytes_do_not_pass(data: bytes, place: str, at: int, change: int) -> None:
    """What was signed is given back; with any byte changed, or any missing, it is refused."""
    signer = Signer(KEY)
    signed = signer.sign(place, data)
    assert signer.open(place, signed) == data
    altered = bytearray(signed)
    altered[at % len(signed)] ^= change
    for other in (bytes(altered), signed[: at % len(signed)], signed + b"x"):
        with pytest.raises(SnapshotMismatch, match="signature is wrong"):
            signer.open(place, other)


def test_place_and_key_count() -> None:
    """Bytes of another shard or model, or under another key, are refused."""
    signed = Signer(KEY).sign("0/model:a", b"state")
    for signer, place in ((Signer(KEY), "1/model:a"), (Signer(KEY), "0/model:b"), (Signer(KEY[::-1]), "0/model:a")):
        with pytest.raises(SnapshotMismatch):
            signer.open(place, signed)


def test_short_keys_are_refused() -> None:
    """As for pseudonyms."""
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"short")


def test_a_derived_key_is_neither_the_key_nor_a_pseudonym() -> None:
    """It is the HMAC of its label under the pseudonym key, by the library's own."""
    pseudonyms = Pseudonyms(KEY)
    derived = pseudonyms.derived("model snapshots")
    assert derived == hmac.digest(KEY, b"derived:model snapshots", "sha256")
    assert derived != pseudonyms.derived("other")
