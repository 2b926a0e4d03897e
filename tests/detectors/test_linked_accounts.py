"""Accounts of one operator answer together: who splits a shop does not split what is known of it, nor leave a
restriction behind; and an account that serves well, or has little in common with another, is left alone.
"""

import pytest

from features.buckets import ACCOUNT_HUB
from features.outputs import EnforcementDecided, EnforcementReversed
from tests.builders import DAY, HOUR, START, Event, event, placed, shipped
from tests.detectors.markets import Marketplace

OLD = START - 400 * DAY


def registered(merchant: str, at: int = 0, since: int = OLD) -> Event:
    """A shop signed up at a time (ms)."""
    return event("merchant.registered", at, merchant, registered_at=since, kind="business", country="DE")


def details(merchant: str, *kinds: str, of: str = "x", at: int = HOUR) -> list[Event]:
    """A shop's account has these values; those of one operator are the same."""
    return [
        event("merchant.account_changed", at + number, merchant, what=kind, value_hash=f"{kind} {of}")
        for number, kind in enumerate(kinds)
    ]


def sold(merchant: str, orders: int, late: int, start: int = 0) -> list[Event]:
    """Orders of six days, so many of which are shipped two days late."""
    events = []
    for number in range(orders):
        at = start + number * 6 * DAY // orders
        name = f"{merchant}-{start // DAY}-{number}"
        events.append(placed(name, at, merchant))
        events.append(shipped(name, at + (4 * DAY if number < late else DAY), merchant))
    return sorted(events, key=lambda each: each["occurred_at"])


def limits(market: Marketplace, merchant: str) -> list[str]:
    """Rules by which a shop's orders were limited."""
    return [
        each.policy.id
        for each in market.outputs(EnforcementDecided)
        if (each.merchant_id, each.action) == (merchant, "limit_orders") and not each.requires_review
    ]


@pytest.mark.parametrize("shards", [1, 3])
def test_orders_of_one_operator_are_counted_together(shards: int) -> None:
    """Whichever shards the accounts belong to; one that has a single value in common has nothing to do with it."""
    market = Marketplace(shards, audit_rate=0.0)
    first, second, third = ("a-0", "b-0", "c-0") if shards == 1 else ("a-0", "b-1", "c-2")
    for merchant in (first, second, third):
        market.apply(registered(merchant))
    market.apply(*details(first, "bank", "phone"), *details(second, "bank", "phone"), *details(third, "bank"))
    for merchant, orders, late in ((first, 10, 4), (second, 6, 1), (third, 8, 8)):
        market.apply(*sold(merchant, orders, late))
    for day in (14, 15):
        market.move_on(day * DAY)
        # A shop tells of its day when it is looked at.
        market.apply(*(placed(f"{day} {merchant}", day * DAY, merchant) for merchant in (first, second, third)))
    for merchant in (first, second):
        assert market.feature("joint_mature_ship_orders_30d", merchant) == 16
    own = market.feature("late_ship_rate_30d_lower", first) or 0.0
    other = market.feature("late_ship_rate_30d_lower", second) or 0.0
    joint = market.feature("joint_late_ship_rate_30d_lower", first) or 0.0
    assert joint == market.feature("joint_late_ship_rate_30d_lower", second)
    assert other < joint
    assert own != joint
    assert market.feature("joint_mature_ship_orders_30d", third) is None
    assert market.feature("joint_late_ship_rate_30d_lower", third) is None


def test_a_split_shop_is_limited_as_a_whole_one() -> None:
    """Fourteen orders at each of two accounts are too few to judge either by, and enough to judge their operator by;
    the same two shops with nothing in common are left alone.
    """
    found = {}
    for linked in (True, False):
        market = Marketplace(2, audit_rate=0.0)
        for number, merchant in enumerate(("a-0", "b-1")):
            market.apply(registered(merchant))
            market.apply(*details(merchant, "bank", "address", "phone", of="x" if linked else str(number)))
            market.apply(*sold(merchant, 14, 9))
        for day in (10, 11, 12):
            market.move_on(day * DAY)
            market.apply(*(placed(f"{day} {merchant}", day * DAY, merchant) for merchant in ("a-0", "b-1")))
        found[linked] = [limits(market, merchant) for merchant in ("a-0", "b-1")]
    assert found == {True: [["joint-poor-fulfilment"], ["joint-poor-fulfilment"]], False: [[], []]}


