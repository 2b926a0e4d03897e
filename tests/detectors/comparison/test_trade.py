from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.comparison.trade import Trade
from features.events import (
    AppealDecided,
    ListingCreated,
    ListingUpdated,
    OrderCreated,
    OrderItem,
    ReviewDecided,
    Subject,
)
from features.windows import DAY_MS
from tests.detectors.comparison.made import START, decision, restriction


def order(day: float, number: int, total: int = 1_000, **fields: Any) -> OrderCreated:
    """An order of listing l1 at merchant m1."""
    said: dict[str, Any] = {
        "event_id": f"e{number}",
        "occurred_at": START + round(day * DAY_MS),
        "merchant_id": "m1",
        "order_id": f"o{number}",
        "buyer_id": "b",
        "items": [OrderItem("l1", 1, total)],
        "total": total,
        "currency": "EUR",
    }
    return OrderCreated(**(said | fields))


def listing(name: str, category: str, kind: type[ListingCreated | ListingUpdated] = ListingCreated) -> Any:
    """A version of a listing of merchant m1."""
    return kind(
        event_id=f"{name}{category}", occurred_at=START, merchant_id="m1", listing_id=name, title="t",
        category=category, price=1_000, currency="EUR",
    )  # fmt: skip


def traded(*events: Any) -> Trade:
    """The trade of merchant m1."""
    trade = Trade({"m1"})
    for event in events:
        trade.event(event)
    trade.close()
    return trade


@given(st.lists(st.integers(0, 20), max_size=12), st.integers(0, 20), st.integers(1, 10), st.integers(0, 25))
def test_a_restriction_touches_what_is_ordered_while_it_stands(
    days: list[int], begin: int, length: int, ended: int
) -> None:
    """From its start on, until it expires or ends before that: against a plain count."""
    trade = traded(*(order(day, number, 100 + number) for number, day in enumerate(days)))
    made = restriction(begin, length)
    found = trade.worth(trade.touched(made, START + ended * DAY_MS))
    until = min(begin + length, ended)
    assert found.get("EUR", 0) == sum(100 + number for number, day in enumerate(days) if begin <= day < until)


def test_who_is_restricted_for_good() -> None:
    """Without an end everything from then on is touched; a warning touches nothing."""
    trade = traded(order(1, 1), order(5, 2), order(90, 3))
    assert trade.worth(trade.touched(restriction(2, None), None)) == {"EUR": 2_000}
    assert trade.worth(trade.touched(decision(2), None)) == {}


def test_an_order_and_a_listing_are_themselves() -> None:
    """A payout held on one order touches that order; a removed listing what is ordered of it."""
    other = order(3, 2, 500, items=[OrderItem("l2", 1, 500)])
    trade = traded(order(1, 1), other, order(4, 3))
    held = restriction(2, kind="order", subject_id="o1", action="hold_payout")
    removed = restriction(2, None, kind="listing", subject_id="l1", action="remove_listing")
    assert trade.worth(trade.touched(held, None)) == {"EUR": 1_000}
    assert list(trade.touched(removed, None)) == [("m1", 2)]


def test_each_order_counts_once_and_by_currency() -> None:
    """Two restrictions on the same orders are not worth twice; a repeated event is one order."""
    trade = traded(order(1, 1), order(1, 1), order(2, 2, 300, currency="JPY"))
    twice = [*trade.touched(restriction(0, 9), None), *trade.touched(restriction(1, 9), None)]
    assert trade.worth(twice) == {"EUR": 1_000, "JPY": 300}
    assert dict(trade.gmv) == {"EUR": 1_000, "JPY": 300}


def test_categories() -> None:
    """A listing's own, as it was last; an order's and a merchant's by amount; without orders by number of listings."""
    two = order(1, 1, items=[OrderItem("l1", 1, 100), OrderItem("l2", 3, 100)])
    trade = traded(
        listing("l1", "home/decor"), listing("l2", "toys"), listing("l2", "beauty/skin", ListingUpdated), two
    )
    assert trade.category("m1", "listing", "l2") == "beauty/skin"
    assert trade.category("m1", "order", "o1") == "beauty/skin"
    assert trade.category("m1") == "beauty/skin"
    assert traded(listing("l1", "home"), listing("l2", "toys"), listing("l3", "toys")).category("m1") == "toys"
    assert trade.category("m2") == trade.category("m1", "listing", "l9") == ""


@pytest.mark.parametrize("verdict", ["violation", "clean"])
def test_verdicts(verdict: Any) -> None:
    """On a decision, on a subject, and an appeal that was right."""
    common: dict[str, Any] = {"occurred_at": START, "merchant_id": "m1"}
    made = decision()
    by_id = ReviewDecided(event_id="1", verdict=verdict, source="human", decision_id=made.id, **common)
    by_subject = ReviewDecided(
        event_id="2", verdict=verdict, source="audit", subject=Subject("merchant", "m1"), **common
    )
    appeal = AppealDecided(event_id="3", decision_id=made.id, outcome="overturned", **common)
    assert traded(by_id).verdict(made) == traded(by_subject).verdict(made) == (verdict == "violation")
    assert traded(by_id, appeal).verdict(made) is False
    assert traded().verdict(made) is None
    assert traded(by_subject).violations() == ({("m1", "merchant", "m1")} if verdict == "violation" else set())
