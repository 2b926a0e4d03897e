"""Where a hash places a party: the one draw behind experiments and roll-outs by percentage.

A place is a number from 0 up to 1 that depends on a salt and an id alone. So every shard, every replay and every
report draws the same without being told, widening a roll-out keeps whom it had, and two salts draw independently.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

_SCALE: Final = 1 << 64


class Arm(Struct, frozen=True):
    """An arm of an experiment and its share of the parties, over 0; shares are relative to their sum."""

    name: str
    share: float


def place(salt: str, party: str) -> float:
    """Where a party (a merchant, or a cluster of linked ones) stands under a salt: 0 <= place < 1, uniformly.

    >>> 0 <= place("fast-payout", "m1") < 1
    True
    """
    digest = hashlib.blake2b(f"{salt}\0{party}".encode(), digest_size=8).digest()
    # 53 bits, so that the largest place stays below 1 as a float.
    return (int.from_bytes(digest, "big") >> 11) / (_SCALE >> 11)


def within(salt: str, party: str, percent: float) -> bool:
    """Whether a party is among a percentage (0 to 100) of all; who is stays so as the percentage grows."""
    return place(salt, party) * 100 < percent


def arm_of(experiment: str, party: str, arms: Sequence[Arm]) -> str:
    """The arm that a party belongs to, for good.

    Raises
    ------
    ValueError
        No arms, or a share that is not over 0.
    """
    if not arms or any(not arm.share > 0 for arm in arms):
        raise ValueError("an experiment needs arms, each with a share over 0")
    drawn = place(experiment, party) * sum(arm.share for arm in arms)
    for arm in arms:
        drawn -= arm.share
        if drawn < 0:
            return arm.name
    return arms[-1].name
