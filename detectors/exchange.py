"""What a shard makes of what others tell it: who uses the same things, who is under enforcement, who claims a lot."""

from collections.abc import Callable
from typing import Final

from detectors.assess import Assessor
from detectors.creators import CreatorFlow
from detectors.exchange_post import Post
from features.buckets import (
    ACCOUNT_HUB,
    CLAIM_DAYS,
    LISTING_HUB,
    SIGHTINGS_LIMIT,
    Bucket,
    Sighting,
    bands_of,
    bucket_end,
)
from features.exchange import (
    BuyerClaims,
    CommonKind,
    CreatorFlagged,
    Fared,
    Figures,
    Flagged,
    Item,
    Message,
    Met,
    Seen,
    Unmet,
)
from features.fingerprints import images_alike, titles_alike
from features.keys import entity_key
from features.links import BITS, LISTINGS_LIMIT, link, note_match, unlink
from features.merchant import Merchant
from features.priors import begin_day
from features.windows import DAY_MS, HOUR_MS

#: Event time between two tellings of what was counted: short beside the half-lives of two weeks and more.
TELL_EVERY_MS: Final = HOUR_MS
#: The timer for it; those of records begin with other letters.
TELL: Final = "x"
#: Claims of a buyer from which on their merchants are told.
MANY_CLAIMS: Final = 3
#: Alike listings that one sighting is reported with at most.
_REPORTED: Final = 8


