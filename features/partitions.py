"""Which shard a key belongs to: Kafka's default partitioner, for keys that no record of ours carries (yet).

A merchant's shard is where its records arrive. A creator has no records of its own: its shard is the partition that a
producer would choose for it, so that its outputs lie where those keyed by its id are expected, and feedback about it
arrives at its own shard.
"""

from functools import lru_cache
from typing import Final

_MULTIPLIER: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_WORD: Final = 0xFFFFFFFF
_POSITIVE: Final = 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 in 32 bits with Kafka's seed, as a number from 0 to 2**32 - 1.

    (``org.apache.kafka.common.utils.Utils.murmur2``; A. Appleby's MurmurHash2, 2008.)
    """
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> 24) * _MULTIPLIER & _WORD
        hashed = hashed * _MULTIPLIER & _WORD ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _WORD
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _WORD
    return hashed ^ hashed >> 15


@lru_cache(maxsize=16_384)
def partition_of(key: str, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives a text key among so many."""
    return (murmur2(key.encode()) & _POSITIVE) % partitions
