import random
from collections import Counter
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import buyers
from features.bucket_text import pack_buckets, unpack_buckets
from features.buyers import CAPACITY, WINDOW_DAYS, BuyerCounts

DAY = 20_000


def figures(counts: BuyerCounts) -> tuple[int, float | None, float | None]:
    """Distinct buyers, concentration and share of repeats."""
    return counts.distinct, counts.concentration, counts.repeat_share


def by_hand(orders: list[tuple[int, int]], today: int) -> tuple[int, float | None, float | None]:
    """The same, from all (day, buyer) pairs."""
    per_buyer = Counter(buyer for day, buyer in orders if today - WINDOW_DAYS < day <= today)
    total = per_buyer.total()
    if not total:
        return 0, None, None
    repeats = sum(count for count in per_buyer.values() if count > 1)
    return len(per_buyer), sum(count**2 for count in per_buyer.values()) / total**2, repeats / total


def reread(counts: BuyerCounts) -> BuyerCounts:
    """Written to the store and read again."""
    return BuyerCounts(counts.day, unpack_buckets(pack_buckets(counts.buckets(), lists=True)), counts.level)


@given(st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 6)) | st.integers(0, 40), max_size=60))
@settings(max_examples=150, deadline=None)
def test_figures_are_exact_below_capacity(steps: list[tuple[int, int] | int]) -> None:
    """Orders of any day and days that pass: every figure is what counting everything anew gives, stored or not."""
    counts = BuyerCounts(DAY, {})
    orders: list[tuple[int, int]] = []
    for step in steps:
        if isinstance(step, int):
            counts.advance(counts.day + step)
        else:
            age, buyer = step
            orders.append((counts.day - age, buyer))
            counts.add(counts.day - age, buyer)
        expected = by_hand(orders, counts.day)
        assert figures(counts) == pytest.approx(expected)
        assert figures(reread(counts)) == figures(counts)
        window = [one for day, one in orders if counts.day - WINDOW_DAYS < day <= counts.day]
        assert [counts.orders_of(buyer) for buyer in range(7)] == [window.count(buyer) for buyer in range(7)]


@given(
    st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 6)) | st.integers(0, 40), max_size=60),
    st.sets(st.integers(0, 60)),
    st.sampled_from([buyers.CAPACITY, 4]),
)
@settings(max_examples=200, deadline=None)
def test_stored_text_is_that_of_the_entries(
    steps: list[tuple[int, int] | int], pauses: set[int], capacity: int
) -> None:
    """Written anew in part, at any points in between or at each, it is what writing all entries gives, thinned or not;
    unless they say that they have changed it needs no writing.
    """
    with patch.object(buyers, "CAPACITY", capacity):
        write_in_part(steps, pauses)


def write_in_part(steps: list[tuple[int, int] | int], pauses: set[int]) -> None:
    """Compare the text with that of all entries after each step that is no pause."""
    counts = BuyerCounts(DAY, {})
    stored = ""
    for number, step in enumerate(steps):
        if isinstance(step, int):
            counts.advance(counts.day + step)
        else:
            counts.add(counts.day - step[0], step[1])
        if number in pauses:
            continue
        changed, before = counts.changed, stored
        stored = counts.packed(stored)
        assert stored == pack_buckets(counts.buckets(), lists=True)
        assert changed or stored == before


def test_a_few_buyers_with_very_many_orders_stay_exact() -> None:
    """A ring of eight buyers with five thousand orders is seen as eight buyers: nothing is sampled away."""
    counts = BuyerCounts(DAY, {})
    for index in range(5000):
        counts.add(DAY + index // 200, index % 8)
    assert counts.level == 0
    assert counts.distinct == 8
    assert counts.concentration == pytest.approx(1 / 8)
    assert counts.repeat_share == 1.0
    assert counts.orders_of(3) == 625
    assert figures(reread(counts)) == figures(counts)


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_estimated_above_capacity(seed: int) -> None:
    """Forty thousand orders of twenty thousand buyers: each figure is close, and memory is bounded."""
    random_ = random.Random(seed)
    buyers = random_.sample(range(1 << 24), 20_000)
    orders = [(DAY + index // 1400, random_.choice(buyers)) for index in range(40_000)]
    counts = BuyerCounts(DAY, {})
    for day, buyer in orders:
        counts.add(day, buyer)
        assert sum(map(len, counts.days.values())) <= CAPACITY
    distinct, concentration, repeats = by_hand(orders, counts.day)
    assert counts.level > 0
    assert counts.distinct == pytest.approx(distinct, rel=0.35)
    assert counts.concentration == pytest.approx(concentration, rel=0.5)
    assert counts.repeat_share == pytest.approx(repeats, abs=0.1)
    assert len(pack_buckets(counts.buckets(), lists=True)) < 10_000
    assert figures(reread(counts)) == figures(counts)


def test_a_thinned_sample_is_exact_again_after_a_pause() -> None:
    """Once everything sampled has left the window, counting begins anew."""
    counts = BuyerCounts(DAY, {})
    for buyer in range(2000):
        counts.add(DAY, buyer * 8191)
    assert counts.level > 0
    counts.advance(DAY + WINDOW_DAYS)
    assert (counts.level, figures(counts)) == (0, (0, None, None))
    counts.add(counts.day, 1)
    assert figures(counts) == (1, 1.0, 0.0)


def test_the_window_holds_thirty_days() -> None:
    """An order counts on its day and the 29 after."""
    counts = BuyerCounts(DAY, {})
    counts.add(DAY, 1)
    counts.advance(DAY + 29)
    assert counts.distinct == 1
    counts.advance(DAY + 30)
    assert counts.distinct == 0
    counts.add(DAY, 1)
    assert counts.distinct == 0


@given(st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 6)), max_size=40), st.integers(0, 60))
def test_distinct_buyers_of_a_day_to_come_are_those_after_moving_on(orders: list[tuple[int, int]], days: int) -> None:
    """Nothing is changed by asking."""
    counts = BuyerCounts(DAY, {})
    for day, buyer in orders:
        counts.add(DAY + day, buyer)
    later = counts.day + days
    before, asked = counts.distinct, counts.distinct_at(later)
    assert counts.distinct == before
    counts.advance(later)
    assert asked == counts.distinct
