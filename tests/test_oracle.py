from typing import Any

import pytest
from hypothesis import given, settings

from features.decode import InputLimits, Rejection, decode
from tests.oracle import DAY, expected
from tests.strategies import START, Event, as_record, event_streams, topic_of

#: Long after everything: all promises have passed and all windows are empty.
LATER = START + 400 * DAY
HOUR = DAY // 24


def order(number: int, created: int, *more: tuple[str, int, dict[str, Any]], **fields: Any) -> list[Event]:
    """An order of merchant m, created some days after the start, with more events: type, ms after creation, fields."""
    at = START + created * DAY
    first = {"total": 1000, "currency": "EUR", "ship_by": at + 2 * DAY, "deliver_by": at + 5 * DAY} | fields
    events = [("created", 0, first), *more]
    return [
        {"event_id": f"{number}-{index}", "type": f"order.{kind}", "occurred_at": at + after}
        | {"merchant_id": "m", "order_id": f"o{number}"}
        | extra
        for index, (kind, after, extra) in enumerate(events)
    ]


def features(events: list[Event], day: int, watermark: int | None = None) -> dict[str, float | None]:
    """Features of merchant m at the end of a day after the start."""
    now = START + (day + 1) * DAY - 1
    return expected(events, as_of={"m": now}, watermark=now if watermark is None else watermark)["m"].features


GOOD: tuple[tuple[str, int, dict[str, Any]], ...] = (("shipped", DAY, {}), ("delivered", 3 * DAY, {}))


def test_a_window_holds_its_last_days_both_ends_included() -> None:
    """Orders of the days 0 to 6 are in the 7-day window of day 6; day 0 leaves it on day 7."""
    events = order(1, 0, *GOOD) + order(2, 6, *GOOD, total=250)
    assert features(events, 6)["orders_7d"] == 2
    assert features(events, 6)["gmv_7d"] == 1250
    assert features(events, 7)["orders_7d"] == 1
    assert features(events, 7)["orders_30d"] == 2


def test_a_good_order_has_no_defect() -> None:
    """An order that went as promised counts in the denominators alone, each from its own day on."""
    events = order(1, 0, *GOOD)
    for day, ship, delivery, outcome in ((2, 0, 0, 0), (3, 1, 0, 0), (6, 1, 1, 0), (19, 1, 1, 0), (20, 1, 1, 1)):
        found = features(events, day)
        denominators = [
            found[f"{name}_30d"] for name in ("mature_ship_orders", "mature_delivery_orders", "mature_orders")
        ]
        assert denominators == [ship, delivery, outcome], day
    assert features(events, 20)["bad_orders_30d"] == 0
    assert features(events, 20)["bad_order_rate_30d"] == 0.0
    assert features(events, 2)["late_ship_rate_30d"] is None


@pytest.mark.parametrize(
    ("events", "defects"),
    [
        ((("shipped", 2 * DAY, {}), ("delivered", 5 * DAY, {})), set()),
        ((("shipped", 2 * DAY + 1, {}), ("delivered", 5 * DAY, {})), {"late_shipments"}),
        ((("shipped", DAY, {}), ("delivered", 5 * DAY + 1, {})), {"late_deliveries"}),
        ((("shipped", DAY, {}), ("tracked", 3 * DAY, {"status": "delivered"})), set()),
        ((("delivered", DAY, {}),), set()),
        ((("shipped", DAY, {}),), {"late_deliveries"}),
        ((), {"late_shipments", "late_deliveries"}),
        ((("cancelled", DAY, {"by": "buyer"}),), set()),
        ((("cancelled", DAY, {"by": "seller"}),), {"seller_cancels"}),
        ((("cancelled", 2 * DAY + 1, {"by": "platform"}),), {"late_shipments"}),
        ((("shipped", DAY, {}), ("cancelled", 3 * DAY, {"by": "seller"})), set()),
        ((("shipped", DAY, {}), ("cancelled", 5 * DAY + 1, {"by": "buyer"})), {"late_deliveries"}),
        ((*GOOD, ("return_requested", 4 * DAY, {"reason": "damaged"})), {"not_as_described"}),
        ((*GOOD, ("return_requested", 4 * DAY, {"reason": "other"})), set()),
        ((*GOOD, ("return_requested", 4 * DAY, {"reason": "counterfeit"})), {"counterfeit_claims"}),
        ((*GOOD, ("refunded", 4 * DAY, {"amount": 1, "fault": "seller"})), {"refunds"}),
        ((*GOOD, ("refunded", 4 * DAY, {"amount": 1, "fault": "carrier"})), set()),
        ((*GOOD, ("disputed", 4 * DAY, {})), {"disputes"}),
        ((*GOOD, ("disputed", 4 * DAY, {}), ("dispute_resolved", 5 * DAY, {"in_favour_of": "seller"})), set()),
        ((*GOOD, ("disputed", 4 * DAY, {}), ("dispute_resolved", 5 * DAY, {"in_favour_of": "buyer"})), {"disputes"}),
        ((*GOOD, ("reviewed", 4 * DAY, {"rating": 2}), ("reviewed", 5 * DAY, {"rating": 5})), {"low_ratings"}),
        ((*GOOD, ("reviewed", 5 * DAY, {"rating": 1}), ("reviewed", 4 * DAY, {"rating": 5})), set()),
    ],
)
def test_each_defect_follows_from_its_facts(
    events: tuple[tuple[str, int, dict[str, Any]], ...], defects: set[str]
) -> None:
    """Exactly the expected counts are one, and the order is bad if any is."""
    found = features(order(1, 0, *events), 20)
    names = {"seller_cancels", "late_shipments", "late_deliveries", "refunds", "not_as_described", "not_received"}
    names |= {"counterfeit_claims", "disputes", "low_ratings"}
    assert {name for name in names if found[f"{name}_30d"]} == defects
    assert found["bad_orders_30d"] == bool(defects)


