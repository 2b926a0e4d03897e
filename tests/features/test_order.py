from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import order as o
from features.order import OrderRecord, flags_of, next_timer, outcome_due, retention_end
from features.windows import DAY_MS

CREATED = 1_704_067_200_000
SHIP_BY = CREATED + 2 * DAY_MS
DELIVER_BY = CREATED + 5 * DAY_MS
RETENTION = 60
RATED = o.ORDERED | o.SHIP_DUE | o.OUTCOME_DUE


def order(**facts: Any) -> OrderRecord:
    """An order with two days to ship and five to deliver."""
    return OrderRecord(**({"created": CREATED, "ship_by": SHIP_BY, "deliver_by": DELIVER_BY} | facts))


@pytest.mark.parametrize(
    ("facts", "flags"),
    [
        ({}, RATED),
        ({"shipped": SHIP_BY, "delivered": DELIVER_BY}, RATED),
        ({"shipped": SHIP_BY + 1, "delivered": DELIVER_BY}, RATED | o.LATE_SHIP),
        ({"shipped": SHIP_BY, "delivered": DELIVER_BY + 1}, RATED | o.LATE_DELIVERY),
        ({"ship_overdue": True}, RATED | o.LATE_SHIP | o.OVERDUE),
        ({"ship_overdue": True, "shipped": SHIP_BY}, RATED),
        ({"ship_overdue": True, "delivered": DELIVER_BY}, RATED),
        ({"shipped": SHIP_BY, "delivery_overdue": True}, RATED | o.LATE_DELIVERY),
        ({"shipped": SHIP_BY, "delivery_overdue": True, "delivered": DELIVER_BY}, RATED),
        ({"cancelled": SHIP_BY, "cancelled_by": "buyer"}, o.ORDERED | o.LATE_CANCEL),
        ({"cancelled": CREATED + DAY_MS, "cancelled_by": "buyer"}, o.ORDERED),
        ({"cancelled": SHIP_BY, "cancelled_by": "platform"}, o.ORDERED),
        ({"cancelled": SHIP_BY + 1, "cancelled_by": "buyer"}, RATED | o.UNDELIVERABLE | o.LATE_SHIP),
        ({"cancelled": SHIP_BY, "cancelled_by": "seller"}, RATED | o.UNDELIVERABLE | o.SELLER_CANCEL),
        (
            {"cancelled": SHIP_BY + 1, "cancelled_by": "seller"},
            RATED | o.UNDELIVERABLE | o.SELLER_CANCEL | o.LATE_SHIP,
        ),
        ({"shipped": SHIP_BY, "cancelled": SHIP_BY, "cancelled_by": "seller"}, RATED),
        ({"shipped": SHIP_BY, "cancelled": DELIVER_BY, "cancelled_by": "buyer", "delivery_overdue": True}, RATED),
        ({"shipped": SHIP_BY, "cancelled": DELIVER_BY + 1, "cancelled_by": "buyer"}, RATED | o.LATE_DELIVERY),
        ({"claims": o.COUNTERFEIT}, RATED | o.COUNTERFEIT),
        ({"claims": o.NOT_RECEIVED, "delivered": DELIVER_BY}, RATED | o.NOT_RECEIVED | o.DELIVERED_NOT_RECEIVED),
        ({"refunded": 500}, RATED),
        ({"refunded": 500, "seller_refund": True}, RATED | o.REFUND),
        ({"disputed": True}, RATED | o.DISPUTE),
        ({"disputed": True, "dispute_lost": True}, RATED | o.DISPUTE),
        ({"disputed": True, "dispute_lost": False}, RATED),
        ({"dispute_lost": True}, RATED),
        ({"rating": 1}, RATED | o.LOW_RATING),
        ({"rating": 2}, RATED | o.LOW_RATING),
        ({"rating": 3}, RATED),
        ({"first_scan": CREATED}, RATED),
        ({"first_scan": CREATED - 1}, RATED | o.IMPLAUSIBLE_SCAN),
        ({"tracking_reused": True}, RATED | o.IMPLAUSIBLE_SCAN),
        ({"too_fast": True}, RATED | o.IMPLAUSIBLE_SCAN),
        ({"light": True}, RATED | o.LIGHT_PARCEL),
        ({"light": True, "claims": o.NOT_RECEIVED}, RATED | o.LIGHT_PARCEL | o.NOT_RECEIVED),
        (
            {"light": True, "claims": o.NOT_RECEIVED, "delivered": DELIVER_BY},
            RATED | o.LIGHT_PARCEL | o.LIGHT_CLAIM | o.NOT_RECEIVED | o.DELIVERED_NOT_RECEIVED,
        ),
        (
            {"light": True, "claims": o.NOT_AS_DESCRIBED},
            RATED | o.LIGHT_PARCEL | o.LIGHT_CLAIM | o.NOT_AS_DESCRIBED,
        ),
        ({"ship_from": "US", "shipped_from": "DE"}, RATED | o.OTHER_ORIGIN),
        ({"shipped_from": "DE"}, RATED),
        ({"shared_device": True, "own_device": True}, RATED | o.SHARED_DEVICE | o.OWN_DEVICE),
        ({"excused": True, "claims": o.NOT_RECEIVED, "delivered": DELIVER_BY}, RATED | o.EXCUSED),
        ({"excused": True, "disputed": True, "seller_refund": True, "rating": 1}, RATED | o.EXCUSED | o.LOW_RATING),
        ({"buyer_claims": 6, "buyer_claim_merchants": 2, "claims": o.NOT_RECEIVED}, RATED | o.EXCUSED),
        ({"buyer_claims": 6, "buyer_claim_merchants": 1, "claims": o.COUNTERFEIT}, RATED | o.COUNTERFEIT),
        ({"buyer_claims": 5, "buyer_claim_merchants": 2, "claims": o.COUNTERFEIT}, RATED | o.COUNTERFEIT),
        ({"buyer_claims": 6, "buyer_claim_merchants": 2}, RATED),
    ],
)
def test_flags_follow_from_facts(facts: dict[str, Any], flags: int) -> None:
    """Each fact, at the last moment in time and at the first too late, has its flags, and any defect makes it bad. An
    order of which nothing is heard is open.
    """
    bad = o.BAD if flags & o.DEFECTS else 0
    waits = not {"shipped", "delivered", "cancelled", "ship_overdue"} & facts.keys()
    assert flags_of(order(**facts)) == flags | bad | (o.OPEN if waits else 0)


