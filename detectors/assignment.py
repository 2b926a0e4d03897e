"""Draws merchants and creators for experiments and roll-outs: the same everywhere and for good, by a hash of names.

Nothing is kept and nobody is asked, so every shard, replay and report comes to the same. Draws under different names
are independent of each other.
"""

from hashlib import blake2b
from typing import Final

_SCALE: Final = 1 << 64


def draw(name: str, unit: str) -> float:
    """What is drawn for a unit (a merchant, a creator) under the name of an experiment or the salt of a roll-out.

    Returns
    -------
    A number from 0 to below 1, evenly spread over units. Who is below a share stays so when the share grows.
    """
    digest = blake2b(f"{name}\0{unit}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _SCALE
