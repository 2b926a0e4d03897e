"""What a merchant's shard tells the shards of the creators who promote its goods."""

from typing import Final

from detectors.actions import NO_STRIKE
from detectors.exchange_post import Post
from detectors.judge import Judge
from detectors.ladder import Decision
from detectors.malice import under_malice
from detectors.outbox import Outbox
from features.creator import Creator
from features.driven import MOST_WAITING
from features.exchange import Absolved, Blamed, CreatorFlagged, Driven, ShopFlagged
from features.keys import entity_key
from features.merchant import Merchant
from features.order import OrderRecord
from features.partitions import partition_of
from features.promoters import ANSWERABLE_DAYS, LEFT_LIMIT, Promoter, decayed, note_promoter
from features.shard import ShardState
from features.windows import DAY_MS, HOUR_MS

#: The timer for what was counted; those of records begin with other letters.
TELL_DRIVEN: Final = "d"
#: Event time between two tellings of a creator's orders: short beside the weeks in which outcomes come to be known, and
#: long enough for more than one change to be told at once where little is sold.
TELL_EVERY_MS: Final = 6 * HOUR_MS
FLAGGED: Final = 1
SUSPENDED: Final = 2
_SUSPENSIONS: Final = frozenset(("suspend_merchant", "close_merchant"))


class Promotions:
    """Counts what creators bring to one shard's merchants, and tells their shards."""

    __slots__ = ("_judge", "_outbox", "_post", "_shards", "_state")

    def __init__(self, state: ShardState, judge: Judge, outbox: Outbox, post: Post) -> None:
        self._state = state
        self._judge = judge
        self._outbox = outbox
        self._post = post
        self._shards = judge.settings.shards

    # -- orders -------------------------------------------------------------------------------------------------------

    def placed(self, order: OrderRecord, merchant: Merchant, at: int) -> None:
        """A creator drove an order."""
        record = merchant.record
        promoter, new, left = note_promoter(record.promoters, order.creator, at, order.gmv)
        if not new or not record.shop_told:
            return
        if left is not None:
            self._remember(merchant, left)
        if promoter.creator in record.promoters_left:
            # It knows already.
            record.promoters_left.remove(promoter.creator)
        else:
            self._tell_of_shop(merchant, promoter)

    def _remember(self, merchant: Merchant, left: Promoter) -> None:
        """A creator who was told of a merchant's enforcement left its places: it is to hear of the end as well. Where
        too many left, the first of them hears of it now.
        """
        waiting = merchant.record.promoters_left
        if len(waiting) >= LEFT_LIMIT:
            self._tell_creator(merchant, waiting.pop(0), 0, 0.0)
        waiting.append(left.creator)

    def follow(self, order: OrderRecord, merchant: Merchant) -> None:
        """The flags of an order that a creator drove may have changed: count what its shard has not been told."""
        driven = self._state.driven
        if not driven.note(order, merchant.id, merchant.record.currency):
            return
        if driven.waiting >= MOST_WAITING:
            self._tell()
        elif not driven.tell_at:
            driven.tell_at = (self._state.clock.highest // TELL_EVERY_MS + 1) * TELL_EVERY_MS
            self._state.timers.set(TELL_DRIVEN, driven.tell_at)

    def timer(self, time: int) -> None:
        """The timer fired: tell what was counted."""
        if self._state.driven.tell_at == time:
            self._tell()

    def _tell(self) -> None:
        driven = self._state.driven
        for creator, merchants in driven.counts.items():
            shard = partition_of(creator, self._shards)
            for merchant, counts in merchants.items():
                self._post.to(shard, Driven(creator, merchant, counts))
        driven.counts = {}
        driven.waiting = 0
        if driven.tell_at:
            driven.tell_at = 0
            self._state.timers.clear(TELL_DRIVEN)

    # -- enforcement --------------------------------------------------------------------------------------------------

    def blame(self, merchant: Merchant, decision: Decision) -> None:
        """Where a decision against a listing is carried out, tell those who promoted it, if its policy is about what
        they should have seen.
        """
        if decision.subject_kind != "listing" or decision.requires_review or decision.action in NO_STRIKE:
            return
        if decision.policy not in self._judge.policies.limits.promoted:
            return
        listing_id, decision_id = decision.subject_id, decision.decision_id
        key = entity_key(merchant.id, listing_id)
        listing = self._state.listings.get(key)
        if listing is None:
            return
        oldest = merchant.record.as_of - ANSWERABLE_DAYS * DAY_MS
        blamed = [each.creator for each in listing.promoters if each.at > oldest]
        if not blamed:
            return
        listing.blamed[decision_id] = blamed
        self._state.touched_listings[key] = None
        for creator in blamed:
            item = Blamed(creator, merchant.id, listing_id, decision.policy, decision_id)
            self._post.to(partition_of(creator, self._shards), item)

    def absolve(self, merchant: Merchant, listing_id: str, decision_id: str) -> None:
        """A decision against a listing was wrong: take back what was told of it."""
        key = entity_key(merchant.id, listing_id)
        listing = self._state.listings.get(key)
        blamed = None if listing is None else listing.blamed.pop(decision_id, None)
        if blamed:
            self._state.touched_listings[key] = None
            for creator in blamed:
                self._post.to(partition_of(creator, self._shards), Absolved(creator, merchant.id, decision_id))

    def shop_stands(self, merchant: Merchant) -> None:
        """What is in force against a merchant may have changed: tell its promoters when it comes under enforcement for
        malice or is suspended, and when that ends. What still waits for a person's decision is no finding.
        """
        record = merchant.record
        told = FLAGGED if under_malice(merchant, self._judge.policies) else 0
        if record.enforcement is not None and any(
            each.subject_kind == "merchant" and not each.requires_review and each.action in _SUSPENSIONS
            for each in record.enforcement.active
        ):
            told = FLAGGED | SUSPENDED
        if told != record.shop_told:
            record.shop_told = told
            for promoter in record.promoters:
                self._tell_of_shop(merchant, promoter)
            for creator in record.promoters_left:
                self._tell_creator(merchant, creator, told, 0.0)
            if not told:
                record.promoters_left = []

    def _tell_of_shop(self, merchant: Merchant, promoter: Promoter) -> None:
        record = merchant.record
        activity = record.activity
        total = decayed(activity.gmv_base, record.as_of - activity.at)
        driven = decayed(promoter.gmv, record.as_of - promoter.at)
        share = round(min(1.0, driven / total), 4) if total > 0 else 0.0
        self._tell_creator(merchant, promoter.creator, record.shop_told, share)

    def _tell_creator(self, merchant: Merchant, creator: str, told: int, share: float) -> None:
        item = ShopFlagged(creator, merchant.id, told & FLAGGED != 0, told & SUSPENDED != 0, share)
        self._post.to(partition_of(creator, self._shards), item)

    def creator_stands(self, creator: Creator) -> None:
        """What is in force against a creator may have changed: tell the merchants to whom it drives orders."""
        record = creator.record
        flagged = under_malice(creator, self._judge.policies)
        if flagged != record.flagged:
            record.flagged = flagged
            for merchant, shop in record.shops.items():
                self._post.to(shop.shard, CreatorFlagged(merchant, creator.id, flagged))

    @staticmethod
    def flagged(merchant: Merchant, item: CreatorFlagged) -> bool:
        """A creator came under enforcement for malice, or does no longer; true if that is news of a promoter."""
        for each in merchant.record.promoters:
            if each.creator == item.creator and each.flagged != item.flagged:
                each.flagged = item.flagged
                return True
        return False
