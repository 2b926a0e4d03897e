"""Models as the live deployment's last checkpoints have them. Redis is read; nothing in it is claimed or written."""

from typing import Any, Final

import msgspec
import redis

from config.settings import Settings
from detectors.judge import Models
from detectors.signing import Signer
from streams.clients import redis_client
from streams.models import load_models
from streams.reading import ReadError
from streams.snapshot import BLOBS, LISTS
from streams.store import Loaded, Position

_AWAY: Final = (redis.exceptions.RedisError, redis.exceptions.RedisClusterException)


def load_recorded(models: Models, settings: Settings, signer: Signer, shard: int) -> None:
    """Continue untrained models of a shard from its last checkpoint.

    Raises
    ------
    streams.reading.ReadError
        Redis can't be read, or has no checkpoint of the shard.
    """
    tag = f"{{{settings.worker.namespace}:{shard}}}:"
    try:
        # redis-py's own types allow an awaitable for every answer.
        client: Any = redis_client(settings)
        try:
            position = client.get(tag + "position")
            blobs = {name: client.get(tag + name) for name in BLOBS}
            lists = {name: client.lrange(tag + name, 0, -1) for name in LISTS}
        finally:
            client.close()
    except _AWAY as error:
        raise ReadError(f"Redis at {settings.redis.url} cannot be read: {error}") from error
    if position is None:
        raise ReadError(
            f"Redis has no checkpoint of shard {shard} in the namespace {settings.worker.namespace!r}, so there are no "
            "recorded models for it; are the shards of the replay as many as those of the deployment?"
        )
    found = Loaded(
        msgspec.json.decode(position, type=Position),
        [],
        [],
        {name: value for name, value in blobs.items() if value is not None},
        lists,
    )
    load_models(models, found, signer, shard)