class ExchangeFlow:
    """Applies messages of other shards to a shard's state."""

    __slots__ = ("_assessor", "_creators", "_post", "_shards", "_state")

    def __init__(self, assessor: Assessor, post: Post, shards: int, creators: CreatorFlow) -> None:
        self._assessor = assessor
        self._creators = creators
        self._state = state = assessor.state
        self._post = post
        self._shards = shards
        if shards > 1:
            population = state.population
            if population.tally is None:
                population.start_tally()
            if not state.correspondence.tell_at:
                # Due as soon as the shard's event time begins to move.
                state.correspondence.tell_at = 1
                state.timers.set(TELL, 1)

    def apply(self, message: Message, flow_of: "Callable[[Item], ExchangeFlow] | None" = None) -> None:
        """Apply one message, unless it was applied before; ``flow_of`` says which flow takes an item, if not this."""
        state = self._state
        if not state.correspondence.take(message.origin):
            state.statistics.duplicates += 1
            return
        state.statistics.messages += 1
        # Another shard may be ahead; its time is not this one's.
        at = min(message.occurred_at, max(state.clock.highest, state.clock.watermark) or message.occurred_at)
        for item in message.items:
            (self if flow_of is None else flow_of(item)).take(item, message, at)

    def take(self, item: Item, message: Message, at: int) -> None:
        """Apply one item of a message at an event time, ms."""
        match item:
            case Seen():
                for name in item.buckets:
                    self._seen(name, item, message.origin.shard, message.occurred_at)
            case Figures():
                self._state.population.take_in(item.tally, message.occurred_at)
            case Met():
                self._met(item, at)
            case Unmet():
                self._unmet(item, at)
            case Flagged():
                self._flagged(item, at)
            case Fared():
                self._fared(item, at)
            case BuyerClaims():
                self._claims(item, at)
            case CreatorFlagged():
                self._creator_flagged(item, at)
            case _:
                self._creators.told(item, message.origin.shard, at)

    # -- timers -------------------------------------------------------------------------------------------------------

    def tell(self, time: int) -> None:
        """Tell the others what was counted, and when to do so next."""
        state = self._state
        if self._shards < 2:
            state.timers.clear(TELL)
            return
        tally = state.population.tally
        if tally is not None and not tally.empty:
            self._post.figures(tally)
            state.population.start_tally()
        # Not one message for each hour of a gap in time.
        later = max(time, state.clock.watermark)
        state.correspondence.tell_at = (later // TELL_EVERY_MS + 1) * TELL_EVERY_MS
        state.timers.set(TELL, state.correspondence.tell_at)

    def timer(self, name: str, time: int) -> None:
        """A bucket's timer fired: its time is over, or it was used since."""
        state = self._state
        bucket = state.buckets.get(name)
        if bucket is None or bucket.timer != time:
            return
        state.statistics.timers += 1
        end = bucket_end(bucket)
        if end <= time:
            state.forget_bucket(name)
        else:
            state.touched_buckets[name] = None
            self._keep(name, bucket, end)

    def _keep(self, name: str, bucket: Bucket, end: int) -> None:
        bucket.timer = end
        self._state.timers.set(f"b{name}", end)

    # -- as the owner of a bucket -------------------------------------------------------------------------------------

    def _seen(self, name: str, item: Seen, shard: int, at: int) -> None:
        """Note who uses it, and tell those whom it concerns."""
        bucket = self._state.bucket(name, item.kind)
        sightings = bucket.sightings
        for known in sightings:
            if known.merchant == item.merchant and known.listing == item.listing:
                known.at = max(known.at, at)
                if known.mark == item.mark:
                    return
                # Another title or image under the same bits.
                sightings.remove(known)
                break
        others = list(sightings)
        sightings.append(Sighting(item.merchant, shard, at, item.listing, item.mark))
        if len(sightings) > SIGHTINGS_LIMIT:
            sightings.remove(min(sightings, key=lambda each: each.at))
        if not bucket.timer:
            self._keep(name, bucket, bucket_end(bucket))
        if item.kind == "buyer":
            self._count_claims(bucket, shard, item, at)
        elif item.kind in ("image", "title"):
            self._alike(name, item, others, shard)
        else:
            self._shared(bucket, item, others, shard)

    def _shared(self, bucket: Bucket, item: Seen, others: list[Sighting], shard: int) -> None:
        """An account value is used by others, too."""
        kind: CommonKind = item.kind  # type: ignore[assignment]  # not a buyer
        if bucket.hub:
            return
        others = [each for each in others if each.merchant != item.merchant]
        if len(others) >= ACCOUNT_HUB:
            bucket.hub = True
            names = [each.merchant for each in others]
            for each in others:
                self._post.to(each.shard, Unmet(kind, each.merchant, [name for name in names if name != each.merchant]))
            return
        for each in others:
            self._post.to(shard, Met(kind, item.merchant, "", each.merchant, each.shard, "", True))
            self._post.to(each.shard, Met(kind, each.merchant, "", item.merchant, shard, "", False))

    def _alike(self, name: str, item: Seen, others: list[Sighting], shard: int) -> None:
        """Listings look alike; those that several buckets hold are reported by the first of them."""
        kind: CommonKind = item.kind  # type: ignore[assignment]  # not a buyer
        found = [each for each in others if _alike(kind, name, item.mark, each.mark)]
        if len({each.merchant for each in found if each.merchant != item.merchant}) > LISTING_HUB:
            found = [each for each in found if each.merchant == item.merchant]
        for each in found[-_REPORTED:]:
            self._post.to(shard, Met(kind, item.merchant, item.listing, each.merchant, each.shard, each.listing, True))
            if each.merchant != item.merchant:
                self._post.to(
                    each.shard, Met(kind, each.merchant, each.listing, item.merchant, shard, item.listing, False)
                )

    def _count_claims(self, bucket: Bucket, shard: int, item: Seen, at: int) -> None:
        """A buyer made a claim: tell the merchants concerned from the third claim on, once more than one is."""
        recent = [each for each in bucket.sightings if each.at > at - CLAIM_DAYS * DAY_MS]
        merchants = len({each.merchant for each in recent})
        if len(recent) < MANY_CLAIMS or merchants < 2:
            return
        for each in recent:
            self._post.to(each.shard, BuyerClaims(each.merchant, each.listing, len(recent), merchants))

    # -- as the shard of a merchant -----------------------------------------------------------------------------------

    def _met(self, item: Met, at: int) -> None:
        state = self._state
        if item.merchant not in state.merchants:
            # Forgotten since.
            return
        merchant = self._merchant(item.merchant, at)
        listing, match_is = None, ""
        if item.listing:
            key = entity_key(item.merchant, item.listing)
            listing = state.listings.get(key)
            if listing is None:
                return
            other = "" if item.other == item.merchant else item.other
            match_is = note_match(listing.matches, other, item.other_listing, item.kind, item.first)
            if match_is == "known":
                return
            state.touched_listings[key] = None
        # A title or an image alone may be the maker's: it makes no link between merchants.
        linked = item.other != item.merchant and (listing is None or match_is == "more")
        if linked:
            found, new = link(merchant.record.links, item.other, item.other_shard, item.kind)
            if match_is == "more" and found.listings < LISTINGS_LIMIT:
                found.common |= BITS["title"] | BITS["image"]
                found.listings += 1
                found.copied += item.first
            if listing is None and found.close:
                self._assessor.linked.tell_one(merchant, found)
            if new and merchant.record.flagged:
                self._post.to(item.other_shard, Flagged(item.other, merchant.id, True))
        if listing is not None and item.first:
            self._assessor.listing(Met, item.listing, listing, merchant)
        if linked:
            self._assessor.merchant(merchant, True)

    def _unmet(self, item: Unmet, at: int) -> None:
        if item.merchant in self._state.merchants:
            merchant = self._merchant(item.merchant, at)
            if unlink(merchant.record.links, item.others, item.kind):
                self._assessor.merchant(merchant, True)

    def _flagged(self, item: Flagged, at: int) -> None:
        if item.merchant not in self._state.merchants:
            return
        merchant = self._merchant(item.merchant, at)
        for each in merchant.record.links:
            if each.other == item.other and each.flagged != item.flagged:
                each.flagged = item.flagged
                self._assessor.merchant(merchant, True)

    def _fared(self, item: Fared, at: int) -> None:
        """An account that is taken to be of the same operator did so, or came under restrictions."""
        if item.merchant not in self._state.merchants:
            return
        merchant = self._merchant(item.merchant, at)
        found = next((each for each in merchant.record.links if each.other == item.other), None)
        if found is not None and found.fared != item.counts:
            found.fared = item.counts
            self._assessor.merchant(merchant, True)

    def _creator_flagged(self, item: CreatorFlagged, at: int) -> None:
        if item.merchant in self._state.merchants:
            merchant = self._merchant(item.merchant, at)
            if self._assessor.promotions.flagged(merchant, item):
                self._assessor.merchant(merchant, True)

    def _claims(self, item: BuyerClaims, at: int) -> None:
        """The buyer of an order claims a lot, everywhere."""
        state = self._state
        key = entity_key(item.merchant, item.order)
        order = state.orders.get(key)
        if order is None or item.merchant not in state.merchants or order.buyer_claims >= item.claims:
            return
        state.touched_orders[key] = None
        order.buyer_claims = item.claims
        order.buyer_claim_merchants = item.merchants
        merchant = self._merchant(item.merchant, at)
        merchant.reflag(order)
        if order.creator:
            self._assessor.promotions.follow(order, merchant)
        if order.created is not None:
            self._assessor.order(BuyerClaims, item.order, order, merchant)
        self._assessor.merchant(merchant, False)
        if order.remedies and self._assessor.remedies is not None:
            self._assessor.remedies.again(item.order, order, merchant)

    def _merchant(self, merchant_id: str, at: int) -> Merchant:
        state = self._state
        merchant = state.merchant(merchant_id)
        if merchant.advance(at):
            begin_day(state.population, merchant)
        if not merchant.record.timer:
            self._assessor.timers.start(merchant)
        return merchant


def _alike(kind: CommonKind, name: str, mark: list[int], other: list[int]) -> bool:
    """Whether two listings look alike, and this bucket is the first that holds both."""
    alike = images_alike(mark[0], other[0]) if kind == "image" else titles_alike(mark, other)
    if not alike:
        return False
    others = bands_of(kind, other)
    return next((band for band in bands_of(kind, mark) if band in others), "") == name
