"""How much a merchant takes in Redis."""

from collections import Counter
from dataclasses import dataclass
from statistics import median

import redis

from features.keys import split_key
from streams.snapshot import LISTING, MERCHANT, ORDER

_SCAN = 5_000


@dataclass(frozen=True)
class StateSize:
    """Bytes a merchant (medians over merchants) and of the shards' own blobs, models included.

    ``record`` is the value of the merchant's own key; ``with_entities`` adds the values of its orders and listings;
    ``with_keys`` also the names of all these keys.
    """

    merchants: int
    orders: int
    listings: int
    record: float
    record_p99: float
    with_entities: float
    with_keys: float
    shards: int


def state_size(redis_url: str, namespace: str) -> StateSize:
    """Measure the state that a worker has stored under a namespace."""
    records: Counter[str] = Counter()
    values: Counter[str] = Counter()
    names: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    shards = 0
    with redis.Redis.from_url(redis_url) as store:
        keys = list(store.scan_iter(match=f"{{{namespace}:*", count=_SCAN))
        for start in range(0, len(keys), _SCAN):
            chunk = keys[start : start + _SCAN]
            pipeline = store.pipeline(transaction=False)
            for key in chunk:
                pipeline.type(key)
                pipeline.memory_usage(key, samples=0)
                pipeline.strlen(key)
            answers = pipeline.execute(raise_on_error=False)
            for number, key in enumerate(chunk):
                kind, memory, length = answers[3 * number : 3 * number + 3]
                name = key.decode().partition("}:")[2]
                prefix = name[:2]
                if prefix not in (MERCHANT, ORDER, LISTING):
                    # What left since it was listed takes nothing.
                    shards += (length if kind == b"string" else memory) or 0
                    continue
                merchant = name[2:] if prefix == MERCHANT else split_key(name[2:])[0]
                kinds[prefix] += 1
                if prefix == MERCHANT:
                    records[merchant] = length
                values[merchant] += length
                names[merchant] += len(key)
    sizes = sorted(records.values())
    return StateSize(
        merchants=len(records),
        orders=kinds[ORDER],
        listings=kinds[LISTING],
        record=median(sizes),
        record_p99=sizes[min(len(sizes) - 1, len(sizes) * 99 // 100)],
        with_entities=median(values[merchant] for merchant in records),
        with_keys=median(values[merchant] + names[merchant] for merchant in records),
        shards=shards,
    )
