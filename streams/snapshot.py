"""A shard between memory and store: what a checkpoint writes, and how a shard is built from it again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Final, TypeVar
from zlib import crc32

import msgspec
from msgspec import Struct

from detectors.apply import Core
from detectors.judge import Judge, Models
from features.creator import Creator
from features.driven import DrivenTally
from features.governance import GovernanceState
from features.merchant import Merchant
from features.shard import Correspondence, Needed, ShardClock, ShardState, Statistics
from features.windows import DAY_MS
from streams.models import ANOMALY, CATEGORY, CHALLENGER, DRIFT, EXAMPLES, STAGES, load_models, signed_snapshots
from streams.store import Loaded
from streams.versions import BUCKETS, CREATORS, LISTINGS, MERCHANTS, ORDERS, POPULATIONS

#: Blobs that belong to the shard as a whole.
CLOCK: Final = "clock"
STATISTICS: Final = "statistics"
CORRESPONDENCE: Final = "correspondence"
GOVERNANCE: Final = "governance"
DRIVEN: Final = "driven"
POPULATION: Final = "population"
#: Written to be read by people: it follows from the models, and is never loaded.
METRICS: Final = "metrics"
BLOBS: Final = (
    CLOCK,
    STATISTICS,
    CORRESPONDENCE,
    GOVERNANCE,
    DRIVEN,
    POPULATION,
    ANOMALY,
    *STAGES,
    CATEGORY,
    CHALLENGER,
    DRIFT,
)
LISTS: Final = EXAMPLES

MERCHANT: Final = "m:"
ORDER: Final = "o:"
LISTING: Final = "l:"
BUCKET: Final = "b:"
CREATOR: Final = "c:"

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


class Changes(Struct):
    """What changed since the last checkpoint, encoded: keys without the shard's tag."""

    values: dict[str, bytes]
    deleted: list[str]
    timers: dict[str, int]
    #: New entries of lists, and how many of the latest each list keeps.
    appends: dict[str, tuple[list[bytes], int]] = {}


def take_changes(core: Core) -> Changes:
    """Encode everything that changed, and forget that it did. The bytes are a consistent cut: later flushes don't
    alter them.
    """
    state = core.state
    values: dict[str, bytes] = {
        CLOCK: _encode(state.clock),
        STATISTICS: _encode(state.statistics),
        CORRESPONDENCE: _encode(state.correspondence),
        GOVERNANCE: _encode(state.governance),
        DRIVEN: _encode(state.driven),
        POPULATION: _encode(state.population),
        METRICS: _encode(core.models.metrics()),
        **signed_snapshots(core.models, core.judge.signer, state.partition),
    }
    merchants = state.merchants
    for merchant_id, encoded in state.touched_merchants.items():
        values[MERCHANT + merchant_id] = encoded or _encode(merchants[merchant_id].packed())
    orders = state.orders
    for key, encoded in state.touched_orders.items():
        values[ORDER + key] = encoded or _encode(orders[key])
    listings = state.listings
    for key, encoded in state.touched_listings.items():
        values[LISTING + key] = encoded or _encode(listings[key])
    buckets = state.buckets
    for key, encoded in state.touched_buckets.items():
        values[BUCKET + key] = encoded or _encode(buckets[key])
    creators = state.creators
    for key, encoded in state.touched_creators.items():
        values[CREATOR + key] = encoded or _encode(creators[key].packed())
    deleted = [MERCHANT + key for key in state.removed_merchants if key not in merchants]
    deleted.extend([ORDER + key for key in state.removed_orders if key not in orders])
    deleted.extend([LISTING + key for key in state.removed_listings if key not in listings])
    deleted.extend([BUCKET + key for key in state.removed_buckets if key not in buckets])
    deleted.extend([CREATOR + key for key in state.removed_creators if key not in creators])
    timers = state.timers.changed
    _used(merchants, state.touched_merchants)
    _used(orders, state.touched_orders)
    _used(listings, state.touched_listings)
    _used(buckets, state.touched_buckets)
    _used(creators, state.touched_creators)
    state.touched_merchants = {}
    state.touched_orders = {}
    state.touched_listings = {}
    state.touched_buckets = {}
    state.touched_creators = {}
    state.removed_merchants = {}
    state.removed_orders = {}
    state.removed_listings = {}
    state.removed_buckets = {}
    state.removed_creators = {}
    state.leaving = frozenset(deleted)
    state.timers.changed = {}
    return Changes(values, deleted, timers, core.models.examples.take())


def encode_ahead(state: ShardState) -> None:
    """Encode what has been touched so far, between two flushes, so that the checkpoint has less to do at once.

    A record that is touched again is encoded again; only latency is won, so this is for times of light load.
    """
    for _ in encoding_ahead(state):
        pass


def encoding_ahead(state: ShardState) -> Iterator[None]:
    """:func:`encode_ahead` record by record, of what is touched as it begins; flushes and checkpoints may come
    between.
    """
    merchants, creators = state.merchants, state.creators
    yield from _encoding(lambda: state.touched_merchants, lambda key: merchants[key].packed())
    yield from _encoding(lambda: state.touched_orders, state.orders.__getitem__)
    yield from _encoding(lambda: state.touched_listings, state.listings.__getitem__)
    yield from _encoding(lambda: state.touched_buckets, state.buckets.__getitem__)
    yield from _encoding(lambda: state.touched_creators, lambda key: creators[key].packed())