def test_an_operators_other_shop_that_serves_well_is_left_alone() -> None:
    """An owner may have two shops: the old one that ships in time is not limited for what the other one does."""
    market = Marketplace(2, audit_rate=0.0)
    for merchant in ("bad-0", "good-1"):
        market.apply(registered(merchant), *details(merchant, "bank", "address", "phone"))
    market.apply(*sold("bad-0", 30, 27), *sold("good-1", 20, 1))
    for day in (10, 11, 12):
        market.move_on(day * DAY)
        market.apply(*(placed(f"{day} {merchant}", day * DAY, merchant) for merchant in ("bad-0", "good-1")))
    assert limits(market, "bad-0") != []
    assert (market.feature("joint_late_ship_rate_30d_lower", "good-1") or 0.0) > 0.2
    assert (market.feature("linked_restricted_days", "good-1") or 0.0) > 0
    assert limits(market, "good-1") == []


def test_a_restriction_is_not_left_behind_in_a_new_account() -> None:
    """A young account of a restricted operator is restricted as long as that one is, without losing points; whoever is
    linked to the young one alone hears of nothing.
    """
    market = Marketplace(3, audit_rate=0.0)
    market.apply(registered("bad-0"), *details("bad-0", "bank", "address"))
    market.apply(*sold("bad-0", 30, 27))
    market.apply(registered("new-1", 8 * DAY, START + 8 * DAY), *details("new-1", "bank", "address", at=8 * DAY))
    market.apply(*details("new-1", "phone", "email", of="y", at=8 * DAY + HOUR))
    market.apply(registered("friend-2", 8 * DAY, START + 8 * DAY))
    market.apply(*details("friend-2", "phone", "email", of="y", at=8 * DAY + 2 * HOUR))
    for day in range(9, 13):
        market.move_on(day * DAY)
        market.apply(*(placed(f"{day} {merchant}", day * DAY, merchant) for merchant in ("bad-0", "new-1", "friend-2")))
    assert limits(market, "new-1") == ["linked-to-restricted"]
    assert limits(market, "friend-2") == []
    credit = market.shards[1].merchant("new-1").record.credit
    assert credit is None or not credit.ledger
    market.move_on(60 * DAY)
    decisions = [each for each in market.outputs(EnforcementDecided) if each.action == "limit_orders"]
    carried = [each for each in decisions if each.policy.id == "linked-to-restricted"]
    ended = {each.reverses: each.why for each in market.outputs(EnforcementReversed)}
    assert {ended.get(each.decision_id) for each in carried} == {"expiry"}
    # Never without one of the other account, and once for each of them.
    assert 1 <= len(carried) <= sum(each.merchant_id == "bad-0" for each in decisions)
    assert market.feature("linked_restricted_days", "new-1") == 0


def test_an_appeal_of_a_new_account_is_heard() -> None:
    """Overturned, the restriction that was carried over does not come back with the next order."""
    market = Marketplace(2, audit_rate=0.0)
    market.apply(registered("bad-0"), *details("bad-0", "bank", "address"))
    market.apply(*sold("bad-0", 30, 27))
    market.apply(registered("new-1", 8 * DAY, START + 8 * DAY), *details("new-1", "bank", "address", at=8 * DAY))
    for day in (9, 10):
        market.move_on(day * DAY)
        market.apply(*(placed(f"{day} {merchant}", day * DAY, merchant) for merchant in ("bad-0", "new-1")))
    (carried,) = [each for each in market.outputs(EnforcementDecided) if each.policy.id == "linked-to-restricted"]
    overturned = {"decision_id": carried.decision_id, "outcome": "overturned"}
    market.apply(event("appeal.decided", 10 * DAY + HOUR, "new-1", **overturned))
    for day in (11, 12):
        market.move_on(day * DAY)
        market.apply(placed(f"again {day}", day * DAY, "new-1"))
    assert (market.feature("linked_restricted_days", "new-1") or 0.0) > 0
    assert limits(market, "new-1") == ["linked-to-restricted"]


def test_what_many_have_in_common_makes_no_operator() -> None:
    """The bank and the address of an agency: its clients have nothing to do with each other."""
    market = Marketplace(1, audit_rate=0.0)
    clients = [f"client {number}-0" for number in range(ACCOUNT_HUB + 2)]
    for client in clients:
        market.apply(registered(client), *details(client, "bank", "address"))
    market.apply(*sold(clients[0], 30, 27))
    market.move_on(10 * DAY)
    market.apply(*(placed(f"next {client}", 10 * DAY, client) for client in clients))
    assert limits(market, clients[0]) != []
    for client in clients[1:]:
        assert market.feature("linked_restricted_days", client) == 0
        assert market.feature("joint_mature_ship_orders_30d", client) is None