def test_overdue_shows_only_when_the_watermark_has_passed() -> None:
    """An order is not late before its time, and late one millisecond after."""
    events = order(1, 0)
    assert features(events, 3, watermark=START + 2 * DAY)["late_shipments_7d"] == 0
    assert features(events, 3, watermark=START + 2 * DAY + 1)["late_shipments_7d"] == 1


def test_orders_called_off_in_time_are_in_no_rate() -> None:
    """A buyer's early cancellation is in no rate, whatever else is claimed about the order; a seller's counts."""
    kept = order(1, 0, *GOOD)
    early = order(2, 0, ("cancelled", DAY, {"by": "buyer"}), ("refunded", DAY, {"amount": 1, "fault": "seller"}))
    by_seller = order(3, 0, ("cancelled", DAY, {"by": "seller"}))
    found = features(kept + early, 20)
    assert (found["mature_ship_orders_30d"], found["mature_orders_30d"]) == (1, 1)
    assert (found["refunds_30d"], found["refund_rate_30d"]) == (1, 0.0)
    found = features(kept + by_seller, 20)
    assert (found["mature_ship_orders_30d"], found["mature_delivery_orders_30d"], found["mature_orders_30d"]) == (
        2,
        1,
        2,
    )
    assert found["cancel_rate_30d"] == 0.5


def test_without_promises_defaults_hold() -> None:
    """Three days to ship and ten to deliver where the order says nothing."""
    events = order(1, 0, ("shipped", 3 * DAY + 1, {}), ("delivered", 10 * DAY, {}), ship_by=None, deliver_by=None)
    found = features(events, 25)
    assert (found["late_shipments_30d"], found["late_deliveries_30d"]) == (1, 0)
    assert (features(events, 24)["mature_orders_30d"], found["mature_orders_30d"]) == (0, 1)


def test_repeats_and_orders_without_creation_do_not_count() -> None:
    """The same event twice is one event; an order whose creation is missing is no order."""
    events = order(1, 0, *GOOD)
    assert features(events + events, 6)["orders_7d"] == 1
    assert features(events[1:], 6)["orders_7d"] == 0


def test_other_currencies_are_not_added_up() -> None:
    """GMV is in the currency that the merchant was first seen with."""
    events = order(1, 0) + order(2, 0, currency="USD")
    assert features(events, 0)["gmv_7d"] == 1000


def test_totals_stand_by_the_day_of_the_order() -> None:
    """Defects are counted on the day of the order, not on their own."""
    events = order(1, 0, ("shipped", 2 * DAY + 1, {}), ("delivered", 3 * DAY, {})) + order(2, 1, *GOOD)
    by_day = expected(events, as_of={"m": LATER}, watermark=LATER)["m"].by_day
    day = START // DAY
    assert by_day[day] == {"orders": 1, "gmv": 1000, "late_shipments": 1, "bad_orders": 1}
    assert by_day[day + 1] == {"orders": 1, "gmv": 1000}


@given(event_streams(listings=True))
@settings(max_examples=50, deadline=None)
def test_generated_streams_keep_the_contract(events: list[Event]) -> None:
    """Whatever the strategy makes, the worker accepts, so that tests with it test more than the dead letters."""
    for event in events:
        record = as_record(event)
        decoded = decode(topic_of(event), record.key, record.value, record.timestamp or 0, InputLimits())
        assert not isinstance(decoded, Rejection), decoded


@given(event_streams())
@settings(max_examples=50, deadline=None)
def test_the_order_of_arrival_does_not_matter_to_the_oracle(events: list[Event]) -> None:
    """Facts are facts: the reversed stream gives the same figures."""
    as_of = {event["merchant_id"]: LATER for event in events}
    for watermark in (START + 20 * DAY, LATER):
        forwards = expected(events, as_of=as_of, watermark=watermark)
        assert expected(events[::-1], as_of=as_of, watermark=watermark) == forwards
