"""What a shard tells others: collected while a record is applied, sent as one message to each shard concerned."""

from typing import Final

import msgspec
from xxhash import xxh3_64_intdigest

from detectors.flush import Emit
from detectors.outbox import Outbox
from features import events
from features.buckets import bands_of
from features.exchange import BucketKind, Figures, Flagged, Item, Message, Origin, Seen, owner_of
from features.figures import Tally
from features.fingerprints import title_fingerprint
from features.listing import ListingRecord
from features.merchant import Merchant
from features.pseudonyms import Pseudonyms
from features.shard import ShardState

#: Images of a listing that are compared: the first one shows the product. Each costs three lookups.
IMAGES_COMPARED: Final = 1
_LOOK_MASK: Final = (1 << 40) - 1
_encode = msgspec.json.Encoder().encode


class Post:
    """The outgoing messages of one shard.

    Parameters
    ----------
    state, outbox
        The shard's.
    shards
        How many there are.
    pseudonyms
        For account values, which never leave as themselves.

    Attributes
    ----------
    waiting
        What is to be sent, by shard; always the same dictionary.
    """

    __slots__ = ("_outbox", "_pseudonyms", "_shards", "_state", "waiting")

    def __init__(self, state: ShardState, outbox: Outbox, shards: int, pseudonyms: Pseudonyms) -> None:
        self._state = state
        self._outbox = outbox
        self._shards = shards
        self._pseudonyms = pseudonyms
        self.waiting: dict[int, list[Item]] = {}

    def forget(self) -> None:
        """Drop what is waiting: its record failed."""
        self.waiting.clear()

    def send(self) -> None:
        """Send what the present record had to say."""
        source = self._outbox.source
        origin = Origin(
            self._state.partition,
            source.topic,
            self._state.correspondence.made_anew.get(source.topic, 0),
            source.offset,
        )
        for shard, items in self.waiting.items():
            message = Message(origin, self._outbox.time, items)
            identifier = f"exchange-{origin.shard}-{source.topic}-{source.offset}-{shard}"
            key = f"{origin.shard}>{shard}".encode()
            self._outbox.emits.append(Emit("exchange", key, _encode(message), (), identifier, shard))
        self.waiting.clear()

    def to(self, shard: int, item: Item) -> None:
        """Tell a shard something."""
        items = self.waiting.get(shard)
        if items is None:
            self.waiting[shard] = [item]
        else:
            items.append(item)

    def account_value(self, merchant: Merchant, event: events.MerchantAccountChanged) -> None:
        """A merchant's account has a new value."""
        name = self._pseudonyms.long(event.what, event.value_hash)[:20]
        self._seen([f"{event.what}/{name}"], event.what, merchant.id)

    def listing(
        self, merchant: Merchant, listing: ListingRecord, event: events.ListingCreated | events.ListingUpdated
    ) -> None:
        """A listing has a version; what looks like the one before needs no telling."""
        images = (event.image_hashes or [])[:IMAGES_COMPARED]
        look = xxh3_64_intdigest("\n".join([listing.title, *images]).encode()) & _LOOK_MASK
        if look == listing.look:
            return
        listing.look = look
        mark = title_fingerprint(listing.title)
        self._seen(bands_of("title", mark), "title", merchant.id, event.listing_id, list(mark))
        for image in images:
            value = [int(image, 16)]
            self._seen(bands_of("image", value), "image", merchant.id, event.listing_id, value)

    def claim(self, merchant: Merchant, order_id: str, buyer: int) -> None:
        """A buyer claims that something was wrong with an order."""
        self._seen([f"buyer/{buyer:x}"], "buyer", merchant.id, order_id)

    def flagged(self, merchant: Merchant, flagged: bool) -> None:
        """A merchant is, or is no longer, under enforcement for malice: tell those that it is linked to."""
        for link in merchant.record.links:
            self.to(link.shard, Flagged(link.other, merchant.id, flagged))

    def figures(self, tally: Tally) -> None:
        """Tell all others what was counted."""
        for shard in range(self._shards):
            if shard != self._state.partition:
                self.to(shard, Figures(tally))

    def _seen(
        self, buckets: list[str], kind: BucketKind, merchant: str, listing: str = "", mark: list[int] | None = None
    ) -> None:
        owners: dict[int, list[str]] = {}
        for bucket in buckets:
            owners.setdefault(owner_of(bucket, self._shards), []).append(bucket)
        for owner, owned in owners.items():
            self.to(owner, Seen(owned, kind, merchant, listing, mark or []))
