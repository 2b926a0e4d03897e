"""Stories of malicious sellers and buyers, told by hand: what is found of them, and what of honest ones like them."""

from typing import Any

import pytest

from detectors.judge import Judge
from features.outputs import EnforcementDecided, RiskAssessed
from tests.builders import DAY, HOUR, START, Event, Shard, event, listed, make_judge, of_order, placed, shipped, tracked


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, who publishes everything."""
    return make_judge(publish_level=0, audit_rate=0.0)


@pytest.fixture
def shard(judge: Judge) -> Shard:
    """A shard that has seen nothing."""
    return Shard(judge)


def codes(shard: Shard, merchant: str) -> set[str]:
    """Rules among the reasons of whatever was published about a merchant, its orders and its listings."""
    found = (one for one in shard.outputs(RiskAssessed) if one.merchant_id == merchant)
    return {reason.code for one in found for reason in one.reasons}


def opened(merchant: str, at: int = 0, days_ago: int = 0) -> Event:
    """A registration."""
    return event(
        "merchant.registered", at, merchant, kind="business", country="US", registered_at=START + at - days_ago * DAY
    )


def changed(what: str, at: int, merchant: str, value: str = "v") -> Event:
    """A change of the account."""
    return event("merchant.account_changed", at, merchant, what=what, value_hash=value)


def parcels(shard: Shard, count: int, merchant: str = "others", **fields: Any) -> None:
    """Ordinary orders: 1,000 grams and some, delivered after three days."""
    shard.apply(listed("l1", merchant=merchant, ship_from="US"))
    for number in range(count):
        name, at = f"n{number}", number * HOUR
        shard.apply(
            placed(name, at, merchant, ship_to="US-CA", **fields),
            shipped(name, at + 10 * HOUR, merchant, weight_grams=800 + 37 * (number % 20), ship_from="US"),
            of_order("delivered", name, at + 3 * DAY + (number % 9) * HOUR, merchant),
        )


# -- parcels ----------------------------------------------------------------------------------------------------------


def test_empty_boxes_are_found_by_weight_and_claims(shard: Shard) -> None:
    """Letters instead of parcels, delivered, and buyers who say so; without claims nothing is held against anybody."""
    parcels(shard, 60)
    for merchant in ("empty", "feathers"):
        shard.apply(opened(merchant), listed("l1", merchant=merchant, ship_from="US"))
        for number in range(8):
            name, at = f"o{number}", number * 6 * HOUR + DAY
            shard.apply(
                placed(name, at, merchant, ship_to="US-CA"),
                shipped(name, at + 5 * HOUR, merchant, weight_grams=30),
                of_order("delivered", name, at + 3 * DAY, merchant),
            )
            if merchant == "empty" and number % 2:
                shard.apply(of_order("return_requested", name, at + 4 * DAY, merchant, reason="not_as_described"))
    assert {"empty-boxes", "empty-box-order"} <= codes(shard, "empty")
    assert shard.feature("light_claims_30d", "empty") == 4
    assert shard.feature("light_parcels_30d", "feathers") == 8
    assert not {"empty-boxes", "empty-box-order"} & codes(shard, "feathers")


def test_two_in_a_parcel_weigh_as_two(shard: Shard) -> None:
    """Weights are compared a unit: a parcel of one that weighs half of one of two is no light one."""
    parcels(shard, 60, items=[{"listing_id": "l1", "quantity": 2, "unit_price": 500}])
    shard.apply(placed("one", 80 * HOUR, "others"), shipped("one", 90 * HOUR, "others", weight_grams=450))
    shard.apply(placed("none", 80 * HOUR, "others"), shipped("none", 90 * HOUR, "others", weight_grams=60))
    assert not shard.order("one", "others").light
    assert shard.order("none", "others").light


def test_a_weight_that_comes_before_its_order_is_judged_with_it(shard: Shard) -> None:
    """The shipment arrives first: the order is found light when it is known."""
    parcels(shard, 60)
    shard.apply(shipped("late", 90 * HOUR, "others", weight_grams=20, ship_from="DE"))
    shard.apply(placed("late", 80 * HOUR, "others"))
    order = shard.order("late", "others")
    assert (order.light, order.grams, order.shipped_from) == (True, 0, "DE")
    assert shard.feature("other_origin", "others", order="late") == 1


def test_a_parcel_cannot_be_faster_than_its_route(shard: Shard) -> None:
    """Delivered three hours after the hand-over on a route of three days; entered late but scanned before is honest."""
    parcels(shard, 60)
    shard.apply(
        placed("fast", 100 * HOUR, "others", ship_to="US-CA"),
        shipped("fast", 105 * HOUR, "others"),
        of_order("delivered", "fast", 108 * HOUR, "others"),
        placed("entered", 100 * HOUR, "others", ship_to="US-CA"),
        tracked("entered", 110 * HOUR, "others"),
        shipped("entered", 170 * HOUR, "others"),
        of_order("delivered", "entered", 173 * HOUR, "others"),
    )
    assert shard.feature("delivered_too_fast", "others", order="fast") == 1
    assert shard.feature("delivered_too_fast", "others", order="entered") == 0
    assert shard.feature("implausible_scans_30d", "others") == 1


def test_nothing_is_judged_by_few_parcels(shard: Shard) -> None:
    """Of twenty parcels the lightest and fastest proves nothing."""
    parcels(shard, 20)
    shard.apply(
        placed("one", 80 * HOUR, "others"),
        shipped("one", 90 * HOUR, "others", weight_grams=1),
        of_order("delivered", "one", 91 * HOUR, "others"),
    )
    assert (shard.order("one", "others").light, shard.order("one", "others").too_fast) == (False, False)


def test_triangulation_shows_in_origins(shard: Shard) -> None:
    """Parcels of a shop without stock come from anywhere; one warehouse elsewhere is a warehouse."""
    for merchant, origins in (("fence", ("US", "DE", "FR", "PL", "GB")), ("warehouse", ("DE",))):
        shard.apply(opened(merchant), listed("l1", merchant=merchant, ship_from="CN"))
        for number in range(12):
            name, at = f"o{number}", number * 7 * HOUR
            shard.apply(
                placed(name, at, merchant),
                shipped(name, at + DAY, merchant, ship_from=origins[number % len(origins)]),
                of_order("delivered", name, at + 3 * DAY, merchant),
            )
        shard.apply(placed("last", 4 * DAY, merchant))
    assert "triangulation" in codes(shard, "fence")
    assert shard.feature("other_origins", "fence") == 5
    assert shard.feature("other_origin_orders_30d", "warehouse") == 12
    assert "triangulation" not in codes(shard, "warehouse")


# -- who ordered ------------------------------------------------------------------------------------------------------


def test_orders_from_the_account_s_own_device_are_self_dealing(shard: Shard) -> None:
    """Ten buyers on the merchant's device; trying one's own shop once is nothing."""
    for merchant, orders in (("dealer", 10), ("curious", 1)):
        shard.apply(opened(merchant), changed("device", HOUR, merchant, f"phone of {merchant}"))
        for number in range(12):
            own = number < orders
            device = f"phone of {merchant}" if own else f"device {merchant} {number}"
            shard.apply(placed(f"o{number}", DAY + number * 3 * HOUR, merchant, device_id=device))
    assert {"self-dealing", "own-device-order"} <= codes(shard, "dealer")
    assert shard.feature("own_device_orders_30d", "dealer") == 10
    assert not {"self-dealing", "own-device-order"} & codes(shard, "curious")


def test_many_buyers_on_a_few_devices_are_seen_and_a_household_is_not(shard: Shard) -> None:
    """Thirty buyers on two devices; three of a family on one among others."""
    for number in range(30):
        shard.apply(placed(f"o{number}", number * 3 * HOUR, "ring", device_id=f"d{number % 2}"))
        home = number in (3, 9, 15)
        shard.apply(placed(f"o{number}", number * 3 * HOUR, "shop", device_id="home" if home else f"e{number}"))
    assert "shared-devices" in codes(shard, "ring")
    assert shard.feature("shared_device_orders_30d", "ring") == 28
    assert shard.feature("shared_device_orders_30d", "shop") == 2
    assert "shared-devices" not in codes(shard, "shop")


def test_claims_of_an_abusive_buyer_are_not_the_seller_s(shard: Shard) -> None:
    """From the third claim on, at several merchants, about most orders; the seller's rates leave them out."""
    for number in range(6):
        merchant, name, at = f"m{number % 2}", f"o{number}", number * DAY
        shard.apply(
            placed(name, at, merchant, buyer_id="serial"),
            of_order("delivered", name, at + 2 * HOUR, merchant),
            of_order("return_requested", name, at + 3 * HOUR, merchant, reason="not_received"),
            of_order("refunded", name, at + 4 * HOUR, merchant, amount=1000, fault="seller"),
        )
    excused = [shard.feature("claim_excused", f"m{n % 2}", order=f"o{n}") for n in range(6)]
    assert excused == [0, 0, 1, 1, 1, 1]
    for merchant in ("m0", "m1"):
        assert shard.feature("not_received_30d", merchant) == 1
        assert shard.feature("refunds_30d", merchant) == 1
        assert shard.feature("delivered_not_received_30d", merchant) == 1
        assert shard.feature("excused_claims_30d", merchant) == 2
    assert "refund-abuse" in codes(shard, "m0")


