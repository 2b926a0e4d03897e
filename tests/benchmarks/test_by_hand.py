"""The job written by hand, which Faust and Quix Streams are compared with."""

from itertools import pairwise
from typing import Any

import orjson
import pytest

from benchmarks.by_hand import DAY_MS, RULES, ByHand
from benchmarks.records import make_records

START = 1_760_000_000_000


def event(kind: str, at: int, **fields: Any) -> dict[str, Any]:
    """An event of merchant m1."""
    return {"type": kind, "event_id": f"{kind}-{at}", "merchant_id": "m1", "occurred_at": at, **fields}


def test_a_counter_decays_over_its_window() -> None:
    """After a window's length, 1/e of a count is left, and the longer window keeps more."""
    by_hand = ByHand(seed=1)
    state, _ = by_hand.apply(None, event("order.shipped", START))
    state, _ = by_hand.apply(state, event("order.shipped", START + 7 * DAY_MS))
    assert state["counters"]["shipped_7d"][0] == pytest.approx(1 + 0.3679, abs=1e-3)
    assert state["counters"]["shipped_30d"][0] == pytest.approx(1 + 0.7919, abs=1e-3)


def test_a_rule_that_begins_to_fire_is_published_once() -> None:
    """A merchant that cancels most of its orders is assessed when a rule begins to fire, not at every event after."""
    by_hand = ByHand(seed=1)
    state, fired = None, []
    for number in range(60):
        at = START + number * 60_000
        for happened in (
            event("order.created", at, total=1_000, items=[{}]),
            event("order.cancelled", at + 1, by="seller"),
        ):
            state, assessment = by_hand.apply(state, happened)
            if assessment is not None:
                fired.append(assessment["rules"])
    assert "cancels-severe" in fired[-1]
    assert len(fired) < 15
    assert all(rules != before for before, rules in pairwise(fired))


def test_it_works_on_the_simulators_traffic_and_its_state_is_json() -> None:
    """Every simulated event is taken, some assessments come out, and a state survives a turn through JSON."""
    by_hand = ByHand(seed=1)
    states: dict[str, dict[str, Any]] = {}
    published = 0
    for record in make_records(6_000, seed=3):
        document = orjson.loads(record.value)
        merchant_id = document["merchant_id"]
        state, assessment = by_hand.apply(states.get(merchant_id), document)
        states[merchant_id] = orjson.loads(orjson.dumps(state))
        assert states[merchant_id] == state
        published += assessment is not None
    assert published > 0


def test_it_has_as_many_rules_as_counters() -> None:
    """Twenty rules and twenty counters, as the report says."""
    by_hand = ByHand(seed=1)
    state = None
    for kind, fields in (
        ("order.created", {"total": 1, "items": [{}]}),
        ("order.shipped", {}),
        ("order.delivered", {}),
        ("order.cancelled", {"by": "seller"}),
        ("order.refunded", {"fault": "seller"}),
        ("order.return_requested", {"reason": "not_received"}),
        ("order.return_requested", {"reason": "damaged"}),
        ("order.reviewed", {"rating": 1}),
        ("listing.created", {}),
    ):
        state, _ = by_hand.apply(state, event(kind, START, **fields))
    assert state is not None
    assert len(RULES) == len(state["counters"]) == 20