def test_an_unknown_order_has_no_flags() -> None:
    """Facts of an order that was never created count for nothing yet."""
    facts = {"ship_by": 0, "deliver_by": 0, "shipped": CREATED, "claims": o.COUNTERFEIT, "cancelled": CREATED}
    assert flags_of(order(created=None, **facts)) == 0


_times = st.none() | st.sampled_from([CREATED - 1, CREATED, SHIP_BY, SHIP_BY + 1, DELIVER_BY, DELIVER_BY + 1])
_orders = st.builds(
    order,
    shipped=_times,
    first_scan=_times,
    delivered=_times,
    cancelled=_times,
    cancelled_by=st.sampled_from(["buyer", "seller", "platform"]),
    claims=st.sampled_from([0, o.NOT_RECEIVED, o.NOT_AS_DESCRIBED | o.COUNTERFEIT]),
    disputed=st.booleans(),
    dispute_lost=st.none() | st.booleans(),
    seller_refund=st.booleans(),
    rating=st.integers(0, 5),
    ship_overdue=st.booleans(),
    delivery_overdue=st.booleans(),
    matured=st.booleans(),
)


@given(_orders)
@settings(max_examples=400, deadline=None)
def test_flags_agree_with_each_other(record: OrderRecord) -> None:
    """Whatever the facts: bad if and only if there is a defect, and numerators lie within their denominators."""
    flags = flags_of(record)
    assert bool(flags & o.BAD) == bool(flags & o.DEFECTS)
    assert flags & o.ORDERED
    for part, whole in (
        (o.SELLER_CANCEL, o.SHIP_DUE),
        (o.LATE_SHIP, o.SHIP_DUE),
        (o.OVERDUE, o.LATE_SHIP),
        (o.LATE_DELIVERY, o.OUTCOME_DUE),
        (o.UNDELIVERABLE, o.OUTCOME_DUE),
    ):
        assert not flags & part or flags & whole
    assert not (flags & o.UNDELIVERABLE and flags & o.LATE_DELIVERY)
    assert bool(flags & o.SHIP_DUE) == bool(flags & o.OUTCOME_DUE)


