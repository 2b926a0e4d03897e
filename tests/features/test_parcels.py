"""Weights and times of parcels: which are far below the others, and what is learned of them."""

from binascii import a2b_base64
from math import exp

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.claimants import LIMIT as CLAIMANTS_LIMIT
from features.claimants import Claimant, note_claim, note_order
from features.devices import DAYS, LIMIT, note_device
from features.log_counts import BIN, FADING, LogCounts
from features.parcels import ENOUGH, Parcels
from features.windows import DAY_MS, HOUR_MS


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=200))
def test_the_line_is_that_of_sorted_figures(figures: list[float]) -> None:
    """Median and lowest tenth are those of the sorted list, to a bin, once all are counted."""
    counts = LogCounts()
    for figure in figures:
        counts.add(figure)
    ranked = sorted(figures)
    median, tenth = ranked[(len(ranked) - 1) // 2], ranked[-(-len(ranked) // 10) - 1]
    counts.changes = len(figures)
    line = counts.far_below(0.0, 1.0)
    # The line is then the lowest tenth, with half a bin up.
    assert tenth * exp(-2 * BIN) <= line <= tenth * exp(2 * BIN)
    counts.changes = len(figures)
    assert counts.far_below(0.0, 0.0) == pytest.approx(median, rel=2 * BIN)


def test_counts_fade_and_stay_bounded() -> None:
    """What was long ago weighs less and less, and is forgotten."""
    counts = LogCounts()
    counts.add(1e5)
    for _ in range(3 * FADING):
        counts.add(10.0)
    assert counts.total < FADING
    assert len(counts.bins) == 1


def test_a_few_empty_boxes_do_not_move_the_line_and_a_change_of_goods_does() -> None:
    """One in six stays an outlier for good; when nearly all are light, that is what parcels weigh."""
    parcels = Parcels()
    for number in range(600):
        assert not parcels.weigh("home", 900 + number % 50, 1)
        if number > ENOUGH and not number % 6:
            assert parcels.weigh("home", 30, 1)
    lights = [parcels.weigh("home", 40, 1) for _ in range(2000)]
    assert lights[0]
    assert not lights[-1]


def test_routes_are_judged_by_themselves_where_they_are_known() -> None:
    """Three hours are nothing in town, and impossible from abroad."""
    parcels = Parcels()
    for number in range(ENOUGH):
        parcels.arrived("US>town", (2 + number % 3) * HOUR_MS)
        parcels.arrived("CN>US", (200 + number % 30) * HOUR_MS)
    assert not parcels.arrived("US>town", 2 * HOUR_MS)
    assert parcels.arrived("CN>US", 3 * HOUR_MS)


def test_what_cannot_be_weighed_teaches_nothing() -> None:
    """No weight, no category, no quantity."""
    parcels = Parcels()
    assert not any((parcels.weigh("home", 0, 1), parcels.weigh("", 5, 1), parcels.weigh("home", 5, 0)))
    assert parcels.weights == {}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 1e5)), max_size=150))
def test_parcels_are_stored_as_they_are(parcels: list[tuple[str, float]]) -> None:
    """Read again they are the same, and give the same bytes."""
    known = Parcels()
    for category, figure in parcels:
        known.weigh(category, max(1, round(figure)), 1)
        known.arrived(category, round(figure * HOUR_MS))
    stored = msgspec.json.encode(known)
    read = msgspec.json.decode(stored, type=Parcels)
    assert read == known
    assert msgspec.json.encode(read) == stored


# -- devices ----------------------------------------------------------------------------------------------------------


def test_a_device_is_shared_by_its_second_buyer_and_all_after() -> None:
    """The same buyer again shares nothing; once there were several, each order is from a shared device."""
    known, found = "", []
    for buyer in (7, 7, 8, 8, 7):
        known, shared = note_device(known, 20_000, 500, buyer)
        found.append(shared)
    assert found == [False, False, True, True, True]


@pytest.mark.parametrize(("days", "shared"), [(DAYS - 1, True), (DAYS, False), (-3, True)])
def test_devices_are_forgotten_after_their_days(days: int, shared: bool) -> None:
    """Of the last fourteen days, whatever the day is and also when news is late."""
    for day in (20_000, 20_223, 30_000):
        known, _ = note_device("", day, 500, 7)
        assert note_device(known, day + days, 500, 8)[1] is shared


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2**24 - 1), st.integers(0, 9)), max_size=60))
def test_few_devices_are_kept(orders: list[tuple[int, int, int]]) -> None:
    """Never more than so many, in five bytes each."""
    known = ""
    for day, device, buyer in orders:
        known, _ = note_device(known, 20_000 + day, device, buyer)
        assert len(a2b_base64(known)) <= 5 * LIMIT


# -- claimants --------------------------------------------------------------------------------------------------------


def test_claims_fade_and_orders_with_them() -> None:
    """A year later three claims are next to nothing."""
    claimants: dict[int, Claimant] = {}
    for merchant in (1, 2, 3):
        note_claim(claimants, 9, DAY_MS, merchant, DAY_MS)
    known = claimants[9]
    assert known.abusive()
    note_claim(claimants, 9, 400 * DAY_MS, 4, 400 * DAY_MS - 1)
    assert not known.abusive()


def test_orders_count_from_the_first_claim_on() -> None:
    """Who orders a lot between the claims is believed."""
    claimants: dict[int, Claimant] = {}
    note_order(claimants, 9, 0)
    assert claimants == {}
    for number in range(4):
        note_claim(claimants, 9, number + 1, number + 1, 0)
        note_order(claimants, 9, number + 1)
        note_order(claimants, 9, number + 1)
    known = claimants[9]
    assert (known.claims, known.orders) == (4.0, 12.0)
    assert not known.abusive()


def test_buyers_are_bounded_and_the_stalest_leave() -> None:
    """When the table is full those heard of least lately go."""
    claimants: dict[int, Claimant] = {}
    for buyer in range(CLAIMANTS_LIMIT + 1):
        note_claim(claimants, buyer, buyer + 1, 1, 0)
    assert len(claimants) <= CLAIMANTS_LIMIT
    assert 0 not in claimants
    assert CLAIMANTS_LIMIT in claimants
