"""What becomes of listings: versions in any order, prices against their category, churn."""

from collections import Counter
from math import ceil, log
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import listings
from detectors.category import CategoryModel, Mismatch
from detectors.judge import Judge
from features.events import ListingVersion
from features.listing import ListingRecord, end_price
from features.listing_text import ListingText, Terms, listing_signals
from features.outputs import EnforcementDecided, RiskAssessed
from features.population import LOW_MINIMUM, PriceLevel
from features.text import title_similarity
from tests.builders import DAY, HOUR, START, Event, Shard, event, listed, make_judge, placed, unlisted


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, who publishes what is guarded or worse."""
    return make_judge(publish_level=1, audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def stock(shard: Shard, price: int = 1000, count: int = 20) -> None:
    """Give the category prices to compare with."""
    shard.apply(*(listed(f"s{index}", at=-DAY, merchant="other", price=price) for index in range(count)))


def test_an_edit_is_a_difference(shard: Shard) -> None:
    """Prices, title, category and brand are compared with the version before."""
    shard.apply(listed(list_price=2000, brand="Solenne"))
    assert (shard.listing().edits, shard.feature("price_change", listing="l1")) == (0, None)
    edit: dict[str, Any] = {"kind": "updated", "at": DAY, "price": 1500, "list_price": 4000}
    shard.apply(listed(**edit, title="Mug", category="toys/dolls", brand="Other"))
    found = {name: shard.feature(name, listing="l1") for name in ("price_change", "list_price_change", "listing_edits")}
    assert found == {"price_change": 1.5, "list_price_change": 2.0, "listing_edits": 1}
    changed = [shard.feature(name, listing="l1") for name in ("category_changed", "brand_changed", "title_similarity")]
    assert changed == [1, 1, 1]
    assert shard.feature("listing_age_days", listing="l1") == 1
    shard.apply(listed(kind="updated", at=2 * DAY, title="Luxury watch", category="toys/dolls", brand="Other"))
    changed = [shard.feature(name, listing="l1") for name in ("category_changed", "brand_changed", "title_similarity")]
    assert changed == [0, 0, 0]


def test_a_reduction_is_from_the_lowest_price_of_thirty_days(shard: Shard) -> None:
    """Raising the price for a while before cutting it makes no discount; prices of long ago do not count."""

    def edit(day: int, price: int) -> float | None:
        shard.apply(listed(kind="updated", at=day * DAY, price=price, list_price=4000))
        return shard.feature("price_to_lowest_30d", listing="l1")

    shard.apply(listed(price=1000))
    assert shard.feature("price_to_lowest_30d", listing="l1") is None
    assert edit(1, 2000) == 2.0
    assert edit(20, 1500) == 1.5
    assert edit(25, 500) == 0.5
    assert edit(26, 1200) == 2.4
    # The last day at 500 was the 26th, the price of the first day is forgotten.
    assert edit(56, 1200) == 2.4
    assert edit(57, 1200) == 1.0
    shard.apply(unlisted(at=60 * DAY))
    assert edit(80, 600) == 0.5
    shard.apply(unlisted(at=81 * DAY))
    assert edit(120, 900) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6)), min_size=1, max_size=30))
def test_the_lowest_price_equals_that_of_all_versions(edits: list[tuple[int, int]]) -> None:
    """What is kept gives the lowest of all prices that ended in the 30 days before, whatever the order."""
    listing = ListingRecord(price=3)
    ended: list[tuple[int, int]] = []
    at = 0
    for days, price in edits:
        at += days * DAY
        ended.append((at, listing.price))
        end_price(listing, at, at)
        listing.price = price
        assert listing.asked[1] == min(old for end, old in ended if end >= at - 30 * DAY)


def test_an_older_version_does_not_take_the_place_of_a_newer_one(shard: Shard) -> None:
    """It counts as an edit, and changes nothing else."""
    shard.apply(listed(), listed(kind="updated", at=2 * DAY, price=3000), listed(kind="updated", at=DAY, price=10))
    assert (shard.listing().price, shard.listing().edits) == (3000, 1)
    assert shard.feature("listing_edits_7d") == 2


def test_a_listing_whose_creation_comes_late_is_as_old_as_it_is(shard: Shard) -> None:
    """The edit that came first holds; the creation says when the listing began."""
    shard.apply(listed(kind="updated", at=2 * DAY, price=3000), listed())
    assert (shard.listing().price, shard.listing().created) == (3000, START)
    assert (shard.feature("listings_created_7d"), shard.feature("live_listings")) == (1, 1)


@pytest.mark.parametrize("again", [DAY, 3 * DAY])
def test_removals_count_in_the_order_of_their_time(shard: Shard, again: int) -> None:
    """A version from before the removal that arrives after it leaves the listing removed; a later one revives it."""
    shard.apply(listed(), unlisted(at=2 * DAY), listed(kind="updated", at=again))
    assert shard.listing().removed == (again < 2 * DAY)
    assert shard.feature("live_listings") == int(again > 2 * DAY)
    assert shard.feature("listings_removed_7d") == 1


def test_a_removal_that_arrives_late_does_not_take_down_what_came_after_it(shard: Shard) -> None:
    """It is counted, and the newer version stays live."""
    shard.apply(listed(), listed(kind="updated", at=2 * DAY), unlisted(at=DAY))
    assert not shard.listing().removed
    assert (shard.feature("live_listings"), shard.feature("listings_removed_7d")) == (1, 1)


def test_removing_what_is_not_there_changes_nothing(shard: Shard) -> None:
    """Neither an unknown listing nor a removed one can be taken down."""
    shard.apply(unlisted(), listed("l2"), unlisted("l2", at=DAY), unlisted("l2", at=2 * DAY))
    assert (shard.feature("live_listings"), shard.feature("listings_removed_7d")) == (0, 1)


def test_prices_are_judged_against_the_others(shard: Shard) -> None:
    """The median is that of the category before this price; without ten prices there is none."""
    stock(shard, count=9)
    shard.apply(listed(price=100))
    assert shard.feature("price_to_category", listing="l1") is None
    shard.apply(listed("l2", price=100))
    assert shard.feature("price_to_category", listing="l2") == pytest.approx(0.1, rel=0.06)
    assert shard.feature("price_level") == shard.feature("price_to_category", listing="l2")
    shard.apply(listed("l3", price=100, currency="USD"))
    assert shard.feature("price_to_category", listing="l3") is None


def test_free_listings_have_no_price_to_compare(shard: Shard) -> None:
    """A price of zero is no price: it is in no median."""
    stock(shard)
    shard.apply(listed(price=0), listed(kind="updated", at=DAY, price=0), unlisted(at=2 * DAY))
    assert shard.feature("price_level") is None
    assert shard.state.population.prices["EUR/home/kitchen"].total == 20


_steps = st.lists(
    st.tuples(
        st.sampled_from(["created", "updated", "updated", "removed", "exposed"]),
        st.integers(0, 3),
        st.integers(0, 9),
        st.sampled_from([0, 1, 900, 1000, 70_000]),
        st.sampled_from(["home/kitchen", "toys/dolls"]),
    ),
    max_size=25,
)


@given(_steps)
@settings(max_examples=120, deadline=None)
def test_sums_agree_with_the_listings(judge: Judge, steps: list[tuple[str, int, int, int, str]]) -> None:
    """After any creations, edits, removals and repeats in any order: prices of categories, live listings and the
    merchant's own price level are those of the versions that are live now.
    """
    shard = Shard(judge)
    stock(shard, count=12)
    for number, (kind, which, day, price, category) in enumerate(steps):
        name, at = f"l{which}", day * DAY + number
        if kind == "removed":
            shard.apply(unlisted(name, at=at))
        elif kind == "exposed":
            shard.apply(event("listing.exposed", at, listing_id=name, views=3))
        else:
            shard.apply(listed(name, at=at, kind=kind, price=price, category=category))
    live = [one for one in shard.state.listings.values() if one.version_at and not one.removed]
    counted = Counter(f"{one.currency}/{one.category}" for one in live if one.price)
    prices = shard.state.population.prices
    assert {key: level.total for key, level in prices.items() if level.total} == counted
    assert all(level.total == sum(level.bins.values()) for level in prices.values())
    own = [one for key, one in shard.state.listings.items() if key.startswith("m1:") and one in live]
    levels = [one.level for one in own if one.level is not None]
    if steps:
        record = shard.merchant().record
        assert (record.live_listings, record.levelled) == (len(own), len(levels))
        assert record.level_sum == pytest.approx(sum(levels), abs=1e-9)
    for one in live:
        if one.level is not None and one.price:
            assert abs(one.level) < log(70_000)


def test_views_add_up(shard: Shard) -> None:
    """Impressions are counted, and are no version."""
    views = [event("listing.exposed", at * HOUR, listing_id="l1", views=10 * at) for at in (1, 2)]
    shard.apply(listed(), *views, views[0])
    assert (shard.listing().views, shard.listing().edits) == (30, 0)


def test_what_a_listing_says_is_looked_at(shard: Shard) -> None:
    """Its terms are those of the policies, in title and description, of this version alone."""
    shard.apply(listed(title="AAA replica watch", description="whatsapp +49 170 1234567"))
    assert (shard.feature("replica_terms", listing="l1") or 0) >= 1
    assert (shard.feature("contact_terms", listing="l1") or 0) >= 1
    shard.apply(listed(kind="updated", at=DAY))
    assert [shard.feature(name, listing="l1") for name in ("replica_terms", "contact_terms")] == [0, 0]


def levels(shard: Shard) -> list[str]:
    """Levels of the listing's assessments that were published."""
    return [one.level for one in shard.outputs(RiskAssessed) if one.subject.kind == "listing"]


