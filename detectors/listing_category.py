"""Whether a listing's text fits its category, and what the text model learns from which listing."""

from collections.abc import Sequence
from typing import Final

from detectors.category import CategoryModel
from detectors.examples import Examples
from features.events import ListingVersion, ReviewDecided
from features.listing import ListingRecord
from features.listing_words import listing_words
from features.merchant import MerchantRecord
from features.rounding import nearest

#: From this probability on a listing is taught at half weight only. Not at all would be worse: when a new kind of goods
#: comes up, the model would go on denying what it has refused to learn.
DOUBTED: Final = 0.95
DOUBT_WEIGHT: Final = 0.5
#: The more listings a merchant has live beyond this, the less one of them teaches: no shop says alone what belongs
#: where. One of n counts like about 100 (1 + ln(n / 100)) listings.
FULL_WEIGHT_LISTINGS: Final = 100
#: Code of the policy under which a reviewer says that a category was wrong.
POLICY: Final = "category_spam"


class CategoryJudge:
    """Asks and teaches the category model of one shard."""

    __slots__ = ("_examples", "_model")

    def __init__(self, model: CategoryModel, examples: Examples) -> None:
        self._model = model
        self._examples = examples

    def judge(self, event: ListingVersion, listing: ListingRecord) -> list[int]:
        """Note in a listing how its text fits its category; returns the words of the text."""
        words = listing_words(event.title, event.description)
        found = self._model.mismatch(words, event.category)
        listing.category_mismatch = None if found is None else nearest(found.probability, 1e4)
        listing.category_suggested = found.suggested if found is not None and found.probability > 0.5 else ""
        return words

    def accept(self, words: Sequence[int], listing: ListingRecord, owner: MerchantRecord) -> None:
        """Learn from a version with a new text that was judged: nobody objects to it, or to its category alone."""
        doubted = (listing.category_mismatch or 0.0) >= DOUBTED
        if listing.risk and not doubted:
            return
        weight = DOUBT_WEIGHT if doubted else 1.0
        if owner.live_listings > FULL_WEIGHT_LISTINGS:
            weight *= FULL_WEIGHT_LISTINGS / owner.live_listings
        self._model.learn(words, listing.category, weight)
        self._examples.add_listing(listing.title, listing.category, weight)

    def vindicated(self, listing: ListingRecord) -> None:
        """Learn from a version that something was wrongly held against. (Of its text, the title is still known.)"""
        self._model.learn(listing_words(listing.title), listing.category)
        self._examples.add_listing(listing.title, listing.category, 1.0)

    def reviewed(self, listing: ListingRecord, event: ReviewDecided) -> None:
        """Learn from what a reviewer decided about a listing. (Of its text, the title is still known.)"""
        if not listing.version_at:
            return
        words = listing_words(listing.title)
        if event.verdict == "clean":
            self._model.learn(words, listing.category)
        elif event.policy == POLICY:
            self._model.unlearn(words, listing.category)
