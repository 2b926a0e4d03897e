"""Which shard a merchant belongs to."""

from aiokafka.partitioner import murmur2


def shard_of(key: bytes | None, shards: int) -> int:
    """The partition that Kafka's own partitioner gives a key; 0 for none, where Kafka would take any."""
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % shards
