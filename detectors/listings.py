"""What each event of a listing changes."""

from math import log

from xxhash import xxh3_64_intdigest

from detectors.assess import Assessor
from detectors.listing_category import CategoryJudge
from detectors.orders import event_digest
from features import events
from features.brand_names import brand_name
from features.keys import entity_key, split_key
from features.listing import ListingRecord, end_price, listing_end, note_sold
from features.listing_text import listing_signals, title_similarity
from features.merchant import (
    CATEGORIES_LIMIT,
    LISTING_EDITS,
    LISTINGS_CREATED,
    LISTINGS_REMOVED,
    NEW_CATEGORIES,
    PRICE_CUTS,
    Merchant,
    MerchantRecord,
)
from features.priors import begin_day
from features.registry import FEATURES_VERSION
from features.text import TITLE_CHARACTERS
from features.timers import UNKNOWN
from features.windows import DAY_MS

#: Event ids kept per listing to drop repeats.
SEEN_LIMIT = 16

#: A price is cut from here on: below this share of the version's own list price or of the price before. Ordinary sales
#: take 20 to 30 % off.
CUT_SHARE = 0.65
#: Days from first sight in which whatever a merchant offers is its range, and no shift of it.
SETTING_UP_DAYS = 7
_CATEGORY_MASK = (1 << 16) - 1