def test_an_unchanged_text_is_judged_once(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of the price is not searched again; one of any part that was judged is, and so is any under other
    policies.
    """
    searched: list[str] = []

    def search(version: ListingVersion, terms: Terms) -> ListingText:
        searched.append(version.title)
        return listing_signals(version, terms)

    monkeypatch.setattr(listings, "listing_signals", search)
    monkeypatch.setattr(CategoryModel, "mismatch", lambda *_: Mismatch(0.25, "other"))
    text: dict[str, Any] = {"title": "Replica watch", "brand": "Solenne", "authorizations": ["brand:solenne"]}
    shard = Shard(judge)
    shard.apply(listed(**text), listed(kind="updated", at=HOUR, price=900, quantity=3, **text))
    assert len(searched) == 1
    assert shard.listing().replica_terms == 1
    changes: list[dict[str, Any]] = [{"title": "Replica clock"}, {"description": "x"}, {"authorizations": []}]
    for hour, change in enumerate(changes, 2):
        shard.apply(listed(kind="updated", at=hour * HOUR, **{**text, **change}))
        assert len(searched) == hour
    others = msgspec.structs.replace(judge.policies, version="another")
    other = Shard(make_judge(others, publish_level=1, audit_rate=0.0))
    other.core.state.listings.update(shard.core.state.listings)
    other.apply(listed(kind="updated", at=5 * HOUR, **{**text, "authorizations": []}))
    assert len(searched) == 5


def test_a_level_that_stands_is_published_once_and_its_end_as_well(shard: Shard) -> None:
    """Editing a bad listing without mending it is no news; mending it is."""
    bad: Event = listed(title="AAA replica watch, 1:1 mirror copy", category="fashion/watches")
    shard.apply(bad)
    assert len(levels(shard)) == 1
    shard.apply(bad | {"event_id": "again", "type": "listing.updated", "occurred_at": START + HOUR})
    assert len(levels(shard)) == 1
    shard.apply(listed(kind="updated", at=DAY, category="fashion/watches"))
    assert levels(shard)[1:] == ["low"]


def reviewed(shard: Shard) -> set[str]:
    """Ids of the rules that led to a decision on a listing."""
    return {one.policy.id for one in shard.outputs(EnforcementDecided) if one.subject.kind == "listing"}


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([(1, 1000, 2000)], id="a list price from nowhere"),
        pytest.param([(1, 2000, None), (3, 1000, 2000)], id="the price goes up first"),
        pytest.param([(1, 1000, 1200), (2, 1000, 1500), (3, 1000, 2000)], id="in small steps"),
    ],
)
def test_a_discount_made_by_raising_the_list_price_is_found(
    shard: Shard, edits: list[tuple[int, int, int | None]]
) -> None:
    """In one edit or several: what was shown before within 30 days is what counts."""
    shard.apply(listed(price=1000))
    for day, price, list_price in edits:
        shard.apply(listed(kind="updated", at=day * DAY, price=price, list_price=list_price))
    assert "fake-discount" in reviewed(shard)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param([(1, 600, 1000)], id="a real reduction"),
        pytest.param([(1, 600, 1000), (9, 1000, None), (50, 700, 1000)], id="two real ones"),
        pytest.param([(1, 2000, None), (40, 1000, 2000)], id="the high price was asked for longer than 30 days"),
        pytest.param([(1, 1000, 1200)], id="a small one beside the maker's price"),
    ],
)
def test_an_honest_discount_is_left_alone(shard: Shard, edits: list[tuple[int, int, int | None]]) -> None:
    """It is from a price that was asked."""
    shard.apply(listed(price=1000))
    for day, price, list_price in edits:
        shard.apply(listed(kind="updated", at=day * DAY, price=price, list_price=list_price))
    assert "fake-discount" not in reviewed(shard)


def test_an_absurd_list_price_is_found_at_once(shard: Shard) -> None:
    """Also on a listing that is new."""
    shard.apply(listed(price=1000, list_price=20_000))
    assert "absurd-list-price" in reviewed(shard)


def switched_after(shard: Shard, titles: list[str], orders: int, late_orders: int = 0, **fields: Any) -> bool:
    """Whether the rule on switched listings fires, when a listing has had orders and then gets titles, one a day."""
    shard.apply(listed(title="Blue ceramic coffee mug"))
    shard.apply(*(placed(f"o{number}", HOUR + number) for number in range(orders)))
    for day, title in enumerate(titles, 1):
        shard.apply(listed(kind="updated", at=day * DAY, title=title, **fields))
    shard.apply(*(placed(f"p{number}", 20 * DAY + number) for number in range(late_orders)))
    shard.apply(listed(kind="updated", at=30 * DAY, title=titles[-1], price=1100, **fields))
    return "switched-listing" in reviewed(shard)


def test_a_listing_that_is_turned_into_another_product_is_found(shard: Shard) -> None:
    """Its orders were of something else."""
    assert switched_after(shard, ["Wireless noise cancelling earphones"], 8)


def test_a_listing_that_is_turned_in_small_steps_is_found(shard: Shard) -> None:
    """No single edit changes much; compared with what was bought, nothing is left."""
    steps = ["Blue coffee mug ceramic earphones", "Blue mug earphones wireless", "Earphones wireless noise cancelling"]
    similar = []
    for first, second in zip(["Blue ceramic coffee mug", *steps], steps, strict=False):
        similar.append(title_similarity(first, second))
    assert min(similar) > 0.3
    assert switched_after(shard, steps, 8)
    assert shard.feature("sold_title_similarity", listing="l1") == 0.0


def test_a_listing_that_sold_nothing_before_is_free_to_change(shard: Shard) -> None:
    """Orders that came after the edit were of the new product."""
    assert not switched_after(shard, ["Wireless noise cancelling earphones"], 0, late_orders=9)


def test_what_is_bought_later_takes_the_place_of_what_was_bought_first(shard: Shard) -> None:
    """Once most orders are of the new product, going on with it is no switch; the first edit is one all the same, if
    it had sold enough.
    """
    assert not switched_after(shard, ["Wireless noise cancelling earphones"], 2, late_orders=9)
    assert shard.listing().sold_title == ""


def test_corrections_of_a_title_are_no_switch(shard: Shard) -> None:
    """Words more, words less, and back again."""
    assert not switched_after(shard, ["Blue ceramic coffee mug 300 ml", "Coffee mug, blue ceramic, 300 ml gift"], 12)


def test_a_price_far_below_the_brands_is_noticed(shard: Shard) -> None:
    """The category is cheap and the brand is dear: a tenth of the brand's median, and under most of all."""
    for number in range(60):
        price = 1000 + 10 * number if number < 40 else 9000 + 10 * number
        brand = {} if number < 40 else {"brand": "Nordlys"}
        shard.apply(listed(f"s{number}", at=-DAY, merchant="other", price=price, **brand))
    shard.apply(listed(price=900, brand="NORDLYS"))
    assert shard.feature("price_to_brand", listing="l1") == pytest.approx(0.1, rel=0.1)
    assert shard.feature("price_to_category_p05", listing="l1") == pytest.approx(0.9, rel=0.15)
    assert shard.state.statistics.shadow["price-far-below-brand"] == 1
    shard.apply(listed("l2", price=9500, brand="Nordlys"), listed("l3", price=900))
    assert shard.feature("price_to_brand", listing="l2") == pytest.approx(1.0, rel=0.1)
    assert shard.feature("price_to_brand", listing="l3") is None


@given(st.lists(st.integers(1, 10**7), min_size=LOW_MINIMUM, max_size=200))
def test_the_low_quantile_is_exact_to_a_bin(prices: list[int]) -> None:
    """Against the sorted prices: the one that a twentieth lie below, to 11 %."""
    level = PriceLevel()
    for price in prices:
        level.add(price)
    level.changes = level.total
    assert level.median_log() is not None
    low = level.low_log()
    assert low is not None
    exact = log(sorted(prices)[ceil(len(prices) * 0.05) - 1])
    assert abs(low - exact) <= 0.0501


def test_what_is_taken_back_of_a_brand_is_forgotten(shard: Shard) -> None:
    """A brand without live listings keeps no prices, and an edit of the brand moves the price."""
    shard.apply(listed(brand="Nordlys"), listed("l2", brand="Nordlys"))
    shard.apply(listed(kind="updated", at=DAY, brand="Solenne"), unlisted("l2", at=DAY))
    assert list(shard.state.population.brand_prices) == ["EUR/solenne|home/kitchen"]
