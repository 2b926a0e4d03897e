from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import merchant as m
from features.merchant import RATES, Merchant, MerchantRecord, _moves
from features.order import OUTCOME_DAYS, OrderRecord
from features.population import PRIOR_FAMILIES
from features.windows import DAY_MS

START = 1_704_067_200_000


def merchant_at(time: int) -> Merchant:
    """A merchant without any history, seen at a time."""
    merchant = Merchant("m", MerchantRecord())
    merchant.advance(time)
    return merchant


def order(**facts: Any) -> OrderRecord:
    """An order of the first day with two days to ship and five to deliver."""
    promises = {"ship_by": START + 2 * DAY_MS, "deliver_by": START + 5 * DAY_MS}
    return OrderRecord(**({"created": START} | promises | facts))


def reread(merchant: Merchant) -> Merchant:
    """Written to the store and read again."""
    stored = msgspec.json.encode(merchant.packed())
    return Merchant(merchant.id, msgspec.json.decode(stored, type=MerchantRecord))


def counters(merchant: Merchant) -> list[Any]:
    """Everything that the merchant's running figures say."""
    return [
        *(each.sums for each in (merchant.placed, merchant.ship, merchant.outcome, merchant.churn)),
        merchant.buyers.distinct,
        merchant.buyers.concentration,
        merchant.day,
    ]


def test_a_correction_leaves_no_trace() -> None:
    """An order that becomes late and turns out not to be counts as one that never was."""
    fixed, never = merchant_at(START), merchant_at(START)
    record, other = order(), order()
    for merchant, one in ((fixed, record), (never, other)):
        merchant.reflag(one)
        merchant.advance(START + 30 * DAY_MS)
    record.ship_overdue = True
    fixed.reflag(record)
    assert fixed.record.overdue == 1
    assert fixed.orders_and_defects("late_ship", 1) == (1, 1)
    record.shipped = other.shipped = START + DAY_MS
    for merchant, one in ((fixed, record), (never, other)):
        merchant.reflag(one)
    assert fixed.orders_and_defects("late_ship", 1) == (1, 0)
    assert (fixed.record.overdue, record.flags) == (0, other.flags)
    assert counters(fixed) == counters(never)


def test_reflag_says_what_changed_once() -> None:
    """The bits that changed are returned, and the same facts again change nothing."""
    merchant = merchant_at(START)
    record = order(rating=1)
    assert merchant.reflag(record) == record.flags
    before = counters(merchant)
    assert merchant.reflag(record) == 0
    assert counters(merchant) == before


def test_a_defect_of_an_order_in_no_rate_counts_by_its_day_alone() -> None:
    """A refund of an order that the buyer cancelled in time is in no rate; of one that the seller cancelled it is."""
    merchant = merchant_at(START)
    record = order(cancelled=START + DAY_MS, cancelled_by="buyer", seller_refund=True)
    merchant.reflag(record)
    merchant.advance(START + 25 * DAY_MS)
    assert merchant.placed.sum(m.REFUNDS, 1) == 1
    assert [merchant.orders_and_defects(rate, 1) for rate in RATES] == [(0, 0)] * len(RATES)
    record.cancelled_by = "seller"
    merchant.reflag(record)
    assert merchant.orders_and_defects("refund", 1) == (1, 1)
    assert merchant.orders_and_defects("cancel", 1) == (1, 1)
    assert merchant.orders_and_defects("late_delivery", 1) == (0, 0)


@pytest.mark.parametrize(
    ("rate", "days"), [("cancel", 3), ("late_ship", 3), ("late_delivery", 6), ("refund", 6 + OUTCOME_DAYS)]
)
def test_an_order_enters_a_rate_when_it_is_old_enough(rate: str, days: int) -> None:
    """Not a day before, and it leaves the seven-day window seven days after."""
    merchant = merchant_at(START)
    merchant.reflag(order(seller_refund=True))
    orders = []
    for day in range(40):
        merchant.advance(START + day * DAY_MS)
        orders.append(merchant.orders_and_defects(rate, 0)[0])
    assert orders == [int(days <= day < days + 7) for day in range(40)]