class ListingFlow:
    """Applies listing events to a shard's state."""

    __slots__ = ("_assessor", "_categories", "_judge", "_state")

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._state = assessor.state
        self._judge = assessor.judge
        self._categories = CategoryJudge(assessor.models.category, assessor.models.examples)

    def apply(self, event: events.ListingInput) -> None:
        """Apply one event: the version, the merchant's churn, judgement."""
        state = self._state
        key = entity_key(event.merchant_id, event.listing_id)
        listing = state.listing(key)
        digest = event_digest(event.event_id)
        if digest in listing.seen:
            state.statistics.duplicates += 1
            return
        if len(listing.seen) >= SEEN_LIMIT:
            del listing.seen[0]
        listing.seen.append(digest)
        state.statistics.events += 1
        merchant = state.merchant(event.merchant_id)
        if merchant.advance(event.occurred_at):
            begin_day(self._state.population, merchant)
        if not merchant.record.timer:
            self._assessor.timers.start(merchant)
        listing.active_at = max(listing.active_at, event.occurred_at)
        match event:
            case events.ListingExposed():
                listing.views += event.views
            case events.ListingRemoved():
                self._remove(listing, merchant, event.occurred_at)
            case _:
                self._version(event, listing, merchant)
        self._keep(key, listing)

    def timer(self, key: str, time: int) -> None:
        """A listing's timer fired at an event time: its retention has ended, or ends later than was known then."""
        state = self._state
        listing = state.listings.get(key)
        if listing is None or listing.timer not in (time, UNKNOWN):
            return
        state.statistics.timers += 1
        end = self._end(listing)
        if end <= time:
            self._forget(key, listing)
        else:
            state.touched_listings[key] = None
            listing.timer = end
            state.timers.set(f"l{key}", end)

    def _keep(self, key: str, listing: ListingRecord) -> None:
        """Have the listing looked at when it may be forgotten. What keeps it longer moves no timer: that is found out
        when it fires, and costs nothing with each event.
        """
        end = self._end(listing)
        if listing.timer <= 0 or end < listing.timer:
            listing.timer = end
            self._state.timers.set(f"l{key}", end)

    def _end(self, listing: ListingRecord) -> int:
        settings = self._judge.settings
        return listing_end(listing, settings.removed_listing_days, settings.idle_listing_days)

    def _forget(self, key: str, listing: ListingRecord) -> None:
        """Take a listing out of the state. A live one is counted no more among those of its merchant and category."""
        state = self._state
        if listing.version_at and not listing.removed:
            merchant_id, _ = split_key(key)
            # Merchants are kept longer than listings, unless the settings were changed in between.
            record = state.merchant(merchant_id).record if merchant_id in state.merchants else MerchantRecord()
            record.live_listings -= 1
            self._withdraw_price(listing, record)
        state.forget_listing(key)

    def _version(
        self, event: events.ListingCreated | events.ListingUpdated, listing: ListingRecord, merchant: Merchant
    ) -> None:
        at = event.occurred_at
        created = type(event) is events.ListingCreated
        if created:
            listing.created = at
            merchant.churn.add(at // DAY_MS, LISTINGS_CREATED, 1)
        else:
            merchant.churn.add(at // DAY_MS, LISTING_EDITS, 1)
        if listing.version_at and at < listing.version_at:
            # An older version that arrives late is counted, but does not take the place of the newer one.
            return
        first = not listing.version_at
        new_text = first or listing.title != event.title[:TITLE_CHARACTERS] or listing.category != event.category
        ended = listing.version_at if listing.removed else at
        if not first and not listing.removed:
            self._withdraw_price(listing, merchant.record)
        else:
            merchant.record.live_listings += 1
            listing.removed = False
        if not first:
            listing.edits += 0 if created else 1
            listing.previous_price = listing.price
            end_price(listing, ended, at)
            listing.previous_list_price = listing.list_price
            note_sold(listing, event.title[:TITLE_CHARACTERS], event.category, event.brand or "")
            listing.title_similarity = round(title_similarity(listing.title, event.title), 4)
            listing.category_changed = listing.category != event.category
            listing.brand_changed = listing.brand != (event.brand or "")
        elif not created:
            # An edit of a listing whose creation was not seen: nothing to compare with.
            listing.created = at
        if _cut(event, 0 if first else listing.previous_price):
            merchant.churn.add(at // DAY_MS, PRICE_CUTS, 1)
        if (first or listing.category_changed) and _new_category(merchant.record, event.category, at):
            merchant.churn.add(at // DAY_MS, NEW_CATEGORIES, 1)
        self._price(event, listing, merchant)
        listing.version_at = at
        # As much as is ever compared: a title may have 20,000 characters.
        listing.title = event.title[:TITLE_CHARACTERS]
        listing.category = event.category
        listing.brand = event.brand or ""
        listing.currency = event.currency
        listing.price = event.price
        listing.list_price = event.list_price or 0
        listing.ship_from = event.ship_from or ""
        words = self._judge_text(event, listing)
        self._assessor.post.listing(merchant, listing, event)
        self._assessor.listing(type(event), event.listing_id, listing, merchant)
        if not listing.risk and merchant.record.credit is not None:
            self._assessor.enforcer.credit.corrected(merchant, event.listing_id, at)
        if new_text and words is not None:
            self._categories.accept(words, listing, merchant.record)
        self._assessor.merchant(merchant, False)

    def _judge_text(
        self, event: events.ListingCreated | events.ListingUpdated, listing: ListingRecord
    ) -> list[int] | None:
        """Note in a listing what a version's text and category say; returns the words of the text.

        Nearly all edits are of prices and quantities: one that changes nothing of what was judged, by the same
        policies, is not judged again, and gives ``None``.
        """
        judged = self._text_digest(event)
        if judged == listing.judged and listing.category_mismatch is not None:
            return None
        if judged != listing.judged:
            listing.judged = judged
            signals = listing_signals(event, self._judge.policies.terms)
            listing.replica_terms = signals.replica_terms
            listing.contact_terms = signals.contact_terms
            listing.prohibited_terms = signals.prohibited_terms
            listing.claim_terms = signals.claim_terms
            listing.brand_unauthorised = signals.brand_unauthorised
            listing.category_prohibited = signals.category_prohibited
            listing.category_restricted = signals.category_restricted
            listing.disguised_terms = signals.disguised_terms
            listing.brand_lookalike = signals.brand_lookalike
        return self._categories.judge(event, listing)

    def _text_digest(self, event: events.ListingVersion) -> int:
        """Stands for everything that a listing's text is judged by, the policies included.

        Keyed: under a public hash a forbidden text could be made to pass for the one that was judged before.
        """
        texts = [self._judge.policies.version, FEATURES_VERSION, event.title, event.description or "", event.category]
        texts += (event.brand or "", *(event.authorizations or ()))
        # With their lengths, so that nothing can be moved from one to another.
        told = "".join([f"{len(text)}:{text}" for text in texts])
        return self._judge.pseudonyms.pair("listing text", told)[1]

    def _price(
        self, event: events.ListingCreated | events.ListingUpdated, listing: ListingRecord, merchant: Merchant
    ) -> None:
        """Count a version's price in its category, and in the merchant's own level against it."""
        record = merchant.record
        if not record.currency:
            record.currency = event.currency
        if event.price <= 0:
            return
        level = self._state.population.price_level(event.currency, event.category)
        # Judged against the others: the median is read before this price joins.
        median, low = level.median_log(), level.low_log()
        level.add(event.price)
        price = log(event.price)
        listing.low_level = None if low is None else round(price - low, 4)
        listing.brand_level = None
        if event.brand:
            brand = self._state.population.brand_level(event.currency, event.category, brand_name(event.brand))
            usual = brand.median_log()
            brand.add(event.price)
            listing.brand_level = None if usual is None else round(price - usual, 4)
        if median is not None:
            listing.level = round(price - median, 4)
            record.level_sum = round(record.level_sum + listing.level, 4)
            record.levelled += 1

    def _remove(self, listing: ListingRecord, merchant: Merchant, at: int) -> None:
        if listing.removed or not listing.version_at:
            return
        merchant.churn.add(at // DAY_MS, LISTINGS_REMOVED, 1)
        if at < listing.version_at:
            # It was put up again since.
            return
        listing.removed = True
        # Versions from before the removal that arrive after it are old.
        listing.version_at = at
        merchant.record.live_listings -= 1
        self._withdraw_price(listing, merchant.record)

    def _withdraw_price(self, listing: ListingRecord, record: MerchantRecord) -> None:
        """Take the price of a live version out of the category's counts and the merchant's own level."""
        if listing.price > 0:
            brand = brand_name(listing.brand) if listing.brand else ""
            self._state.population.remove_price(listing.currency, listing.category, brand, listing.price)
        if listing.level is not None:
            record.level_sum = round(record.level_sum - listing.level, 4)
            record.levelled -= 1
            listing.level = None


def _cut(event: events.ListingCreated | events.ListingUpdated, before: int) -> bool:
    """Whether a version is offered far below its list price, or below the price before it."""
    return event.price < CUT_SHARE * max(before, event.list_price or 0)


def _new_category(record: MerchantRecord, category: str, at: int) -> bool:
    """Note a category that a merchant offers; true if it is a new one for a merchant that had its range."""
    # The part before the slash: a shop for lamps may well sell chairs, one for garden tools hardly phones.
    digest = xxh3_64_intdigest(category.partition("/")[0].encode()) & _CATEGORY_MASK
    if digest in record.categories:
        return False
    if len(record.categories) < CATEGORIES_LIMIT:
        record.categories = [*record.categories, digest]
    return at - record.first_seen >= SETTING_UP_DAYS * DAY_MS
