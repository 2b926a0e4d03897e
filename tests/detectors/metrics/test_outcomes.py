"""Rates of orders, of new merchants and of creators, counted by the fold."""

import pytest

from detectors.metrics.estimate import Estimate
from detectors.metrics.ledger import Ledger
from features.events import OrderCreated, OrderItem, OrderReviewed
from tests.detectors.metrics.market import END, LATER, START, Market


def named(ledger: Ledger, name: str, **slice_: str) -> Estimate:
    """The one estimate of January with a name and a slice."""
    (found,) = [each for each in ledger.estimates(START, END) if each.name == name and each.slice == slice_]
    return found


def test_an_order_counts_once_its_outcome_is_known() -> None:
    """Until then it is among the orders and in no rate, and the rate says that it is not mature."""
    market = Market()
    for number in range(10):
        market.order("m1", f"a{number}", 1, bad=number < 2)
    rate = named(market.ledger, "bad_order_rate")
    assert named(market.ledger, "orders").value == 10
    assert (rate.value, rate.mature) == (None, False)
    market.ledger.advance(LATER)
    rate = named(market.ledger, "bad_order_rate")
    assert (rate.value, rate.mature, rate.numerator, rate.denominator) == (0.2, True, 2, 10)


def test_an_order_that_is_never_shipped_is_bad_without_any_event() -> None:
    """Its dates pass, and that is a fact."""
    market = Market()
    market.ledger.event(_created("m1", "o1", market.at(1)))
    market.ledger.advance(LATER)
    assert named(market.ledger, "bad_order_rate").value == 1


def test_a_claim_that_comes_after_the_outcome_was_due_still_counts() -> None:
    """As long as the order is open to change; a repeat of it does not count twice."""
    market = Market()
    market.order("m1", "o1", 1)
    market.order("m1", "o2", 1)
    market.ledger.advance(market.at(30))
    assert named(market.ledger, "bad_order_rate").value == 0
    review = OrderReviewed(event_id="r", occurred_at=market.at(31), merchant_id="m1", order_id="o1", rating=1)
    for _ in range(2):
        market.ledger.event(review)
    rate = named(market.ledger, "bad_order_rate")
    assert (rate.numerator, rate.denominator) == (1, 2)


def test_the_rate_by_gmv_weighs_orders_and_leaves_other_currencies_out() -> None:
    """A bad order of 900 beside a good one of 100."""
    market = Market()
    market.order("m1", "o1", 1, bad=True, total=90_000)
    market.order("m1", "o2", 1, total=10_000)
    market.order("m2", "o3", 1, bad=True, total=5_000, currency="EUR")
    market.ledger.advance(LATER)
    assert named(market.ledger, "bad_order_rate_by_gmv", currency="USD").value == pytest.approx(0.9)
    assert named(market.ledger, "gmv", currency="EUR").value == 5_000


def test_slices_share_the_orders_out() -> None:
    """Each dimension holds every order once."""
    market = Market()
    market.register("m1", -200, country="DE")
    market.register("m2", -1, country="US", kind="individual")
    market.listing("m1", "l1", 0, category="toys/games")
    for number in range(5):
        market.order("m1", f"a{number}", 1)
        market.order("m2", f"b{number}", 2, bad=True)
    market.ledger.advance(LATER)
    assert named(market.ledger, "bad_order_rate", country="US").value == 1
    assert named(market.ledger, "bad_order_rate", age="established").value == 0
    assert named(market.ledger, "bad_order_rate", age="new").denominator == 5
    estimates = [each for each in market.ledger.estimates(START, END) if each.name == "bad_order_rate" and each.slice]
    for dimension in {name for each in estimates for name in each.slice}:
        assert sum(each.denominator for each in estimates if dimension in each.slice) == 10


