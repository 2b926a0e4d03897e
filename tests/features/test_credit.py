"""What is stored of credit, and what a merchant's counters say of its conduct."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.credit import Component, Conduct, CreditState, LedgerEntry, Look
from features.merchant_conduct import MERCHANT_COMPONENTS, MERCHANT_SIGNS, merchant_conduct, pool
from features.population import Population
from tests.builders import DAY, HOUR, START, Shard, event, make_judge, of_order, placed, shipped

TODAY = START // DAY


def test_a_credit_reads_back_as_it_was_stored() -> None:
    """With entries, milestones and the looks at it; a fresh one takes two bytes."""
    entry = LedgerEntry("counterfeit", -50, START, "orders-0-1-2", "l:l1", 50, True, True, START + 1, 25, True)
    state = CreditState(
        ledger=[entry], clean=[1, 2], week=2800, past=[100, 0, 3], score=150, earned=1, tier="watch", since=START,
        graduated=1, reached=150, due=START + 5, probability=0.1, pooled=19_000, review=START + 9,
        trail=[Look(START, ["d1"], True, 1, True, True, False, 0.5, 1.5, "plus", START - 1, 1)],
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(state), type=CreditState) == state
    assert msgspec.json.encode(CreditState()) == b"{}"


@given(orders=st.integers(0, 50), buyers=st.floats(0, 50))
def test_orders_of_few_buyers_are_few(orders: int, buyers: float) -> None:
    """Between 0 and 1; 1 where every order has a buyer of its own, or nothing is known."""
    conduct = Conduct(0, [], {}, pending=False, orders=orders, buyers=buyers, since=0)
    assert 0 <= conduct.spread <= 1
    if not orders or buyers >= orders:
        assert conduct.spread == 1


def test_conduct_is_what_the_orders_did() -> None:
    """Through the core: an order counts on the day on which its outcome is due, in each way in which it went bad."""
    shard = Shard(make_judge())
    for order in ("good", "late", "claimed"):
        shard.apply(placed(order))
    shard.apply(
        shipped("good", DAY), shipped("late", 3 * DAY), shipped("claimed", DAY),
        of_order("delivered", "good", 2 * DAY), of_order("delivered", "late", 4 * DAY),
        of_order("delivered", "claimed", 2 * DAY),
        of_order("return_requested", "claimed", 5 * DAY, reason="not_as_described"),
        of_order("refunded", "claimed", 6 * DAY, amount=1000, fault="seller"),
    )  # fmt: skip
    merchant, population = shard.merchant(), shard.state.population
    due = TODAY + 6 + 14
    early = merchant_conduct(merchant, population, (due - 1) * DAY, 0)
    assert (early.matured, early.pending) == (0, True)
    assert early.ways()["late_ship"].days == [(TODAY + 3, 3, 1)]
    found = merchant_conduct(merchant, population, due * DAY, 0)
    assert (found.matured, found.pending) == (3, False)
    assert found.outcomes == [(due, 3, 2)]
    assert found.clean_by_week() == {due // 7: 1}
    # What went wrong counts for the probability from the day on which it can be said.
    assert found.ways()["claims"].days == [(TODAY + 6, 3, 1)]
    assert found.ways()["late_delivery"].days == [(TODAY + 6, 3, 0)]
    assert tuple(found.ways()) == MERCHANT_COMPONENTS
    assert merchant_conduct(merchant, population, (due + 90) * DAY, 0).outcomes == []


def test_who_was_there_before_is_not_new() -> None:
    """Unless it registered, a merchant that is seen in a shard's first days was there; later it is new."""
    shard = Shard(make_judge())
    shard.apply(placed("o1"), placed("o2", 40 * DAY, merchant="m2"))
    population = shard.state.population
    assert merchant_conduct(shard.merchant("m1"), population, (TODAY + 41) * DAY, 30 * DAY).since == 0
    assert merchant_conduct(shard.merchant("m2"), population, (TODAY + 41) * DAY, 30 * DAY).since == START + 40 * DAY
    assert merchant_conduct(shard.merchant("m2"), population, (TODAY + 41) * DAY, 50 * DAY).since == 0


def test_signs_are_what_tells_before_orders_can_have_gone_bad() -> None:
    """A new account, a change of its bank after the first day, parcels that should have left."""
    shard = Shard(make_judge())
    shard.apply(
        event("merchant.registered", 0, kind="business", country="US", registered_at=START),
        event("merchant.account_changed", HOUR, what="bank", value_hash="one"),
        *[placed(f"o{number}", HOUR + number) for number in range(10)],
    )
    merchant, population = shard.merchant(), shard.state.population

    def signs(at: int) -> dict[str, float]:
        return merchant_conduct(merchant, population, START + at, 0).signs

    assert signs(9 * DAY) == {"payout_change": 0.0, "backlog": 0.0, "new": pytest.approx(0.9)}
    assert signs(90 * DAY)["new"] == 0
    shard.apply(event("merchant.account_changed", 10 * DAY, what="bank", value_hash="two"))
    assert signs(10 * DAY)["payout_change"] == signs(39 * DAY)["payout_change"] == 1
    assert signs(40 * DAY)["payout_change"] == 0
    assert signs(10 * DAY)["backlog"] == 1
    assert tuple(signs(10 * DAY)) == MERCHANT_SIGNS


def test_days_are_added_to_those_of_all_once() -> None:
    """Those of the span alone, by way; a way without orders is not kept."""
    population = Population()
    ways = {"late_ship": Component([(5, 10, 1), (6, 20, 2), (9, 30, 3)], 0.1), "cancel": Component([], 0.1)}
    pool(ways, population, 5, 7)
    pool(ways, population, 7, 9)
    assert set(population.ways) == {"late_ship"}
    rate = population.ways["late_ship"]
    assert rate.day == 6
    assert rate.year_orders == pytest.approx(30, rel=0.01)
