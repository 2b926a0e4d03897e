"""The features of patterns are what an oracle makes of the same events, in any order and with any of them missing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.judge import Judge
from features.keys import split_key
from tests.builders import DAY, Shard, make_judge
from tests.oracle_patterns import pattern_figures
from tests.strategies import START, Event, event_streams


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge with the packaged policies, for whom no order is too old for another event."""
    return make_judge(retention_days=200, publish_level=4, audit_rate=0.0)


@st.composite
def dressed_streams(draw: st.DrawFn) -> list[Event]:
    """Streams with devices, origins, list prices and news of the account. A device is used within a few days."""
    events = []
    for one in draw(event_streams(max_merchants=2, listings=True)):
        event: dict[str, Any] = dict(one)
        # The same event again must stay the same: what is added follows from its id.
        pick = sum(event["event_id"].encode())
        if event["type"] == "order.created":
            event["device_id"] = f"d{pick % 3}-{event['occurred_at'] // (5 * DAY)}"
        elif event["type"] in ("order.shipped", "listing.created", "listing.updated"):
            event["ship_from"] = (None, "US", "DE", "CN")[pick % 4]
            if event["type"] != "order.shipped":
                event["list_price"] = (None, 900, 2500)[pick % 3]
        events.append(event)
    merchants = sorted({event["merchant_id"] for event in events})
    if merchants:
        for number in range(draw(st.integers(0, 6))):
            at = START + draw(st.integers(0, 60 * DAY))
            merchant = draw(st.sampled_from(merchants))
            head = {"event_id": f"a{number}", "occurred_at": at, "merchant_id": merchant}
            if draw(st.booleans()):
                what = draw(st.sampled_from(["bank", "owner", "device", "phone"]))
                value = f"d{draw(st.integers(0, 2))}-{START // (5 * DAY)}"
                news = head | {"type": "merchant.account_changed", "what": what, "value_hash": value}
            else:
                opened = at - draw(st.sampled_from([0, 3 * DAY]))
                news = head | {
                    "type": "merchant.registered",
                    "kind": "business",
                    "country": "US",
                    "registered_at": opened,
                }
            events.insert(draw(st.integers(0, len(events))), news)
    return events


@given(dressed_streams(), st.sampled_from([0, 1, 3, 20]))
@settings(max_examples=80, deadline=None)
def test_features_of_patterns_are_the_oracles(judge: Judge, events: list[Event], days: int) -> None:
    """Each figure of each merchant, exactly where it is a count, to what whole parts of an order allow elsewhere."""
    shard = Shard(judge)
    shard.apply(*events)
    shard.flush([], shard.state.clock.highest + days * DAY + 1)
    excused = {split_key(key) for key, order in shard.state.orders.items() if order.excused}
    for name, merchant in shard.state.merchants.items():
        own = [event for event in events if event["merchant_id"] == name]
        ids = frozenset(order for owner, order in excused if owner == name)
        wanted = pattern_figures(own, merchant.record.as_of, shard.state.clock.watermark, ids)
        for feature, value in wanted.items():
            found = shard.feature(feature, name)
            if value is None or isinstance(value, int):
                assert found == value, (name, feature)
            else:
                assert found == pytest.approx(float(value), rel=0.03, abs=1e-9), (name, feature)
