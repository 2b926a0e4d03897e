"""What a shard keeps of its enforcement as a whole, beside what its merchants and creators have."""

from msgspec import Struct


class GovernanceState(Struct, omit_defaults=True):
    """Enforcement of one shard; stored as a blob of its own."""
