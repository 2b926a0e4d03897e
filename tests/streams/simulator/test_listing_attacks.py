"""Attacks that are in the listings, and what honest listings have that looks like them."""

from collections import defaultdict

import pytest

from config.policies import load_policies
from features.events import ListingCreated, ListingUpdated, ListingVersion
from features.listing_text import compile_terms, listing_signals
from streams.simulator.catalog import CATEGORIES
from tests.streams.simulator.market import Market

LISTING_ATTACKS = (
    "copied_listings", "duplicate_listings", "category_spam", "switched_listings", "fake_discount", "off_platform",
    "prohibited_goods",
)  # fmt: skip
NOUNS = {category.name: category.nouns for category in CATEGORIES}


def _bad(bazaar: Market, name: str) -> dict[str, list[ListingVersion]]:
    """Versions of the listings of a pattern, by listing."""
    found: dict[str, list[ListingVersion]] = defaultdict(list)
    for merchant in bazaar.truth.attacks[name].merchants:
        for version in bazaar.versions[merchant]:
            if bazaar.truth.listings.get(version.listing_id) == name:
                found[version.listing_id].append(version)
    assert found
    return found


def _images(version: ListingVersion) -> list[int]:
    return [int(image, 16) for image in version.image_hashes or ()]


def _words(version: ListingVersion) -> set[str]:
    return set(version.title.replace(",", " ").split())


def _alike(one: list[int], other: list[int]) -> int:
    """How many pictures of ``one`` are near copies of some of ``other``."""
    return sum(any((a ^ b).bit_count() <= 5 for b in other) for a in one)


@pytest.mark.parametrize("name", LISTING_ATTACKS)
def test_listings_are_labelled_from_the_onset_on(bazaar: Market, name: str) -> None:
    """Each attacker has labelled listings, none turns bad before its onset, and all sellers of them are labelled."""
    for merchant, onset in bazaar.truth.attacks[name].onsets.items():
        mine = [v for v in bazaar.versions[merchant] if bazaar.truth.listings.get(v.listing_id) == name]
        assert len({v.listing_id for v in mine}) >= 2
        assert max(v.occurred_at for v in mine) >= onset
        if name in ("copied_listings", "duplicate_listings", "category_spam", "prohibited_goods"):
            assert min(v.occurred_at for v in mine) >= onset
    labelled = {
        v.merchant_id
        for versions in bazaar.versions.values()
        for v in versions
        if bazaar.truth.listings.get(v.listing_id) == name
    }
    assert labelled == set(bazaar.truth.attacks[name].merchants)


def test_copies_have_pictures_and_words_of_an_honest_shop(bazaar: Market) -> None:
    """For each copy an honest shop had a listing before with nearly all of its pictures and most of its words."""
    honest = [v for merchant in bazaar.truth.honest for v in bazaar.versions[merchant]]
    for versions in _bad(bazaar, "copied_listings").values():
        copy = versions[0]
        words = set(copy.title.split())
        assert any(
            v.occurred_at < copy.occurred_at
            and _alike(_images(copy), _images(v)) >= max(1, len(_images(copy)) - 1)
            and len(words & set(v.title.split())) >= len(words) - 2
            for v in honest
        )


def test_duplicates_are_of_goods_in_the_same_shop(bazaar: Market) -> None:
    """Every picture of a duplicate is a near copy of one of an earlier listing of the shop, the words are the same."""
    for merchant in bazaar.truth.attacks["duplicate_listings"].merchants:
        for version in bazaar.versions[merchant]:
            if version.listing_id not in bazaar.truth.listings or not isinstance(version, ListingCreated):
                continue
            earlier = [v for v in bazaar.versions[merchant] if v.occurred_at < version.occurred_at]
            words = _words(version)
            assert any(
                _alike(_images(version), _images(v)) == len(_images(version)) and len(_words(v) - words) <= 1
                for v in earlier
            )


def test_spam_is_in_a_category_where_its_noun_does_not_belong(bazaar: Market) -> None:
    """The title names goods of another category; no permit is needed there."""
    for versions in _bad(bazaar, "category_spam").values():
        assert not any(noun in versions[0].title for noun in NOUNS[versions[0].category])
        assert any(noun in versions[0].title for nouns in NOUNS.values() for noun in nouns)


def test_switched_listings_sold_something_else_before(bazaar: Market) -> None:
    """The last version shares hardly a word and no picture with the first, and there were orders of the first."""
    sold = {item.listing_id for story in bazaar.orders for item in story.order.items}
    for listing, versions in _bad(bazaar, "switched_listings").items():
        first, last = versions[0], versions[-1]
        assert isinstance(first, ListingCreated) and isinstance(last, ListingUpdated)
        assert len(set(first.title.split()) & set(last.title.split())) <= 3
        assert not _alike(_images(first), _images(last))
        assert listing in sold


def test_fake_discounts_are_from_a_price_that_nobody_paid(bazaar: Market) -> None:
    """In the end a high list price stands beside a price that is not lower than the one at first."""
    for versions in _bad(bazaar, "fake_discount").values():
        shown = max(versions, key=lambda v: (v.list_price or 0) / v.price)
        assert shown.list_price and shown.list_price > 1.25 * shown.price
        assert shown.price > 0.75 * versions[0].price


def test_packaged_terms_find_contacts_and_prohibited_goods_and_nothing_in_honest_listings(bazaar: Market) -> None:
    """Most of what is forbidden is found, disguised or not; honest texts are clean."""
    spec = load_policies().terms
    assert spec is not None
    terms = compile_terms(spec[0])
    for name in ("off_platform", "prohibited_goods"):
        last = [versions[-1] for versions in _bad(bazaar, name).values()]
        signals = [listing_signals(version, terms) for version in last]
        hits = [s.contact_terms or s.prohibited_terms or s.category_restricted or s.disguised_terms for s in signals]
        assert sum(map(bool, hits)) / len(hits) > 0.7
    for merchant in bazaar.truth.honest:
        for version in bazaar.versions[merchant]:
            found = listing_signals(version, terms)
            assert not (found.contact_terms or found.prohibited_terms or found.category_restricted), version
            assert not (found.replica_terms or found.brand_unauthorised or found.disguised_terms), version


def test_honest_shops_share_makers_pictures_and_have_variants(bazaar: Market) -> None:
    """Dozens of pictures are at three shops or more; sizes of one thing share their pictures in a shop."""
    shops: dict[int, set[str]] = defaultdict(set)
    variants = 0
    for merchant in bazaar.truth.honest:
        seen: dict[int, set[str | None]] = defaultdict(set)
        for version in bazaar.versions[merchant]:
            if isinstance(version, ListingCreated):
                for image in _images(version):
                    shops[image].add(merchant)
                    seen[image].add((version.attributes or {}).get("size"))
        variants += sum(len(sizes) > 1 for sizes in seen.values())
    assert sum(len(merchants) >= 3 for merchants in shops.values()) > 30
    assert variants > 30
