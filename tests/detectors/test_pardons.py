"""What an appeal showed to be wrong is not found again on the same facts."""

from pathlib import Path

import pytest

from detectors.pardons import flags_behind, seen_by, unpardoned
from features.feature import Context
from features.order import DEFECTS, IMPLAUSIBLE_SCAN, NOT_RECEIVED, OrderRecord, flags_of
from tests.builders import DAY, HOUR, Shard, listed, make_judge, of_order, placed, policies_of, shipped, tracked

RULES = """
rules:
  - id: early-scan
    version: 1
    title: Scanned before it was ordered
    policy: fake_tracking
    subject: order
    on: [order.tracked]
    when: scan_before_order_hours > 2
    severity: high
    weight: 0.5
    reason: "{scan_before_order_hours:.0f} hours, {orders_30d:d} orders"
    mode: enforce
  - id: replica
    version: 1
    title: Words of the replica trade
    policy: counterfeit
    subject: listing
    on: [listing.created, listing.updated]
    when: replica_terms > 0 and orders_30d >= 0
    severity: high
    weight: 0.5
    reason: "{replica_terms:d} terms"
    mode: enforce
"""


@pytest.fixture
def shard(tmp_path: Path) -> Shard:
    """A shard with two rules of its own."""
    return Shard(make_judge(policies_of(tmp_path, RULES), audit_rate=0.0))


def context(shard: Shard, order: str = "", listing: str = "") -> Context:
    """What rules see of an order or a listing."""
    known = shard.state.orders.get(f"m1:{order}") if order else None
    shown = shard.state.listings.get(f"m1:{listing}") if listing else None
    return Context(shard.merchant(), shard.state.population, known, shown)


def test_a_pardon_holds_for_what_the_rule_saw(shard: Shard) -> None:
    """Other figures of the merchant change nothing; an earlier scan of the same order is a new fact."""
    rule = shard.judge.policies.rules["early-scan"]
    shard.apply(placed(), tracked(at=-3 * HOUR))
    pardons = {rule.id: seen_by(rule, context(shard, "o1"))}
    assert unpardoned([rule], pardons, context(shard, "o1")) == []
    shard.apply(placed("o2", at=HOUR))
    assert unpardoned([rule], pardons, context(shard, "o1")) == []
    shard.apply(tracked(at=-5 * HOUR, status="accepted"))
    assert unpardoned([rule], pardons, context(shard, "o1")) == [rule]


def test_a_listing_is_pardoned_until_it_says_something_else(shard: Shard) -> None:
    """Another price leaves the pardon, more of the same words end it."""
    rule = shard.judge.policies.rules["replica"]
    shard.apply(listed(title="Replica mug"))
    pardons = {rule.id: seen_by(rule, context(shard, listing="l1"))}
    shard.apply(listed(title="Replica mug", at=HOUR, kind="updated", price=900))
    assert unpardoned([rule], pardons, context(shard, listing="l1")) == []
    shard.apply(listed(title="Replica mug, mirror quality", at=2 * HOUR, kind="updated", price=900))
    assert unpardoned([rule], pardons, context(shard, listing="l1")) == [rule]


def test_pardoned_flags_count_against_nobody(shard: Shard) -> None:
    """An order whose only defect is pardoned is no bad order; others stand."""
    assert flags_behind(shard.judge.policies.rules["early-scan"]) == IMPLAUSIBLE_SCAN
    shard.apply(
        placed(),
        shipped(),
        of_order("delivered", at=3 * DAY),
        of_order("return_requested", at=9 * DAY, reason="not_received"),
    )
    order: OrderRecord = shard.state.orders["m1:o1"]
    assert flags_of(order) & DEFECTS == NOT_RECEIVED
    order.pardoned = NOT_RECEIVED
    assert not flags_of(order) & DEFECTS
    order.claims |= DEFECTS & ~NOT_RECEIVED
    assert flags_of(order) & DEFECTS
