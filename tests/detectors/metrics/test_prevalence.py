"""Prevalence, precision and recall out of draws with known chances, fed as events."""

import pytest

from detectors.metrics.estimate import Estimate
from features.events import ListingExposed
from tests.detectors.metrics.market import END, START, Market


def named(market: Market, name: str, **slice_: str) -> Estimate:
    """The one estimate of January with a name and a slice."""
    (found,) = [each for each in market.ledger.estimates(START, END) if each.name == name and each.slice == slice_]
    return found


def drawn(market: Market, merchant: str, listing: str, verdict: str, *, chance: float = 0.1, versions: int = 1) -> None:
    """A listing, drawn with its last version and judged a week later."""
    for day in range(versions):
        market.listing(merchant, listing, 1 + day)
    market.draw(merchant, versions, ("listing", listing), chance)
    market.review(merchant, versions + 7, verdict, about=("listing", listing), source="audit")


def test_each_draw_stands_for_as_many_as_its_chance_says() -> None:
    """One violation drawn with a chance of 0.5 stands for two, one clean listing at 0.1 for ten."""
    market = Market()
    drawn(market, "m1", "l1", "violation", chance=0.5)
    drawn(market, "m2", "l2", "clean", chance=0.1)
    rate = named(market, "listing_violation_rate")
    assert rate.value == pytest.approx(2 / 12)
    assert (rate.numerator, rate.denominator, rate.method, rate.mature) == (1, 2, "horvitz-thompson", True)
    assert rate.low is not None and rate.high is not None and rate.low < 2 / 12 < rate.high


def test_who_is_edited_often_has_more_chances_and_counts_once() -> None:
    """A listing of four versions has four chances, so a draw of it counts a quarter."""
    market = Market()
    drawn(market, "m1", "l1", "violation", versions=4)
    drawn(market, "m2", "l2", "clean")
    assert named(market, "listing_violation_rate").value == pytest.approx(0.25 / 1.25)


def test_a_verdict_that_answers_no_draw_says_nothing_of_all() -> None:
    """People look at what looks bad: their verdicts are for precision of decisions, not for prevalence."""
    market = Market()
    drawn(market, "m1", "l1", "clean")
    market.listing("m2", "l2", 1)
    market.draw("m2", 1, ("listing", "l2"))
    market.review("m2", 2, "violation", about=("listing", "l2"))
    rate = named(market, "listing_violation_rate")
    assert (rate.value, rate.denominator, rate.completeness, rate.mature) == (0, 1, 0.5, False)
    market.review("m2", 3, "violation", about=("listing", "l2"), source="audit")
    assert named(market, "listing_violation_rate").value == 0.5


def test_by_views_and_orders_each_listing_weighs_what_it_was_seen_and_sold() -> None:
    """Also one from before the period, which was drawn then and is seen now."""
    market = Market()
    market.listing("m1", "old", -10)
    market.draw("m1", -10, ("listing", "old"))
    market.review("m1", -5, "violation", about=("listing", "old"), source="audit")
    drawn(market, "m2", "l2", "clean")
    market.seen("m1", "old", 3, 900)
    market.seen("m2", "l2", 3, 100)
    for number in range(4):
        market.order("m2", f"o{number}", 4, listing="l2")
    market.order("m1", "o9", 4, listing="old")
    assert named(market, "violating_view_rate").value == pytest.approx(0.9)
    assert named(market, "violating_order_rate").value == pytest.approx(0.2)
    assert named(market, "violating_gmv_rate", currency="USD").value == pytest.approx(0.2)
    # What was neither created nor edited in January is none of its listings.
    assert named(market, "listing_violation_rate").denominator == 1


def test_an_exposure_that_comes_twice_counts_once() -> None:
    """By its event's id."""
    market = Market()
    drawn(market, "m1", "l1", "violation")
    drawn(market, "m2", "l2", "clean")
    market.seen("m2", "l2", 2, 100)
    for _ in range(2):
        market.ledger.event(
            ListingExposed(event_id="same", occurred_at=market.at(2), merchant_id="m1", listing_id="l1", views=100)
        )
    assert named(market, "violating_view_rate").value == pytest.approx(0.5)


def test_precision_and_recall_come_from_the_same_draws() -> None:
    """Two violations, one of them found; two found, one of them clean; a warning finds nothing."""
    market = Market()
    for number, (verdict, action) in enumerate(
        [("violation", "remove_listing"), ("violation", "warn"), ("clean", "require_review"), ("clean", None)]
    ):
        merchant, listing = f"m{number}", f"l{number}"
        drawn(market, merchant, listing, verdict)
        if action is not None:
            market.decide(merchant, 2, action, about=("listing", listing), rule="fake")
    assert named(market, "precision_by_audit", subject="listing").value == 0.5
    assert named(market, "recall_by_audit", subject="listing").value == 0.5


def test_the_chance_of_being_drawn_at_all_is_what_counts() -> None:
    """A draw of the random stratum could have been drawn by its score as well."""
    market = Market()
    for merchant, listing, any_chance in (("m1", "l1", 0.5), ("m2", "l2", None)):
        market.listing(merchant, listing, 1)
        more = {} if any_chance is None else {"sample_probability": any_chance}
        market.draw(merchant, 1, ("listing", listing), 0.1, **more)
        market.review(
            merchant, 5, "violation" if merchant == "m1" else "clean", about=("listing", listing), source="audit"
        )
    assert named(market, "listing_violation_rate").value == pytest.approx(2 / 12)