@pytest.mark.parametrize(("merchants", "silent"), [(1, 0), (2, 4)])
def test_an_unlucky_buyer_is_believed(shard: Shard, merchants: int, silent: int) -> None:
    """Who has trouble with one seller alone, or with few of many orders, makes claims that count."""
    for number in range(4 + silent):
        merchant, name, at = f"m{number % merchants}", f"o{number}", number * DAY
        shard.apply(placed(name, at, merchant, buyer_id="unlucky"))
        if not silent or number % 2 == 0:
            shard.apply(of_order("return_requested", name, at + HOUR, merchant, reason="damaged"))
    assert not any(order.excused for order in shard.state.orders.values())


# -- accounts ---------------------------------------------------------------------------------------------------------


def sales(shard: Shard, merchant: str, start: int, count: int, every: int, *, ships: bool) -> None:
    """Orders of many buyers, shipped within half a day or not at all."""
    for number in range(count):
        name, at = f"s{start}-{number}", start + number * every
        shard.apply(placed(name, at, merchant))
        if ships:
            shard.apply(shipped(name, at + min(every, 12 * HOUR) // 2, merchant))


def flood(shard: Shard, merchant: str, start: int, category: str = "electronics/phones") -> None:
    """A dozen listings at half of what they are said to be worth."""
    for number in range(12):
        shard.apply(
            listed(f"new{number}", start + number * HOUR, merchant, category=category, price=500, list_price=1000)
        )


def test_a_bust_out_is_seen_before_promises_are_broken(shard: Shard) -> None:
    """A young account: bank, flood of cut prices, first sales; every order could still be shipped in time."""
    shard.apply(placed("x", 0, "others"), opened("young", 0), changed("bank", HOUR, "young", "first"))
    sales(shard, "young", 5 * DAY, 3, DAY, ships=True)
    shard.apply(changed("bank", 9 * DAY, "young"))
    flood(shard, "young", 9 * DAY)
    sales(shard, "young", 9 * DAY + 12 * HOUR, 12, HOUR, ships=False)
    assert shard.feature("late_shipments_7d", "young") == 0
    assert "bust-out-prepared" in codes(shard, "young")
    assert "hold_payout" in {one.action for one in shard.outputs(EnforcementDecided) if one.merchant_id == "young"}


def test_an_honest_sale_of_a_new_shop_is_none(shard: Shard) -> None:
    """The same cut prices and sales, a bank that was set on the first day, and parcels that leave."""
    shard.apply(placed("x", 0, "others"), opened("young", 0), changed("bank", HOUR, "young"))
    sales(shard, "young", 5 * DAY, 3, DAY, ships=True)
    flood(shard, "young", 9 * DAY)
    sales(shard, "young", 9 * DAY + 12 * HOUR, 40, HOUR, ships=True)
    assert not {"bust-out-prepared", "bust-out-unshipped", "bust-out"} & codes(shard, "young")
    assert shard.feature("account_changes_30d", "young") == 0


def test_a_backlog_tells_who_ships_from_who_does_not(shard: Shard) -> None:
    """Thirty orders an hour apart, two days to ship: at once, shipped within hours or not at all."""
    for merchant, ships in (("ships", True), ("keeps", False)):
        sales(shard, merchant, 0, 30, HOUR, ships=ships)
    # Mean age of 14.5 hours of the 48 promised, thirty times.
    assert shard.feature("ship_backlog", "keeps") == pytest.approx(30 * 14.5 / 48, rel=0.01)
    assert shard.feature("ship_shortfall", "keeps") == 1
    assert shard.feature("ship_shortfall", "ships") in (None, 0)


def test_a_takeover_is_a_change_and_then_another_shop(shard: Shard) -> None:
    """New device and bank, prices cut to half, goods of another kind; the owner's own new phone changes nothing."""
    for merchant in ("taken", "owner"):
        shard.apply(changed("device", 0, merchant, "old"), changed("bank", 0, merchant, "old"))
        shard.apply(
            opened(merchant, 0, days_ago=400), *(listed(f"l{n}", n * HOUR, merchant, "created") for n in range(6))
        )
        sales(shard, merchant, DAY, 20, DAY, ships=True)
        shard.apply(changed("device", 21 * DAY, merchant), changed("bank", 21 * DAY + HOUR, merchant))
    for number in range(6):
        shard.apply(listed(f"l{number}", 21 * DAY + 3 * HOUR, "taken", "updated", price=450, list_price=1000))
        shard.apply(listed(f"l{number}", 21 * DAY + 3 * HOUR, "owner", "updated", price=900, list_price=1000))
    flood(shard, "taken", 21 * DAY + 4 * HOUR)
    for merchant in ("taken", "owner"):
        sales(shard, merchant, 22 * DAY, 6, HOUR, ships=True)
    assert "account-takeover" in codes(shard, "taken")
    assert shard.feature("new_categories_7d", "taken") == 1
    assert "account-takeover" not in codes(shard, "owner")


def test_changes_of_the_first_day_are_the_set_up_whenever_the_registration_is_heard_of(shard: Shard) -> None:
    """Heard of before or after the changes, they are none."""
    for merchant, late in (("before", False), ("after", True)):
        news = [opened(merchant), changed("owner", HOUR, merchant), changed("device", 23 * HOUR, merchant, "d")]
        shard.apply(*(reversed(news) if late else news), placed("o", 2 * DAY, merchant))
        assert shard.feature("account_changes_30d", merchant) == 0
        assert shard.feature("days_since_takeover_sign", merchant) is None
        shard.apply(changed("owner", 3 * DAY, merchant, "new"), placed("o2", 5 * DAY, merchant))
        assert shard.feature("days_since_payout_change", merchant) == 2
