"""Sums and names at the limits: nothing overflows, loses a cent or grows without bound."""

import pytest

from detectors.judge import Judge
from features.delivery_times import LIMIT
from features.population import SEGMENT_LIMIT
from features.text import TITLE_CHARACTERS
from tests.builders import HOUR, Shard, listed, make_judge, of_order, placed, stored
from tests.fuzz.live_path import check_finite

MOST = 10**12


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes all features, so that all of them are looked at."""
    return make_judge(publish_level=0, audit_rate=1.0, all_features=True)


def test_turnover_beyond_what_a_float_can_count_is_exact(judge: Judge) -> None:
    """Ten thousand orders of the largest amount are more than 2**53 minor units; one unit more still shows."""
    shard = Shard(judge)
    shard.apply(*[placed(f"o{number}", HOUR, total=MOST) for number in range(10_000)], placed("last", HOUR, total=1))
    assert shard.feature("gmv_90d") == 10_000 * MOST + 1 > 2**53
    for emit in shard.emits:
        check_finite(emit.value or b"")
    found = stored(shard.core)
    assert len(found) > 10_000
    for name, value in found.items():
        # Models' snapshots are bytes that check themselves.
        if ":" in name:
            check_finite(value)


def test_refunds_add_up_beyond_the_total(judge: Judge) -> None:
    """Sixty refunds of the largest amount for an order of nothing are noted, and no share of nothing is taken."""
    shard = Shard(judge)
    shard.apply(
        placed(total=0), *[of_order("refunded", at=number, amount=MOST, fault="seller") for number in range(60)]
    )
    assert shard.order().refunded == 60 * MOST
    assert shard.feature("refund_share", order="o1") is None


def test_thousands_of_regions_and_categories_stay_within_bounds(judge: Judge) -> None:
    """Names that producers make up push the stalest out, and the shard goes on."""
    shard = Shard(judge)
    count = max(SEGMENT_LIMIT, LIMIT) + 200
    for number in range(count):
        order, listing = f"o{number}", f"l{number}"
        created = placed(order, number, ship_to=f"region {number}", items=[_item(listing)])
        shard.apply(
            listed(listing, number, category=f"category {number}"), created, of_order("delivered", order, number)
        )
    population = shard.state.population
    assert SEGMENT_LIMIT / 2 < len(population.segments) <= SEGMENT_LIMIT
    assert SEGMENT_LIMIT / 2 < len(population.prices) <= SEGMENT_LIMIT
    assert LIMIT / 2 < len(population.deliveries.routes) <= LIMIT


def _item(listing: str) -> dict[str, object]:
    return {"listing_id": listing, "quantity": 1, "unit_price": 1000}


def test_of_a_long_title_as_much_is_kept_as_is_compared(judge: Judge) -> None:
    """The same title again is the same, although only its beginning is stored."""
    shard = Shard(judge)
    title = "Mug with a very long story " * 700
    shard.apply(listed(title=title), listed(at=HOUR, kind="updated", title=title))
    assert len(shard.listing().title) == TITLE_CHARACTERS
    assert shard.feature("title_similarity", listing="l1") == 1.0