@given(st.integers(0, (1 << 25) - 1), st.integers(0, (1 << 25) - 1))
def test_what_flags_move_is_taken_back_by_the_way_back(old: int, new: int) -> None:
    """From any flags to any others and back, every counter is as it was; what stays the same moves nothing."""
    there, back = _moves(old, new), _moves(new, old)
    for forth, again in ((there.placed, back.placed), (there.ship, back.ship), (there.outcome, back.outcome)):
        assert [(counter, -sign) for counter, sign in forth] == list(again)
    assert (there.failing, there.overdue, there.open) == (-back.failing, -back.overdue, -back.open)
    assert _moves(new, new) == ((), (), (), 0, 0, 0)


def test_advancing_says_when_a_day_begins() -> None:
    """True once a day, false within it and for what is past; the first event says when the merchant was first seen."""
    merchant = Merchant("m", MerchantRecord())
    assert merchant.advance(START + 5)
    assert merchant.record.first_seen == START + 5
    assert not merchant.advance(START + DAY_MS - 1)
    assert not merchant.advance(START)
    assert merchant.record.as_of == START + DAY_MS - 1
    assert merchant.advance(START + DAY_MS)
    assert merchant.record.first_seen == START + 5


_facts = st.fixed_dictionaries(
    {
        "created": st.integers(0, 60).map(lambda day: START + day * DAY_MS),
        "shipped": st.none() | st.just(START + 3 * DAY_MS),
        "cancelled": st.none() | st.just(START + DAY_MS),
        "cancelled_by": st.sampled_from(["buyer", "seller"]),
        "seller_refund": st.booleans(),
        "rating": st.integers(0, 5),
        "ship_overdue": st.booleans(),
    }
)


@given(st.lists(st.tuples(_facts, st.integers(0, 40), st.integers(0, 3)), max_size=15))
@settings(max_examples=100, deadline=None)
def test_a_stored_merchant_goes_on_alike(steps: list[tuple[dict[str, Any], int, int]]) -> None:
    """Stored and read again between any two steps, a merchant has the same figures and the same bytes."""
    whole, stored = merchant_at(START), merchant_at(START)
    for facts, days, buyer in steps:
        for merchant in (whole, stored):
            merchant.advance(facts["created"])
            merchant.reflag(order(**facts))
            merchant.buyers.add(facts["created"] // DAY_MS, buyer)
            merchant.churn.add(facts["created"] // DAY_MS, m.LISTING_EDITS, 1)
            merchant.advance(merchant.record.as_of + days * DAY_MS)
        stored = reread(stored)
        assert counters(stored) == counters(whole)
        assert msgspec.json.encode(stored.packed()) == msgspec.json.encode(whole.packed())
        assert stored.contributions() == whole.contributions()


def test_contributions_are_the_ninety_day_counts() -> None:
    """Three denominators, then the defects in the order of the rates, without zeros at the end."""
    merchant = merchant_at(START)
    assert merchant.contributions() == []
    for facts in ({}, {"rating": 1}, {"cancelled": START, "cancelled_by": "seller"}, {"seller_refund": True}):
        merchant.reflag(order(**facts))
    merchant.advance(START + 30 * DAY_MS)
    flat = merchant.contributions()
    padded = flat + [0] * (3 + len(RATES) - len(flat))
    assert padded[:3] == [4, 3, 4]
    for index, (rate, family) in enumerate(PRIOR_FAMILIES.items(), 3):
        assert (padded[family], padded[index]) == merchant.orders_and_defects(rate, 3), rate
    assert flat == [] or flat[-1] != 0


def test_a_new_merchant_takes_few_bytes() -> None:
    """Defaults are left out of what is stored."""
    assert len(msgspec.json.encode(merchant_at(START).packed())) < 100


def test_a_later_version_shows_in_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of the first version reads what a later one wrote as such, so that it can refuse it."""
    assert msgspec.json.decode(b"{}", type=MerchantRecord).version == 1
    monkeypatch.setattr(m, "STATE_VERSION", 2)
    assert b'"version":2' in msgspec.json.encode(merchant_at(START).packed())
