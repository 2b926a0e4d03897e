"""What shards tell each other: messages on the internal exchange topic, each addressed to one shard.

Some facts concern merchants of several shards: a bank account or an image that two of them use, a buyer who claims
everywhere, how late a carrier is at present. No shard reads another one's state. It sends a message to the shard that
owns the fact (a *bucket*: an account value, some bits of a fingerprint, a buyer), which answers the shards of those
whom it concerns. A message is input like any other record: journalled, applied in order, applied once.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from features.driven import DrivenCounts
from features.figures import Tally
from features.linked_counts import LinkedCounts

#: What two merchants can have in common, each with its bit in a link (:mod:`features.links`).
CommonKind: TypeAlias = Literal["bank", "address", "phone", "email", "owner", "device", "image", "title"]
COMMON_KINDS: Final[tuple[CommonKind, ...]] = (
    "bank", "address", "phone", "email", "owner", "device", "image", "title",
)  # fmt: skip
BucketKind: TypeAlias = CommonKind | Literal["buyer"]


class Origin(Struct, frozen=True, array_like=True):
    """The record that caused a message. A shard causes at most one message per record and addressee, in the order of
    its records, so a message is a repeat if one of the same or a later record of that topic has been seen.

    Attributes
    ----------
    shard, topic, offset
        Of the record; for a tick of event time its topic is ``tick`` and its offset is the time.
    made_anew
        How often the topic was made anew, as far as the shard has noticed: offsets begin again then.
    """

    shard: int
    topic: str
    made_anew: int
    offset: int


class Seen(Struct, frozen=True, array_like=True, tag="seen"):
    """To the owner of buckets: a merchant uses what is in them.

    ``listing`` and ``mark`` (the fingerprint) for images and titles; for a buyer's claim ``listing`` is the order.
    """

    buckets: list[str]
    kind: BucketKind
    merchant: str
    listing: str = ""
    mark: list[int] = field(default_factory=list)


class Met(Struct, frozen=True, array_like=True, tag="met"):
    """To a merchant's shard: it has something in common with another one.

    ``listing`` is its own, ``other_listing`` the other one's, where that is what they have in common. ``first`` says
    whether the other had it before. The other merchant may be the merchant itself, with another listing.
    """

    kind: CommonKind
    merchant: str
    listing: str
    other: str
    other_shard: int
    other_listing: str
    first: bool


class Unmet(Struct, frozen=True, array_like=True, tag="unmet"):
    """To a merchant's shard: so many have it that having it in common means nothing (an agency, a maker's image)."""

    kind: CommonKind
    merchant: str
    others: list[str]


class Flagged(Struct, frozen=True, array_like=True, tag="flagged"):
    """To a merchant's shard: whether a merchant that it is linked to is under enforcement for malice."""

    merchant: str
    other: str
    flagged: bool


class Fared(Struct, frozen=True, array_like=True, tag="fared"):
    """To a merchant's shard: how a merchant that it is closely linked to fares."""

    merchant: str
    other: str
    counts: LinkedCounts


class BuyerClaims(Struct, frozen=True, array_like=True, tag="claims"):
    """To the shard of an order with a claim: how many claims its buyer made lately, on how many merchants' orders."""

    merchant: str
    order: str
    claims: int
    merchants: int


class Figures(Struct, frozen=True, array_like=True, tag="figures"):
    """To every other shard: what was counted since the last time."""

    tally: Tally


class Driven(Struct, frozen=True, array_like=True, tag="driven"):
    """To a creator's shard: what became of orders that the creator drove to a merchant."""

    creator: str
    merchant: str
    counts: DrivenCounts


class Blamed(Struct, frozen=True, array_like=True, tag="blamed"):
    """To a creator's shard: a listing that the creator promoted was enforced against, under which policy."""

    creator: str
    merchant: str
    listing: str
    policy: str
    decision: str


class Absolved(Struct, frozen=True, array_like=True, tag="absolved"):
    """To a creator's shard: a decision that it was told of was wrong."""

    creator: str
    merchant: str
    decision: str


class ShopFlagged(Struct, frozen=True, array_like=True, tag="shop"):
    """To a creator's shard: whether a merchant is under enforcement for malice, and whether it is suspended.

    ``share`` is the part of the merchant's turnover that the creator drives, 0 to 1.
    """

    creator: str
    merchant: str
    flagged: bool
    suspended: bool
    share: float


class CreatorFlagged(Struct, frozen=True, array_like=True, tag="creator"):
    """To a merchant's shard: whether a creator who drives orders to it is under enforcement for malice."""

    merchant: str
    creator: str
    flagged: bool


#: What is told to the shards of creators.
ToCreator: TypeAlias = Driven | Blamed | Absolved | ShopFlagged

#: Names by which rules call what other shards say of an order or listing.
NOTICES: Final[dict[str, dict[type[Struct], str]]] = {
    "order": {BuyerClaims: "order.claims_known"},
    "listing": {Met: "listing.matched"},
}

Item: TypeAlias = Seen | Met | Unmet | Flagged | Fared | BuyerClaims | Figures | ToCreator | CreatorFlagged


class Message(Struct, frozen=True):
    """What one shard tells another, because of one record. ``occurred_at`` is event time, ms."""

    origin: Origin
    occurred_at: int
    items: list[Item]


def owner_of(bucket: str, shards: int) -> int:
    """The shard that keeps a bucket."""
    return xxh3_64_intdigest(bucket.encode()) % shards
