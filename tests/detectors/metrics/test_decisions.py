"""Decisions and what people make of them: precision, appeals, times, exposure, review, fairness."""

import pytest

from detectors.metrics.estimate import Estimate
from tests.detectors.metrics.market import END, LATER, START, Market


def named(market: Market, name: str, **slice_: str) -> Estimate:
    """The one estimate of January with a name and a slice."""
    (found,) = [each for each in market.ledger.estimates(START, END) if each.name == name and each.slice == slice_]
    return found


def test_the_last_that_people_said_of_a_decision_counts() -> None:
    """Confirmed, overturned on appeal, corrected, judged clean; what nobody looked at is not in it."""
    market = Market()
    confirmed, overturned, upheld, corrected, unseen = (
        market.decide(f"m{n}", 1, rule="late-shipping" if n < 3 else "fake") for n in range(5)
    )
    market.review("m0", 2, "violation", decision_id=confirmed)
    market.review("m1", 2, "violation", decision_id=overturned)
    market.appeal("m1", 3, overturned, "open")
    market.appeal("m1", 4, overturned, "overturned")
    market.reverse("m1", 4, overturned, "appeal")
    market.appeal("m2", 3, upheld, "open")
    market.appeal("m2", 4, upheld, "upheld")
    market.reverse("m3", 4, corrected, "correction")
    assert unseen
    precision = named(market, "precision")
    assert (precision.numerator, precision.denominator) == (2, 4)
    assert named(market, "precision", rule="fake").value == 0
    overturn = named(market, "overturn_rate")
    assert (overturn.numerator, overturn.denominator, overturn.method) == (1, 2, "clopper-pearson")
    assert named(market, "appeal_rate").value == pytest.approx(2 / 5)
    assert named(market, "restored_without_appeal_rate").numerator == 1
    assert named(market, "decisions", rule="fake").value == 2


def test_what_waits_restricts_nothing_and_what_is_confirmed_is_not_automatic() -> None:
    """One taken by rule, one waiting, and the one that a person made of it."""
    market = Market()
    fully, partly = ({"automated_decision": f"AUTOMATED_DECISION_{how}"} for how in ("FULLY", "PARTIALLY"))
    market.decide("m1", 1, statement_of_reasons=fully)
    waiting = market.decide("m2", 1, "hold_payout", review=True, statement_of_reasons=partly)
    market.review("m2", 2, "violation", decision_id=waiting)
    market.decide("m2", 2.1, "hold_payout", supersedes=waiting, statement_of_reasons=partly)
    rate = named(market, "automation_rate")
    assert (rate.numerator, rate.denominator) == (1, 2)
    assert named(market, "precision").denominator == 1


def test_an_appeal_that_is_open_makes_the_overturn_rate_immature() -> None:
    """Those that take longest may end otherwise."""
    market = Market()
    for number in range(2):
        market.appeal("m1", 3, market.decide("m1", 1 + number), "open")
    first = next(iter(market.ledger.state.appeals))
    market.appeal("m1", 5, first, "upheld")
    rate = named(market, "overturn_rate")
    assert (rate.denominator, rate.completeness, rate.mature) == (1, 0.5, False)


def test_what_somebody_had_reported_was_not_found_first() -> None:
    """A report before the decision counts, one after it does not, nor one of long ago."""
    market = Market()
    market.report("m1", 1, "listing", "l1")
    market.report("m3", -190, "merchant", "m3")
    market.decide("m1", 2, "remove_listing", about=("listing", "l1"))
    market.decide("m2", 2)
    market.report("m2", 3, "merchant", "m2")
    market.decide("m3", 2)
    rate = named(market, "proactive_rate")
    assert (rate.numerator, rate.denominator) == (2, 3)


