import hmac

import pytest

from features.pseudonyms import Pseudonyms

KEY = b"0123456789abcdef"


def test_pseudonyms_are_keyed_hmacs() -> None:
    """Both forms are the first bytes of one HMAC-SHA-256 over domain and value."""
    whole = hmac.new(KEY, "buyer:münze".encode(), "sha256").hexdigest()
    pseudonyms = Pseudonyms(KEY)
    assert pseudonyms.long("buyer", "münze") == whole[:32]
    assert pseudonyms.short("buyer", "münze") == int(whole[:6], 16)


def test_the_same_value_is_another_in_another_domain_or_under_another_key() -> None:
    """A buyer's and a device's pseudonym do not join, nor do those of two installations."""
    pseudonyms = Pseudonyms(KEY)
    found = {pseudonyms.long("buyer", "x"), pseudonyms.long("device", "x"), Pseudonyms(KEY[::-1]).long("buyer", "x")}
    assert len(found) == 3


def test_short_pseudonyms_spread() -> None:
    """Ten thousand buyers have almost as many pseudonyms of 24 bits, and every bit is used."""
    found = {Pseudonyms(KEY).short("buyer", f"b{number}") for number in range(10_000)}
    assert len(found) > 9_985
    assert max(found) < 1 << 24
    for bit in range(24):
        assert 0.4 < sum(value >> bit & 1 for value in found) / len(found) < 0.6


def test_short_keys_are_refused() -> None:
    """A key that could be guessed is an error."""
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Pseudonyms(KEY[:15])
