"""Merchants that belong together as they share a bank account, an owner or a device."""

from typing import Final

from detectors.metrics.facts import State

#: A value at more merchants than this says nothing: a payment service, an agency, a logistics hub.
MOST_SHARING: Final = 8
#: What of an account makes a link.
LINKING: Final = frozenset({"bank", "owner", "device"})


def clusters(state: State, before: int) -> dict[str, str]:
    """The cluster of each merchant that was linked to another before a time (ms), named by its first member by id."""
    parent: dict[str, str] = {}

    def root(merchant: str) -> str:
        while (above := parent.setdefault(merchant, merchant)) != merchant:
            parent[merchant] = merchant = parent.setdefault(above, above)
        return merchant

    for sharing in state.links.values():
        early = [merchant for merchant, at in sharing.items() if at < before]
        if not 1 < len(early) <= MOST_SHARING:
            continue
        for other in early[1:]:
            low, high = sorted((root(early[0]), root(other)))
            parent[high] = low
    return {merchant: root(merchant) for merchant in sorted(parent)}
