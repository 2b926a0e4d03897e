"""What a soak shows: whether memory is bounded by what is alive."""

from collections.abc import Sequence
from statistics import median

from tests.soak.gauge import Sample

RSS_GROWTH = 0.05
STORE_GROWTH = 0.05
#: Orders that left or came between two checkpoints, or a day too early or late.
ORDERS_OFF = 0.03


def growth(figures: Sequence[float]) -> float:
    """How much the last third is above the first, as a share; by medians, since single figures jump."""
    third = max(1, len(figures) // 3)
    return median(figures[-third:]) / median(figures[:third]) - 1


def complaints(samples: Sequence[Sample], live_orders: int) -> list[str]:
    """What is wrong with the samples after the warm-up; nothing, if all is well."""
    found = []
    rss = growth([sample.rss for sample in samples])
    if rss >= RSS_GROWTH:
        found.append(f"the worker's memory grew by {rss:.1%} after the warm-up")
    per_entity = growth([sample.store / max(1, sample.entities) for sample in samples])
    if per_entity >= STORE_GROWTH:
        found.append(f"Redis's memory grew by {per_entity:.1%} for each merchant, order and listing that it holds")
    stored = samples[-1].keys["orders"]
    if abs(stored - live_orders) > ORDERS_OFF * live_orders:
        found.append(f"{stored:,} orders are stored, but {live_orders:,} are alive by their dates")
    others = [sample.keys["other"] for sample in samples]
    if others[-1] > others[0]:
        found.append(f"keys of the shards themselves grew from {others[0]} to {others[-1]}")
    return found
