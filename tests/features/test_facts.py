import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.facts import BUYERS_LIMIT, CREATOR_FACTS, FACT_FLAGS, FreshFacts, fact_kind, window_days
from features.order import LATE_SHIP, REFUND
from features.registry import FEATURES


@pytest.mark.parametrize(
    ("feature", "kind"),
    [
        ("late_shipments_30d", "late_shipments"),
        ("counterfeit_claims_90d", "counterfeit_claims"),
        ("orders_7d", "orders"),
        ("unshipped_overdue_orders", "late_shipments"),
        ("mature_ship_orders_30d", None),
        ("distinct_buyers_30d", None),
        ("late_ship_rate_30d", None),
        ("price_cuts_7d", None),
        ("linked_merchants", None),
    ],
)
def test_features_that_count_cases_are_known_by_their_names(feature: str, kind: str | None) -> None:
    """A count of orders that went wrong is of a kind of fact; rates, gauges and what is due are of none."""
    assert feature in FEATURES
    assert fact_kind(feature) == kind


def test_every_kind_of_fact_is_counted_by_a_feature() -> None:
    """No kind is there that no rule could ask for."""
    assert {fact_kind(name) for name in FEATURES} - {None} == FACT_FLAGS.keys() | CREATOR_FACTS


def test_windows_are_read_from_names() -> None:
    """A feature's window in days is the end of its name."""
    assert (window_days("orders_30d"), window_days("orders_1h"), window_days("live_listings")) == (30, None, None)


@given(
    events=st.lists(
        st.tuples(st.booleans(), st.sampled_from([LATE_SHIP, REFUND, LATE_SHIP | REFUND]), st.integers(0, 30))
    )
)
def test_counts_are_what_was_raised_less_what_was_cleared(events: list[tuple[bool, int, int]]) -> None:
    """Only the kinds asked for are counted; buyers are each kept once, up to a limit."""
    since = FreshFacts("late_dispatch", "d0", 0, {"late_shipments": 0})
    for raised, changed, buyer in events:
        since.note(changed if raised else 0, 0 if raised else changed, buyer)
    signs = [1 if raised else -1 for raised, changed, _ in events if changed & LATE_SHIP]
    assert since.counts == {"late_shipments": sum(signs)}
    seen = dict.fromkeys(buyer for raised, changed, buyer in events if raised and changed & LATE_SHIP)
    assert since.buyers == list(seen)[:BUYERS_LIMIT]
