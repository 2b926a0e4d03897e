"""A creator: counts that follow what is told, tables that stay bounded, and a record that reads back."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from features import driven as d
from features.creator import (
    BUYERS_LIMIT,
    SHOPS_LIMIT,
    VIOLATION_DAYS,
    VIOLATIONS_LIMIT,
    Creator,
    CreatorRecord,
    PromotedViolation,
)
from features.creator_conduct import creator_conduct
from features.driven import DrivenCounts
from features.population import Population
from features.registry import FEATURES, of_creator
from features.windows import DAY_MS

START = 1_704_067_200_000
DAY = START // DAY_MS


def creator() -> Creator:
    """A creator who was heard of at START."""
    made = Creator("c", CreatorRecord())
    made.advance(START)
    return made


def feature(one: Creator, name: str) -> float | None:
    """A figure of a creator, now."""
    return FEATURES[name].get(of_creator(one, Population()))


def told(orders: int = 1, harmed: int = 0, gmv: int = 1000, currency: str = "EUR", buyer: int = 1) -> DrivenCounts:
    """Orders of DAY, due for delivery on the day after."""
    return DrivenCounts(
        currency,
        {DAY: [orders, orders * gmv, harmed, harmed, 0, 0]},
        {DAY + 1: [orders, harmed, harmed, 0, harmed]},
        {buyer: harmed} if harmed else {},
        {DAY: [buyer] * orders},
    )


def test_rates_wait_for_the_outcome() -> None:
    """Harm is counted at once, and in rates only when the order's outcome is due: 14 days after the due day."""
    one = creator()
    assert one.count("m", 0, told(10, 4), START)
    assert feature(one, "creator_orders_30d") == 10
    assert feature(one, "creator_harmed_orders_30d") == 4
    assert feature(one, "creator_harm_rate_90d") is None
    one.advance(START + 15 * DAY_MS)
    assert feature(one, "creator_mature_orders_90d") == 10
    assert feature(one, "creator_harm_rate_90d") == 0.4
    assert feature(one, "creator_harming_merchants_90d") == 1
    one.advance(START + 200 * DAY_MS)
    assert feature(one, "creator_mature_orders_90d") == 0
    assert feature(one, "creator_harming_merchants_90d") == 0


def test_other_currencies_count_without_amounts() -> None:
    """The creator's currency is that of the first order."""
    one = creator()
    one.count("m", 0, told(2, currency="EUR"), START)
    one.count("n", 0, told(3, currency="USD"), START)
    assert feature(one, "creator_orders_7d") == 5
    assert feature(one, "creator_gmv_7d") == 2000
    assert one.record.foreign_orders == 3


def test_one_buyer_is_one_buyer() -> None:
    """Three harmed orders of one buyer are one harmed buyer, gone when all three are taken back."""
    one = creator()
    one.count("m", 0, told(3, 3, buyer=9), START)
    assert feature(one, "creator_harmed_buyers_90d") == 1
    one.count("m", 0, DrivenCounts("EUR", {DAY: [0, 0, 0, -3, 0, 0]}, {}, {9: -3}), START)
    assert feature(one, "creator_harmed_buyers_90d") == 0
    assert feature(one, "creator_harmed_orders_30d") == 0
    assert one.record.harmed == {}


def test_a_known_violation_is_not_counted_again() -> None:
    """By its decision; one that was wrong leaves, and so does one that is old."""
    one = creator()
    violation = PromotedViolation("counterfeit", "m", "l", "d1", START)
    assert one.blame(violation)
    assert not one.blame(violation)
    assert one.clear("d1") and not one.clear("d1")
    one.blame(violation)
    one.advance(START + VIOLATION_DAYS * DAY_MS)
    assert one.record.violations == []


def test_violations_of_one_merchant_within_three_days_are_one() -> None:
    """A shop whose forty listings fall in one day is one violation; next week it is a second, as are others."""
    one = creator()
    for number in range(40):
        one.blame(PromotedViolation("counterfeit", "m", f"l{number}", f"d{number}", START + number))
    assert feature(one, "creator_same_violations_90d") == 1
    one.blame(PromotedViolation("counterfeit", "m", "l", "later", START + 4 * DAY_MS))
    one.blame(PromotedViolation("counterfeit", "n", "l", "other", START))
    one.blame(PromotedViolation("prohibited_product", "n", "l", "another", START))
    one.advance(START + 5 * DAY_MS)
    assert feature(one, "creator_same_violations_90d") == 3
    assert feature(one, "creator_violations_90d") == 4
    assert feature(one, "creator_violated_merchants_90d") == 2


def test_joint_merchants_are_those_that_lived_off_it() -> None:
    """Flagged, more than half of the turnover, ten orders or more; each bound counts."""
    one = creator()
    one.count("m", 0, told(10), START)
    shop = one.shop("m", 0)
    shop.flagged, shop.flagged_at, shop.share = True, START, 0.5
    assert feature(one, "creator_joint_merchants") == 1
    assert feature(one, "creator_malicious_share") == 1
    shop.share = 0.49
    assert feature(one, "creator_joint_merchants") == 0
    shop.share, shop.orders = 0.5, 9
    assert feature(one, "creator_joint_merchants") == 0


def test_conduct_is_the_same_after_a_restart() -> None:
    """Its days stand in the order in which they are read back, however late they were told: floats are summed up."""
    one = creator()
    for day in (DAY + 5, DAY + 1, DAY + 3):
        one.outcome.add(day, d.DUE, 2)
    again = Creator("c", msgspec.json.decode(msgspec.json.encode(one.packed()), type=CreatorRecord))
    conducts = [creator_conduct(each, Population(), DAY + 30) for each in (one, again)]
    assert conducts[0] == conducts[1]
    assert [day for day, _, _ in conducts[0].outcomes] == [DAY + 15, DAY + 17, DAY + 19]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30), st.integers(0, 3)), max_size=150))
def test_tables_are_bounded_and_the_record_reads_back(steps: list[tuple[int, int, int]]) -> None:
    """Whatever is told, so much is kept; stored and read, every figure is the same."""
    one = creator()
    for number, (which, day, harmed) in enumerate(steps):
        at = START + day * DAY_MS
        one.advance(at)
        one.count(f"m{which}", 0, told(3, harmed, buyer=which), at)
        one.blame(PromotedViolation("counterfeit", f"m{which}", "l", f"d{number}", at))
    record = one.record
    assert len(record.shops) <= SHOPS_LIMIT
    assert len(record.harmed) <= BUYERS_LIMIT
    assert len(record.violations) <= VIOLATIONS_LIMIT
    again = Creator("c", msgspec.json.decode(msgspec.json.encode(one.packed()), type=CreatorRecord))
    assert one.placed.sums == again.placed.sums
    assert one.outcome.sums == again.outcome.sums
    for name, each in FEATURES.items():
        if each.entity == "creator":
            assert feature(one, name) == feature(again, name)
    assert one.placed.sum(d.ORDERS, 3) == 3 * len(steps)
