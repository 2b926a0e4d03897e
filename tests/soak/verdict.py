"""What a soak shows: whether memory is bounded by what is alive."""

from collections.abc import Mapping, Sequence
from statistics import median

from tests.soak.gauge import Sample

RSS_GROWTH = 0.05
STORE_GROWTH = 0.05
#: Timers fire with the hour, and by the watermark of each shard, of which the one furthest behind is compared.
ALIVE_OFF = 0.03


def growth(figures: Sequence[float]) -> float:
    """How much the last third is above the first, as a share; by medians, since single figures jump."""
    third = max(1, len(figures) // 3)
    return median(figures[-third:]) / median(figures[:third]) - 1


def complaints(samples: Sequence[Sample], alive: Mapping[str, int]) -> list[str]:
    """What is wrong with the samples after the warm-up; nothing, if all is well. ``alive`` are numbers by kind."""
    found = []
    rss = growth([sample.rss for sample in samples])
    if rss >= RSS_GROWTH:
        found.append(f"the worker's memory grew by {rss:.1%} after the warm-up")
    per_entity = growth([sample.bytes_an_entity for sample in samples])
    if per_entity >= STORE_GROWTH:
        found.append(f"Redis's memory grew by {per_entity:.1%} for each merchant, order and listing that it holds")
    for kind, wanted in alive.items():
        stored = samples[-1].keys[kind]
        if abs(stored - wanted) > ALIVE_OFF * wanted:
            found.append(f"{stored:,} {kind} are stored, but {wanted:,} are alive by their dates")
    shards = growth([sample.shards for sample in samples])
    if shards >= STORE_GROWTH:
        found.append(f"what the shards themselves keep in Redis grew by {shards:.1%}")
    return found
