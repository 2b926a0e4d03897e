"""Versions of what is stored: records of an older version are brought to the present form, a newer one is refused.

Each stored kind carries its version; absent means 1. ``UPGRADES`` of a kind hold, for each older version, a function
from the decoded JSON of that version to that of the next one. A record is upgraded when it is read, and stored in its
new form when it is next touched, so an upgrade of the software neither reads nor writes a shard as a whole. The
checkpoint's own version stands for its blobs and timers together.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

import msgspec

from features.buckets import BUCKET_VERSION, Bucket
from features.creator import CREATOR_VERSION, CreatorRecord
from features.listing import LISTING_VERSION, ListingRecord
from features.merchant import STATE_VERSION, MerchantRecord
from features.order import ORDER_VERSION, OrderRecord
from features.population import POPULATION_VERSION, Population
from features.timers import UNKNOWN
from streams.store import StoreError

#: A record as decoded JSON.
Raw: TypeAlias = dict[str, Any]


class Versioned(Protocol):
    """What every stored record has."""

    version: int


T = TypeVar("T", bound=Versioned)


class Kind(Generic[T]):
    """One kind of stored record.

    Parameters
    ----------
    name
        What messages call it.
    record
        Its present form.
    version
        The present version.
    field
        Name of the version in the stored JSON.
    upgrades
        Version -> what makes the next version's JSON of it.
    """

    def __init__(
        self, name: str, record: type[T], version: int, field: str, upgrades: Mapping[int, Callable[[Raw], Raw]]
    ) -> None:
        self.name = name
        self.version = version
        self._record = record
        self._field = field
        self._upgrades = upgrades
        self._decode = msgspec.json.Decoder(record).decode

    def read(self, key: str, value: bytes) -> T:
        """A stored record in its present form.

        Raises
        ------
        StoreError
            A newer version wrote it, or it is damaged.
        """
        try:
            record = self._decode(value)
        except msgspec.DecodeError:
            # It may have the form of another version.
            return self._read_other(key, value)
        return record if record.version == self.version else self._read_other(key, value)

    def _read_other(self, key: str, value: bytes) -> T:
        """The way of records of other versions."""
        what = f"{self.name} {key}".rstrip()
        try:
            raw = msgspec.json.decode(value, type=dict[str, Any])
            version = msgspec.convert(raw.get(self._field, 1), int)
            if version > self.version:
                raise StoreError(
                    f"{what} was stored by a newer version (state version {version}, this worker reads up to "
                    f"{self.version}); upgrade this worker"
                )
            while version < self.version:
                raw = self._upgrades[version](raw)
                version += 1
            raw[self._field] = version
            return msgspec.convert(raw, self._record)
        except msgspec.DecodeError as error:
            raise StoreError(
                f"{what} can't be read: {error}. It was changed by hand or damaged; restore Redis from a backup, or "
                "begin anew with another worker.namespace"
            ) from error


def _merchant_2(raw: Raw) -> Raw:
    """Every merchant has a timer; those that had none were given one as the shard was loaded."""
    return {**raw, "timer": raw.get("timer") or UNKNOWN}


def _listing_2(raw: Raw) -> Raw:
    """Listings know when something last happened to them: to one of before, its latest version, as far as is known."""
    return {**raw, "active": max(raw.get("version_at", 0), raw.get("created", 0)), "timer": UNKNOWN}


MERCHANTS: Final = Kind("merchant", MerchantRecord, STATE_VERSION, "version", {1: _merchant_2})
ORDERS: Final = Kind("order", OrderRecord, ORDER_VERSION, "v", {})
LISTINGS: Final = Kind("listing", ListingRecord, LISTING_VERSION, "v", {1: _listing_2})
BUCKETS: Final = Kind("bucket", Bucket, BUCKET_VERSION, "v", {})
CREATORS: Final = Kind("creator", CreatorRecord, CREATOR_VERSION, "v", {})
POPULATIONS: Final = Kind("the population", Population, POPULATION_VERSION, "version", {})