def test_waiting_for_a_person_is_watched_to_the_end() -> None:
    """Two answers after a day and one that is still awaited: the median is a day; nobody's answer is none."""
    market = Market()
    for number in range(3):
        decision = market.decide(f"m{number}", 1, "hold_payout", review=True)
        if number < 2:
            market.review(f"m{number}", 2, "violation", decision_id=decision)
    market.ledger.advance(END)
    waiting = named(market, "time_to_review")
    assert (waiting.value, waiting.numerator, waiting.denominator) == (24, 2, 3)
    assert named(market, "review_backlog").value == 1
    assert named(market, "review_requests").value == pytest.approx(3 / 30)


def test_what_took_the_place_of_a_request_is_waited_for_no_longer() -> None:
    """A second detector agreed, so that no person had to: one request of the other two is open, half are answered."""
    market = Market()
    asked = market.decide("m1", 1, "suspend_merchant", review=True)
    market.decide("m2", 1, "suspend_merchant", review=True)
    other = market.decide("m3", 1, "suspend_merchant", review=True)
    market.decide("m1", 3, "suspend_merchant", supersedes=asked)
    market.review("m3", 5, "violation", decision_id=other)
    market.ledger.advance(END)
    assert named(market, "review_backlog").value == 1
    assert named(market, "time_to_review").value == 96


def test_violations_that_nobody_found_count_in_the_time_to_detection() -> None:
    """One found at once, one after two days, one by audit alone: it is waited for still."""
    market = Market()
    for number in range(3):
        market.listing(f"m{number}", f"l{number}", 1)
    market.decide("m0", 1, "require_review", about=("listing", "l0"))
    market.assess("m1", 3, 700, about=("listing", "l1"), level="high")
    for number in range(3):
        market.review(f"m{number}", 5, "violation", about=("listing", f"l{number}"), source="audit")
    market.ledger.advance(END)
    detection = named(market, "time_to_detection", subject="listing")
    assert (detection.value, detection.numerator, detection.denominator) == (48, 2, 3)
    action = named(market, "time_to_action", subject="listing")
    assert (action.value, action.numerator, action.denominator) == (None, 0, 3)


def test_a_new_version_is_found_anew() -> None:
    """What was said of the version before does not find this one."""
    market = Market()
    market.listing("m1", "l1", 1)
    market.decide("m1", 1, "require_review", about=("listing", "l1"))
    market.listing("m1", "l1", 5)
    market.review("m1", 6, "violation", about=("listing", "l1"), source="audit")
    assert named(market, "time_to_detection", subject="listing").numerator == 0


def test_exposure_is_what_was_sold_before_the_action() -> None:
    """Of the latest version alone, and not what came afterwards."""
    market = Market()
    market.listing("m1", "l1", 1)
    market.order("m1", "o1", 2)
    market.listing("m1", "l1", 4)
    market.order("m1", "o2", 5)
    market.seen("m1", "l1", 5, 70)
    market.decide("m1", 6, "remove_listing", about=("listing", "l1"))
    market.order("m1", "o3", 7)
    assert named(market, "exposed_orders").value == 1
    assert named(market, "exposed_gmv", currency="USD").value == 1000
    assert named(market, "exposed_views").value == 70


def test_bad_orders_before_action_are_those_that_turn_out_bad() -> None:
    """Whenever that becomes known."""
    market = Market()
    for number in range(3):
        market.order("m1", f"o{number}", number, bad=number < 2)
    market.decide("m1", 10)
    market.order("m1", "o9", 12, bad=True)
    market.ledger.advance(LATER)
    before = named(market, "bad_orders_before_action")
    assert (before.value, before.denominator, before.mature) == (2, 1, True)


def test_bad_orders_are_those_before_the_first_action() -> None:
    """Whatever the ids of the decisions."""
    market = Market()
    for number in range(4):
        market.order("m1", f"o{number}", number, bad=True)
    market.decide("m1", 8, decision_id="a")
    market.decide("m1", 2, decision_id="b")
    market.ledger.advance(LATER)
    assert named(market, "bad_orders_before_action").value == 2