def _encoding(touched: Callable[[], dict[str, bytes | None]], stored: Callable[[str], Struct]) -> Iterator[None]:
    for key in [key for key, encoded in touched().items() if encoded is None]:
        # A checkpoint may have taken it, or it may have left.
        now = touched()
        if now.get(key, b"") is None:
            now[key] = _encode(stored(key))
            yield


def restore(partition: int, loaded: Loaded, judge: Judge, fresh: Models) -> Core:
    """A shard as its last checkpoint left it; ``fresh`` are untrained models of the right shape."""
    state = ShardState(partition)
    blobs = loaded.blobs
    state.clock = _blob(blobs, CLOCK, ShardClock) or state.clock
    state.statistics = _blob(blobs, STATISTICS, Statistics) or state.statistics
    state.correspondence = _blob(blobs, CORRESPONDENCE, Correspondence) or state.correspondence
    state.governance = _blob(blobs, GOVERNANCE, GovernanceState) or state.governance
    state.driven = _blob(blobs, DRIVEN, DrivenTally) or state.driven
    if POPULATION in blobs:
        state.population = POPULATIONS.read("", blobs[POPULATION])
    state.timers.restore(loaded.timers)
    if loaded.entities:
        _give_timers(state, loaded, judge)
    load_models(fresh, loaded, judge.signer, partition)
    return Core(state, fresh, judge)


def _blob(blobs: Mapping[str, bytes], name: str, kind: type[T]) -> T | None:
    value = blobs.get(name)
    return None if value is None else msgspec.json.decode(value, type=kind)


def needed_names(state: ShardState, needed: Needed) -> list[str]:
    """Stored names of what a flush reads and the caches lack.

    What was removed does not exist any more, although the store holds it until the next checkpoint is through.
    """
    leaving = state.leaving
    names = _missing(needed.merchants, state.merchants, state.removed_merchants, MERCHANT, leaving)
    names.extend(_missing(needed.orders, state.orders, state.removed_orders, ORDER, leaving))
    names.extend(_missing(needed.listings, state.listings, state.removed_listings, LISTING, leaving))
    names.extend(_missing(needed.buckets, state.buckets, state.removed_buckets, BUCKET, leaving))
    names.extend(_missing(needed.creators, state.creators, state.removed_creators, CREATOR, leaving))
    return names


def keep_loaded(state: ShardState, names: Sequence[str], values: Sequence[bytes | None]) -> None:
    """Take stored values into the caches; what is not stored does not exist yet.

    Raises
    ------
    StoreError
        A newer version wrote one.
    """
    for name, value in zip(names, values, strict=True):
        if value is None:
            continue
        kind, key = name[:2], name[2:]
        if kind == MERCHANT:
            state.merchants[key] = Merchant(key, MERCHANTS.read(key, value))
        elif kind == ORDER:
            state.orders[key] = ORDERS.read(key, value)
        elif kind == LISTING:
            state.listings[key] = LISTINGS.read(key, value)
        elif kind == CREATOR:
            state.creators[key] = Creator(key, CREATORS.read(key, value))
        else:
            state.buckets[key] = BUCKETS.read(key, value)


def _give_timers(state: ShardState, loaded: Loaded, judge: Judge) -> None:
    """Version 1 of the state kept listings and merchants for good: give each a timer, so that it can leave.

    They are spread over the time for which a listing is kept, by a hash: all at once would be one very large flush.
    When a timer fires it is found out whether the record's time is over. Merchants come after all listings.
    """
    known = {key for _, key in loaded.timers}
    start = state.clock.watermark + DAY_MS
    spread = judge.settings.idle_listing_days * DAY_MS
    for name in loaded.entities:
        timer = name[0] + name[2:]
        if timer not in known:
            time = start + crc32(name.encode()) % spread
            state.timers.set(timer, time if name.startswith(LISTING) else time + spread)


def _missing(
    needed: Set[str], cache: Mapping[str, object], removed: Mapping[str, None], kind: str, leaving: Set[str]
) -> list[str]:
    """Stored names of what must be read."""
    names = [kind + key for key in needed if key not in cache and key not in removed]
    return [name for name in names if name not in leaving] if leaving else names


def evict(state: ShardState, limit: int) -> int:
    """Keep the caches within ``limit`` entries together, dropping what was used least recently and is stored; returns
    how many left. Each kind of record gives in proportion to its number.
    """
    caches = state.merchants, state.orders, state.listings, state.buckets, state.creators
    size = sum([len(cache) for cache in caches])
    excess = size - limit
    if excess <= 0:
        return 0
    dropped = 0
    # Twice, as a kind whose records are all touched can't give its share.
    for _ in range(2):
        for cache, touched in (
            (state.orders, state.touched_orders),
            (state.listings, state.touched_listings),
            (state.buckets, state.touched_buckets),
            (state.creators, state.touched_creators),
            (state.merchants, state.touched_merchants),
        ):
            share = min(excess - dropped, -(-excess * len(cache) // size))
            idle = list(islice((key for key in cache if key not in touched), share))
            for key in idle:
                del cache[key]
            dropped += len(idle)
    return dropped


def _used(cache: dict[str, T], keys: Iterable[str]) -> None:
    """Put what was used since the last checkpoint behind what was not: caches are in order of use."""
    for key in keys:
        cache[key] = cache.pop(key)