@given(_orders)
@settings(max_examples=100, deadline=None)
def test_an_order_reads_back(record: OrderRecord) -> None:
    """What is stored is everything."""
    assert msgspec.json.decode(msgspec.json.encode(record), type=OrderRecord) == record


def test_days_on_which_an_order_can_be_judged() -> None:
    """A promise until any moment of a day is judged from the next midnight on, the outcome fourteen days later."""
    for moment in (0, 1, DAY_MS - 1):
        record = order(ship_by=SHIP_BY + moment, deliver_by=DELIVER_BY + moment)
        assert o.ship_due_day(record) == SHIP_BY // DAY_MS + 1
        assert o.delivery_due_day(record) == DELIVER_BY // DAY_MS + 1
        assert outcome_due(record) == DELIVER_BY + 15 * DAY_MS
        assert retention_end(record, RETENTION) == DELIVER_BY + 75 * DAY_MS


def alarms(record: OrderRecord) -> Iterator[int]:
    """Times at which an order is looked at, as the core does: note what is overdue, then what is mature, until the
    end.
    """
    while True:
        time = next_timer(record, RETENTION)
        yield time
        if record.matured and time >= retention_end(record, RETENTION):
            return
        if record.cancelled is None and record.delivered is None:
            record.ship_overdue |= record.shipped is None and time > record.ship_by
            record.delivery_overdue |= time > record.deliver_by
        record.matured |= time >= outcome_due(record)


def test_an_order_that_nothing_is_heard_of_is_looked_at_four_times() -> None:
    """A millisecond after each promise, when its outcome is due, and when it is forgotten."""
    record = order()
    assert [*alarms(record)] == [SHIP_BY + 1, DELIVER_BY + 1, outcome_due(record), retention_end(record, RETENTION)]


def test_a_finished_order_is_looked_at_twice() -> None:
    """Delivered or cancelled, only the outcome and the end are left."""
    for facts in ({"delivered": SHIP_BY}, {"cancelled": SHIP_BY}):
        record = order(**facts)
        assert [*alarms(record)] == [outcome_due(record), retention_end(record, RETENTION)]


def test_no_promise_is_forgotten_whatever_their_order() -> None:
    """Ship-by may lie behind deliver-by, and behind the outcome or the retention: each is looked at once, in order."""
    for ship, deliver in product((0, 5, 30, 200), (0, 5, 30)):
        record = order(ship_by=CREATED + ship * DAY_MS, deliver_by=CREATED + deliver * DAY_MS)
        end = retention_end(record, RETENTION)
        assert end > record.ship_by + RETENTION * DAY_MS
        expected = {record.ship_by + 1, record.deliver_by + 1, outcome_due(record), end}
        assert [*alarms(record)] == sorted(expected), (ship, deliver)


@pytest.mark.parametrize(
    ("facts", "raised"),
    [
        ({"cancelled": SHIP_BY - 1, "cancelled_by": "buyer"}, True),
        ({"cancelled": (CREATED + SHIP_BY) // 2 + 1, "cancelled_by": "buyer"}, True),
        ({"cancelled": (CREATED + SHIP_BY) // 2, "cancelled_by": "buyer"}, False),
        ({"cancelled": SHIP_BY - 1, "cancelled_by": "platform"}, False),
        ({"cancelled": SHIP_BY - 1, "cancelled_by": "seller"}, False),
        ({"cancelled": SHIP_BY + 1, "cancelled_by": "buyer"}, False),
        ({"cancelled": SHIP_BY - 1, "cancelled_by": "buyer", "shipped": CREATED + 1}, False),
    ],
)
def test_a_cancellation_for_the_buyer_counts_when_most_of_the_time_to_ship_had_passed(
    facts: dict[str, Any], raised: bool
) -> None:
    """In the second half of the time to ship, unshipped, in the buyer's name; it is no defect."""
    flags = flags_of(order(**facts))
    assert bool(flags & o.LATE_CANCEL) == raised
    if raised:
        assert not flags & o.DEFECTS