def test_merchants_restricted_again_are_counted_by_how_long_they_were_watched() -> None:
    """One after ten days, one never in sixty: half within 30 days, and nothing is known of 90 yet."""
    market = Market()
    market.decide("m1", 1)
    market.decide("m1", 11, rule="another")
    market.decide("m2", 1)
    market.ledger.advance(market.at(61))
    again = named(market, "recidivism", within="30 d")
    assert (again.value, again.mature) == (0.5, True)
    assert not named(market, "recidivism", within="90 d").mature


def test_who_is_restricted_again_after_a_person_agreed_is_counted() -> None:
    """What is carried out takes the place of what waited; what takes the place of a restriction is the same one."""
    market = Market()
    market.decide("m1", 1)
    asked = market.decide("m1", 11, "suspend_merchant", review=True)
    market.decide("m1", 12, "suspend_merchant", supersedes=asked)
    first = market.decide("m2", 1)
    market.decide("m2", 12, supersedes=first)
    market.ledger.advance(market.at(61))
    again = named(market, "recidivism", within="30 d")
    assert (again.numerator, again.denominator) == (1, 2)


def test_days_under_wrong_restrictions_are_counted_once() -> None:
    """Two that overlap, taken back together; money is what the merchant sold a day before."""
    market = Market()
    for day in range(-26, 2):
        market.order("m1", f"o{day}", day, total=100)
    first, second = market.decide("m1", 2), market.decide("m1", 3, "block_new_listings")
    right = market.decide("m2", 2)
    for decision in (first, second):
        market.reverse("m1", 6, decision, "appeal")
    market.reverse("m2", 6, right, "expiry")
    assert named(market, "wrong_merchant_days").value == 4
    assert named(market, "wrong_gmv", currency="USD").value == 400


def test_precision_at_k_ranks_a_days_requests_by_score() -> None:
    """The ten with the highest scores are right, the five others not."""
    market = Market()
    for number in range(15):
        name = f"m{number}"
        market.assess(name, 1, 900 - number, about=("merchant", name), level="high")
        decision = market.decide(name, 1.1, "require_review")
        market.review(name, 2, "violation" if number < 10 else "clean", decision_id=decision)
    assert named(market, "precision_at_k", k="10").value == 1
    assert named(market, "precision_at_k", k="50").value == pytest.approx(10 / 15)


def test_a_slice_that_is_hit_more_often_stands_out() -> None:
    """Half of the merchants of one country and none of another: the ratio's interval leaves fairness out."""
    market = Market()
    for number in range(60):
        name = f"m{number}"
        market.register(name, -200, country="DE" if number < 30 else "FR")
        market.listing(name, f"l{number}", 1)
        if number < 15:
            market.decide(name, 2)
    ratio = named(market, "slice_restriction_ratio", country="DE")
    assert ratio.value is not None and ratio.low is not None and ratio.low > 1.25
    assert ratio.note == "outside 0.8 to 1.25"
    assert named(market, "slice_restriction_rate", country="FR").value == 0


def test_shifts_are_held_against_chance() -> None:
    """The same mix as in the month before is no shift; another one is more than chance."""
    same, other = Market(), Market()
    for market, kinds in ((same, 2), (other, 1)):
        for listing, category in (("toy", "toys/games"), ("shoe", "fashion/shoes")):
            market.listing("m1", listing, -40, category=category)
        for number in range(120):
            listing = ("toy", "shoe")[number % (2 if number < 60 else kinds)]
            market.order("m1", f"o{number}", -30 + number / 2, listing=listing)
    calm, moved = named(same, "category_shift"), named(other, "category_shift")
    assert calm.value is not None and calm.bound is not None and calm.value < calm.bound
    assert moved.value is not None and moved.bound is not None and moved.value > moved.bound
    assert (calm.denominator, calm.numerator) == (60, 60)
    assert "beyond chance" in moved.note and not calm.note