def test_merchants_that_came_are_judged_by_what_was_found_in_time() -> None:
    """Within 30 days, not later, not if it was wrong, and only cohorts that old."""
    market = Market()
    for name in ("m1", "m2", "m3", "m4"):
        market.register(name, 1)
    market.decide("m1", 10)
    wrong = market.decide("m2", 10)
    market.reverse("m2", 12, wrong, "appeal")
    market.decide("m3", 80)
    assert not named(market.ledger, "bad_seller_onboarding_rate", within="90 d").mature
    rate = named(market.ledger, "bad_seller_onboarding_rate", within="30 d")
    assert (rate.numerator, rate.denominator, rate.method) == (1, 4, "clopper-pearson")


def test_creators_count_who_drove_orders() -> None:
    """One of two has a decision; a third drove nothing."""
    market = Market()
    market.order("m1", "o1", 1, creator="c1")
    market.order("m1", "o2", 1, creator="c2")
    market.decide("", 3, "freeze_commission", creator="c1")
    market.decide("", 3, "freeze_commission", creator="c9")
    rate = named(market.ledger, "creator_violation_rate")
    assert (rate.numerator, rate.denominator) == (1, 2)


def test_the_ledger_goes_on_where_it_was_dumped() -> None:
    """In the middle of everything, and says the same at the end."""
    whole, first = Market(), Market()
    for market in (whole, first):
        market.register("m1", 0)
        market.order("m1", "o1", 1, bad=True)
        market.order("m1", "o2", 20)
    second = Market(Ledger.load(first.ledger.dump()))
    for market in (whole, second):
        market.decide("m1", 21)
        market.order("m1", "o9", 25)
        market.ledger.advance(LATER)
    assert whole.ledger.estimates(START, END) == second.ledger.estimates(START, END)
    assert second.ledger.dump() == Ledger.load(second.ledger.dump()).dump()


def test_what_is_older_than_a_year_is_forgotten() -> None:
    """Orders, decisions, draws and verdicts of long ago; what came later stays."""
    market = Market()
    for day in (1, 420):
        market.order("m1", f"o{day}", day)
        market.assess("m1", day, 500, about=("order", f"o{day}"))
        market.draw("m1", day, ("listing", f"l{day}"))
        market.review("m1", day, "clean", about=("listing", f"l{day}"), source="audit")
        market.appeal("m1", day + 1, market.decide("m1", day), "open")
    market.ledger.advance(market.at(440))
    state = market.ledger.state
    assert {len(each) for each in (state.rulings, state.about, state.appeals, state.draws, state.verdicts)} == {1}
    assert (len(state.cells), len(state.orders), len(state.scores)) == (1, 1, 1)


def test_listings_that_were_taken_down_long_ago_are_forgotten() -> None:
    """And versions of long ago, but for the one that is there still."""
    market = Market()
    for day in (1, 2, 421):
        market.listing("m1", "stays", day)
    market.listing("m1", "goes", 1)
    market.assess("m1", 1, 500, about=("listing", "goes"), level="high")
    market.remove("m1", "goes", 3)
    market.ledger.advance(market.at(440))
    state = market.ledger.state
    assert list(state.listings) == [("m1", "stays")]
    assert state.listings["m1", "stays"].versions == [market.at(2), market.at(421)]
    assert not state.scores
    assert not state.flagged


def test_outputs_of_replays_are_not_what_happened() -> None:
    """A live ledger leaves them out; one that is told to takes them."""
    for modes, expected in ((frozenset({"live"}), 0), (frozenset({"replay"}), 1), (frozenset[str](), 1)):
        market = Market(Ledger(modes))
        market.listing("m1", "l1")
        market.decide("m1", 1, mode="replay")
        assert named(market.ledger, "merchant_restriction_rate").numerator == expected


def _created(merchant: str, order: str, at: int) -> OrderCreated:
    return OrderCreated(
        event_id="c", occurred_at=at, merchant_id=merchant, order_id=order, buyer_id="b", total=5, currency="USD",
        items=[OrderItem("l1", 1, 5)],
    )  # fmt: skip
