"""Buckets: who uses one account value, some bits of one fingerprint, or who was claimed against by one buyer.

A bucket belongs to one shard (:func:`features.exchange.owner_of`), whichever shards its merchants belong to. It is
bounded, and what is idle is forgotten.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from features.exchange import BucketKind, CommonKind
from features.fingerprints import image_bands, title_bands
from features.windows import DAY_MS

#: Version of the stored record.
BUCKET_VERSION: Final = 1
#: Sightings kept in a bucket; the oldest leave. Sixteen bits of a fingerprint are shared by many unlike listings.
SIGHTINGS_LIMIT: Final = 48
#: More merchants than this with one account value are an agency, an office or a parcel shop, not one operator.
ACCOUNT_HUB: Final = 8
#: Resellers of one maker share its images and the words of its titles.
LISTING_HUB: Final = 6
#: Days for which a buyer's claims are counted.
CLAIM_DAYS: Final = 180
#: Days after which what was not seen again is forgotten: accounts for two years, as re-registration takes its time;
#: fingerprints as long as idle listings; claims as long as they are counted.
KEPT_DAYS: Final[dict[BucketKind, int]] = {"image": 365, "title": 365, "buyer": CLAIM_DAYS}
ACCOUNT_DAYS: Final = 730
#: Bands of a title that are looked at.
_TITLE_PLACES: Final = (0, 3)


class Sighting(Struct, array_like=True, gc=False):
    """A merchant of a shard used it, lately at ``at`` (ms); ``listing`` and ``mark`` as in features.exchange.Seen."""

    merchant: str
    shard: int
    at: int
    listing: str = ""
    mark: list[int] = field(default_factory=list)


class Bucket(Struct, omit_defaults=True, rename={"version": "v"}):
    """A bucket as stored; a hub is used by too many merchants to mean anything."""

    #: Absent means 1, for good.
    version: int = 1
    kind: BucketKind = "bank"
    sightings: list[Sighting] = field(default_factory=list)
    hub: bool = False
    #: When its timer fires, ms.
    timer: int = 0


def bucket_end(bucket: Bucket) -> int:
    """Time, ms, at which a bucket is forgotten if nothing more is seen."""
    days = KEPT_DAYS.get(bucket.kind, ACCOUNT_DAYS)
    return max([sighting.at for sighting in bucket.sightings], default=0) + days * DAY_MS


def bands_of(kind: CommonKind, mark: Sequence[int]) -> list[str]:
    """Names of the buckets of an image's or title's fingerprint; two that are alike mostly share one.

    Not all bands, as each costs a lookup. Three of an image: up to 2 bits apart share one always, 3 bits apart in 91 %
    of cases. Two of a title, which have no MinHash value in common: titles of likeness 0.8 share one in 87 % of cases,
    of likeness 0.9 in 96 %. A copied catalogue has many listings.
    """
    bands = image_bands(mark[0])[:3] if kind == "image" else title_bands(mark, _TITLE_PLACES)
    return [f"{kind}/{band:x}" for band in bands]
