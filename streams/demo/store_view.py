"""What the demo sees of the worker's state in Redis: owners, checkpoints, sizes."""

from collections.abc import Iterator
from statistics import median
from typing import Any, Final

import msgspec

from config.settings import Settings
from streams.clients import redis_client
from streams.demo.sent import Place

_SCAN: Final = 1_000


class StoreView:
    """Reads only. Keys of a shard begin with ``{namespace:partition}:``."""

    def __init__(self, settings: Settings) -> None:
        # redis-py's own types allow an awaitable for every answer.
        self._client: Any = redis_client(settings)
        self._tags = [f"{{{settings.worker.namespace}:{n}}}:" for n in range(settings.topics.partitions)]

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def owned(self) -> int:
        """Number of shards that a worker has claimed."""
        return int(self._client.exists(*(tag + "owner" for tag in self._tags)))

    def checkpointed(self) -> dict[Place, int]:
        """The next offset of every input partition, as of its shard's last checkpoint."""
        found: dict[Place, int] = {}
        for partition, value in enumerate(self._client.mget([tag + "position" for tag in self._tags])):
            if value is not None:
                offsets: dict[str, int] = msgspec.json.decode(value)["offsets"]
                found |= {(topic, partition): offset for topic, offset in offsets.items()}
        return found

    def merchant_bytes(self) -> float | None:
        """Median size of a merchant's value in bytes, its key not counted; None without merchants."""
        sizes = [size for tag in self._tags for size in self._sizes(tag + "m:*")]
        return float(median(sizes)) if sizes else None

    def _sizes(self, pattern: str) -> Iterator[int]:
        cursor = 0
        while True:
            cursor, keys = self._client.scan(cursor, match=pattern, count=_SCAN)
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.strlen(key)
            yield from pipeline.execute()
            if not cursor:
                return
